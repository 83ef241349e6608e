"""What a change breaks that the head alone does not show: both sides are rendered and compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from gitops_ci.comparing import Settings, compare
from gitops_ci.comparing.breaking import CRD_IN_USE, DELETES_DATA, IMMUTABLE, Break, breaks_of
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.checkout import repository_root
from gitops_ci.flows.diff.definitions import definitions_of, scope_of
from gitops_ci.flows.diff.expansion import Expansion, expand
from gitops_ci.flows.diff.manifests import plain_manifests, plain_sides
from gitops_ci.flows.diff.result import Sides, sides_of
from gitops_ci.flows.diff.sides import Trees, read_trees
from gitops_ci.flows.validate.units import Checkout
from gitops_ci.model import Finding, Log
from gitops_ci.model.rendered import ObjectChange
from gitops_ci.rendering.deployment import Repository
from gitops_ci.rendering.documents import dig, text_of
from gitops_ci.rendering.kinds import FOLDER_KINDS
from gitops_ci.rendering.programs import ProgramSettings
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.validation import Rendered
from gitops_ci.validation.changes import Place, finding_in
from gitops_ci.yamltext import YamlError

__all__ = ["RULES", "ChangeCheck", "change_findings"]

RULES = (IMMUTABLE, DELETES_DATA, CRD_IN_USE)
_SOURCE_OF_HELM = "/crds/"


@dataclass(frozen=True, slots=True)
class ChangeCheck:
    """What the findings of a change are read from. `rendered` are the head's units, `files` its manifests by path.

    `paths` narrow it, counted from the working folder; `repository` is that of the head, None where nothing there
    describes a unit.
    """

    bases: tuple[str, ...]
    paths: tuple[str, ...]
    checkout: Checkout
    repository: Repository | None
    settings: ProgramSettings
    rendered: Sequence[Rendered]
    files: Sequence[tuple[str, str]]


def change_findings(check: ChangeCheck, log: Log) -> list[Finding]:
    """The findings about the way from the base to the working tree."""
    root = repository_root()
    assert root is not None  # the base was found in it
    trees = read_trees(root.path, check.bases, "")
    if not trees.differing:
        return []
    known = check.repository
    repository = replace(known, tree=trees.after, objects={}) if known else Repository(trees.after)
    expansion = expand(trees, repository, check.settings, log)
    sides = sides_of(expansion, sorted(expansion.reached), trees, _inside(check), ())
    definitions = definitions_of(trees.after)
    found = compare(sides.before, sides.after, Settings(scope=scope_of(definitions)))
    head = _Head(expansion, sides, trees)
    broken = breaks_of(found.objects, head.is_there, head.remaining)
    return [_finding(one, check, expansion, trees) for one in broken]


def _inside(check: ChangeCheck) -> list[str]:
    return [check.checkout.inside(path) for path in check.paths]


@dataclass
class _Head:
    """What the head has, beyond what is compared."""

    expansion: Expansion
    sides: Sides
    trees: Trees

    def is_there(self, one: ObjectChange) -> bool:
        """Whether the object, or what it stands for, stays: it is somewhere, or nobody here would delete it."""
        if self._is_unsure(one.unit) or self._is_applied_by_hand(one.unit) or _is_left_by_helm(self.expansion, one):
            return True
        if one.kind == "PersistentVolumeClaim" and self._has_volume(one):
            return True
        name, namespace = _identity(one)
        found = [value for side in self.sides.after for value in side.values]
        found += self._written(one, name)
        return any(_is_same(value, one, name, namespace) for value in found)

    def _is_unsure(self, unit: str) -> bool:
        """Whether what a unit had may now be in a unit that was not rendered."""
        half = self.expansion.head
        if unit in half.units:
            return unit not in half.outputs
        return any(name not in self.expansion.base.units for name in half.troubles)

    def _is_applied_by_hand(self, unit: str) -> bool:
        """Whether no operator applies a folder, although units of operators are in the repository."""
        half = self.expansion.base
        is_folder = unit not in half.units or half.units[unit].unit.kind in FOLDER_KINDS
        return is_folder and any(one.unit.kind not in FOLDER_KINDS for one in half.units.values())

    def _has_volume(self, one: ObjectChange) -> bool:
        """Whether somebody made the volume of a claim by hand, in Git: it has its own policy."""
        name, _ = _identity(one)
        storage = text_of(dig(dict(one.before or {}), "spec", "storageClassName"))
        tree = self.trees.before
        for path in tree.names:
            if path.endswith((".yaml", ".yml")) and "kind: PersistentVolume\n" in (tree.text(path) or ""):
                for value in _values(tree, path):
                    spec = value.get("spec")
                    if value.get("kind") == "PersistentVolume" and (
                        text_of(dig(spec, "claimRef", "name")) == name
                        or (storage and text_of(dig(spec, "storageClassName")) == storage)
                    ):
                        return True
        return False

    def _written(self, one: ObjectChange, name: str) -> Iterator[Any]:
        """Manifests that no unit takes; of objects of the whole cluster all that are in Git."""
        paths = [path for path in self.trees.after.names if self._names(path, name, one.kind)]
        if one.kind in {"Namespace", "CustomResourceDefinition"}:
            for path in paths:
                yield from _values(self.trees.after, path)
        for side in plain_sides(plain_manifests(self.expansion.head, paths)):
            yield from side.values

    def _names(self, path: str, *words: str) -> bool:
        if not path.endswith((".yaml", ".yml", ".json")):
            return False
        text = self.trees.after.text(path) or ""
        return all(word in text for word in words)

    def remaining(self, group: str, kind: str) -> int:
        """How many objects of a custom kind the head has, in Git or in what was rendered."""
        found = {
            (text_of(dig(value, "metadata", "namespace")), text_of(dig(value, "metadata", "name")))
            for path in self.trees.after.names
            if self._names(path, f"{group}/", kind)
            for value in _values(self.trees.after, path)
            if value.get("kind") == kind and str(value.get("apiVersion", "")).startswith(f"{group}/")
        }
        return len(found)


def _values(tree: SourceTree, path: str) -> list[Any]:
    try:
        return [one.value for one in tree.documents(path)]
    except YamlError:
        return []


def _identity(one: ObjectChange) -> tuple[str, str]:
    before = dict(one.before or {})
    return text_of(dig(before, "metadata", "name")), text_of(dig(before, "metadata", "namespace")) or one.namespace


def _is_same(value: Any, one: ObjectChange, name: str, namespace: str) -> bool:
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    if (value.get("kind"), group, text_of(dig(value, "metadata", "name"))) != (one.kind, one.group, name):
        return False
    own = text_of(dig(value, "metadata", "namespace"))
    return not own or not namespace or own == namespace


def _is_left_by_helm(expansion: Expansion, one: ObjectChange) -> bool:
    """Whether helm installed a definition from the chart's `crds`: it never deletes these."""
    found = expansion.base.units.get(one.unit)
    if (
        one.kind != "CustomResourceDefinition"
        or found is None
        or found.unit.kind not in {"helmrelease", "fleet", "chart"}
    ):
        return False
    output = expansion.base.outputs.get(one.unit)
    pieces = output.text.split("\n---") if output else []
    return any(_SOURCE_OF_HELM in piece and f"name: {one.name}" in piece for piece in pieces)


def _finding(one: Break, check: ChangeCheck, expansion: Expansion, trees: Trees) -> Finding:
    changed = one.object
    described = _described(changed.unit, check, expansion)
    if one.pointer and changed.after is not None:
        place = Place(changed.after, one.pointer, one.field)
        rendered = [unit for unit in check.rendered if unit.file == described]
        placed = finding_in(one.rule, one.message, one.hint, place, rendered or check.rendered, check.files)
        if placed is not None:
            return placed
    path = _edited(one, trees)
    resource = f"{changed.kind}/{one.name}"
    where = check.checkout.shown(path) if path else described
    said = f"{one.field} {one.message}" if one.field else one.message
    return Finding(one.rule, "warning", said, where, 0, 0, resource, one.hint)


def _edited(one: Break, trees: Trees) -> str | None:
    """The file of the base that had an object, where the change edits or deletes it."""
    for path in sorted(trees.differing):
        if path.endswith((".yaml", ".yml", ".json")) and path in trees.before:
            try:
                documents = trees.before.documents(path)
            except YamlError:
                continue
            if any(found.kind == one.object.kind and found.name and found.name in one.name for found in documents):
                return path
    return None


def _described(unit: str, check: ChangeCheck, expansion: Expansion) -> str:
    """The file that describes a unit, in the head if it is there; the folder of manifests that no unit takes."""
    if unit.startswith("folder:"):
        return check.checkout.shown(unit.partition(":")[2])
    found = expansion.head.units.get(unit) or expansion.base.units[unit]
    return check.checkout.shown(found.unit.path)
