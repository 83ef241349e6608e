"""Jsonnet and CUE: whole references in quotes, under any key.

Source: jsonnet.org/ref/spec.html, "Lexing" (`'…'`, `"…"`, comments `#` and `//`); cuelang.org/docs/reference/spec.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.quoted import quoted_references
from gitops_ci.formats.document.quoted_pairs import quoted_pairs
from gitops_ci.model import ImageSite

ID = "jsonnet"
SUFFIXES = (".jsonnet", ".libsonnet", ".cue")


def find(source: ManifestText) -> Iterator[ImageSite]:
    if source.path.endswith(SUFFIXES):
        yield from quoted_references(source, format_id=ID, quotes="\"'", comments=r"#|//|/\*")
        yield from quoted_pairs(source, source.text, format_id=ID)
