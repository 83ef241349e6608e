"""Copy an image from one place to another: blobs in parallel, each manifest after what it refers to, the root last.

A tag therefore never names half an image, wherever a copy ends before its time.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import (
    INDEX_TYPES,
    NO_IMAGE,
    Blob,
    Descriptor,
    Manifest,
    Progress,
    Reader,
    Stored,
    Writer,
)
from gitops_ci.registry.parallel import each

__all__ = ["Copied", "copy", "is_whole", "manifests_below", "size_of"]

_PARALLEL = 6  # uploads at a time, as other tools do: more do not go faster on the lines that CI has
_DEEPEST = 4  # indexes in indexes; nobody builds more than two
_MOST = 1000  # an index of all platforms and their attestations has some dozens


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did: the number of blobs by what happened to them, and the bytes that were sent."""

    blobs: Mapping[Stored, int] = field(default_factory=dict)
    sent: int = 0
    size: int = 0


def copy(
    source: Reader,
    destination: Writer,
    root: Manifest,
    progress: Progress,
    *,
    mount_from: str = "",
    only: Collection[str] | None = None,
) -> Copied:
    """Copy everything that `root` refers to. `root` itself is the caller's, who stores it under its tags.

    `only` are digests: of the manifests that an index lists these, and no others.

    Raises:
        RegistryError: something is missing, damaged or refused; no manifest above it was written then.
    """
    manifests = list(manifests_below(source, root, only))
    blobs = {blob.digest: blob for manifest in manifests for blob in manifest.blobs}
    # Everything is looked at before anything is sent: what is missing or has the wrong size shows here.
    readable = [source.blob(descriptor) for descriptor in blobs.values()]
    for descriptor in blobs.values():
        progress.layer(descriptor.digest, "Waiting", 0, descriptor.size)
    # The largest first: the end then waits for no straggler.
    readable.sort(key=lambda blob: -blob.descriptor.size)
    stop = threading.Event()
    stored = each(
        lambda blob: destination.put_blob(_until(stop, blob), progress, mount_from=mount_from),
        readable,
        at_once=_PARALLEL,
        stop=stop,
    )
    results = {blob.descriptor.digest: what for blob, what in zip(readable, stored, strict=True)}
    for manifest in manifests[:-1]:
        destination.put_manifest(manifest, manifest.digest)
    return Copied(
        Counter(results.values()),
        sent=sum(blobs[digest].size for digest, stored in results.items() if stored == "uploaded"),
        size=_size(manifests),
    )


def size_of(source: Reader, root: Manifest, only: Collection[str] | None = None) -> int:
    """The bytes of all that an image consists of. Raises RegistryError when a manifest of it is missing."""
    return _size(manifests_below(source, root, only))


def is_whole(place: Writer, root: Manifest, only: Collection[str] | None = None) -> bool:
    """Whether a place holds all manifests below one that it holds: some registries take an index without them."""

    def below(manifest: Manifest, depth: int) -> bool:
        children = tuple({child.digest: child for child in _listed(manifest, depth, only)}.values())
        if depth > _DEEPEST or len(children) > _MOST:
            return False

        def holds(child: Descriptor) -> bool:
            if child.media_type not in INDEX_TYPES:
                return place.digest(child.digest) is not None
            inner = place.manifest(child.digest)
            return inner is not None and below(inner, depth + 1)

        return all(each(holds, children, at_once=_PARALLEL))

    return below(root, 0)


def _size(manifests: Iterable[Manifest]) -> int:
    blobs: dict[str, int] = {}
    own = 0
    for manifest in manifests:
        blobs |= {blob.digest: blob.size for blob in manifest.blobs}
        own += len(manifest.content)
    return own + sum(blobs.values())


def manifests_below(source: Reader, root: Manifest, only: Collection[str] | None = None) -> Iterator[Manifest]:
    """`root` and the manifests it refers to, each once, children before parents.

    Raises:
        RegistryError: a manifest is missing, or they are too many or nested too deep.
    """
    seen: set[str] = set()

    def below(manifest: Manifest, depth: int) -> Iterator[Manifest]:
        children = {child.digest: child for child in _listed(manifest, depth, only) if child.digest not in seen}
        seen.update(children)
        if depth > _DEEPEST or len(seen) > _MOST:
            raise RegistryError(
                f"{source.name}: the image has more than {_MOST} manifests or {_DEEPEST} levels of them", hint=NO_IMAGE
            )
        for child in each(lambda child: _child(source, child), tuple(children.values()), at_once=_PARALLEL):
            yield from below(child, depth + 1)
        yield manifest

    return below(root, 0)


def _listed(manifest: Manifest, depth: int, only: Collection[str] | None) -> tuple[Descriptor, ...]:
    """What a manifest lists; of the root, those of `only` alone."""
    if depth or only is None:
        return manifest.children
    return tuple(child for child in manifest.children if child.digest in only)


def _child(source: Reader, child: Descriptor) -> Manifest:
    manifest = source.manifest(child.digest)
    if manifest is None:
        platform = f" ({child.platform})" if child.platform else ""
        raise RegistryError(
            f"{source.name}: the index lists the manifest {child.digest}{platform}, which is not there",
            hint="The image is incomplete: build all of its platforms, or fetch it again. "
            "To publish one that is there: gitops-ci image copy SOURCE DESTINATION --platform OS/ARCH.",
        )
    return manifest


def _until(stop: threading.Event, blob: Blob) -> Blob:
    """A blob that ends when the others are not going to be complete any more."""

    def read() -> Iterator[bytes]:
        for chunk in blob.read():
            if stop.is_set():
                raise RegistryError("stopped")
            yield chunk

    return replace(blob, read=read)
