"""The gate before a bump is published: only a finding that the edits bring stops it.

What is judged is what an operator would send: the units that hold an edited file are rendered as `validate` renders
them. What was wrong before the edit is not this run's business: it is counted in one warning. Two findings are the
same when rule, file, resource and field are; the line may move, and the message may quote the new value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import FindingsError, ProgramError
from gitops_ci.flows.bump.judgement import Judgement, Side, judge
from gitops_ci.flows.bump.survey import survey
from gitops_ci.flows.globs import Paths, is_manifest
from gitops_ci.flows.journal import Journal
from gitops_ci.model import Finding, Log, Plan
from gitops_ci.repourl import RepoUrl
from gitops_ci.validation import Checks, Report

__all__ = ["Base", "check_edits"]

_Key = tuple[str, str, str, str]
_NOTHING = Judgement(Report((), ()))
# What kustomize hangs on the name of a generated object changes with what is in it (kustomize api/hasher).
_HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")


@dataclass(frozen=True, slots=True)
class Base:
    """What the edits are made on: a commit of a branch.

    `selection` is what of it the run is about, `operators` are the files with objects of an operator.
    """

    snapshot: Snapshot
    url: RepoUrl
    branch: str
    selection: Paths
    operators: Collection[str] = ()


def check_edits(journal: Journal, plan: Plan, checks: Checks, base: Base, log: Log) -> None:
    """Check what comes of the edited files, and compare with what came of them before.

    Only files that are manifests by name are checked: a marked `.env` is none.

    Raises:
        FindingsError: the edits make something worse; nothing has been pushed.
    """
    changes = [change for change in plan.files if is_manifest(change.path)]
    after, before = _judged(
        {change.path: change.after for change in changes},
        {change.path: change.before for change in changes},
        {text for change in plan.changes for text in (change.edit.old, change.edit.new) if text},
        checks, base, log,
    )  # fmt: skip
    errors = _errors(after.report.findings)
    new = [*_not_in(errors, before.report.findings), *_lost(before, after)]
    _tell_known(errors, new, log)
    # A warning about what was not touched is for another day.
    touched = {(change.path, change.resource) for change in plan.changes}
    warnings = [f for f in after.report.findings if f.severity != "error" and (f.path, f.resource) in touched]
    journal.findings, journal.counts = (*new, *warnings), _summary(after.report.summary, errors, new)
    # Those that are rendered are checked too.
    journal.counts["files"] = len(changes)
    # Files that are no manifests are nothing to tell; a resource that could not be checked is.
    paths = {change.path for change in changes}
    journal.skipped = tuple(skip for skip in after.report.skipped if skip.hint and skip.path in paths)
    if new:
        raise FindingsError(
            f"The edit brings {len(new)} error{'s' if len(new) > 1 else ''} into the manifests: nothing was pushed",
            hint=f"{new[0].path}:{new[0].line}: {new[0].message}",
        )


def _judged(
    after: Mapping[str, str], before: Mapping[str, str], words: Collection[str], checks: Checks, base: Base, log: Log
) -> tuple[Judgement, Judgement]:
    """Both sides; what was there before is only looked at where something is wrong after the edit."""
    if not after:
        return judge(Side(after, base.snapshot, base.selection, checks, None), log), _NOTHING
    found = survey(
        base.snapshot,
        after,
        base.operators,
        url=base.url,
        branch=base.branch,
        kubernetes_version=checks.kubernetes_versions[-1],
        words=words,
    )
    try:
        first = judge(Side(after, base.snapshot, base.selection, checks, found), log)
    except ProgramError as error:
        log.warn(f"{error.message}: the edited files are checked as they lie. {error.hint}".rstrip())
        found = None
        first = judge(Side(after, base.snapshot, base.selection, checks, None), log)
    for program in first.missing:
        log.warn(f"{program}: what it would render is checked as it lies")
    errors = _errors(first.report.findings)
    if not (errors or first.failed):
        return first, _NOTHING
    beside = first.beside({finding.path for finding in errors})
    return first, judge(Side(before, base.snapshot, base.selection, checks, found, beside), log)


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
    return finding.rule, finding.path, _HASH.sub("", finding.resource), finding.field


def _lost(before: Judgement, after: Judgement) -> Iterator[Finding]:
    """Units that could be rendered before the edit, and cannot be any more, whoever's values they lack."""
    for name, (path, reason) in after.failed.items():
        if name in before.rendered:
            message = f"{name} could be rendered before the edit, and no more after it: {reason}"
            yield Finding("gitops/unit-build", "error", message, path, 1, 1)


def _tell_known(errors: Collection[Finding], new: Collection[Finding], log: Log) -> None:
    known = len(errors) - len(new)
    if known:
        paths = sorted({finding.path for finding in errors})
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        log.warn(
            f"What the edited files deploy had {known} error{'s' if known > 1 else ''} before this change: "
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
