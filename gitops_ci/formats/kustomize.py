"""Kustomize: the `images` of a Kustomization or Component, its patches and inline values, ImageTagTransformer files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

from gitops_ci.formats.overrides import override, overrides
from gitops_ci.formats.places import object_of
from gitops_ci.formats.scan import scan
from gitops_ci.formats.source import Source
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import Mapping, Scalar, Sequence, YamlError

ID = "kustomize"

FILE_NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


def find(source: Source) -> Iterator[ImageSite]:
    named_so = PurePosixPath(source.path).name in FILE_NAMES
    for root in source.yaml.documents:
        what = object_of(root)
        if not isinstance(root, Mapping):
            continue
        if what and what.kind == "ImageTagTransformer":
            if isinstance(entry := root.get("imageTag"), Mapping):
                yield from override(source, entry, resource=what.resource, format_id=ID)
        elif (what and what.group == "kustomize.config.k8s.io") or (named_so and what is None):
            resource = what.resource if what else "Kustomization"
            # `imageTags` is what `images` was called before 2019; kustomize still reads it.
            for key in ("images", "imageTags"):
                yield from overrides(source, root.get(key), resource=resource, format_id=ID)
            yield from scan(source, root, format_id=ID, resource=resource)


def built(source: Source) -> tuple[str, ...]:
    """The files and folders that a kustomization builds, as paths from the repository's root; none for other files."""
    if PurePosixPath(source.path).name not in FILE_NAMES:
        return ()
    try:
        roots = [root for root in source.yaml.documents if isinstance(root, Mapping)]
    except YamlError:
        return ()
    lists = (root.get(key) for root in roots for key in ("resources", "bases", "components"))
    entries = (entry for listed in lists if isinstance(listed, Sequence) for entry in listed.items)
    folder = posixpath.dirname(source.path)
    return tuple(
        posixpath.normpath(posixpath.join(folder, entry.value)) for entry in entries if isinstance(entry, Scalar)
    )
