"""Helm templates and other YAML with `{{ }}` that no parser reads: literal images are found line by line.

A whole literal reference behind a key like `image:` counts, and name and tag in keys of their own where the text is
YAML but for lines like `{{ if … }}`. What a template fills in is left alone, and a line that names a wanted image with
a templated version is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.formats.document.blanked import MOST, blanked_pairs
from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Spelling

ID = "helm-template"

_LINE = re.compile(
    r"""^[ \t]*(?:-[ \t]+)*["']?(?P<key>[\w.-]+)["']?[ \t]*:[ \t]+(?P<quote>["']?)(?P<value>[^"'\r\n]+?)(?P=quote)"""
    r"""[ \t]*(?:\#[^\r\n]*)?$""",
    re.MULTILINE,
)
_NAME_BEFORE_TEMPLATE = re.compile(r"(?P<name>[\w./:-]+?):?(?=\{\{|\$\{|\$\()")


# A part of a template that stands for a value.
_ACTION = re.compile(r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*\}\}|\{%(?:[^{%]|\{(?!%)|%(?!\}))*%\}")
_CONTROL = re.compile(r"^[ \t]*(?:(?:\{\{|\{%)(?:(?!\}\}|%\}).)*(?:\}\}|%\})[ \t]*)+$", re.MULTILINE)


def find(source: ManifestText) -> Iterator[ImageSite]:
    yield from _pairs(source)
    yield from _lines(source)


def _pairs(source: ManifestText) -> Iterator[ImageSite]:
    """Name and version in keys of their own, read as YAML without the lines that only steer the template."""
    text = _CONTROL.sub(lambda line: " " * len(line[0]), source.text) if len(source.text) <= MOST else ""
    return blanked_pairs(source, text, _ACTION, format_id=ID)


def _lines(source: ManifestText) -> Iterator[ImageSite]:
    for line in _LINE.finditer(source.text):
        known = image_role_of(line["key"])
        if known is None or known[1] != "reference":
            continue
        span = source.span(line.start("value"), line.end("value"))
        field = Field("reference", span, line["value"], Spelling("raw"))
        if image := ImageRef.try_parse(line["value"]):
            yield ImageSite(ID, source.path, "", image, (field,))
        elif (before := _NAME_BEFORE_TEMPLATE.match(line["value"])) and (named := ImageRef.try_parse(before["name"])):
            yield ImageSite(ID, source.path, "", named, (field,), problem="its version is templated")
