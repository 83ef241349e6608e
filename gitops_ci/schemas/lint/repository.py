"""What only shows across files: the same resource twice in one unit that is applied together."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Literal

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.lint.base import at
from gitops_ci.schemas.problem import Problem
from gitops_ci.schemas.report import Surroundings

__all__ = ["duplicates"]


def duplicates(documents: Sequence[Document], around: Surroundings) -> Iterator[tuple[Finding, str]]:
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
            path, line, _ = other.place(Problem("", None, ""))
            said = f"{document.resource} is also in {path}:{line}"
            hint = "Two resources of one name overwrite each other: remove or rename one."
            # What lies in one folder may be applied apart; what is rendered together is not.
            severity: Literal["error", "warning"] = "error" if document.unit else "warning"
            keys = ("metadata", "name")
            yield at(document, keys, "repo/duplicate-resource", said, hint=hint, severity=severity), document.unit
