"""Kustomizations that somebody builds by hand, or by an operator that is not in this repository."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Recipe, Repository
from gitops_ci.rendering.documents import Document, text_of
from gitops_ci.rendering.kustomization_edits import kustomize_recipe
from gitops_ci.rendering.kustomization_files import NAMES, collect, kustomization_value
from gitops_ci.yamltext import YamlError

__all__ = ["closure", "describe", "recipe"]


def describe(files: Sequence[str], documents: Sequence[Document], repository: Repository) -> Iterable[DeploymentUnit]:
    """Each folder with a kustomization."""
    del documents, repository
    for path in files:
        if posixpath.basename(path) in NAMES:
            folder = posixpath.dirname(path) or "."
            yield DeploymentUnit(f"kustomization:{folder}", "kustomization", path, source=folder)


def closure(unit: DeploymentUnit, repository: Repository) -> Closure:
    """All that it loads."""
    made = collect(unit.source, repository.tree)
    try:
        value = kustomization_value(unit.path, repository.tree)
    except YamlError:
        return made
    if text_of(value.get("kind")) == "Component":
        made.skip, made.remedy = "a component is built as part of a kustomization", ""
        made.is_only_a_part = True
    return made


def recipe(unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    """Build it. Its files are known to lie in the repository, so that they may lie outside of its folder."""
    return kustomize_recipe(unit.source, closure, repository.tree)
