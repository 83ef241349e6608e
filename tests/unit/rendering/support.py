"""Small repositories for the units of this folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Recipe, Repository
from gitops_ci.rendering.discovery import find_objects
from gitops_ci.rendering.kinds import closure_of, describe, recipe_of
from gitops_ci.rendering.tree import MemoryFiles, SourceTree

URL = "https://github.com/acme/config"
CONFIGMAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def repository(
    files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None, *, urls: Sequence[str] = (URL,)
) -> Repository:
    tree = SourceTree(MemoryFiles(files, links))
    made = Repository(tree, tuple(urls))
    objects: dict = {}
    for one in find_objects(tree):
        objects.setdefault((one.kind, one.name), []).append(one)
    made.objects = objects
    return made


def units(made: Repository) -> dict[str, DeploymentUnit]:
    documents = [one for found in made.objects.values() for one in found]
    return {unit.id: unit for unit in describe(made.tree.names, documents, made)}


def unit_of(made: Repository, name: str) -> tuple[DeploymentUnit, Closure, Recipe]:
    """A unit with its closure and recipe; it must be one that can be rendered."""
    unit = units(made)[name]
    closure = closure_of(unit, made)
    assert why_not(closure) == ""
    return unit, closure, recipe_of(unit, closure, made)


def why_not(closure: Closure) -> str:
    """Why a unit is not rendered."""
    return closure.refused or closure.error or closure.skip


def written_json(recipe: Recipe, path: str) -> dict:
    return json.loads(recipe.written[path])
