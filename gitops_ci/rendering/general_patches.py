"""Patches for all objects of a kind: the root of a Flux repository often sets fields of all that it applies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gitops_ci.rendering.deployment import DeploymentUnit
from gitops_ci.rendering.documents import dig, items, load_any, text_of
from gitops_ci.rendering.kustomization_files import folded, kustomization_value
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["kinds_patched_in_general"]

_ANY_NAME = frozenset({"", ".*", ".+"})


def kinds_patched_in_general(units: Iterable[DeploymentUnit], tree: SourceTree) -> frozenset[str]:
    """The kinds of which a kustomization, of kustomize or of Flux, patches every object, whatever its name."""
    return frozenset(kind for unit in units for patch in _patches(unit, tree) if (kind := _kind_of_all(patch)))


def _patches(unit: DeploymentUnit, tree: SourceTree) -> Iterator[Any]:
    if unit.kind == "flux-kustomization":
        for patch in items(unit.value, "spec", "patches"):
            yield patch
            yield from _patches_in(text_of(dig(patch, "patch")))
    elif unit.kind == "kustomization":
        try:
            yield from items(folded(kustomization_value(unit.path, tree)), "patches")
        except YamlError:
            return


def _patches_in(text: str) -> Iterator[Any]:
    """The patches that a patch gives to other Kustomizations."""
    try:
        value = load_any(text) if "patches" in text else None
    except YamlError:
        return
    yield from items(value, "spec", "patches")
    for operation in value if isinstance(value, list) else ():
        if text_of(dig(operation, "path")).startswith("/spec/patches"):
            added = dig(operation, "value")
            yield from added if isinstance(added, list) else [added]


def _kind_of_all(patch: Any) -> str:
    target = patch.get("target") if isinstance(patch, dict) else None
    if not isinstance(target, dict) or text_of(target.get("name")) not in _ANY_NAME:
        return ""
    return text_of(target.get("kind"))
