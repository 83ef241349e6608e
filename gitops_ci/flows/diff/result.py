"""Turn rendered objects into the comparison, and collect the notes about units."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from fnmatch import fnmatchcase

from gitops_ci.comparing import Side
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.diff.expansion import Expansion
from gitops_ci.flows.diff.half import Half, Trouble
from gitops_ci.flows.diff.manifests import (
    described,
    differing_documents,
    folder_of,
    is_test,
    plain_manifests,
    plain_sides,
    side_of,
)
from gitops_ci.flows.diff.sides import Trees
from gitops_ci.flows.diff.unrendered import inputs_of
from gitops_ci.model import Finding
from gitops_ci.model.rendered import UnitChange, UnitState
from gitops_ci.quantities import whole_number
from gitops_ci.rendering.base import join
from gitops_ci.rendering.discovery import Found
from gitops_ci.reporting.summary import count
from gitops_ci.yamltext import YamlError

__all__ = ["Sides", "findings_of", "notes_of", "sides_of", "submodules_of", "units_of", "wanted_units"]

_MOST_NAMES = 3
# Why a unit is not rendered in the base, and in the head.
Troubles = Mapping[str, tuple[Trouble | None, Trouble | None]]


@dataclass(slots=True)
class Sides:
    """The objects of both sides by unit, and what could not be rendered. `tests` were left out of both.

    `unread` are manifests that no unit takes and that cannot be read on one side: they are left out of both.
    """

    before: list[Side] = field(default_factory=list)
    after: list[Side] = field(default_factory=list)
    troubles: dict[str, tuple[Trouble | None, Trouble | None]] = field(default_factory=dict)
    tests: int = 0
    unread: dict[str, tuple[Trouble | None, Trouble | None]] = field(default_factory=dict)


def wanted_units(expansion: Expansion, paths: Sequence[str], globs: Sequence[str]) -> list[str]:
    """The units of this run, of those that the change reaches."""
    return [
        name
        for name in sorted(expansion.reached)
        if _is_named(name, globs) and (_is_whole(paths) or any(_uses(one, paths) for one in _pair(expansion, name)))
    ]


def _is_named(name: str, globs: Sequence[str]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def _is_whole(paths: Sequence[str]) -> bool:
    return not paths or "." in paths


def _pair(expansion: Expansion, name: str) -> tuple[Found | None, Found | None]:
    return expansion.base.units.get(name), expansion.head.units.get(name)


def _uses(found: Found | None, paths: Sequence[str]) -> bool:
    if found is None:
        return False
    files = {found.unit.path, *found.closure.files, *found.closure.parts}
    return any(_is_below(one, paths) for one in files)


def _is_below(file: str, paths: Sequence[str]) -> bool:
    return any(file == path or file.startswith(f"{path}/") for path in paths)


def sides_of(
    expansion: Expansion,
    wanted: Sequence[str],
    trees: Trees,
    paths: Sequence[str],
    globs: Sequence[str],
    *,
    tests: bool = False,
) -> Sides:
    """What is compared: the outputs of units as far as they differ, and the manifests that no unit takes."""
    made = Sides()
    for name in wanted:
        old, new = _pair(expansion, name)
        troubles = expansion.base.troubles.get(name), expansion.head.troubles.get(name)
        if any(troubles):
            made.troubles[name] = troubles
        try:
            before, after = _documents(expansion, name)
            one = _side(old, before, _twice(expansion.base, name), is_removed=new is None)
            other = _side(new, after, _twice(expansion.head, name), is_removed=False)
        except YamlError as error:
            reason = f"what it renders to is not YAML: line {error.line}: {error.reason}"
            made.troubles[name] = None, Trouble(reason, is_error=True)
            continue
        if not tests:
            made.tests += max(_leave_out_tests(one), _leave_out_tests(other))
        if any(troubles) or name in expansion.head.omitted or name in expansion.base.omitted:
            is_in_part = not any(troubles)
            one += inputs_of(old, trees.before, trees.differing, is_in_part=is_in_part)
            other += inputs_of(new, trees.after, trees.differing, is_in_part=is_in_part)
        made.before += one
        made.after += other
    touched = [path for path in sorted(trees.differing) if _is_whole(paths) or _is_below(path, paths)]
    old_plain, new_plain = plain_manifests(expansion.base, touched), plain_manifests(expansion.head, touched)
    # A file that is not YAML on either side was never known to be a manifest.
    repaired = old_plain.unread.keys() & new_plain.values.keys()
    for path in sorted(repaired | (new_plain.unread.keys() & old_plain.values.keys())):
        if _is_named(folder_of(path), globs):
            made.unread[path] = _unread(path, old_plain.unread.get(path)), _unread(path, new_plain.unread.get(path))
    for plain, sides in ((old_plain, made.before), (new_plain, made.after)):
        sides += [one for one in plain_sides(plain, made.unread) if _is_named(one.unit, globs)]
    return made


def _unread(path: str, error: YamlError | None) -> Trouble | None:
    return Trouble(f"{path}:{error.line}: {error.reason}", "Correct the YAML.", is_error=True) if error else None


def _leave_out_tests(sides: list[Side]) -> int:
    """Take the tests of charts out of the sides, and count them."""
    before = sum(len(side.values) for side in sides)
    sides[:] = [replace(side, values=[one for one in side.values if not is_test(one)]) for side in sides]
    return before - sum(len(side.values) for side in sides)


def _documents(expansion: Expansion, name: str) -> tuple[list[str], list[str]]:
    """The documents of both sides; none where one side could not be rendered, since that is half a comparison."""
    old, new = _pair(expansion, name)
    if name in expansion.base.troubles or name in expansion.head.troubles:
        return [], []
    before, after = _text(expansion.base, name), _text(expansion.head, name)
    if old and new and old.unit.destination == new.unit.destination:
        return differing_documents(before, after)
    return differing_documents(before, "")[0], differing_documents("", after)[1]


def _twice(half: Half, name: str) -> tuple[list[str], list[str]]:
    """The documents that differ between two renderings of a unit."""
    again = half.again.get(name)
    return differing_documents(_text(half, name), again.text) if again else ([], [])


def _text(half: Half, name: str) -> str:
    output = half.outputs.get(name)
    return "" if output is None or name in half.deployment.superseded else output.text


def _side(
    found: Found | None, documents: Sequence[str], twice: tuple[list[str], list[str]], *, is_removed: bool
) -> list[Side]:
    if found is None:
        return []
    # The description is applied where the operator is, its objects where it sends them.
    description = [Side(found.unit.id, values)] if (values := described(found)) else []
    return [*description, side_of(found.unit, documents, twice, is_removed=is_removed)]


def submodules_of(
    moved: Mapping[str, tuple[str, str]], paths: Sequence[str], globs: Sequence[str]
) -> Iterator[UnitChange]:
    """The submodules whose commit differs: nobody has their files, so what is built from them is not compared."""
    for path, (old, new) in moved.items():
        if _is_named(name := f"submodule:{path}", globs) and (_is_whole(paths) or _is_below(path, paths)):
            deed = f"its commit changes from {old[:12]} to {new[:12]}" if old and new else "it is "
            deed += "" if old and new else "added" if new else "removed"
            reason = f"{deed}, and files of submodules are not read: what is built from them is not compared"
            yield UnitChange(name, "submodule", path, "", "skipped", reason, "Review the change in its repository.")


def units_of(expansion: Expansion, wanted: Sequence[str], sides: Sides, changed: set[str]) -> Iterator[UnitChange]:
    """Each unit that the change reaches, with what became of it."""
    for name in wanted:
        old, new = _pair(expansion, name)
        one, half = (new, expansion.head) if new else (old, expansion.base)
        if one is None or name in half.deployment.superseded:
            continue
        state, trouble = _state(old, new, sides.troubles.get(name, (None, None)), is_changed=name in changed)
        reason = trouble.reason or "; ".join(f"rendered {told}" for told in half.omitted.get(name, ()))
        remedy = trouble.remedy or (one.closure.remedy if reason else "")
        yield UnitChange(name, one.unit.kind, one.unit.source, one.unit.destination, state, reason, remedy)
    unread: dict[str, list[tuple[Trouble | None, Trouble | None]]] = {}
    for path, troubles in sides.unread.items():
        unread.setdefault(folder_of(path), []).append(troubles)
    folders = {side.unit for side in (*sides.before, *sides.after) if side.unit.startswith("folder:")}
    for name in sorted(folders | unread.keys()):
        yield _folder(name, unread.get(name, ()), is_changed=name in changed)


def _folder(name: str, unread: Sequence[tuple[Trouble | None, Trouble | None]], *, is_changed: bool) -> UnitChange:
    """Manifests that no unit takes; `unread` are those that cannot be read on one side."""
    source = name.partition(":")[2]
    if not unread:
        return UnitChange(name, "folder", source, "", "changed" if is_changed else "unchanged")
    broken = [head.reason for _, head in unread if head]
    repaired = [f"before this change: {base.reason}" for base, head in unread if base and not head]
    reason = "; ".join((*broken, *repaired))
    return UnitChange(name, "folder", source, "", "failed" if broken else "skipped", reason, "Correct the YAML.")


def _state(
    old: Found | None, new: Found | None, troubles: tuple[Trouble | None, Trouble | None], *, is_changed: bool
) -> tuple[UnitState, Trouble]:
    base, head = troubles
    if head:
        return ("failed" if head.is_error else "skipped"), head
    if base and new:
        return "skipped", Trouble(f"it could not be rendered before this change: {base.reason}")
    if base or new is None:
        return "removed", base or Trouble("")
    if old is None:
        return "added", Trouble("")
    return ("changed" if is_changed else "unchanged"), Trouble("")


def findings_of(expansion: Expansion, sides: Sides) -> Iterator[Finding]:
    """What the change breaks: nobody can render it any more, and before it could be rendered."""
    troubles: Troubles = sides.troubles
    for path, (_, broken) in sides.unread.items():
        if broken:
            line, _, reason = broken.reason.removeprefix(f"{path}:").partition(": ")
            yield Finding("yaml/syntax", "error", reason, path, whole_number(line) or 1, 1, "", broken.remedy)
    for name, (base, head) in troubles.items():
        found = expansion.head.units.get(name)
        if head is None or not head.is_error or found is None or (base is not None and base.is_error):
            continue
        rule = "gitops/kustomize-build" if found.unit.kind == "kustomization" else "gitops/unit-build"
        yield Finding(rule, "error", head.reason, found.unit.path, found.unit.line, 1, name, head.remedy)


def notes_of(expansion: Expansion, sides: Sides, differing: Collection[str], objects: int, large: int) -> Iterator[str]:
    """The notes about the whole change."""
    troubles = sides.troubles
    if pinned := _pinned(expansion, differing):
        more = f" and {len(pinned) - _MOST_NAMES:,} more" if len(pinned) > _MOST_NAMES else ""
        told = ", ".join(pinned[:_MOST_NAMES]) + more
        yield f"{count(len(pinned), 'unit')} of changed folders not compared, another revision is deployed: {told}"
    if sides.tests:
        yield f"{count(sides.tests, 'test')} of charts left out: --tests compares them"
    for first, second in expansion.cycles:
        yield f"{first} and {second} contain each other"
    if objects > large:
        yield f"big: {objects:,} objects differ, more than {large:,}"
    both = [name for name, (old, new) in troubles.items() if old and new and old.is_error and new.is_error]
    if both:
        yield f"{count(len(both), 'unit')} could not be rendered before this change, and cannot be now"


def _pinned(expansion: Expansion, differing: Collection[str]) -> list[str]:
    """Units of folders that the change touches, whose operator takes them from other commits of this repository."""
    return [
        f"{name} ({found.closure.skip})"
        for name, found in sorted(expansion.head.units.items())
        if found.closure.pinned and name not in expansion.reached and _touches(found.unit.source, differing)
    ]


def _touches(sources: str, differing: Collection[str]) -> bool:
    folders = [join("", one).removeprefix("./") for one in sources.split(", ")]
    return any(_is_below(path, folders) or "." in folders for path in differing)
