"""GitLab's Code Quality report, shown in merge requests.

Source: docs.gitlab.com "Code Quality", "Code Quality report format": an array of objects with description, check_name,
fingerprint, severity, location.path and location.lines.begin; paths relative to the repository, without `./`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gitops_ci.display import visible
from gitops_ci.model import Finding, Outcome, Severity, Skip
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.fingerprint import fingerprinted

__all__ = ["ID", "report"]

ID = "codequality"

_SEVERITIES: Mapping[Severity, str] = {"error": "critical", "warning": "minor", "note": "info"}


def report(outcome: Outcome) -> str:
    """Findings, and files that could not be read. Findings without a path have no place in this format."""
    outcome = prepare(outcome)
    unread = (_unread(skip) for skip in outcome.skipped if skip.failed)
    placed = [finding for finding in (*outcome.findings, *unread) if finding.path]
    return json.dumps([_issue(*pair) for pair in fingerprinted(placed)], indent=2) + "\n"


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    parts = (f"{finding.message} ({finding.resource})" if finding.resource else finding.message, finding.hint)
    return {
        "description": visible(". ".join(part.rstrip(".") for part in parts if part)),
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": finding.path.removeprefix("./"), "lines": {"begin": max(1, finding.line)}},
    }


def _unread(skip: Skip) -> Finding:
    return Finding("gitops-ci/not-read", "error", skip.reason, skip.path, skip.line, hint=skip.hint)
