"""Where an image comes from: `kind:place`, a module a kind, imported when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.lazy import LazyModules
from gitops_ci.registry.connection import Access
from gitops_ci.registry.sources.base import ImageSource, Sent

__all__ = ["SOURCES", "ImageSource", "Sent", "open_source", "split_source"]

Opener = Callable[[str, Access], AbstractContextManager[ImageSource]]
SOURCES: Mapping[str, Opener] = LazyModules(
    "registry.sources",
    {
        "docker": "engine:open_image",
        "oci": "layout:open_image",
        "oci-archive": "oci_archive:open_image",
        "docker-archive": "docker_archive:open_image",
        "registry": "registry:open_image",
        "chart": "chart:open_image",
    },
)
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")


def split_source(text: str) -> tuple[str, str]:
    """The kind and the place of `kind:place`; a name without a kind is an image of the Docker Engine.

    Raises:
        UsageError: an empty place, or a name that no image can have.
    """
    kind, colon, place = text.partition(":")
    if text.startswith("docker://"):
        raise UsageError(f"'{text}' has a scheme, as skopeo writes it", hint=f"Write registry:{place[2:]}")
    if not colon or kind not in SOURCES:
        kind, place = "docker", text
    if not place or "\0" in place:
        raise UsageError(f"'{text}' names no image", hint=f"Write one of: {', '.join(f'{k}:…' for k in SOURCES)}.")
    if kind == "registry" or (kind == "docker" and not _IMAGE_ID.fullmatch(place)):
        ImageRef.parse(place)
    return kind, place


def open_source(text: str, access: Access) -> AbstractContextManager[ImageSource]:
    """Open a source. Raises UsageError for a text that is none, RegistryError when it is not there."""
    kind, place = split_source(text)
    return SOURCES[kind](place, access)
