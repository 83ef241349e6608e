"""Whole references in quotes: what languages of configuration that are no YAML have in common.

A string that is built of variables is left to the plan, which reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Spelling

__all__ = ["quoted_references"]

_LINE = re.compile(r"[^\r\n]+")


def quoted_references(source: ManifestText, *, format_id: str, quotes: str, comments: str) -> Iterator[ImageSite]:
    """Every string of one line in one of `quotes` that is a reference with a path and a version.

    `comments` is a regular expression for what begins a comment at the end of a line.
    """
    string = re.compile("|".join(f"{quote}(?P<q{n}>[^{quote}\\\\\r\n]*){quote}" for n, quote in enumerate(quotes)))
    token = re.compile(f"(?P<comment>{comments})|{string.pattern}")
    for line in _LINE.finditer(source.text):
        for found in token.finditer(source.text, line.start(), line.end()):
            if found["comment"]:
                break
            group = found.lastgroup or ""
            image = ImageRef.try_parse(found[group]) if "/" in found[group] else None
            if image and (image.tag or image.digest):
                span = source.span(*found.span(group))
                yield ImageSite(
                    format_id, source.path, "", image, (Field("reference", span, found[group], Spelling("raw")),)
                )
