"""Terraform, OpenTofu, Nomad and other HCL: whole references in double quotes, under any key and in maps.

Source: github.com/hashicorp/hcl, `hclsyntax/spec.md`: comments begin with `#` or `//`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.quoted import quoted_references
from gitops_ci.model import ImageSite

ID = "terraform"
SUFFIXES = (".tf", ".tofu", ".tfvars", ".hcl", ".nomad")


def find(source: ManifestText) -> Iterator[ImageSite]:
    if source.path.endswith(SUFFIXES):
        yield from quoted_references(source, format_id=ID, quotes='"', comments=r"#|//|/\*")
