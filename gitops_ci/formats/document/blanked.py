"""Texts that are YAML but for what a template puts in: read with a character in its place that no value has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.scan import scan
from gitops_ci.model import Field, ImageSite
from gitops_ci.yamltext import YamlError

__all__ = ["MOST", "blanked_pairs"]

MOST = 1_000_000  # characters of a text that is read so
_ANY = "\ue000"


def blanked_pairs(
    source: ManifestText, text: str, templated: re.Pattern[str], *, format_id: str
) -> Iterator[ImageSite]:
    """Images whose name and version have keys of their own; nothing where the text is not YAML even so.

    `text` is as long as the source's, with space where it is not to be read.
    """
    if not text or len(text) > MOST:
        return
    blanked = templated.sub(lambda part: re.sub(r"[^\r\n]", _ANY, part[0]), text)
    plain = ManifestText(source.path, blanked, source.mentions)
    try:
        roots = plain.yaml.documents
    except YamlError:
        return
    for root in roots:
        for found in scan(plain, root, format_id=format_id):
            if any(_ANY in field.text for field in found.fields) and not found.problem.startswith("its version"):
                continue
            if found.fields and not any(field.role == "reference" for field in found.fields):
                fields = tuple(replace(f, text=_written(source, f)) if _ANY in f.text else f for f in found.fields)
                problem = "its version is templated" if found.problem else ""
                yield replace(found, fields=fields, problem=problem, layers="", keys=())


def _written(source: ManifestText, field: Field) -> str:
    return source.text[field.span.start : field.span.end].strip("\"'")
