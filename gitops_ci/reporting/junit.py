"""JUnit XML, which Jenkins, GitLab and Azure Pipelines show as test results.

There is no one standard: this is what Jenkins' xunit-plugin describes (`junit-4.xsd`, `junit-10.xsd`). A suite is a
file, a case a finding; only errors fail. The first case is the command itself, so that a report is never empty:
Jenkins takes a report without a case for a broken build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape  # the same five characters as XML's; xml.sax takes 40 ms to import
from itertools import groupby

from gitops_ci.display import visible, visible_lines
from gitops_ci.model import Finding, Outcome, Skip
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.summary import location, sentence

__all__ = ["ID", "report"]

ID = "junit"

# name of the case, element inside it (empty where it passed), message, text
Case = tuple[str, str, str, str]


def report(outcome: Outcome) -> str:
    outcome = prepare(outcome)
    cases = sorted((*_findings(outcome.findings), *_skips(outcome.skipped)), key=lambda case: case[0])
    suites = [_command(outcome)]
    suites += [(path, [case for _, case in group]) for path, group in groupby(cases, key=lambda case: case[0])]
    every = [case for _, found in suites for case in found]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="gitops-ci" tests="{len(every)}" failures="{_failures(every)}" errors="0">',
        *(line for path, found in suites for line in _suite(path, found)),
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _command(outcome: Outcome) -> tuple[str, list[Case]]:
    name = f"gitops-ci {outcome.command}"
    if outcome.error:
        told = "\n".join(filter(None, (outcome.error.message, outcome.error.hint)))
        # What fails as a case of its own is no second failure here.
        elsewhere = any(finding.severity == "error" for finding in outcome.findings)
        elsewhere |= any(skip.failed for skip in outcome.skipped)
        counted = elsewhere and outcome.error.kind == "findings"
        return name, [(name, "" if counted else "failure", outcome.error.message, told)]
    return name, [(name, "", "", sentence(outcome))]


def _findings(findings: Iterable[Finding]) -> Iterator[tuple[str, Case]]:
    for finding in findings:
        where = location(finding.path, finding.line, finding.column)
        told = f"{where}: {finding.severity} {finding.rule}: {finding.message}"
        text = "\n".join(filter(None, (told, finding.resource, finding.hint)))
        name = f"{finding.rule} {finding.resource}".rstrip()
        yield finding.path, (name, "failure" if finding.severity == "error" else "", finding.message, text)


def _skips(skipped: Iterable[Skip]) -> Iterator[tuple[str, Case]]:
    for skip in skipped:
        text = "\n".join(filter(None, (f"{location(skip.path, skip.line)}: {skip.reason}", skip.hint)))
        name = f"line {skip.line}" if skip.line else "the file"
        yield skip.path, (f"read {name}", "failure" if skip.failed else "skipped", skip.reason, text)


def _failures(cases: Iterable[Case]) -> int:
    return sum(case[1] == "failure" for case in cases)


def _suite(path: str, cases: list[Case]) -> Iterator[str]:
    skipped = sum(case[1] == "skipped" for case in cases)
    name = _attribute(path or "(no file)")
    yield f'  <testsuite name={name} tests="{len(cases)}" failures="{_failures(cases)}" errors="0" skipped="{skipped}">'
    seen: Counter[str] = Counter()
    for case in cases:
        seen[case[0]] += 1
        yield from _case(name, case, seen[case[0]])
    yield "  </testsuite>"


def _case(classname: str, case: Case, number: int) -> Iterator[str]:
    name, element, message, text = case
    # Readers merge cases of one name.
    yield f"    <testcase classname={classname} name={_attribute(f'{name} ({number})' if number > 1 else name)}>"
    inner = escape(visible_lines(text), quote=False)
    if element == "failure":
        yield f"      <failure message={_attribute(message)}>{inner}</failure>"
    else:
        yield f"      <{element or 'system-out'}>{inner}</{element or 'system-out'}>"
    yield "    </testcase>"


def _attribute(text: str) -> str:
    return f'"{escape(visible(text))}"'
