"""OCI image layouts for tests, written by hand: one image, several platforms, or something broken."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["LayoutWriter", "digest_of", "layer_of"]

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def layer_of(files: Mapping[str, bytes], *, level: int = 1) -> bytes:
    """A gzipped tar; the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), level, mtime=0)


@dataclass
class LayoutWriter:
    """Writes an OCI image layout into a folder, piece by piece."""

    folder: Path
    entries: list[dict[str, Any]] = field(default_factory=list)

    def blob(self, content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        digest = digest_of(content)
        path = self.folder / "blobs" / "sha256" / digest.partition(":")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content), **more}

    def image(
        self, *layers: bytes, labels: Mapping[str, str] | None = None, architecture: str = "amd64", **more: Any
    ) -> dict[str, Any]:
        """One image; its descriptor, without a tag yet."""
        layers = layers or (layer_of({"hello.txt": b"hello\n"}),)
        parts = [self.blob(layer, LAYER) for layer in layers]
        config = {
            "architecture": architecture,
            "os": "linux",
            "created": "2026-11-20T10:00:00Z",
            "config": {"Labels": dict(labels or {})},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(_unpacked(layer)) for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(json.dumps(config).encode(), CONFIG),
            "layers": parts,
            **more,
        }
        return self.blob(json.dumps(manifest).encode(), MANIFEST)

    def artifact(
        self, config: bytes, config_type: str, content: bytes, content_type: str, **more: Any
    ) -> dict[str, Any]:
        """Something in the form of an image that is none: a Helm chart, a Flux artifact, a wasm module."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(config, config_type),
            "layers": [self.blob(content, content_type)],
            **more,
        }
        return self.raw(manifest, MANIFEST)

    def index(self, images: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """An index of images by `os/architecture`."""
        children = []
        for platform, descriptor in images.items():
            system, _, architecture = platform.partition("/")
            children.append({**descriptor, "platform": {"os": system, "architecture": architecture}})
        return self.raw({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}, INDEX)

    def raw(self, data: Any, media_type: str) -> dict[str, Any]:
        return self.blob(json.dumps(data).encode(), media_type)

    def tag(self, name: str, descriptor: dict[str, Any], *, full_name: str = "") -> str:
        """Give a descriptor a tag, or several images in turn; its digest. `full_name` is what the Engine adds to it."""
        annotations = {"org.opencontainers.image.ref.name": name} if name else {}
        if full_name:
            annotations["io.containerd.image.name"] = full_name
        self.entries.append({**descriptor, **({"annotations": annotations} if annotations else {})})
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries}
        (self.folder / "index.json").write_text(json.dumps(index))
        return str(descriptor["digest"])

    def simple(self, tag: str, files: Sequence[Mapping[str, bytes]] = (), **image: Any) -> str:
        """A tagged image with a layer for each mapping of files; its digest."""
        return self.tag(tag, self.image(*(layer_of(layer) for layer in files), **image))


def _unpacked(layer: bytes) -> bytes:
    return gzip.decompress(layer) if layer.startswith(b"\x1f\x8b") else layer
