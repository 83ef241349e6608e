"""What kustomizations do with files: which they build, which patch which objects, which become ConfigMaps.

Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization: `patches`, `patchesStrategicMerge`,
`patchesJson6902`, `configMapGenerator`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

from gitops_ci.formats import ManifestText
from gitops_ci.formats.document.nodes import target_of
from gitops_ci.formats.kustomize import Reach
from gitops_ci.known_files import KUSTOMIZATIONS
from gitops_ci.paths import folders_above
from gitops_ci.plan.relation_lines import RelationLines
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode, YamlError

__all__ = ["Together", "builders", "generated", "patch_files", "used"]

_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902", "patchesJSON6902")
# Where an object takes its chart from: Applications and HelmReleases that are whole say so.
_SOURCE = re.compile(r"\b(?:chartRef|repoURL|sourceRef)\b")
# The source of a Kustomization of Flux is its own: what it patches, others define.
_KIND = re.compile(r"^kind:[ \t]*[\"']?(\w+)", re.MULTILINE)
_GENERATORS = ("configMapGenerator", "secretGenerator")


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


class Together:
    """Whether an object may be a part of the one of the same name in another file.

    What has no source of its own is a part of something. What has one is whole, unless one kustomization takes both
    files, through all of its levels: it builds them, or patches with them.
    """

    def __init__(self, sources: Collection[ManifestText]) -> None:
        self._whole = {source.path for source in sources if _is_whole(source.text)}
        self._reach = Reach(sources)
        self._used = {source.path: files for source in sources if (files := used(source))}

    def __call__(self, one: str, other: str) -> bool:
        if one not in self._whole:
            return True
        return any(self._takes(top, one) and self._takes(top, other) for top in self._reach.known)

    def _takes(self, top: str, path: str) -> bool:
        if self._reach.builds(top, path):
            return True
        return any(path in files and self._reach.leads(top, below) for below, files in self._used.items())


def used(source: ManifestText) -> set[str]:
    """All files that a kustomization patches or makes ConfigMaps with; those of its components patch, too."""
    files = {path for path, _ in patch_files(source)} | {path for _, files in generated(source) for path in files}
    listed = (item for root in _roots(source) for item in _items(root.get("components")))
    folders = (_beside(source, item.value) for item in listed if isinstance(item, ScalarNode))
    return files | {posixpath.join(folder, name) for folder in folders for name in KUSTOMIZATIONS}


def builders(files: Collection[str], lines: RelationLines, paths: Collection[str]) -> set[str]:
    """The kustomizations among `paths` that build some files, through all levels, as the repository's lines tell.

    One that lies beside or above a file may build it by a folder's name alone: it is among them, too.
    """
    found, targets = set[str](), {*files}
    while targets:
        above = {folder for target in targets for folder in folders_above(target)}
        folders = {posixpath.dirname(target) for target in targets}
        beside = {posixpath.join("" if up == "." else up, name) for up in above | folders for name in KUSTOMIZATIONS}
        new = {path for path in beside.union(*map(lines.kustomizations_of, targets)) if path in paths} - found
        found |= new
        targets = {posixpath.dirname(path) for path in new if posixpath.dirname(path)} - targets
    return found


def _is_whole(text: str) -> bool:
    return bool(_SOURCE.search(text)) and {*_KIND.findall(text)} != {"Kustomization"}


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
