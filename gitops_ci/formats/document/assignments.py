"""Lines that give a name a value: `IMAGE=ghcr.io/acme/shop:1.4.1`, `image = "…"`: `.env`, properties, TOML.

Source: docs.docker.com/compose/how-tos/environment-variables/variable-interpolation, "`.env` file syntax".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.formats.document.image_fields import Found
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field

__all__ = ["ASSIGNED", "assigned_images"]

ASSIGNED = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*(?P<quote>["']?)(?P<value>[^\s"'#$]+)(?P=quote)"""
    r"""[ \t]*(?:[ \t]\#[^\r\n]*)?(?=[\r\n]|\Z)""",
    re.MULTILINE,
)


def assigned_images(source: ManifestText) -> Iterator[Found]:
    """The whole references with a version: `HOST=example.com/x` could be anything."""
    for line in ASSIGNED.finditer(source.text) if "=" in source.text else ():
        image = ImageRef.try_parse(line["value"]) if "/" in line["value"] else None
        if image and (image.tag or image.digest):
            span = source.span(*line.span("value"))
            yield Found(image, (Field("reference", span, line["value"], source.spelling("raw")),))
