"""Where an image comes from: `kind:place`, each kind one function that opens it.

A source knows what it holds before anything is sent, and sends it to any place that can be written to.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
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
from gitops_ci.registry.referrers import copy_referrers
from gitops_ci.registry.remote import Remote

__all__ = ["SOURCES", "Sent", "Source", "open_source", "split_source"]


_MOST_ORIGINS = 3  # an image has one, and one more for each repository it was pushed to
_PATIENCE = 5.0  # seconds for a question that may stay without an answer


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

    def send_referrers(self, destination: Writer, progress: Progress) -> int:
        """Store what refers to the image (signatures, attestations); how many manifests that were."""


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

    def send_referrers(self, destination: Writer, progress: Progress) -> int:
        return copy_referrers(self._reader, destination, self._root, progress)


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

    def send_referrers(self, destination: Writer, progress: Progress) -> int:
        del destination, progress
        return 0  # such an archive holds none


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
        # Denied is found out now: an Engine keeps trying for most of a minute before it says so.
        destination.may_push()
        target = ImageRef.parse(destination.address(tag))
        digest = self._engine.push(self._image, target, destination.credential, progress)
        manifest = destination.manifest(digest)
        if manifest is None:
            raise RegistryError(
                f"{target} was pushed as {digest}, and {destination.registry} does not have it",
                hint="Do the Docker Engine and this program mean the same registry by that address?",
            )
        return Sent(manifest, Copied(size=self._image.size), tag)

    def send_referrers(self, destination: Writer, progress: Progress) -> int:
        del destination, progress
        return 0  # nor does an Engine

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
    with closing(Engine()) as engine:
        image = engine.inspect(place)
        if image.origins and not engine.keeps_indexes():
            _refuse_part(image, access)
        yield InEngine(engine, image)


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


def _refuse_part(image: EngineImage, access: Access) -> None:
    """Stop where an Engine has one platform of an image that had several where it was pulled from.

    Pushed from there it would be another image, for that platform only, under the tag of the whole one.
    """
    for origin in image.origins[:_MOST_ORIGINS]:
        ref = ImageRef.try_parse(origin)
        if ref is None or ref.digest is None:
            continue
        hurry = replace(access, deadline=time.monotonic() + _PATIENCE)
        with closing(Remote(ref, find(ref.registry, ref.repository), hurry)) as remote:
            try:
                found = remote.manifest(ref.digest)
            except RegistryError:
                continue  # whoever cannot be asked cannot be in the way: the Engine has what it has
        if found is not None and found.is_index:
            platforms = ", ".join(child.platform for child in found.children if child.platform != "unknown/unknown")
            raise RegistryError(
                f"docker:{image.name} is one platform of {origin}, which has {platforms}",
                hint=f"The Docker Engine keeps one of them only. registry:{origin} copies the whole image.",
            )


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
