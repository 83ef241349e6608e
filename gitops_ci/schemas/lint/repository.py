"""What only shows across files: the same resource twice in one unit that is applied together."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.lint.base import at
from gitops_ci.schemas.report import Surroundings

__all__ = ["duplicates"]


def duplicates(documents: Sequence[Document], around: Surroundings) -> Iterator[Finding]:
    """The same group, kind, namespace and name twice in one folder (or one rendered unit)."""
    del around
    first: dict[tuple[str, ...], Document] = {}
    for document in documents:
        if not document.name or not document.value.get("metadata", {}).get("name"):
            continue
        unit = document.unit or posixpath.dirname(document.path)
        key = (unit, document.group, document.kind, document.namespace, document.name)
        other = first.setdefault(key, document)
        if other is not document and (other.path, other.index) != (document.path, document.index):
            line = other.piece.start_line()
            said = f"{document.resource} is also in {other.path}:{line}"
            hint = "Two resources of one name overwrite each other: remove or rename one."
            yield at(document, ("metadata", "name"), "repo/duplicate-resource", said, hint=hint, severity="warning")
