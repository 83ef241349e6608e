"""The files that a kustomization patches or configures with, read from its text alone.

Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from gitops_ci.rendering.base import join
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, YamlError, read
from gitops_ci.yamltext import SequenceNode as YamlSequence

__all__ = ["parts"]

_RESOURCES = ("resources", "bases", "components", "crds", "generators", "transformers", "validators")
_TRANSFORMING = frozenset({"generators", "transformers", "validators"})
_FILES = ("configurations",)


def parts(path: str, text: str) -> Iterator[str]:
    """The files that a kustomization at `path` patches or configures with: no manifests of their own."""
    try:
        file = read(text)
    except YamlError:
        return
    root = file.documents[0] if file.documents else None
    if not isinstance(root, MappingNode):
        return
    folder = posixpath.dirname(path) or "."
    transforming = (node for name, node in _resources(root) if name in _TRANSFORMING)
    for node in (*_patch_files(root), *_other_files(root), *transforming):
        yield join(folder, node.value.rpartition("=")[2])


def _items(root: MappingNode, key: str) -> Iterator[Node]:
    found = root.get(key)
    if isinstance(found, YamlSequence):
        for item in found.items:
            yield item.target if isinstance(item, AliasNode) else item


def _resources(root: MappingNode) -> Iterator[tuple[str, ScalarNode]]:
    for key in _RESOURCES:
        for item in _items(root, key):
            if isinstance(item, ScalarNode) and "\n" not in item.value:
                yield key, item


def _patch_files(root: MappingNode) -> Iterator[ScalarNode]:
    for item in _items(root, "patchesStrategicMerge"):
        if isinstance(item, ScalarNode) and "\n" not in item.value:
            yield item
    for key in ("patches", "patchesJson6902", "replacements"):
        for item in _items(root, key):
            if isinstance(item, MappingNode) and (path := item.scalar("path")):
                yield path
            elif isinstance(item, ScalarNode) and "\n" not in item.value:
                yield item  # as patches were written once


def _other_files(root: MappingNode) -> Iterator[ScalarNode]:
    for key in _FILES:
        yield from (item for item in _items(root, key) if isinstance(item, ScalarNode))
    for key in ("configMapGenerator", "secretGenerator"):
        for generator in _items(root, key):
            if isinstance(generator, MappingNode):
                for name in ("files", "envs"):
                    yield from (item for item in _items(generator, name) if isinstance(item, ScalarNode))
                if env := generator.scalar("env"):
                    yield env
