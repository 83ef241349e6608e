"""Files of variables: `.env` of Compose, `*.env` of kustomize. Whole references, and versions by name.

Source: docs.docker.com/compose/how-tos/environment-variables/variable-interpolation, "`.env` file syntax". A version
belongs to the image that reads its variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.formats.document.assignments import ASSIGNED
from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.variables import NAMELESS
from gitops_ci.imageref import TAG, ImageRef
from gitops_ci.model import Field, ImageSite, Spelling

ID = "env"

_FILE = re.compile(r"(?:^|/)(?:\.env(?:\.[\w.-]+)?|[\w.-]+\.env)\Z")


def is_env_file(path: str) -> bool:
    return bool(_FILE.search(path))


def layer(path: str) -> str:
    """The layer of the variables that a file sets."""
    return f"env:{path}"


def find(source: ManifestText) -> Iterator[ImageSite]:
    for line in ASSIGNED.finditer(source.text) if is_env_file(source.path) else ():
        value = line["value"]
        span = source.span(*line.span("value"))
        role = image_role_of(line["key"])
        image = ImageRef.try_parse(value) if "/" in value or (role and role[1] == "reference") else None
        if image and (image.tag or image.digest):
            yield ImageSite(ID, source.path, line["key"], image, (Field("reference", span, value, Spelling("raw")),))
        elif TAG.fullmatch(value):
            field = Field("tag", span, value, Spelling("raw"))
            image = NAMELESS.with_version(tag=value, digest=None)
            yield ImageSite(
                ID, source.path, line["key"], image, (field,), layers=layer(source.path), keys=(line["key"],)
            )
