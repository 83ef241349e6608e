"""Edited files that are parts of a kustomization, and no manifests of their own."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator

from gitops_ci.configrepo import Snapshot
from gitops_ci.flows.globs import Paths
from gitops_ci.known_files import KUSTOMIZATIONS

__all__ = ["parts_among"]


def parts_among(paths: Collection[str], snapshot: Snapshot) -> set[str]:
    """The paths that a kustomization patches or configures with.

    A snapshot that is read piece by piece is asked for the kustomizations beside and above the files only.
    """
    if not paths:
        return set()
    from gitops_ci.rendering.kustomization_parts import parts

    near = {posixpath.join(folder, name) for path in paths for folder in _folders(path) for name in KUSTOMIZATIONS}
    if not snapshot.is_sparse:
        named = sorted({posixpath.basename(path) for path in paths})
        near.update(snapshot.search(named, Paths(tuple(f"**/{name}" for name in KUSTOMIZATIONS))))
    texts = ((path, data.decode("utf-8", "replace")) for path, data in snapshot.read_all(near))
    return {part for path, text in texts for part in parts(path, text) if part in paths}


def _folders(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path
