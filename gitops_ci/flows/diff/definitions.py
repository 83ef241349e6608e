"""What the CustomResourceDefinitions in Git say of their kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gitops_ci.rendering.documents import dig, text_of
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.validation.kinds import KINDS
from gitops_ci.yamltext import YamlError

__all__ = ["definitions_of", "scope_of"]

_KIND = "CustomResourceDefinition"


def definitions_of(tree: SourceTree) -> list[Mapping[str, Any]]:
    """All that can be read; templates of charts cannot."""
    found: list[Mapping[str, Any]] = []
    for path in tree.names:
        if path.endswith((".yaml", ".yml")) and f"kind: {_KIND}" in (tree.text(path) or ""):
            try:
                found += [one.value for one in tree.documents(path) if one.kind == _KIND]
            except YamlError:
                continue
    return found


def scope_of(definitions: Sequence[Mapping[str, Any]]) -> Callable[[str, str], bool | None]:
    """Whether a kind is cluster-scoped; None for one that neither Kubernetes nor a definition has."""
    own = {
        (text_of(dig(one, "spec", "group")), text_of(dig(one, "spec", "names", "kind"))): dig(one, "spec", "scope")
        == "Cluster"
        for one in definitions
    }

    def scope(group: str, kind: str) -> bool | None:
        known = KINDS.get((group, kind))
        return known.cluster_scoped if known else own.get((group, kind))

    return scope
