"""What images are made of, and what is asked of a place that holds them (a registry's repository, an OCI layout).

Sources: OCI image specification 1.1 (`manifest.md`, `image-index.md`, `descriptor.md`); Docker's "Image Manifest V 2,
Schema 2" for the `vnd.docker` types that engines still push.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Literal, Protocol

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError

__all__ = [
    "CHUNK",
    "DIGEST",
    "DOCKER_INDEX",
    "DOCKER_MANIFEST",
    "INDEX_TYPES",
    "LARGEST_MANIFEST",
    "MANIFEST_TYPES",
    "NO_IMAGE",
    "OCI_INDEX",
    "OCI_MANIFEST",
    "Blob",
    "Descriptor",
    "Manifest",
    "Progress",
    "Reader",
    "Silent",
    "Stored",
    "Writer",
    "digest_of",
    "platform_of",
]

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})
# All four are asked for, always: a registry answers 404 for an index when the index types are not accepted.
MANIFEST_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST)

CHUNK = 1 << 20  # bytes held at a time, a layer each: memory does not grow with a layer's size
LARGEST_MANIFEST = 4 * 1024 * 1024  # what registries accept at most (distribution-spec, "Pushing Manifests")
NO_IMAGE = "Whatever made this wrote no sound image: build and save it again, from a source you trust."
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says about another thing: its type, the digest of its bytes, and their number.

    `platform` is `os/architecture[/variant]`.
    """

    media_type: str
    digest: str
    size: int
    platform: str = ""
    artifact_type: str = ""

    @classmethod
    def read(cls, data: Any) -> Descriptor:
        """Raises RegistryError for what is none: digests become paths and URLs, so their form is checked here."""
        digest, size = (data.get("digest"), data.get("size")) if isinstance(data, dict) else (None, None)
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            raise RegistryError(
                f"a manifest refers to {digest!r}, which is not a sha256 or sha512 digest", hint=NO_IMAGE
            )
        if not isinstance(size, int) or size < 0:
            raise RegistryError(f"a manifest states the size {size!r} for {digest}", hint=NO_IMAGE)
        kind, artifact = str(data.get("mediaType", "")), str(data.get("artifactType") or "")
        return cls(kind, digest, size, platform_of(data.get("platform")), artifact)


class Manifest:
    """A manifest or index: its exact bytes, its type, and what it refers to."""

    def __init__(self, content: bytes, media_type: str = "") -> None:
        """Raises RegistryError when the bytes are not manifest of the four known types."""
        self.content = content
        if len(content) > LARGEST_MANIFEST:
            raise RegistryError("the manifest is larger than 4 MiB, which no registry accepts", hint=NO_IMAGE)
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise RegistryError("the manifest is not a JSON object", hint=NO_IMAGE)
        self.data: dict[str, Any] = data
        # The bytes say what they are; older OCI manifests do not, then whoever handed them over does.
        self.media_type = str(data.get("mediaType") or media_type or _guessed(data))
        if self.media_type not in MANIFEST_TYPES:
            raise RegistryError(
                f"'{self.media_type or 'no type'}' is not a kind of image manifest that can be pushed",
                hint="Docker schema 1 and artifacts without a manifest are not supported: build the image again.",
            )

    @cached_property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES

    @cached_property
    def children(self) -> tuple[Descriptor, ...]:
        """The manifests that an index lists."""
        return self._descriptors("manifests") if self.is_index else ()

    @cached_property
    def config(self) -> Descriptor | None:
        return None if self.is_index else Descriptor.read(self.data.get("config"))

    @cached_property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers, each once, without those that may not be distributed (Windows base layers)."""
        if self.config is None:
            return ()
        layers = self.data.get("layers")
        own = [layer for layer in layers if not _is_foreign(layer)] if isinstance(layers, list) else []
        return tuple({d.digest: d for d in (self.config, *map(Descriptor.read, own))}.values())

    @cached_property
    def subject(self) -> Descriptor | None:
        """The manifest that this one says something about (a signature about an image)."""
        return Descriptor.read(self.data["subject"]) if isinstance(self.data.get("subject"), dict) else None

    @property
    def size(self) -> int:
        """Bytes of the manifest and of what it refers to directly."""
        return len(self.content) + sum(d.size for d in (*self.children, *self.blobs))

    def _descriptors(self, key: str) -> tuple[Descriptor, ...]:
        listed = self.data.get(key)
        return tuple(Descriptor.read(item) for item in listed) if isinstance(listed, list) else ()


@dataclass(frozen=True, slots=True)
class Blob:
    """A descriptor and how to read its bytes, as often as needed; `origin` is where they come from, for errors."""

    descriptor: Descriptor
    read: Callable[[], Iterator[bytes]]
    origin: str

    def verified(self) -> Iterator[bytes]:
        """The bytes, the last ones only when size and digest are right: nobody ever gets a false blob.

        Raises:
            RegistryError: more or fewer bytes than announced, or other ones.
        """
        algorithm, _, expected = self.descriptor.digest.partition(":")
        hashing, held, seen, size = hashlib.new(algorithm), b"", 0, self.descriptor.size
        for chunk in self.read():
            seen += len(chunk)
            if seen > size:
                raise self.false(f"has more than the {size} bytes its manifest announces")
            hashing.update(chunk)  # without the interpreter's lock: other layers go on
            if held:
                yield held
            held = chunk
        if seen != size:
            raise self.false(f"has {seen} bytes, its manifest announces {size}")
        if hashing.hexdigest() != expected:
            raise self.false(f"has other bytes: their digest is {algorithm}:{hashing.hexdigest()}")
        if held:
            yield held

    def false(self, what: str) -> RegistryError:
        return RegistryError(
            f"{self.origin}: the blob {self.descriptor.digest} {what}",
            hint="The image is damaged or was tampered with: build or fetch it again.",
        )


Stored = Literal["uploaded", "present", "mounted"]


class Reader(Protocol):
    """A place that images are read from. Raises RegistryError; never prints."""

    name: str

    def manifest(self, reference: str) -> Manifest | None:
        """The manifest with this tag or digest, its digest verified; None when there is none."""

    def blob(self, descriptor: Descriptor) -> Blob:
        """A blob. Raises when it is known to be missing, or to have another size."""

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """The manifests that refer to the one with this digest: signatures, attestations, SBOMs."""

    def close(self) -> None:
        """Give connections and files back."""


class Writer(Reader, Protocol):
    """A place that images are written to."""

    def tags(self) -> tuple[str, ...] | None:
        """All tags; None when the place does not let itself be listed."""

    def digest(self, reference: str) -> str | None:
        """The digest of the manifest with this tag or digest; None when there is none.

        Raises:
            AccessDenied: nobody can tell whether it is there or may not be read.
        """

    def check_access(self, *, dry_run: bool) -> None:
        """Make sure that what is denied is not there: that this account may push here, and may read what it pushed.

        Raises:
            RegistryError: it may not. A dry run stores nothing, and does not find out whether the account may read.
        """

    def put_blob(self, blob: Blob, progress: Progress, *, mount_from: str = "") -> Stored:
        """Store a blob unless it is there; `mount_from` is a repository of the same registry that has it."""

    def put_manifest(self, manifest: Manifest, reference: str) -> None:
        """Store a manifest under a tag or its own digest. What it refers to must be there already."""

    def address(self, tag: str) -> str:
        """The whole reference of a tag here."""


class Progress(Protocol):
    """Where a push tells how far it is. Called from several threads."""

    def layer(self, layer: str, status: str, done: int = 0, total: int | None = None) -> None:
        """`layer` is at `done` of `total` bytes (None: unknown); `status` is a word or two (`Pushing`, `Pushed`)."""

    def finish(self) -> None:
        """Nothing more comes of this image, be it through or not."""


class Silent:
    """A progress that nobody watches."""

    def layer(self, layer: str, status: str, done: int = 0, total: int | None = None) -> None:
        pass

    def finish(self) -> None:
        pass


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def platform_of(data: Any) -> str:
    """`linux/arm/v7` of a platform object, or of an image's config, which has the same keys."""
    parts = [data.get(key) for key in ("os", "architecture", "variant")] if isinstance(data, dict) else []
    return "/".join(str(part) for part in parts if part)


def _is_foreign(layer: Any) -> bool:
    kind = layer.get("mediaType", "") if isinstance(layer, dict) else ""
    return ".foreign." in kind or ".nondistributable." in kind


def _guessed(data: dict[str, Any]) -> str:
    if isinstance(data.get("manifests"), list):
        return OCI_INDEX
    return OCI_MANIFEST if isinstance(data.get("config"), dict) and isinstance(data.get("layers"), list) else ""
