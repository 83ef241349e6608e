"""Helm templates and other YAML with `{{ }}` that no parser reads: literal images are found line by line.

A whole literal reference behind a key like `image:` counts, and name and tag in keys of their own where the text is
YAML but for lines like `{{ if … }}`. What a template fills in is left alone, and a line that names a wanted image with
a templated version is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.scan import scan
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Spelling
from gitops_ci.yamltext import YamlError

ID = "helm-template"

_LINE = re.compile(
    r"""^[ \t]*(?:-[ \t]+)*["']?(?P<key>[\w.-]+)["']?[ \t]*:[ \t]+(?P<quote>["']?)(?P<value>[^"'\r\n]+?)(?P=quote)"""
    r"""[ \t]*(?:\#[^\r\n]*)?$""",
    re.MULTILINE,
)
_NAME_BEFORE_TEMPLATE = re.compile(r"(?P<name>[\w./:-]+?):?(?=\{\{|\$\{|\$\()")


# A part of a template that stands for a value; and the character that takes its place while YAML is read.
_ACTION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_CONTROL = re.compile(r"^[ \t]*(?:(?:\{\{|\{%)(?:(?!\}\}|%\}).)*(?:\}\}|%\})[ \t]*)+$", re.MULTILINE)
_ANY = "\ue000"
# Texts of this size are read line by line only.
_MOST = 1_000_000


def find(source: ManifestText) -> Iterator[ImageSite]:
    yield from _pairs(source)
    yield from _lines(source)


def _pairs(source: ManifestText) -> Iterator[ImageSite]:
    """Name and version in keys of their own, read as YAML without the lines that only steer the template."""
    if len(source.text) > _MOST:
        return
    text = _CONTROL.sub(lambda line: " " * len(line[0]), source.text)
    text = _ACTION.sub(lambda action: re.sub(r"[^\r\n]", _ANY, action[0]), text)
    plain = ManifestText(source.path, text, source.mentions)
    try:
        roots = plain.yaml.documents
    except YamlError:
        return
    for root in roots:
        for found in scan(plain, root, format_id=ID):
            if any(_ANY in field.text for field in found.fields) and not found.problem.startswith("its version"):
                continue
            if found.fields and not any(field.role == "reference" for field in found.fields):
                fields = tuple(
                    replace(f, text=f.text if _ANY not in f.text else _written(source, f)) for f in found.fields
                )
                problem = "its version is templated" if found.problem else ""
                yield replace(found, fields=fields, problem=problem, layers="", keys=())


def _written(source: ManifestText, field: Field) -> str:
    return source.text[field.span.start : field.span.end].strip("\"'")


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
