"""An image that has its manifest already: in a layout, an OCI archive, a registry. It is copied as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from gitops_ci.errors import RegistryError
from gitops_ci.imageref import TAG
from gitops_ci.registry.base import DIGEST, Manifest, Progress, Reader, Writer
from gitops_ci.registry.copy import copy, size_of
from gitops_ci.registry.derived import annotated, part_of_index, select_platforms
from gitops_ci.registry.image_config import facts_of
from gitops_ci.registry.layout import Layout
from gitops_ci.registry.referrers import copy_referrers
from gitops_ci.registry.remote import Remote
from gitops_ci.registry.sources.base import Sent

__all__ = ["Stored", "find_image", "no_image", "split_path", "split_place"]


class Stored:
    """One image of a place."""

    def __init__(self, reader: Reader, root: Manifest, only: frozenset[str] | None = None) -> None:
        self.name = reader.name
        self.facts = facts_of(reader, root)
        self.only = only
        self._reader = reader
        self._root = root
        self._size: int | None = None

    def size(self) -> int:
        if self._size is None:
            self._size = size_of(self._reader, self._root, self.only)
        return self._size

    def selected(self, platforms: Sequence[str]) -> Stored:
        return Stored(self._reader, select_platforms(self._reader, self._root, platforms)) if platforms else self

    def sparse(self, platforms: Sequence[str]) -> Stored:
        return Stored(self._reader, self._root, part_of_index(self._reader, self._root, platforms))

    def annotated(self, annotations: Mapping[str, str]) -> Stored:
        return Stored(self._reader, annotated(self._root, annotations), self.only) if annotations else self

    def send(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        del tag
        mount_from = ""
        if isinstance(self._reader, Remote) and isinstance(destination, Remote):
            same_registry = self._reader.registry == destination.registry
            mount_from = self._reader.repository if same_registry else ""
        copied = copy(self._reader, destination, self._root, progress, mount_from=mount_from, only=self.only)
        self._size = copied.size
        return Sent(self._root, copied)

    def send_referrers(self, destination: Writer, progress: Progress) -> int:
        return copy_referrers(self._reader, destination, self._root, progress, self.only)


def find_image(reader: Layout | Remote, wanted: str) -> Stored:
    """The image with this tag, name or digest; of a layout without any, the only one. Raises RegistryError."""
    root = reader.manifest(wanted) if wanted or isinstance(reader, Remote) else reader.only()
    if root is None:
        raise no_image(reader, wanted)
    if root.is_index and not root.children:
        raise RegistryError(f"{reader.name}: the index {root.digest} lists no image", hint="Build the image again.")
    return Stored(reader, root)


def no_image(reader: Layout | Remote, wanted: str) -> RegistryError:
    """The error for a name that is not there, with the names that are."""
    names = reader.names() if isinstance(reader, Layout) else reader.tags() or ()
    known = ", ".join(names[:10])
    return RegistryError(
        f"{reader.name} has no image '{wanted}'",
        hint=f"It has {known}." if known else "Check the name, and that this account may read it.",
    )


def split_place(place: str) -> tuple[str, str]:
    """The path of `PATH[:NAME]` or `PATH@DIGEST`, and the name or digest, empty where there is none.

    Names have colons of their own (`localhost:5000/acme/shop:1.4.2`), paths may have: the longest that exists is it.
    """
    path, at, digest = place.rpartition("@")
    if at and DIGEST.fullmatch(digest):
        return path, digest
    return split_path(place)


def split_path(place: str) -> tuple[str, str]:
    """The path of `PATH[:NAME]`, and the name, empty where there is none; `-` is standard input."""
    if place == "-" or place.startswith("-:"):
        return "-", place[2:]
    colons = [at for at, character in enumerate(place) if character == ":"]
    for end in (len(place), *reversed(colons)):
        if os.path.exists(place[:end]):
            return place[:end], place[end + 1 :]
    path, colon, tag = place.rpartition(":")
    return (path, tag) if colon and TAG.fullmatch(tag) else (place, "")
