"""Kustomize: the `images` of a Kustomization or Component, its patches and inline values, ImageTagTransformer files."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath

from gitops_ci.formats.document.image_overrides import override, overrides
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import object_of
from gitops_ci.formats.document.scan import scan
from gitops_ci.known_files import KUSTOMIZATIONS
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import MappingNode, ScalarNode, SequenceNode, YamlError

ID = "kustomize"


def find(source: ManifestText) -> Iterator[ImageSite]:
    named_so = posixpath.basename(source.path) in KUSTOMIZATIONS
    for root in source.yaml.documents:
        what = object_of(root)
        if not isinstance(root, MappingNode):
            continue
        if what and what.kind == "ImageTagTransformer":
            if isinstance(entry := root.get("imageTag"), MappingNode):
                yield from override(source, entry, resource=what.resource, format_id=ID)
        elif (what and what.group == "kustomize.config.k8s.io") or (named_so and what is None):
            resource = what.resource if what else "Kustomization"
            # `imageTags` is what `images` was called before 2019; kustomize still reads it.
            for key in ("images", "imageTags"):
                yield from overrides(source, root.get(key), resource=resource, format_id=ID)
            layers = f"values:{PurePosixPath(source.path).with_suffix('')}"
            yield from scan(source, root, format_id=ID, resource=resource, layers=layers)


class Reach:
    """Which files kustomizations build, through all levels of bases and components that are known."""

    def __init__(self, sources: Iterable[ManifestText]) -> None:
        self._built = {source.path: entries for source in sources if (entries := built(source))}
        self._by_folder = {posixpath.dirname(path): path for path in self._built}

    @property
    def known(self) -> Collection[str]:
        """The paths of the kustomizations that build something."""
        return self._built.keys()

    def builds(self, kustomization: str, path: str) -> bool:
        """Whether a kustomization builds a file: it names the file or a folder above it that has no kustomization."""
        seen, waiting = {kustomization}, [kustomization]
        while waiting:
            for entry in self._built.get(waiting.pop(), ()):
                below = self._by_folder.get(entry)
                if path == entry or (below is None and path.startswith(f"{entry}/")):
                    return True
                if below is not None and below not in seen:
                    seen.add(below)
                    waiting.append(below)
        return False

    def leads(self, kustomization: str, other: str) -> bool:
        """Whether a kustomization is another one, or builds it."""
        return other in self._below(kustomization)

    def files(self, kustomization: str) -> set[str]:
        """The files that a kustomization builds, and where the kustomizations of further levels would be."""
        entries = {entry for path in self._below(kustomization) for entry in self._built.get(path, ())}
        return {path for entry in entries for path in (entry, *(posixpath.join(entry, n) for n in KUSTOMIZATIONS))}

    def _below(self, kustomization: str) -> set[str]:
        """A kustomization and all that it builds."""
        seen, waiting = {kustomization}, [kustomization]
        while waiting:
            found = {self._by_folder.get(entry, "") for entry in self._built.get(waiting.pop(), ())} - {"", *seen}
            seen |= found
            waiting += found
        return seen

    def unknown(self) -> set[str]:
        """Where the kustomizations of further levels would be, were they known."""
        folders = {entry for entries in self._built.values() for entry in entries if entry not in self._by_folder}
        return {posixpath.join(folder, name) for folder in folders for name in KUSTOMIZATIONS}


def built(source: ManifestText) -> tuple[str, ...]:
    """The files and folders that a kustomization builds, as paths from the repository's root; none for other files."""
    if posixpath.basename(source.path) not in KUSTOMIZATIONS:
        return ()
    try:
        roots = [root for root in source.yaml.documents if isinstance(root, MappingNode)]
    except YamlError:
        return ()
    lists = (root.get(key) for root in roots for key in ("resources", "bases", "components"))
    entries = (entry for listed in lists if isinstance(listed, SequenceNode) for entry in listed.items)
    folder = posixpath.dirname(source.path)
    return tuple(
        posixpath.normpath(posixpath.join(folder, entry.value)) for entry in entries if isinstance(entry, ScalarNode)
    )
