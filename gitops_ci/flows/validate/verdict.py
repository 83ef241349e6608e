"""Whether a validation succeeds: errors fail it, and what the user adds to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gitops_ci.errors import FindingsError, GitopsCiError
from gitops_ci.model import ErrorDetail, FailOn, Finding, Outcome, Skip
from gitops_ci.reporting.summary import count

__all__ = ["judged"]


def judged(fail_on: FailOn, findings: Sequence[Finding], skipped: Sequence[Skip], counts: Mapping[str, int]) -> Outcome:
    """The outcome of a validation. What fails it is an error in every report."""
    findings = tuple(_as_error(one) if fail_on.makes_error(one.rule) else one for one in findings)
    unread = sum(skip.failed for skip in skipped)
    if "skipped" in fail_on.words:
        skipped = tuple(skip if skip.expected else replace(skip, failed=True) for skip in skipped)
    severities = {"error", "warning"} if "warning" in fail_on.words else {"error"}
    failing = sum(one.severity in severities for one in findings)
    failure = _failure(failing, unread, sum(skip.failed for skip in skipped) - unread)
    return Outcome(
        command="validate",
        status="failed" if failure else "unchanged",
        exit_code=failure.exit_code if failure else 0,
        findings=tuple(findings),
        skipped=tuple(skipped),
        summary=counts,
        error=ErrorDetail.of(failure) if failure else None,
    )


def _as_error(finding: Finding) -> Finding:
    return finding if finding.severity == "error" else replace(finding, severity="error")


def _failure(failing: int, unread: int, unchecked: int) -> GitopsCiError | None:
    if failing:
        accept = "Correct what they name, or accept it with --ignore or --skip-rules."
        return FindingsError(f"{count(failing, 'finding')} that must not be merged", hint=accept)
    if unread:
        return FindingsError(f"{count(unread, 'file')} could not be read", hint="Each is named with its reason.")
    if unchecked:
        hint = "Each is listed with its reason. Leave it out with --exclude or --skip-kind, or drop --fail-on skipped."
        return FindingsError(f"{count(unchecked, 'place')} could not be checked", hint=hint)
    return None
