"""What GitHub Actions (and Gitea's and Forgejo's) read: annotations, the job summary, a step's outputs.

Sources: docs.github.com "Workflow commands for GitHub Actions"; escaping as actions/toolkit
`packages/core/src/command.ts` writes it and actions/runner `ActionCommand.cs` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from gitops_ci.display import visible, visible_lines
from gitops_ci.errors import GitopsCiError
from gitops_ci.model import Finding, Outcome, Severity, Skip
from gitops_ci.reporting import markdown
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.fan_out import matrix
from gitops_ci.reporting.results import Results
from gitops_ci.reporting.skips import grouped_skips
from gitops_ci.reporting.summary import count, is_told, location

__all__ = ["ID", "output_file", "outputs", "report", "step_summary"]

ID = "github"

# GitHub shows that many annotations of each kind from one step and drops the rest in silence.
_SHOWN = 10
# Half of the 1 MiB that a step may write: another command of the same step may add to the file.
SUMMARY_LIMIT = 512 * 1024

_COMMANDS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
_DELIMITER = re.compile(r"[A-Za-z0-9_-]{16,}")

Annotation = tuple[Severity, str]


def report(outcome: Outcome) -> str:
    """Annotations, the most important ones where there are more than GitHub shows; a notice counts the others."""
    outcome = prepare(outcome)
    found = list(_annotations(outcome))
    shown = [line for severity in _COMMANDS for line in _first(found, severity)]
    if hidden := len(found) - len(shown):
        shown.append(_command("note", "gitops-ci", f"{count(hidden, 'more finding')}: see the job summary or the log"))
    return "".join(f"{line}\n" for line in shown)


def step_summary(outcome: Outcome, *, limit: int = SUMMARY_LIMIT) -> str:
    """The Markdown for GITHUB_STEP_SUMMARY."""
    return markdown.report(outcome, limit=limit) + "\n"


def outputs(outcome: Outcome) -> dict[str, str]:
    """The outputs of the step, every key always there; `tags` are separated by commas."""
    results = Results.of(outcome)
    return {
        "digest": results.digest,
        "tags": ",".join(results.tags),
        "reference": results.reference,
        "pull-request-url": results.pull_request_url,
        "pull-request-number": results.pull_request_number,
        "changed": results.changed,
        "commit": results.commit,
        "findings": results.findings,
        "status": results.status,
        "matrix": matrix(outcome) if outcome.command == "plan" else "",
        "jobs": str(len(outcome.jobs)) if outcome.command == "plan" else "",
    }


def output_file(values: Mapping[str, str], delimiter: str) -> str:
    """The lines to append to GITHUB_OUTPUT. `delimiter` has to be random: who knows it could end a value early.

    Raises:
        GitopsCiError: a value contains the delimiter, or the delimiter is none.
    """
    if not _DELIMITER.fullmatch(delimiter):
        raise GitopsCiError("The delimiter for GITHUB_OUTPUT needs 16 letters or digits")
    if taken := [name for name, value in values.items() if delimiter in value]:
        raise GitopsCiError(
            f"The output '{taken[0]}' contains the delimiter of GITHUB_OUTPUT and was not written",
            hint="Run again: the delimiter is random. If it happens twice, somebody may be forging outputs.",
        )
    return "".join(f"{name}<<{delimiter}\n{visible(value)}\n{delimiter}\n" for name, value in values.items())


def _annotations(outcome: Outcome) -> Iterator[Annotation]:
    # The files of a bump lie in another repository: a path of there would annotate a file of here.
    here = outcome.command == "validate"
    if outcome.error and not is_told(outcome):
        yield "error", _command("error", f"gitops-ci {outcome.command}", outcome.error.message, outcome.error.hint)
    for finding in outcome.findings:
        yield finding.severity, _finding(finding, here=here)
    for skip, number in grouped_skips(outcome.skipped, 1):
        yield "error" if skip.failed else "note", _skip(skip, number, here=here)
    for warning in outcome.pull_request.warnings if outcome.pull_request else ():
        yield "warning", _command("warning", "pull request", warning)


def _first(found: Iterable[Annotation], severity: Severity) -> list[str]:
    lines = [line for kind, line in found if kind == severity]
    # One notice is kept for the count of what is left out.
    return list(islice(lines, _SHOWN - (severity == "note")))


def _finding(finding: Finding, *, here: bool) -> str:
    message = f"{finding.message} ({finding.resource})" if finding.resource else finding.message
    place = (finding.path, finding.line, finding.column)
    return _placed(finding.severity, finding.rule, message, finding.hint, place, here=here)


def _skip(skip: Skip, number: int, *, here: bool) -> str:
    severity: Severity = "error" if skip.failed else "note"
    title = "not read" if skip.failed else "skipped"
    reason = f"{skip.reason} (here and {number - 1:,} times more)" if number > 1 else skip.reason
    return _placed(severity, title, reason, skip.hint, (skip.path, skip.line, 0), here=here)


def _placed(severity: Severity, title: str, message: str, hint: str, place: tuple[str, int, int], *, here: bool) -> str:
    path, line, column = place
    if not here or not path:
        return _command(severity, title, f"{location(path, line, column)}: {message}" if path else message, hint)
    at = {"file": path, "line": line, "col": column if line else 0}
    return _command(severity, title, message, hint, at={name: str(value) for name, value in at.items() if value})


def _command(
    severity: Severity, title: str, message: str, hint: str = "", *, at: Mapping[str, str] | None = None
) -> str:
    properties = {**(at or {}), "title": title}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = "\n".join(filter(None, (message, hint)))
    return f"::{_COMMANDS[severity]} {told}::{_data(text)}"


def _data(text: str) -> str:
    return visible_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
