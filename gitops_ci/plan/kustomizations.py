"""What kustomizations do with files: which they build, which patch which objects, which become ConfigMaps.

Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization: `patches`, `patchesStrategicMerge`,
`patchesJson6902`, `configMapGenerator`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from gitops_ci.formats import ManifestText, kustomize
from gitops_ci.formats.document.nodes import target_of
from gitops_ci.known_files import KUSTOMIZATIONS
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode, YamlError

__all__ = ["Builders", "generated", "patch_files", "used"]

_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902", "patchesJSON6902")
_GENERATORS = ("configMapGenerator", "secretGenerator")
_PATH = re.compile(r"[\w./@+-]+")


def patch_files(source: ManifestText) -> Iterator[tuple[str, str]]:
    """The files that a kustomization patches with, and the target of each: '' where the patch names its object."""
    for root in _roots(source):
        for key in _PATCHES:
            for item in _items(root.get(key)):
                if isinstance(item, ScalarNode) and "\n" not in item.value.strip():
                    yield _beside(source, item.value.strip()), ""
                elif isinstance(item, MappingNode) and item.text("path"):
                    yield _beside(source, item.text("path")), target_of(item.get("target"))


def generated(source: ManifestText) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names of the ConfigMaps and Secrets that a kustomization makes of files, with these files."""
    for root in _roots(source):
        for key in _GENERATORS:
            for item in _items(root.get(key)):
                if isinstance(item, MappingNode):
                    files = [f.value.rpartition("=")[2] for f in _items(item.get("files")) if isinstance(f, ScalarNode)]
                    files += [f.value for f in _items(item.get("envs")) if isinstance(f, ScalarNode)]
                    files += [item.text("env")] if item.text("env") else []
                    yield item.text("name"), tuple(_beside(source, file) for file in files)


def used(source: ManifestText) -> set[str]:
    """All files that a kustomization patches or makes ConfigMaps with."""
    return {path for path, _ in patch_files(source)} | {path for _, files in generated(source) for path in files}


@dataclass(frozen=True, slots=True)
class Builders:
    """Kustomizations that build some files, through all levels that are known; where those above them may be.

    `paths` are the files that would be kustomizations beside the files; `needles` are names that one above has to
    contain.
    """

    known: frozenset[str]
    paths: frozenset[str]
    needles: tuple[str, ...]

    @classmethod
    def of(cls, files: Collection[str], sources: Iterable[ManifestText]) -> Builders:
        kustomizations = {s.path: s for s in sources if posixpath.basename(s.path) in KUSTOMIZATIONS}
        targets, known = set(files), set[str]()
        # One level of builders after the other; a file that no target is named in is not parsed.
        while new := {
            path
            for path, source in kustomizations.items()
            if path not in known and _may_name(source, targets) and not targets.isdisjoint(kustomize.built(source))
        }:
            known |= new
            targets |= {posixpath.dirname(path) for path in new}
        beside = {posixpath.join(posixpath.dirname(path), name) for path in files for name in KUSTOMIZATIONS}
        names = dict.fromkeys(posixpath.basename(target) for target in sorted(targets))
        return cls(frozenset(known), frozenset(beside), tuple(name for name in names if name))


def _may_name(source: ManifestText, targets: Collection[str]) -> bool:
    folder = posixpath.dirname(source.path)
    written = (posixpath.normpath(posixpath.join(folder, found)) for found in _PATH.findall(source.text))
    return any(path in targets for path in written)


def _roots(source: ManifestText) -> Iterator[MappingNode]:
    if posixpath.basename(source.path) in KUSTOMIZATIONS:
        try:
            yield from (root for root in source.yaml.documents if isinstance(root, MappingNode))
        except YamlError:
            return


def _items(node: Node | None) -> list[Node]:
    return node.items if isinstance(node, SequenceNode) else []


def _beside(source: ManifestText, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path))
