"""The gate before a bump is published: only what the edits make worse stops it.

What is judged is what an operator would send: the units that hold an edited file are rendered as `validate` renders
them, with the settings that `validate` has. What was wrong before the edit is not this run's business: it is counted in
one warning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace

from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError, ProgramError
from gitops_ci.flows.bump.gate_settings import GateSettings
from gitops_ci.flows.bump.judgment import Judgment, Side, judge
from gitops_ci.flows.bump.namesakes import namesakes
from gitops_ci.flows.bump.surroundings import Around
from gitops_ci.flows.bump.survey import MOST, survey
from gitops_ci.flows.bump.worse import lost, new_findings, new_skips, unchecked
from gitops_ci.flows.globs import Paths, is_manifest
from gitops_ci.flows.image.existence import ImageLookup
from gitops_ci.flows.journal import Journal
from gitops_ci.flows.validate.verdict import failing
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Finding, Log, Plan, Skip
from gitops_ci.registry.connection import Access
from gitops_ci.reporting.summary import count
from gitops_ci.repourl import RepoUrl
from gitops_ci.validation import DUPLICATE, Report

__all__ = ["Base", "check_edits"]

_NOTHING = Judgment(Report((), ()))


@dataclass(frozen=True, slots=True)
class Base:
    """What the edits are made on: a commit of a branch.

    `selection` is what of it the run is about. `access` is for registries that are asked whether an image exists; the
    run itself brings those of `unpushed`.
    """

    snapshot: Snapshot
    url: RepoUrl
    branch: str
    selection: Paths
    access: Access = field(default_factory=Access)
    unpushed: tuple[ImageRef, ...] = ()


def check_edits(journal: Journal, plan: Plan, settings: GateSettings, base: Base, log: Log) -> None:
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
        settings, base, log,
    )  # fmt: skip
    failed = failing(after.report.findings, settings.fail_on)
    added = new_findings(failed, failing(before.report.findings, settings.fail_on))
    _tell_known(failed, added, log)
    new = [*added, *lost(before, after)]
    # A warning about what was not touched is for another day.
    touched = {(change.path, change.resource) for change in plan.changes}
    warnings = [f for f in after.report.findings if f.severity != "error" and _is_about(f, touched)]
    journal.findings = (*new, *(one for one in warnings if one not in new))
    journal.counts = _summary(after.report.summary, failed, added)
    # Those that are rendered are checked too.
    journal.counts["files"] = len(changes)
    # Files that are not manifests are nothing to tell; a resource that could not be checked is.
    paths = {change.path for change in changes}
    told = [skip for skip in after.report.skipped if skip.hint and skip.path in paths]
    journal.skipped = tuple(dict.fromkeys((*told, *(skip for skip in after.skipped if not skip.expected))))
    _stop(new, new_skips(unchecked(after, settings.fail_on), unchecked(before, settings.fail_on)))


def _is_about(finding: Finding, touched: Collection[tuple[str, str]]) -> bool:
    """Whether a finding is about what was edited: a path and a resource, `` where it was edited as any text."""
    is_named = finding.rule == DUPLICATE and (finding.path, "") in touched
    return is_named or (finding.path, finding.resource) in touched


def _stop(new: Sequence[Finding], skips: Sequence[Skip]) -> None:
    if new:
        errors = all(one.severity == "error" for one in new)
        raise FindingsError(
            f"The edit brings {count(len(new), 'error' if errors else 'finding')} into the manifests: "
            "nothing was pushed",
            hint=f"{new[0].path}:{new[0].line}: {new[0].message}",
        )
    if skips:
        raise FindingsError(
            f"After the edit, {count(len(skips), 'place')} can no longer be checked: nothing was pushed",
            hint=f"{skips[0].path}: {skips[0].reason}. {skips[0].hint}".strip(),
        )


def _judged(
    after: Mapping[str, str],
    before: Mapping[str, str],
    words: Collection[str],
    settings: GateSettings,
    base: Base,
    log: Log,
) -> tuple[Judgment, Judgment]:
    """Both sides; what was there before is only looked at where something is wrong after the edit."""
    whole = base.snapshot.whole(MOST) if after else None
    images = ImageLookup(base.access, without=base.unpushed) if settings.check_images else None
    there, selection = (whole, Paths()) if whole else (base.snapshot, base.selection)
    alike = namesakes(after, before, there, selection, settings)
    around = Around(settings, there, selection, images, log, alike)
    if whole is None:
        first = judge(Side(after, base.snapshot, around, settings, None), log)
        unread = _unread(after) if after else ()
        first = replace(first, skipped=(*first.skipped, *unread))
        return first, judge(Side(before, base.snapshot, around, settings, None), log)
    found = survey(whole, after, url=base.url, branch=base.branch, values=settings.values, words=words)
    try:
        first = judge(Side(after, whole, around, settings, found), log)
    except ProgramError as error:
        log.warn(f"{error.message}: the edited files are checked as they are. {error.hint}".rstrip())
        found = None
        first = judge(Side(after, whole, around, settings, None), log)
    for program in first.missing:
        log.warn(f"{program}: files that it would render are checked as they are")
    failed, skips = failing(first.report.findings, settings.fail_on), unchecked(first, settings.fail_on)
    if not (failed or skips or first.failed):
        return first, _NOTHING
    paths = {one.path for one in failed} | {one.path for one in skips}
    beside = first.beside(paths)
    return first, judge(Side(before, whole, around, settings, found, beside, first.shared), log)


def _unread(after: Mapping[str, str]) -> tuple[Skip, ...]:
    """That units were not rendered, since the repository is too large to look for them."""
    reason = f"not rendered: what deploys it may lie outside of the paths, among more than {MOST:,} files"
    hint = "Run 'gitops-ci validate' in a checkout of the config repository, or bump without --path."
    return (Skip(min(after), 0, reason, hint),)


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
