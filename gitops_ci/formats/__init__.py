"""Every kind of manifest that names images, the precise ones before the general ones.

Adding a kind is a module with `ID` and `find`, a line here, and a folder of cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ci.formats import helm_values, kubernetes, kustomize
from gitops_ci.formats.base import Format
from gitops_ci.formats.source import Source
from gitops_ci.model import ImageSite

__all__ = ["FORMATS", "Source", "find"]

FORMATS: dict[str, Format] = {
    kustomize.ID: kustomize,
    kubernetes.ID: kubernetes,
    helm_values.ID: helm_values,
}


def find(source: Source, only: Sequence[str] = ()) -> Iterator[ImageSite]:
    """Every image of a file, each place once: the first format that knows it keeps it.

    Raises:
        YamlError: the text cannot be read.
    """
    taken: set[tuple[int, int, str]] = set()
    for name, kind in FORMATS.items():
        for site in kind.find(source):
            places = {(field.span.start, field.span.end, field.key) for field in site.fields}
            if places & taken:
                continue
            taken |= places
            if not only or name in only:
                yield site
