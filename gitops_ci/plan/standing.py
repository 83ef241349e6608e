"""Places that an open proposal changes and a run does not: they stay in the proposal. Pure.

A proposal is known by its files before and after. Each difference is taken over to the base branch as it is now:

- a place that the run edits itself is the run's;
- a place that the base has left as it was gets the characters that the proposal gave it;
- a place that the base changed since then is planned again for the image that the proposal has there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple

from gitops_ci import formats
from gitops_ci.dataclass import dataclass
from gitops_ci.formats import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Change, Edit, FileChange, ImageSite, Plan, Span
from gitops_ci.yamltext import YamlError

__all__ = ["Joined", "Replan", "join", "only_versions_differ"]

# The plan of one file for one image.
Replan = Callable[[str, str, ImageRef], Plan]
# As difflib's `get_opcodes`: (kind, from line, to line of the one, from line, to line of the other).
_Operations = Sequence[tuple[str, int, int, int, int]]
_WORD = re.compile(r"[^\s\"'{}\[\],]+|\s|.")


class Joined(NamedTuple):
    """The plan with the places of a proposal that it does not edit.

    `kept` are those places; `lost` (path:line) have something else on the base now.
    """

    plan: Plan
    kept: tuple[Change, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Patch:
    """Characters `[start, end)` of the base's text become `text`."""

    start: int
    end: int
    text: str


def join(
    plan: Plan, proposed: Iterable[FileChange], base: Mapping[str, str], images: Sequence[ImageRef], replan: Replan
) -> Joined:
    """`plan` and whatever of `proposed` it does not edit, on the texts of the base branch.

    `images` are those of the proposal, for places whose image no format tells.
    """
    files = {file.path: file for file in plan.files}
    kept: list[Change] = []
    lost: list[str] = []
    for file in proposed:
        if (text := base.get(file.path)) is None:
            continue
        own = [change for change in plan.changes if change.path == file.path]
        patches, gone = _carried(file, text, _edited(plan, file.path), images, replan)
        lost += gone
        if patches:
            after = _patched(text, [*patches, *(_Patch(c.edit.span.start, c.edit.span.end, c.edit.text) for c in own)])
            kept += _changes(file.path, text, after, own, patches, images)
            files[file.path] = FileChange(file.path, text, after)
    whole = replace(plan, changes=(*plan.changes, *kept), files=tuple(files.values()))
    return Joined(whole if kept else plan, tuple(kept), tuple(lost))


def only_versions_differ(file: FileChange, images: Sequence[ImageRef]) -> bool:
    """Whether a file changed in nothing but places of these images, which have the version of one of them now."""
    before, after = _sites(file.path, file.before), _sites(file.path, file.after)
    if len(before) != len(after):
        return False
    masked: list[tuple[Span, Span]] = []
    for site, then in zip(before, after, strict=True):
        if len(site.fields) != len(then.fields):
            return False
        if _start(site) >= 0 and any(_is_version_of(then.image, image) for image in images):
            masked += ((one.span, other.span) for one, other in zip(site.fields, then.fields, strict=True))
    return _masked(file.before, [one for one, _ in masked]) == _masked(file.after, [other for _, other in masked])


def _is_version_of(found: ImageRef, image: ImageRef) -> bool:
    is_named = not found.repository or found.name == image.name
    return is_named and (found.tag == image.tag if image.tag else found.digest == image.digest)


def _masked(text: str, spans: Sequence[Span]) -> str:
    return _patched(text, [_Patch(span.start, span.end, "") for span in dict.fromkeys(spans)])


def _edited(plan: Plan, path: str) -> list[tuple[int, int]]:
    """Where the run writes: all parts of each site that it edits, because they belong together."""
    edits = {(c.edit.span.start, c.edit.span.end) for c in plan.changes if c.path == path}
    sites = [
        {(field.span.start, field.span.end) for field in site.fields} for site in plan.meant
        if site.path == path
    ]  # fmt: skip
    return sorted(edits.union(*(spans for spans in sites if spans & edits)))


def _carried(
    file: FileChange, text: str, edited: list[tuple[int, int]], images: Sequence[ImageRef], replan: Replan
) -> tuple[list[_Patch], list[str]]:
    before, after, now = (t.splitlines(keepends=True) for t in (file.before, file.after, text))
    starts = [*accumulate(map(len, now), initial=0)]
    moved = _by_line(_operations(before, now))
    patches: list[_Patch] = []
    lost: list[str] = []
    for kind, i1, i2, j1, j2 in _by_line(_operations(before, after)):
        if kind == "equal":
            continue
        k1, k2, is_intact = _located(moved, i1, i2)
        if is_intact:
            pieces = _pieces("".join(before[i1:i2]), "".join(after[j1:j2]), starts[k1])
            patches += [patch for patch in pieces if not _touches(patch, edited, starts)]
        elif now[k1:k2] != after[j1:j2] and not any(starts[k1] <= s < starts[k2] for s, _ in edited):
            again = _planned_again(file, text, (j1, j2), (starts[k1], starts[k2]), images, replan)
            patches += again or []
            lost += [f"{file.path}:{k1 + 1}"] if again is None else []
    return patches, lost


def _operations(one: list[str], other: list[str]) -> _Operations:
    if one == other:
        return [("equal", 0, len(one), 0, len(other))]
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()


def _by_line(operations: _Operations) -> _Operations:
    """Lines that became as many others, one by one: neighbors may belong to different images."""
    found = []
    for kind, i1, i2, j1, j2 in operations:
        if kind == "replace" and i2 - i1 == j2 - j1:
            found += [(kind, i1 + n, i1 + n + 1, j1 + n, j1 + n + 1) for n in range(i2 - i1)]
        else:
            found.append((kind, i1, i2, j1, j2))
    return found


def _located(moved: _Operations, i1: int, i2: int) -> tuple[int, int, bool]:
    """Where lines `[i1, i2)` are by now, and whether they are what they were."""
    for kind, a1, a2, b1, _ in moved:
        if kind == "equal" and a1 <= i1 and i2 <= a2:
            return b1 + i1 - a1, b1 + i2 - a1, True
    first = next(op for op in moved if i1 < op[2] or op is moved[-1])
    last = next(op for op in moved if i2 <= op[2] or op is moved[-1])
    start = first[3] + (i1 - first[1] if first[0] == "equal" else 0)
    end = last[3] + i2 - last[1] if last[0] == "equal" else last[4]
    return start, max(start, end), False


def _pieces(old: str, new: str, offset: int) -> Iterator[_Patch]:
    """The words that differ: two places may share a line."""
    words, others = _WORD.findall(old), _WORD.findall(new)
    at = [*accumulate(map(len, words), initial=offset)]
    for kind, i1, i2, j1, j2 in _operations(words, others):
        if kind != "equal":
            yield _Patch(at[i1], at[i2], "".join(others[j1:j2]))


def _touches(patch: _Patch, edited: list[tuple[int, int]], starts: list[int]) -> bool:
    """Whether the run edits this place. What inserts a line belongs to the line beside it."""
    if any(patch.start <= end and start <= patch.end for start, end in edited):
        return True
    if "\n" not in patch.text or patch.start != patch.end:
        return False
    line = bisect_right(starts, patch.start) - 1
    return any(abs(bisect_right(starts, start) - 1 - line) <= 1 for start, _ in edited)


def _planned_again(
    file: FileChange,
    text: str,
    lines: tuple[int, int],
    region: tuple[int, int],
    images: Sequence[ImageRef],
    replan: Replan,
) -> list[_Patch] | None:
    """The proposal's edit of lines that the base has changed since; None where the image is not found there.

    `lines` are those of the proposal, `region` the characters that are in their place now.
    """
    there = _sites_of(file, lines)
    now = _sites(file.path, text)
    # A base that was laid out anew has the same places in the same order.
    same = {_start(now[number]) for number in there} if len(now) == len(_sites(file.path, file.after)) else None
    found = False
    for image in [site.image for site in there.values() if site.image.repository] or images:
        plan = replan(file.path, text, image)
        meant = {
            (field.span.start, field.span.end)
            for site in plan.meant
            if region[0] <= _start(site) < region[1] and (same is None or _start(site) in same)
            for field in site.fields
        }
        edits = [c.edit for c in plan.changes if (c.edit.span.start, c.edit.span.end) in meant]
        if edits:
            return [_Patch(edit.span.start, edit.span.end, edit.text) for edit in edits]
        found = found or bool(meant)
    return [] if found else None


def _sites_of(file: FileChange, lines: tuple[int, int]) -> dict[int, ImageSite]:
    """The sites of a proposal's file that have a value in these lines, by their number."""
    starts = [*accumulate(map(len, file.after.splitlines(keepends=True)), initial=0)]
    return {
        number: site
        for number, site in enumerate(_sites(file.path, file.after))
        if any(starts[lines[0]] <= field.span.start < starts[lines[1]] for field in site.fields)
    }


def _start(site: ImageSite) -> int:
    return min((field.span.start for field in site.fields), default=-1)


def _patched(text: str, patches: Iterable[_Patch]) -> str:
    parts, at = [], 0
    for patch in sorted(patches, key=lambda patch: (patch.start, patch.end)):
        parts += [text[at : patch.start], patch.text]
        at = patch.end
    return "".join([*parts, text[at:]])


def _changes(
    path: str, text: str, after: str, own: Sequence[Change], patches: Sequence[_Patch], images: Sequence[ImageRef]
) -> Iterator[Change]:
    """The patches as a report lists them: as values of the sites that they lie in, else as they are."""
    written = {change.edit.span for change in own}
    old, new = _sites(path, text), _sites(path, after)
    told: list[Span] = []
    for site, then in zip(old, new, strict=False) if len(old) == len(new) else ():
        for one, other in zip(site.fields, then.fields, strict=False):
            if one.text != other.text and one.span not in written:
                told.append(one.span)
                edit = Edit(one.span, other.text, one.text, other.text)
                yield Change(path, site.format, site.resource, _named(then, images), edit, site.image)
    for patch in patches:
        if not any(patch.start <= span.end and span.start <= patch.end for span in told) and images:
            line = text.count("\n", 0, patch.start) + 1
            span = Span(patch.start, patch.end, line, patch.start - text.rfind("\n", 0, patch.start))
            edit = Edit(span, patch.text, text[patch.start : patch.end].strip(), patch.text.strip())
            yield Change(path, "", "", images[0], edit)


def _named(site: ImageSite, images: Sequence[ImageRef]) -> ImageRef:
    """The image of a site; one that writes only a version gets its name from the proposal."""
    if site.image.repository or not images:
        return site.image
    return images[0].with_version(tag=site.image.tag, digest=site.image.digest)


def _sites(path: str, text: str) -> list[ImageSite]:
    try:
        return list(formats.find(ManifestText(path, text)))
    except YamlError:
        return []
