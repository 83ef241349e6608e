"""What `docker save` writes (and kaniko, Nix, Bazel): `manifest.json`, configs, and layers as plain tars.

Source: moby/docker-image-spec v1.2, "Combined Image JSON + Filesystem Changeset Format". The manifest that a registry
needs is not in it: the layers are compressed into a temporary folder here, and their digests taken then.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.imageref import ImageRef
from gitops_ci.registry.base import (
    DOCKER_MANIFEST,
    LARGEST_MANIFEST,
    NO_IMAGE,
    OCI_MANIFEST,
    Blob,
    Descriptor,
    Manifest,
    digest_of,
)
from gitops_ci.registry.derived import OCI_TYPES
from gitops_ci.registry.files import Files, Folder
from gitops_ci.registry.parallel import each

__all__ = ["DockerArchive"]

_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
_MAGIC = ((b"\x1f\x8b", _LAYER), (b"\x28\xb5\x2f\xfd", _ZSTD))  # RFC 1952 §2.3.1, RFC 8878 §3.1.1
_LARGEST_CONFIG = 8 * 1024 * 1024
_LEVEL = 1  # three times as fast as gzip's usual 6, some percent larger: the line to a registry is seldom slower
_DAMAGED = "The archive is incomplete or damaged: write it again."


@dataclass(frozen=True, slots=True)
class _Image:
    """An image of the archive: the names of its files, and the digests of its unpacked layers."""

    config: bytes
    layers: tuple[str, ...]
    diff_ids: tuple[str, ...]


class DockerArchive:
    """One image of an archive."""

    def __init__(self, files: Files, name: str, wanted: str = "") -> None:
        """`wanted` is one of the names in the archive, where it holds several images.

        Raises:
            RegistryError: it is no such archive, or the image is not in it.
        """
        self.name = name
        self._files = files
        self._image = self._read(self._choose(wanted))
        self._work: TemporaryDirectory[str] | None = None
        self._paths: dict[str, tuple[Files, str]] = {}

    @property
    def config(self) -> bytes:
        """The image's config; its digest is the image's id."""
        return self._image.config

    @property
    def size(self) -> int:
        return sum(self._files.size(name) or 0 for name in self._image.layers)

    def compress(self) -> Manifest:
        """Compress the layers and make the manifest. Raises RegistryError for a layer that is not what it should be."""
        self._work = TemporaryDirectory(prefix="gitops-ci-layers-")
        pairs = list(dict.fromkeys(zip(self._image.layers, self._image.diff_ids, strict=True)))
        # zlib works outside of the interpreter's lock: a core for each.
        known = dict(each(lambda pair: self._layer(*pair), pairs, at_once=min(4, os.cpu_count() or 1)))
        layers = [known[name] for name in self._image.layers]
        config = Descriptor(_CONFIG, digest_of(self.config), len(self.config))
        media_type = DOCKER_MANIFEST
        if any(layer.media_type == _ZSTD for layer in layers):  # Docker's own manifest has no name for these
            media_type = OCI_MANIFEST
            config, *layers = (
                replace(one, media_type=OCI_TYPES.get(one.media_type, one.media_type)) for one in (config, *layers)
            )
        data = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": _as_json(config),
            "layers": [_as_json(layer) for layer in layers],
        }
        return Manifest(json.dumps(data, separators=(",", ":")).encode())

    def manifest(self, reference: str) -> Manifest | None:
        del reference
        return None

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        del digest
        return ()

    def blob(self, descriptor: Descriptor) -> Blob:
        if descriptor.digest == digest_of(self.config):
            return Blob(descriptor, lambda: iter([self.config]), self.name)
        files, path = self._paths[descriptor.digest]
        return Blob(descriptor, lambda: files.chunks(path), self.name)

    def close(self) -> None:
        if self._work is not None:
            self._work.cleanup()
        self._files.close()

    def _layer(self, name: str, diff_id: str) -> tuple[str, Descriptor]:
        """A layer's descriptor; one that is compressed already is taken as it is."""
        first = next(self._files.chunks(name), b"")
        if kind := next((kind for magic, kind in _MAGIC if first.startswith(magic)), ""):
            descriptor = Descriptor(kind, *_measured(self._files.chunks(name)))
            self._paths[descriptor.digest] = self._files, name
            return name, descriptor
        assert self._work is not None
        path = f"{hashlib.sha256(name.encode()).hexdigest()}.gz"
        unpacked = Descriptor("", diff_id, self._files.size(name) or 0)
        checked = Blob(unpacked, lambda: self._files.chunks(name), self.name).verified()
        with open(os.path.join(self._work.name, path), "wb") as file:
            digest, size = _measured(_written(_gzip(checked), file))
        self._paths[digest] = Folder(self._work.name), path
        return name, Descriptor(_LAYER, digest, size)

    def _choose(self, wanted: str) -> dict[str, Any]:
        entries = self._json("manifest.json", LARGEST_MANIFEST)
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
            raise RegistryError(
                f"{self.name} is not what docker save writes", hint="An OCI archive is oci-archive:FILE."
            )
        found = [entry for entry in entries if not wanted or _is_called(wanted, entry)]
        if len(found) == 1:
            return dict(found[0])
        what = f"{len(found)} images" if found else "no image"
        called = f" with the name '{wanted}'" if wanted else ""
        names = ", ".join(name for entry in entries for name in _names(entry))
        raise RegistryError(
            f"{self.name} holds {what}{called}", hint=f"Write docker-archive:FILE:NAME with one of {names}."
        )

    def _read(self, entry: dict[str, Any]) -> _Image:
        config_name, layers = entry.get("Config"), entry.get("Layers")
        if not isinstance(config_name, str) or not isinstance(layers, list):
            raise RegistryError(f"{self.name}: manifest.json names neither config nor layers", hint=_DAMAGED)
        config = self._json(config_name, _LARGEST_CONFIG)
        rootfs = config.get("rootfs") if isinstance(config, dict) else None
        diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if not isinstance(diff_ids, list) or len(diff_ids) != len(layers):
            raise RegistryError(f"{self.name}: config and manifest.json disagree about the layers", hint=_DAMAGED)
        for name in layers:
            if self._files.size(str(name)) is None:
                raise RegistryError(f"{self.name}: the layer {name} is missing", hint=_DAMAGED)
        checked = [Descriptor.read({"digest": diff_id, "size": 0}).digest for diff_id in diff_ids]
        return _Image(b"".join(self._files.chunks(config_name)), tuple(map(str, layers)), tuple(checked))

    def _json(self, name: str, limit: int) -> Any:
        size = self._files.size(name)
        if size is None:
            raise RegistryError(f"{self.name} has no {name}", hint="Write the archive again with docker save.")
        if size > limit:
            raise RegistryError(f"{self.name}: {name} has {size:,} bytes, far more than any image's", hint=NO_IMAGE)
        try:
            return json.loads(b"".join(self._files.chunks(name)))
        except (ValueError, RecursionError):
            raise RegistryError(f"{self.name}: {name} is not JSON", hint=_DAMAGED) from None


def _names(entry: dict[str, Any]) -> list[str]:
    names = entry.get("RepoTags")
    return [str(name) for name in names] if isinstance(names, list) else []


def _is_called(wanted: str, entry: dict[str, Any]) -> bool:
    """Whether a saved image has this name; a name without a tag means every tag of it."""
    ref = ImageRef.try_parse(wanted)
    known = [named for name in _names(entry) if (named := ImageRef.try_parse(name))]
    return ref is not None and any(name == ref or (not ref.tag and name.same_image(ref)) for name in known)


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """RFC 1952 without a time in it: the same layer gives the same bytes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()


def _written(chunks: Iterator[bytes], file: Any) -> Iterator[bytes]:
    for chunk in chunks:
        file.write(chunk)
        yield chunk


def _measured(chunks: Iterator[bytes]) -> tuple[str, int]:
    hashing, size = hashlib.sha256(), 0
    for chunk in chunks:
        hashing.update(chunk)
        size += len(chunk)
    return f"sha256:{hashing.hexdigest()}", size


def _as_json(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "size": descriptor.size, "digest": descriptor.digest}
