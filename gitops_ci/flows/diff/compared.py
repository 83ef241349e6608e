"""Both sides, rendered, as the one value that is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gitops_ci.comparing import Settings, compare, keys_of_definitions
from gitops_ci.flows.diff.definitions import scope_of
from gitops_ci.flows.diff.expansion import Expansion
from gitops_ci.flows.diff.folding import folds, masks
from gitops_ci.flows.diff.result import findings_of, notes_of, sides_of, submodules_of, units_of, wanted_units
from gitops_ci.flows.diff.sides import Trees
from gitops_ci.model import Finding
from gitops_ci.model.rendered import RenderedDiff, View

__all__ = ["Asked", "Compared", "compared"]

_DIFFERS = frozenset({"added", "removed", "changed"})


class Asked(NamedTuple):
    """What of a change is wanted, and how; see `DiffRequest`. `definitions` are those of custom resources."""

    definitions: Sequence[Mapping[str, Any]] = ()
    paths: Sequence[str] = ()
    units: Sequence[str] = ()
    fold: Sequence[str] = ()
    masks: Sequence[str] = ()
    large: int = 100
    view: View = View()
    tests: bool = False


class Compared(NamedTuple):
    """`findings` are units that nobody can render any more."""

    rendered: RenderedDiff
    findings: tuple[Finding, ...]


def compared(trees: Trees, expansion: Expansion, asked: Asked) -> Compared:
    """Compare what both sides render to."""
    wanted = wanted_units(expansion, asked.paths, asked.units)
    sides = sides_of(expansion, wanted, trees, asked.paths, asked.units, tests=asked.tests)
    settings = Settings(
        scope=scope_of(asked.definitions),
        keys=keys_of_definitions(asked.definitions),
        masks=masks(asked.masks),
        context=asked.view.context,
        with_noise=asked.view.show_noise,
        fold=folds(asked.fold, expansion),
    )
    found = compare(sides.before, sides.after, settings)
    changed = {one.unit for one in found.objects}
    moved = submodules_of(trees.submodules, asked.paths, asked.units)
    units = (*units_of(expansion, wanted, sides, changed), *moved)
    folders = sum(one.kind == "folder" for one in units)
    differing = sum(one.state in _DIFFERS or one.id in changed for one in units)
    rendered = RenderedDiff(
        base=trees.base,
        head=trees.head,
        units=units,
        objects=found.objects,
        groups=found.groups,
        risks=found.risks,
        images=found.images,
        notes=(*found.notes, *notes_of(expansion, sides, trees.differing, len(found.objects), asked.large)),
        summary={"units": differing, "all_units": expansion.count + folders, **found.summary},
        view=asked.view,
    )
    return Compared(rendered, tuple(findings_of(expansion, sides)))
