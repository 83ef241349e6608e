"""One file's part of the plan: decided, spliced, and confirmed by reading the result."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gitops_ci import formats, splice
from gitops_ci.formats import ManifestText, markers, pointer
from gitops_ci.model import Change, Edit, FileChange, ImageSite, Plan, Skip, Span
from gitops_ci.plan.decisions import Anchored, Covered, Decisions, Downgrade
from gitops_ci.plan.file_plan import FileCandidates
from gitops_ci.plan.pinning import Refusal

__all__ = ["plan_file"]


def plan_file(draft: FileCandidates, decisions: Decisions) -> Plan:
    """The plan for one file."""
    changes: list[Change] = []
    unchanged: list[ImageSite] = []
    skipped = list(draft.skipped)
    refused: list[Skip] = []
    aliased = _aliased(draft.sites)
    exempt = markers.exempt_lines(draft.source.text)
    answers = [
        (site, target, _exemption(site) if _is_on(exempt, site) else decisions(site, target, aliased))
        for site, target in draft.meant
    ]
    written = {edit.span for _, _, answer in answers if not isinstance(answer, Refusal) for edit in answer}
    for site, target, answer in answers:
        if isinstance(answer, Covered) or (isinstance(answer, Anchored) and answer.span in written):
            continue
        if isinstance(answer, Refusal):
            line = min(field.span.line for field in site.fields)
            skip = Skip(site.path, line, answer.reason, answer.hint, answer.failed, target.name)
            skipped.append(skip)
            refused += [skip] if isinstance(answer, Downgrade) else []
        elif answer:
            changes += [Change(site.path, site.format, site.resource, target, edit, site.image) for edit in answer]
        else:
            unchanged.append(site)
    # A value with an anchor may be the wish of several places: it is edited once.
    once: dict[tuple[Span, str], Change] = {}
    for change in changes:
        once.setdefault((change.edit.span, change.edit.text), change)
    changes = sorted(once.values(), key=lambda change: (change.edit.span.start, change.edit.span.end))
    skipped.sort(key=lambda skip: skip.line)
    meant = tuple(site for site, _ in draft.meant)
    plan = Plan(tuple(changes), tuple(unchanged), tuple(skipped), (), tuple(refused), meant)
    return _spliced(draft.source, plan, is_yaml=_is_yaml(draft)) if changes else plan


def _is_on(lines: Collection[int], site: ImageSite) -> bool:
    return any(field.span.line in lines for field in site.fields)


def _exemption(site: ImageSite) -> Refusal:
    reason = f"names {site.image}, which the comment `gitops-ci: no-bump` exempts"
    return Refusal(reason, "Remove the comment to have it bumped.")


def _aliased(sites: Sequence[ImageSite]) -> dict[Span, list[ImageSite]]:
    """The places that reach a value through an alias or a merge key, by where the value is written."""
    found: dict[Span, list[ImageSite]] = {}
    for site in sites:
        for field in site.fields:
            if field.anchor:
                found.setdefault(field.span, []).append(site)
    return found


def _is_yaml(draft: FileCandidates) -> bool:
    """Whether a parser found the places: by the file's name, or because a path into the document led there."""
    if draft.source.is_yaml:
        return not draft.source.is_template
    pointed = (field for site, _ in draft.meant if site.format == pointer.ID for field in site.fields)
    return any(field.spelling.quote != "raw" for field in pointed)


def _spliced(source: ManifestText, plan: Plan, *, is_yaml: bool) -> Plan:
    edits = [change.edit for change in plan.changes]
    trouble, after = "", ""
    try:
        after = splice.apply(source.text, edits)
    except ValueError as error:
        trouble = str(error)
    trouble = trouble or _confirm(source, edits, after, is_yaml=is_yaml)
    if not trouble:
        return replace(plan, files=(FileChange(source.path, source.text, after),))
    hint = "Please report this file; it was not changed."
    skip = Skip(source.path, edits[0].span.line, f"not edited: {trouble}", hint, failed=True)
    return replace(plan, changes=(), skipped=(*plan.skipped, skip))


def _confirm(source: ManifestText, edits: Sequence[Edit], after: str, *, is_yaml: bool) -> str:
    """'' when the result reads as planned: by the parser where there is one, else by finding every place again."""
    if is_yaml:
        return splice.confirm(source.yaml, edits, after)
    new = {edit.span: edit.new for edit in edits}
    before = [(field.role, new.get(field.span, field.text)) for site in formats.find(source) for field in site.fields]
    found = [(f.role, f.text) for site in formats.find(ManifestText(source.path, after)) for f in site.fields]
    return "" if before == found else "the result would be found to differ in more than the planned values"
