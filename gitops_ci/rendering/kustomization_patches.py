"""Patches of a kustomization of which something was left out: what they are for may be among that.

A strategic merge patch without a target is an error where nothing has its name; one with a target is none. Source:
sigs.k8s.io/kustomize/api 0.21 (internal/builtins/PatchTransformer.go, PatchStrategicMergeTransformer.go).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from gitops_ci.rendering.documents import Document, load, text_of
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["target_of", "with_targets"]

_DOCUMENT = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)


def with_targets(value: Mapping[str, Any], folder: str, tree: SourceTree) -> dict[str, Any]:
    """A kustomization whose strategic merge patches each have a target: the object of the patch's own name.

    Both kinds of patches are applied one after the other, those of `patchesStrategicMerge` first.
    """
    names = {key.lower(): key for key in value}
    older, newer = names.get("patchesstrategicmerge", ""), names.get("patches", "patches")
    patches = [_older(one) for one in _listed(value.get(older))] + _listed(value.get(newer))
    made = [entry for patch in patches for entry in _entries(patch, folder, tree)]
    if not made or made == patches == value.get(newer):
        return dict(value)
    return {key: one for key, one in value.items() if key not in {older, newer}} | {newer: made}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _older(entry: Any) -> Any:
    if not isinstance(entry, str):
        return entry
    return {"patch": entry} if "\n" in entry or ":" in entry else {"path": entry}


def _entries(patch: Any, folder: str, tree: SourceTree) -> list[Any]:
    """A patch as it is, or one entry with a target for each object in it."""
    if not isinstance(patch, dict):
        return [patch]
    said = {key.lower(): one for key, one in patch.items()}
    path = text_of(said.get("path"))
    text = tree.text(posixpath.join("" if folder == "." else folder, path)) if path else text_of(said.get("patch"))
    if said.get("target") or not text:
        return [patch]
    try:
        found = [(piece, one) for piece in _DOCUMENT.split(text) for one in load("", piece)]
    except YamlError:
        return [patch]  # kustomize tells what is wrong with it
    if not found or not all(one.kind and one.name for _, one in found):
        return [patch]
    if len(found) == 1:
        return [{**patch, "target": target_of(found[0][1])}]
    others = {key: one for key, one in patch.items() if key.lower() not in {"path", "patch"}}
    return [{**others, "patch": piece, "target": target_of(one)} for piece, one in found]


def target_of(one: Document) -> dict[str, str]:
    """The target of a patch for one object. Each field is an expression that has to match the whole text."""
    version = text_of(one.value.get("apiVersion")).rpartition("/")[2]
    named = {"group": one.group, "version": version, "kind": one.kind, "name": one.name, "namespace": one.namespace}
    return {key: re.escape(text) for key, text in named.items() if text}
