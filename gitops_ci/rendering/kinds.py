"""The table of kinds of units. A kind that makes others, such as an ApplicationSet, is a kind like any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gitops_ci.rendering import (
    application,
    applicationset,
    chart,
    fleet,
    flux_kustomization,
    helmrelease,
    kustomization,
)
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Recipe, Repository, UnitKind
from gitops_ci.rendering.documents import Document

__all__ = ["FILE_KINDS", "FOLDER_KINDS", "KINDS", "closure_of", "describe", "recipe_of"]

KINDS: Mapping[str, UnitKind] = {
    "flux-kustomization": flux_kustomization,
    "application": application,
    "applicationset": applicationset,
    "helmrelease": helmrelease,
    "fleet": fleet,
    "kustomization": kustomization,
    "chart": chart,
}
# What is rendered by itself only where no operator's object in the repository takes it.
FOLDER_KINDS = frozenset({"kustomization", "chart"})
# What a file in a folder describes, where other kinds are objects.
FILE_KINDS = frozenset({*FOLDER_KINDS, "fleet"})


def describe(files: Sequence[str], documents: Sequence[Document], repository: Repository) -> Iterable[DeploymentUnit]:
    """All units that files and objects describe."""
    for kind in KINDS.values():
        yield from kind.describe(files, documents, repository)


def closure_of(unit: DeploymentUnit, repository: Repository) -> Closure:
    return KINDS[unit.kind].closure(unit, repository)


def recipe_of(unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    return KINDS[unit.kind].recipe(unit, closure, repository)
