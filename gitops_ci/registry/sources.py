"""Where an image comes from: `kind:place`, each kind one function that opens it.

A source knows what it holds before anything is sent, and sends it to any place that can be written to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import Protocol

from gitops_ci.errors import RegistryError, UsageError
from gitops_ci.imageref import TAG, ImageRef
from gitops_ci.registry.base import DIGEST, Manifest, Progress, Reader, Writer
from gitops_ci.registry.connection import Access
from gitops_ci.registry.copy import Copied, copy
from gitops_ci.registry.credentials import find
from gitops_ci.registry.docker_archive import DockerArchive
from gitops_ci.registry.engine import Engine, EngineImage
from gitops_ci.registry.facts import ImageFacts, facts_of, facts_of_config
from gitops_ci.registry.files import Folder, Tar
from gitops_ci.registry.layout import Layout
from gitops_ci.registry.remote import Remote

__all__ = ["SOURCES", "Sent", "Source", "open_source", "split_source"]


@dataclass(frozen=True, slots=True)
class Sent:
    """An image that was sent: its manifest is there under `tag`, or the only thing still to be stored."""

    manifest: Manifest
    copied: Copied
    tag: str = ""


class Source(Protocol):
    """An image that can be sent somewhere. Raises RegistryError."""

    name: str
    facts: ImageFacts

    def send(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        """Store all of the image but its tags; `tag` is one that it gets anyway, for ways of sending that need one."""


class Stored:
    """An image with its manifest: in a layout, an OCI archive, a registry."""

    def __init__(self, reader: Reader, root: Manifest) -> None:
        self.name = reader.name
        self.facts = facts_of(reader, root)
        self._reader = reader
        self._root = root

    def send(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        del tag
        mount_from = ""
        if isinstance(self._reader, Remote) and isinstance(destination, Remote):
            same_registry = self._reader.registry == destination.registry
            mount_from = self._reader.repository if same_registry else ""
        return Sent(self._root, copy(self._reader, destination, self._root, progress, mount_from=mount_from))


class Saved:
    """An image as `docker save` writes it, without a manifest until it is sent."""

    def __init__(self, archive: DockerArchive) -> None:
        self.name = archive.name
        self.facts = facts_of_config(archive.config, archive.size)
        self._archive = archive

    def send(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        del tag
        manifest = self._archive.compress()
        return Sent(manifest, copy(self._archive, destination, manifest, progress))


class InEngine:
    """An image in a Docker Engine, which pushes it itself."""

    def __init__(self, engine: Engine, image: EngineImage) -> None:
        self.name = f"docker:{image.name}"
        self.facts = ImageFacts(frozenset({image.id}), None, image.labels, image.created, image.size)
        self._engine = engine
        self._image = image

    def send(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        if not isinstance(destination, Remote):
            return self._export(destination, tag, progress)
        target = ImageRef.parse(destination.address(tag))
        digest = self._engine.push(self._image, target, destination.credential, progress)
        manifest = destination.manifest(digest)
        if manifest is None:
            raise RegistryError(
                f"{target} was pushed as {digest}, and {destination.registry} does not have it",
                hint="Do the Docker Engine and this program mean the same registry by that address?",
            )
        return Sent(manifest, Copied(size=self._image.size), tag)

    def _export(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        with NamedTemporaryFile(prefix="gitops-ci-image-", suffix=".tar") as file:
            for chunk in self._engine.export(self._image):
                file.write(chunk)
            file.flush()
            with closing(DockerArchive(Tar(file.name), self.name)) as archive:
                return Saved(archive).send(destination, tag, progress)


Opened = AbstractContextManager[Source]


@contextmanager
def _docker(place: str, access: Access) -> Iterator[Source]:
    del access
    with closing(Engine()) as engine:
        yield InEngine(engine, engine.inspect(place))


@contextmanager
def _layout(place: str, access: Access) -> Iterator[Source]:
    del access
    folder, wanted = _split(place)
    yield _stored(Layout(Folder(folder), f"oci:{folder}"), wanted)


@contextmanager
def _oci_archive(place: str, access: Access) -> Iterator[Source]:
    del access
    path, wanted = _split(place)
    with closing(Layout(Tar(path), f"oci-archive:{path}")) as layout:
        yield _stored(layout, wanted)


@contextmanager
def _docker_archive(place: str, access: Access) -> Iterator[Source]:
    del access
    path, wanted = (place, "") if os.path.exists(place) else place.partition(":")[::2]
    with closing(Tar(path)) as tar, closing(DockerArchive(tar, f"docker-archive:{path}", wanted)) as archive:
        yield Saved(archive)


@contextmanager
def _registry(place: str, access: Access) -> Iterator[Source]:
    ref = ImageRef.parse(place)
    with closing(Remote(ref, find(ref.registry, ref.repository), access)) as remote:
        yield _stored(remote, ref.digest or ref.tag or "latest")


SOURCES: Mapping[str, Callable[[str, Access], Opened]] = {
    "docker": _docker,
    "oci": _layout,
    "oci-archive": _oci_archive,
    "docker-archive": _docker_archive,
    "registry": _registry,
}


def split_source(text: str) -> tuple[str, str]:
    """The kind and the place of `kind:place`; a name without a kind is an image of the Docker Engine.

    Raises:
        UsageError: an empty place, or a name that no image can have.
    """
    kind, colon, place = text.partition(":")
    if not colon or kind not in SOURCES:
        kind, place = "docker", text
    if not place or "\0" in place:
        raise UsageError(f"'{text}' names no image", hint=f"Write one of: {', '.join(f'{k}:…' for k in SOURCES)}.")
    if kind == "registry" or (kind == "docker" and not re.fullmatch(r"(?:sha256:)?[0-9a-f]{12,64}", place)):
        ImageRef.parse(place)
    return kind, place


def open_source(text: str, access: Access) -> Opened:
    """Open a source. Raises UsageError for a text that is none, RegistryError when it is not there."""
    kind, place = split_source(text)
    return SOURCES[kind](place, access)


def _split(place: str) -> tuple[str, str]:
    """The path of `PATH[:TAG]` or `PATH@DIGEST`, and the tag or digest, empty where there is none."""
    path, at, digest = place.rpartition("@")
    if at and DIGEST.fullmatch(digest):
        return path, digest
    path, colon, tag = place.rpartition(":")
    return (path, tag) if colon and TAG.fullmatch(tag) else (place, "")


def _stored(reader: Layout | Remote, wanted: str) -> Stored:
    root = reader.manifest(wanted) if wanted or isinstance(reader, Remote) else reader.only()
    if root is None:
        known = ", ".join((reader.tags() or ())[:10])
        raise RegistryError(
            f"{reader.name} has no image '{wanted}'",
            hint=f"It has {known}." if known else "Is the name right, and may this account see it?",
        )
    return Stored(reader, root)
