"""Plain manifests of a Fleet bundle, with the overlays that a target lays over them.

A file of an overlay replaces or adds one; `NAME_patch.yaml` patches the first document of NAME.yaml, and Fleet keeps no
other one (github.com/rancher/fleet 0.16, internal/helmdeployer/render/patch; render/helm.go for which files are
manifests).
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Sequence
from typing import Any

from gitops_ci.rendering.base import join, path_argument
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.deployment import Closure, Recipe, Step, join_documents
from gitops_ci.rendering.documents import Document, dig, items, load, load_any, text_of
from gitops_ci.rendering.fleet_ignore import bundled
from gitops_ci.rendering.helm_command import OWN_FOLDER
from gitops_ci.rendering.kustomization_edits import written
from gitops_ci.rendering.kustomization_patches import target_of
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["TEMPLATES", "overlay_closure", "overlay_recipe"]

# What lies here is a chart's templates, although there is no chart (render/helm.go, manifests).
TEMPLATES = "templates/"
_OVERLAYS = "overlays/"
_PATCH = "_patch."
_MANIFESTS = (".yaml", ".yml", ".json")


def overlay_closure(folder: str, overlays: Sequence[str], description: str, tree: SourceTree) -> Closure:
    """The manifests of a folder, and what its overlays hold; other bundles and charts below it are not its own."""
    made = Closure()
    prefix = "" if folder == "." else f"{folder}/"
    names = bundled(folder, tree)
    hidden = {path[len(prefix) :] for path in tree.below(folder)} - set(names)
    made.left_out |= {prefix + name for name in hidden if name.endswith(_MANIFESTS)}
    others = tuple(
        f"{posixpath.dirname(name)}/"
        for name in names
        if "/" in name and posixpath.basename(name) in {"fleet.yaml", "fleet.yml", CHART}
    )
    ignored = {posixpath.basename(description), *_values_files(description, tree)}
    for name in names:
        if not name.endswith(_MANIFESTS) or name in ignored or name.startswith(others or ("\0",)):
            continue
        if name.startswith(_OVERLAYS) and not name.startswith(tuple(f"{_OVERLAYS}{one}/" for one in overlays)):
            made.parts.add(prefix + name)
            continue
        if tree.leads_out(prefix + name):
            made.refuse(f"{prefix}{name} is a link that leads out of the repository")
            return made
        if tree.is_file(prefix + name):
            made.files.add(prefix + name)
            if name.startswith(_OVERLAYS) and _PATCH in posixpath.basename(name):
                made.parts.add(prefix + name)
    missing = [one for one in overlays if not tree.is_folder(f"{prefix}{_OVERLAYS}{one}")]
    if missing:
        made.error = f"there is no overlay '{missing[0]}' in {folder}"
    elif alone := _patch_of_nothing(names, overlays):
        made.error = f"there is no file that {prefix}{alone} could patch"
    return made


def _patch_of_nothing(names: Sequence[str], overlays: Sequence[str]) -> str:
    """A patch whose file is neither in the folder nor in an overlay."""
    known = set(names)
    for start in (f"{_OVERLAYS}{one}/" for one in overlays):
        inside = {name[len(start) :] for name in names if name.startswith(start)}
        known |= {name for name in inside if _PATCH not in posixpath.basename(name)}
        alone = sorted(name for name in inside if _PATCH in posixpath.basename(name) and _patched(name) not in known)
        if alone:
            return start + alone[0]
    return ""


def _patched(name: str) -> str:
    """The file that a patch is for."""
    return join(posixpath.dirname(name) or ".", posixpath.basename(name).replace(_PATCH, ".", 1))


def _values_files(description: str, tree: SourceTree) -> set[str]:
    try:
        found = tree.documents(description)
    except YamlError:
        return set()
    value = found[0].value if found else {}
    levels = [value, *items(value, "targetCustomizations")]
    return {posixpath.normpath(text_of(path)) for one in levels for path in items(dig(one, "helm"), "valuesFiles")}


def overlay_recipe(folder: str, closure: Closure, overlays: Sequence[str], tree: SourceTree) -> Recipe:
    """Without a patch the files are what is applied; patches are kustomize's work, each on the objects of its file."""
    prefix = "" if folder == "." else f"{folder}/"
    own = sorted(
        path
        for path in closure.files
        if posixpath.basename(path) not in {"fleet.yaml", "fleet.yml"} and not path.startswith(prefix + TEMPLATES)
    )
    effective = {path[len(prefix) :]: path for path in own if not path[len(prefix) :].startswith(_OVERLAYS)}
    patches: dict[str, list[dict[str, Any]]] = {}
    for overlay in overlays:
        start = f"{prefix}{_OVERLAYS}{overlay}/"
        for path in [one for one in own if one.startswith(start)]:
            name = path[len(start) :]
            if _PATCH in posixpath.basename(name):
                target = _patched(name)
                first = _objects(_first_document(effective.get(target, ""), tree))
                patches.setdefault(target, []).extend(_patches(path, first, tree))
            else:
                # A file that replaces another one replaces what was patched.
                effective[name] = path
                patches.pop(name, None)
    files = sorted(effective.items())
    in_order = [patch for one in patches.values() for patch in one]
    if not in_order:
        texts = [f"# Source: {path}\n{(tree.text(path) or '').removeprefix(chr(0xFEFF))}" for _, path in files]
        return Recipe(text=join_documents(texts))
    copies: dict[str, str] = {}
    made: dict[str, str] = {}
    for number, (name, path) in enumerate(files):
        place = f"{OWN_FOLDER}/{number:04}.yaml"
        if name in patches:
            made[place] = _first_document(path, tree)
        elif _objects(tree.text(path) or ""):
            copies[place] = path
    resources = sorted(posixpath.basename(place) for place in (*copies, *made))
    value = {"resources": resources, "patches": in_order, "sortOptions": {"order": "fifo"}}
    made[f"{OWN_FOLDER}/kustomization.yaml"] = written(value)
    step = Step("kustomize", ("--", path_argument(OWN_FOLDER)))
    return Recipe(copies=copies, written=made, steps=(step,))


def _first_document(path: str, tree: SourceTree) -> str:
    """What Fleet keeps of a file that it patches."""
    try:
        return json.dumps(load_any(tree.text(path) or ""))
    except YamlError:
        return ""


def _objects(text: str) -> list[Document]:
    """The objects of a text that Fleet applies: what has no kind is left out."""
    try:
        return [one for one in load("", text) if one.kind and one.value.get("apiVersion")]
    except YamlError:
        return []


def _patches(path: str, objects: Sequence[Document], tree: SourceTree) -> list[dict[str, Any]]:
    try:
        patch = load_any(tree.text(path) or "")
    except YamlError:
        return []
    made = []
    for one in objects:
        if isinstance(patch, dict):
            metadata = patch.get("metadata")
            whole = patch | {
                "apiVersion": one.value["apiVersion"],
                "kind": one.kind,
                "metadata": {**(metadata if isinstance(metadata, dict) else {}), "name": one.name},
            }
            made.append({"patch": json.dumps(whole), "target": target_of(one)})
        elif isinstance(patch, list):
            made.append({"patch": json.dumps(patch), "target": target_of(one)})
    return made
