"""Podman quadlets: `Image=` of a unit of systemd, and of the drop-in files that are laid over it.

Source: docs.podman.io/en/latest/markdown/podman-systemd.unit.5.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Spelling

ID = "quadlet"

# A unit, and what is laid over it: `shop.container.d/10-image.conf`, `container.d/all.conf`.
_UNIT = re.compile(r"\.(?:container|image|volume)\Z|(?:^|[/.])(?:container|image|volume)\.d/[^/]+\.conf\Z")
_IMAGE = re.compile(r"^[ \t]*Image[ \t]*=[ \t]*(?P<image>[^\s#;]+)[ \t]*$", re.MULTILINE)


def is_unit(path: str) -> bool:
    return bool(_UNIT.search(path))


def find(source: ManifestText) -> Iterator[ImageSite]:
    for line in _IMAGE.finditer(source.text) if is_unit(source.path) else ():
        if image := ImageRef.try_parse(line["image"]):
            field = Field("reference", source.span(*line.span("image")), line["image"], Spelling("raw"))
            yield ImageSite(ID, source.path, "", image, (field,))
