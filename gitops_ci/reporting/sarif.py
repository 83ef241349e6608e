"""SARIF 2.1.0, for GitHub code scanning and whatever else reads it.

Sources: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" (sections named below);
docs.github.com "SARIF support for code scanning" (what GitHub shows, and its limits).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from gitops_ci import __version__
from gitops_ci.display import visible
from gitops_ci.model import Finding, Outcome, Severity, Skip
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.fingerprint import fingerprinted
from gitops_ci.reporting.summary import is_told
from gitops_ci.rules.catalog import RULE_IDS
from gitops_ci.rules.pages import rule_page

__all__ = ["ID", "report"]

ID = "sarif"

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_FAMILIES = {
    "yaml": "A YAML reader of Kubernetes refuses this, or reads it as something else than it looks like.",
    "schema": "The resource does not follow its schema: an API server refuses it.",
    "api": "An API server refuses this resource.",
    "gitops": "The GitOps tool that deploys this would fail or do something else.",
    "repo": "A rule of this repository.",
}
# Findings that GitHub takes from one run; more make the upload fail.
_MOST = 25_000
_LEVELS: tuple[Severity, ...] = ("note", "warning", "error")


def report(outcome: Outcome) -> str:
    outcome = prepare(outcome)
    # The worst first where not all fit; sorting is stable.
    findings = sorted(outcome.findings, key=lambda finding: -_LEVELS.index(finding.severity))[:_MOST]
    rules = sorted({finding.rule for finding in findings})
    run = {
        "tool": {"driver": {"name": "gitops-ci", "version": __version__, "rules": _rules(rules, findings)}},
        "automationDetails": {"id": f"gitops-ci/{outcome.command}/"},
        "invocations": [_invocation(outcome)],
        # Columns count characters (§3.14.17), not UTF-16 units.
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder the command ran in."}}},
        "results": [_result(finding, mark, rules.index(finding.rule)) for finding, mark in fingerprinted(findings)],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules(ids: Sequence[str], findings: Sequence[Finding]) -> list[dict[str, Any]]:
    worst: dict[str, Severity] = {}
    for finding in findings:
        worst[finding.rule] = max(worst.get(finding.rule, "note"), finding.severity, key=_LEVELS.index)
    return [_rule(rule, worst[rule]) for rule in ids]


def _rule(rule: str, level: Severity) -> dict[str, Any]:
    family, _, name = rule.partition("/")
    page = rule_page(rule) if rule in RULE_IDS else None
    about = f"{page.what} {page.why}" if page else _FAMILIES.get(family, "A rule of gitops-ci.")
    return {
        "id": rule,
        "name": "".join(part.capitalize() for part in name.split("-")) or rule,
        "shortDescription": {
            "text": page.what if page else f"{name.replace('-', ' ').capitalize() or rule} ({family})"
        },
        "fullDescription": {"text": about},
        "help": {"text": f"{about} `gitops-ci rule {rule}` explains the rule. --skip-rules {rule} leaves it out."},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": [family], "problem.severity": "recommendation" if level == "note" else level},
    }


def _result(finding: Finding, fingerprint: str, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": _message(finding)},
        "partialFingerprints": {"gitopsCiFinding/v1": fingerprint},
    }
    if finding.path:
        location: dict[str, Any] = {"physicalLocation": _place(finding.path, finding.line, finding.column)}
        if finding.resource:
            location["logicalLocations"] = [{"fullyQualifiedName": finding.resource, "kind": "object"}]
        result["locations"] = [location]
    return result


def _message(finding: Finding) -> str:
    told = f"{finding.message} ({finding.resource})" if finding.resource else finding.message
    return _text(f"{told}. {finding.hint}" if finding.hint else told)


def _place(path: str, line: int, column: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(path, errors="replace"), "uriBaseId": "SRCROOT"}}
    if line:
        place["region"] = {"startLine": line, **({"startColumn": column} if column else {})}
    return place


def _invocation(outcome: Outcome) -> dict[str, Any]:
    notes = [_notification(skip) for skip in outcome.skipped]
    if hidden := len(outcome.findings[_MOST:]):
        notes.append({"level": "warning", "message": {"text": f"{hidden} more findings are not in this file"}})
    if outcome.error and not is_told(outcome):
        told = f"{outcome.error.message}\n{outcome.error.hint}".rstrip()
        notes.append({"level": "error", "message": {"text": _text(told)}})
    return {
        # §3.20.14: whether the tool did its work, not whether it found anything.
        "executionSuccessful": outcome.exit_code in {0, 1},
        "exitCode": outcome.exit_code,
        "toolExecutionNotifications": notes,
    }


def _notification(skip: Skip) -> dict[str, Any]:
    told = f"Skipped: {skip.reason}" + (f". {skip.hint}" if skip.hint else "")
    return {
        "level": "error" if skip.failed else "note",
        "message": {"text": _text(told)},
        "locations": [{"physicalLocation": _place(skip.path, skip.line, 0)}],
    }


def _text(text: str) -> str:
    """Plain text: §3.11.6 makes a link of `[text](address)`."""
    return visible(text).replace("](", "] (")
