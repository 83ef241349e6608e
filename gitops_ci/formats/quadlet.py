"""Podman quadlets: `Image=` of a unit of systemd.

Source: docs.podman.io/en/latest/markdown/podman-systemd.unit.5.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Spelling

ID = "quadlet"
SUFFIXES = (".container", ".image", ".volume")

_IMAGE = re.compile(r"^[ \t]*Image[ \t]*=[ \t]*(?P<image>[^\s#;]+)[ \t]*$", re.MULTILINE)


def find(source: ManifestText) -> Iterator[ImageSite]:
    for line in _IMAGE.finditer(source.text) if source.path.endswith(SUFFIXES) else ():
        if image := ImageRef.try_parse(line["image"]):
            field = Field("reference", source.span(*line.span("image")), line["image"], Spelling("raw"))
            yield ImageSite(ID, source.path, "", image, (field,))
