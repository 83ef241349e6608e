"""An OCI image layout: a folder with `oci-layout`, `index.json` and `blobs/` (OCI image-spec 1.1, `image-layout.md`).

Build tools without an Engine write one; as a destination it is a registry's repository in a folder.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import (
    DIGEST,
    LARGEST_MANIFEST,
    NO_IMAGE,
    OCI_INDEX,
    Blob,
    Descriptor,
    Manifest,
    Progress,
    Stored,
)
from gitops_ci.registry.files import Files, Folder
from gitops_ci.registry.layout_entries import REF_NAME, Entry, ambiguous, find_entry

__all__ = ["Layout", "LayoutFolder"]


class Layout:
    """The images of a layout, in a folder or inside an archive."""

    def __init__(self, files: Files, name: str) -> None:
        self.name = name
        self._files = files

    def manifest(self, reference: str) -> Manifest | None:
        found = self._find(reference)
        return None if found is None else self._read_manifest(found)

    def digest(self, reference: str) -> str | None:
        found = self._find(reference)
        return found.digest if found else None

    def tags(self) -> tuple[str, ...] | None:
        return tuple(dict.fromkeys(entry.tag for entry in self._entries() if entry.tag))

    def names(self) -> tuple[str, ...]:
        """The images by their longest names."""
        return tuple(dict.fromkeys(entry.names[0] for entry in self._entries() if entry.names))

    def only(self) -> Manifest:
        """The one image of a layout that was given without a name.

        Raises:
            RegistryError: there is none, or more than one.
        """
        entries = self._entries()
        if len({entry.descriptor.digest for entry in entries}) == 1:
            return self._read_manifest(entries[0].descriptor)
        if not entries:
            if self._files.size("index.json") is None:
                raise RegistryError(
                    f"There is no image at {self.name}", hint="Check the path, and that the build wrote it."
                )
            raise RegistryError(f"{self.name} contains no image", hint="Check that the build wrote its result there.")
        raise ambiguous(f"{self.name} holds {len(entries)} images", entries, self.name)

    def blob(self, descriptor: Descriptor) -> Blob:
        path = _path(descriptor.digest)
        size = self._files.size(path)
        if size is None:
            raise RegistryError(f"{self.name}: the blob {descriptor.digest} is missing", hint=_DAMAGED)
        if size != descriptor.size:
            raise RegistryError(
                f"{self.name}: the blob {descriptor.digest} has {size} bytes, its manifest announces {descriptor.size}",
                hint=_DAMAGED,
            )
        return Blob(descriptor, lambda: self._files.chunks(path), self.name)

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        found = {entry.descriptor.digest: entry.descriptor for entry in self._entries()}
        return tuple(d for d in found.values() if (about := self._read_manifest(d).subject) and about.digest == digest)

    def close(self) -> None:
        self._files.close()

    def _find(self, reference: str) -> Descriptor | None:
        if entry := find_entry(self._entries(), reference, self.name):
            return entry.descriptor
        if DIGEST.fullmatch(reference) and (size := self._files.size(_path(reference))) is not None:
            # A child of an index, or a manifest stored by digest only: its own bytes say what it is.
            return Descriptor("", reference, size)
        return None

    def _entries(self) -> list[Entry]:
        index = self._index()
        return [] if index is None else [Entry.read(item) for item in index["manifests"]]

    def _index(self) -> dict[str, Any] | None:
        """`index.json`; None when there is none yet."""
        size = self._files.size("index.json")
        if size is None:
            return None
        try:
            index = json.loads(b"".join(self._files.chunks("index.json"))) if size <= LARGEST_MANIFEST else None
        except (ValueError, RecursionError):
            index = None
        if not isinstance(index, dict) or not isinstance(index.get("manifests"), list):
            raise RegistryError(f"{self.name}: index.json is not the index of an OCI image layout", hint=_DAMAGED)
        return index

    def _read_manifest(self, descriptor: Descriptor) -> Manifest:
        if descriptor.size > LARGEST_MANIFEST:
            raise RegistryError(f"{self.name}: the manifest {descriptor.digest} is larger than 4 MiB", hint=NO_IMAGE)
        return Manifest(b"".join(self.blob(descriptor).verified()), descriptor.media_type)


class LayoutFolder(Layout):
    """A layout folder that images are written to: atomically, and locked against other writers."""

    def __init__(self, folder: str) -> None:
        super().__init__(Folder(folder), f"oci:{folder}")
        self.folder = folder

    def check_access(self, *, dry_run: bool) -> None:
        """A folder denies nothing that it does not have."""

    def put_blob(self, blob: Blob, progress: Progress, *, mount_from: str = "") -> Stored:
        del mount_from
        wanted = blob.descriptor
        path = self._blob_path(wanted.digest)
        if os.path.exists(path):
            progress.layer(wanted.digest, "Present", wanted.size, wanted.size)
            return "present"
        try:
            _write(path, _watched(blob, progress))
        except OSError as error:
            raise RegistryError(f"{self.name} cannot be written: {error.strerror}", hint=_WRITABLE) from None
        progress.layer(wanted.digest, "Pushed", wanted.size, wanted.size)
        return "uploaded"

    def put_manifest(self, manifest: Manifest, reference: str) -> None:
        try:
            _write(self._blob_path(manifest.digest), manifest.content)
            tag = "" if ":" in reference else reference
            # What refers to another manifest is found by the index alone; children of an index are not listed there.
            if tag or manifest.subject is not None:
                with self._locked():
                    self._list(manifest, tag)
        except OSError as error:
            raise RegistryError(f"{self.name} cannot be written: {error.strerror}", hint=_WRITABLE) from None

    def address(self, tag: str) -> str:
        return f"oci:{self.folder}:{tag}"

    def _list(self, manifest: Manifest, tag: str) -> None:
        index = self._index() or {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
        entry = {
            "mediaType": manifest.media_type,
            "digest": manifest.digest,
            "size": len(manifest.content),
            **({"annotations": {REF_NAME: tag}} if tag else {}),
        }
        others = [item for item in index["manifests"] if item != entry and not (tag and Entry.read(item).tag == tag)]
        index["manifests"] = [*others, entry]
        _write(os.path.join(self.folder, "oci-layout"), b'{"imageLayoutVersion": "1.0.0"}\n')
        _write(os.path.join(self.folder, "index.json"), json.dumps(index, indent=2).encode() + b"\n")

    def _blob_path(self, digest: str) -> str:
        return os.path.join(self.folder, _path(digest))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer of `index.json` at a time, among all processes; without a file of its own in the layout."""
        try:
            import fcntl
        except ImportError:  # Windows: parallel pushes into one folder are not a case there
            yield
            return
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


_WRITABLE = "Name a folder that may be written, with room in it."
_DAMAGED = "The layout is incomplete or damaged: write it again."


def _path(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    return f"blobs/{algorithm}/{value}"


def _watched(blob: Blob, progress: Progress) -> Iterator[bytes]:
    done = 0
    for chunk in blob.verified():
        yield chunk
        done += len(chunk)
        progress.layer(blob.descriptor.digest, "Pushing", done, blob.descriptor.size)


def _write(path: str, content: bytes | Iterator[bytes]) -> None:
    """Write a file that is either whole or not there."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in (content,) if isinstance(content, bytes) else content:
                file.write(chunk)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
