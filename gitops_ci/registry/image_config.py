"""What is known of an image without its layers: its digests, labels, age and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import NO_IMAGE, Manifest, Reader, digest_of, platform_of

__all__ = [
    "CHART_CONFIG",
    "ImageConfig",
    "config_of",
    "facts_of",
    "facts_of_config",
    "has_content",
    "platform_in_config",
]

CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_LARGEST_CONFIG = 8 * 1024 * 1024
_MOST_ASKED = 32  # images of an index that may be missing
_IMAGE_CONFIGS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What is known of an image before it is pushed.

    `digest` is that of its manifest, None where the push makes the manifest. `content` is the digest of its config,
    None where that does not identify the content (`has_content`). `created` is an RFC 3339 date, or empty. `is_chart`:
    it is a packaged Helm chart.
    """

    digest: str | None
    content: str | None
    labels: Mapping[str, str]
    created: str
    size: int
    is_chart: bool = False


def facts_of(reader: Reader, root: Manifest) -> ImageConfig:
    """The facts of an image that can be read. Raises RegistryError when its config is missing or damaged."""
    config = _parsed(_config(reader, root))
    facts = _facts(config, root.digest, _content(root, config), root.size)
    return replace(facts, is_chart=root.config is not None and root.config.media_type == CHART_CONFIG)


def facts_of_config(content: bytes, size: int) -> ImageConfig:
    """The facts of an image of which only the config is known."""
    return _facts(_parsed(content), None, digest_of(content), size)


def has_content(reader: Reader, root: Manifest, content: str) -> bool:
    """Whether this manifest is of an image with the config `content`, however its layers are compressed.

    An image config lists the digests of the unpacked layers (OCI image specification 1.1, `config.md`, `diff_ids`), so
    equal configs mean equal layers. The configs of Helm charts and other artifacts say nothing of their content.
    """
    if root.config is None or root.config.digest != content:
        return False
    return _content(root, _parsed(_config(reader, root))) is not None


def config_of(reader: Reader, root: Manifest) -> dict[str, Any]:
    """An image's config, of an index that of its first image; {} where it is not a JSON object."""
    return _parsed(_config(reader, root))


def platform_in_config(reader: Reader, root: Manifest) -> str:
    """`linux/arm64` as the config of an image has it; '' of what is not an image."""
    return platform_of(config_of(reader, root))


def _content(root: Manifest, config: dict[str, Any]) -> str | None:
    rootfs = config.get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    layers = root.data.get("layers")
    if root.config is None or root.config.media_type not in _IMAGE_CONFIGS:
        return None
    if not isinstance(diff_ids, list) or not isinstance(layers, list) or len(diff_ids) != len(layers):
        return None
    return root.config.digest


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        config: Any = json.loads(content)
    except (ValueError, RecursionError):
        config = None
    return config if isinstance(config, dict) else {}


def _facts(config: dict[str, Any], digest: str | None, content: str | None, size: int) -> ImageConfig:
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    return ImageConfig(
        digest=digest,
        content=content,
        labels={str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
        created=str(config.get("created") or ""),
        size=size,
    )


def _config(reader: Reader, root: Manifest) -> bytes:
    """The image's config; of an index that of its first image, whose labels speak for all.

    A sparse index lists images that are not there: the first that is there counts.
    """
    manifest: Manifest | None = root
    while manifest is not None and manifest.is_index:
        images = [child for child in manifest.children if child.platform != "unknown/unknown"]  # attestations
        found = (reader.manifest(child.digest) for child in images[:_MOST_ASKED])
        manifest = next((one for one in found if one is not None), None)
    if manifest is None or manifest.config is None:
        return b""
    if manifest.config.size > _LARGEST_CONFIG:
        raise RegistryError(f"{reader.name}: the config {manifest.config.digest} is larger than 8 MiB", hint=NO_IMAGE)
    return b"".join(reader.blob(manifest.config).verified())
