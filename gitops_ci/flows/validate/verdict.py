"""Whether a validation succeeds: errors fail it, and what the user adds to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from gitops_ci.errors import FindingsError, GitopsCiError
from gitops_ci.model import ErrorDetail, FailOn, Finding, Outcome, Skip
from gitops_ci.reporting.summary import count

__all__ = ["failing", "judged", "told_once", "without_repeats"]

_MISSING = "gitops/missing-path"
_BUILDS = frozenset({"gitops/kustomize-build", "gitops/unit-build"})


def told_once(described: Sequence[Finding], rendering: Sequence[Finding]) -> list[Finding]:
    """Findings of descriptions and of rendered objects. A failed build is left out if its cause is reported already."""
    told = {finding.path for finding in described if finding.severity == "error"}
    return [*described, *(one for one in rendering if one.rule not in _BUILDS or one.path not in told)]


def without_repeats(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings without what a unit says of a path that is missing, where the field that names it has a finding."""
    listed = tuple(findings)
    # The field has the path as it is written, often with a slash at its end.
    placed = [(one.path, one.message.replace("/'", "'")) for one in listed if one.rule == _MISSING and one.field]

    def is_repeated(one: Finding) -> bool:
        is_of_unit = one.rule == _MISSING and not one.field
        return is_of_unit and any(one.path == path and one.message in message for path, message in placed)

    return tuple(one for one in listed if not is_repeated(one))


def failing(findings: Iterable[Finding], fail_on: FailOn) -> list[Finding]:
    """The findings that fail a run; those of rules that the user made errors are errors."""
    severities = {"error", "warning"} if "warning" in fail_on.words else {"error"}
    return [one for one in _as_errors(findings, fail_on) if one.severity in severities]


def judged(fail_on: FailOn, findings: Sequence[Finding], skipped: Sequence[Skip], counts: Mapping[str, int]) -> Outcome:
    """The outcome of a validation. What fails it is an error in every report."""
    unread = sum(skip.failed for skip in skipped)
    if "skipped" in fail_on.words:
        skipped = tuple(skip if skip.expected else replace(skip, failed=True) for skip in skipped)
    failure = _failure(len(failing(findings, fail_on)), unread, sum(skip.failed for skip in skipped) - unread)
    return Outcome(
        command="validate",
        status="failed" if failure else "unchanged",
        exit_code=failure.exit_code if failure else 0,
        findings=tuple(_as_errors(findings, fail_on)),
        skipped=tuple(skipped),
        summary=counts,
        error=ErrorDetail.of(failure) if failure else None,
    )


def _as_errors(findings: Iterable[Finding], fail_on: FailOn) -> Iterator[Finding]:
    for one in findings:
        yield replace(one, severity="error") if fail_on.makes_error(one.rule) else one


def _failure(failed: int, unread: int, unchecked: int) -> GitopsCiError | None:
    if failed:
        accept = "Correct what they name, or accept it with --ignore or --skip-rules."
        return FindingsError(f"{count(failed, 'finding')} that must not be merged", hint=accept)
    if unread:
        return FindingsError(f"{count(unread, 'file')} could not be read", hint="Each is named with its reason.")
    if unchecked:
        hint = "Each is listed with its reason. Leave it out with --exclude or --skip-kind, or drop --fail-on skipped."
        return FindingsError(f"{count(unchecked, 'place')} could not be checked", hint=hint)
    return None
