"""Whole references in quotes: what languages of configuration that are not YAML have in common.

A string that is built of variables is left to the plan, which reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Spelling

__all__ = ["quoted_references"]

_OPERATOR_BEHIND = re.compile(r"\s{0,99}[+%.*]")
_OPERATOR_BEFORE = re.compile(r"[+%*]\s{0,99}\Z")
_KEY = re.compile(r"""["']?(?<![\w-])(?P<key>[A-Za-z_][\w-]*)["']?\s{0,99}\+?(?::{1,3}|=)\s{0,99}\Z""")
_NEAR = 100  # characters before a string in which an operator is looked for
_LINE = re.compile(r"[^\r\n]+")


def quoted_references(source: ManifestText, *, format_id: str, quotes: str, comments: str) -> Iterator[ImageSite]:
    """Every string of one line in one of `quotes` that is a reference with a version, and a path or an image's key.

    `comments` is a regular expression for what begins a comment at the end of a line.
    """
    string = re.compile("|".join(f"{quote}(?P<q{n}>[^{quote}\\\\\r\n]*){quote}" for n, quote in enumerate(quotes)))
    token = re.compile(f"(?P<comment>{comments})|{string.pattern}")
    for line in _LINE.finditer(source.text):
        for found in token.finditer(source.text, line.start(), line.end()):
            if found["comment"]:
                break
            group = found.lastgroup or ""
            is_named = "/" in found[group] or _is_of_image(source.text, line.start(), found.start())
            image = ImageRef.try_parse(found[group]) if is_named else None
            if image and (image.tag or image.digest):
                field = Field("reference", source.span(*found.span(group)), found[group], Spelling("raw"))
                problem = "its version is part of an expression" if _is_part(source.text, *found.span()) else ""
                yield ImageSite(format_id, source.path, "", image, (field,), problem=problem)


def _is_of_image(text: str, start: int, end: int) -> bool:
    """Whether the key before a string is an image's: `image = "nginx:1.29"`."""
    key = _KEY.search(text, max(start, end - _NEAR), end)
    role = image_role_of(key["key"]) if key else None
    return role is not None and role[1] == "reference"


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether an operator makes a string a part of another one: `'shop:v' + version`, `'shop:%s' % tag`."""
    return bool(_OPERATOR_BEHIND.match(text, end) or _OPERATOR_BEFORE.search(text, max(0, start - _NEAR), start))
