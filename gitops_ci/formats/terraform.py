"""Terraform, OpenTofu, Nomad and other HCL: whole references in double quotes, and values of charts in heredocs.

Source: github.com/hashicorp/hcl, `hclsyntax/spec.md`: comments begin with `#` or `//`; a heredoc is `<<-END … END`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.formats.document.blanked import blanked_pairs
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.quoted import quoted_references
from gitops_ci.formats.document.quoted_pairs import quoted_pairs
from gitops_ci.model import ImageSite

ID = "terraform"
_OPENING = re.compile(r"<<-?(?P<end>[A-Za-z_]\w*)[ \t]*\r?\n")
_TEMPLATE = re.compile(r"[$%]\{(?:[^{}\r\n]|\{[^{}\r\n]*\})*\}")
_MOST = 50  # heredocs of one file
SUFFIXES = (".tf", ".tofu", ".tfvars", ".hcl", ".nomad")


def find(source: ManifestText) -> Iterator[ImageSite]:
    if source.path.endswith(SUFFIXES):
        yield from quoted_references(source, format_id=ID, quotes='"', comments=r"#|//|/\*")
        rest = source.text
        for start, end in _heredocs(source.text):
            heredoc = _blank(source.text[:start]) + source.text[start:end]
            yield from blanked_pairs(source, heredoc, _TEMPLATE, format_id=ID)
            rest = rest[:start] + _blank(rest[start:end]) + rest[end:]
        yield from quoted_pairs(source, rest, format_id=ID)


def _blank(text: str) -> str:
    return re.sub(r"[^\r\n]", " ", text)


def _heredocs(text: str) -> Iterator[tuple[int, int]]:
    """Where the text of each heredoc begins and ends."""
    end = 0
    for _, opening in zip(range(_MOST), _OPENING.finditer(text), strict=False):
        if opening.start() < end:
            continue
        closing = re.compile(rf"^[ \t]*{opening['end']}\b", re.MULTILINE).search(text, opening.end())
        if closing is None:
            return
        end = closing.start()
        yield opening.end(), end
