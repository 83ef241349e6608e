"""What is known of an image without its layers: its digests, labels, age and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import NO_IMAGE, Manifest, Reader, digest_of

__all__ = ["ImageFacts", "facts_of", "facts_of_config"]

_LARGEST_CONFIG = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image before it is pushed.

    `same_as` are digests (of its manifest, of its config) that only this very image has. `digest` is the one it will
    have in the registry, None where only the push tells. `created` is an RFC 3339 date, or empty.
    """

    same_as: frozenset[str]
    digest: str | None
    labels: Mapping[str, str]
    created: str
    size: int


def facts_of(reader: Reader, root: Manifest) -> ImageFacts:
    """The facts of an image that can be read. Raises RegistryError when its config is missing or damaged."""
    same_as = frozenset({root.digest, *([root.config.digest] if root.config else [])})
    return _facts(_config(reader, root), same_as, root.digest, root.size)


def facts_of_config(content: bytes, size: int) -> ImageFacts:
    """The facts of an image of which only the config is known."""
    return _facts(content, frozenset({digest_of(content)}), None, size)


def _facts(content: bytes, same_as: frozenset[str], digest: str | None, size: int) -> ImageFacts:
    try:
        config: Any = json.loads(content)
    except (ValueError, RecursionError):
        config = None
    config = config if isinstance(config, dict) else {}
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    return ImageFacts(
        same_as=same_as,
        digest=digest,
        labels={str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
        created=str(config.get("created") or ""),
        size=size,
    )


def _config(reader: Reader, root: Manifest) -> bytes:
    """The image's config; of an index that of its first image, whose labels speak for all."""
    manifest: Manifest | None = root
    while manifest is not None and manifest.is_index:
        images = [child for child in manifest.children if child.platform != "unknown/unknown"]  # attestations
        manifest = reader.manifest(images[0].digest) if images else None
    if manifest is None or manifest.config is None:
        return b""
    if manifest.config.size > _LARGEST_CONFIG:
        raise RegistryError(f"{reader.name}: the config {manifest.config.digest} is larger than 8 MiB", hint=NO_IMAGE)
    return b"".join(reader.blob(manifest.config).verified())
