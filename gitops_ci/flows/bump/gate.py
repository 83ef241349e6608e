"""The gate before a bump is published: only a finding that the edits bring stops it.

What was wrong before the edit is not this run's business: it is counted in one warning. Two findings are the same when
rule, file, resource and field are; the line may move, and the message may quote the new value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import FindingsError
from gitops_ci.flows.bump.patches import parts_among
from gitops_ci.flows.globs import is_manifest
from gitops_ci.flows.journal import Journal
from gitops_ci.model import Finding, Log, Plan
from gitops_ci.validation import Checks, check

__all__ = ["check_edits"]

_Key = tuple[str, str, str, str]


def check_edits(journal: Journal, plan: Plan, checks: Checks, snapshot: Snapshot, log: Log) -> None:
    """Check the edited files as they would be, and compare with what they are now.

    Only files that are manifests by name are checked: a marked `.env` is none.

    Raises:
        FindingsError: the edits make a file worse; nothing has been pushed.
    """
    after = {change.path: change.after for change in plan.files if is_manifest(change.path)}
    report = check(list(after.items()), checks)
    # What looks broken may be no manifest of its own: a kustomization says so. Only then it is worth looking.
    parts = parts_among({found.path for found in _errors(report.findings)}, snapshot)
    if parts:
        after = {path: text for path, text in after.items() if path not in parts}
        report = check(list(after.items()), checks)
    errors = _errors(report.findings)
    before = {change.path: change.before for change in plan.files if change.path in {found.path for found in errors}}
    new = _not_in(errors, check(list(before.items()), checks).findings) if errors else []
    _tell_known(errors, new, log)
    # A warning about what was not touched is for another day.
    touched = {(change.path, change.resource) for change in plan.changes}
    warnings = [f for f in report.findings if f.severity != "error" and (f.path, f.resource) in touched]
    journal.findings, journal.counts = (*new, *warnings), _summary(report.summary, errors, new)
    # Files that are no manifests are nothing to tell; a resource that could not be checked is.
    journal.skipped = tuple(skip for skip in report.skipped if skip.hint)
    if new:
        raise FindingsError(
            f"The edit brings {len(new)} error{'s' if len(new) > 1 else ''} into the manifests: nothing was pushed",
            hint=f"{new[0].path}:{new[0].line}: {new[0].message}",
        )


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _not_in(errors: Iterable[Finding], before: Iterable[Finding]) -> list[Finding]:
    """The errors that were not there before; of several with one key, as many as have come."""
    known = Counter(map(_key, _errors(before)))
    new = []
    for error in errors:
        if known[_key(error)]:
            known[_key(error)] -= 1
        else:
            new.append(error)
    return new


def _key(finding: Finding) -> _Key:
    return finding.rule, finding.path, finding.resource, finding.field


def _tell_known(errors: Collection[Finding], new: Collection[Finding], log: Log) -> None:
    known = len(errors) - len(new)
    if known:
        paths = sorted({finding.path for finding in errors})
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        log.warn(
            f"The edited files had {known} error{'s' if known > 1 else ''} before this change: "
            f"{', '.join(paths[:3])}{more}. Run 'gitops-ci validate' in the config repository to see them."
        )


def _summary(summary: Mapping[str, int], errors: Collection[Finding], new: Collection[Finding]) -> dict[str, int]:
    """The counts of the check; a file that was invalid before does not count as made invalid."""
    before = {(f.path, f.resource) for f in errors} - {(f.path, f.resource) for f in new}
    # Findings about what has no schema do not make a document invalid.
    known = min(len(before), summary["invalid"])
    return (
        {**summary, "valid": summary["valid"] + known, "invalid": summary["invalid"] - known} if known else {**summary}
    )
