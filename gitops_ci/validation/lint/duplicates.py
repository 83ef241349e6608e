"""What only shows across files: the same resource twice in one unit that is applied together."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import Literal

from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import at
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.violation import Violation

__all__ = ["DUPLICATE", "DocumentOf", "Resource", "duplicates"]

DUPLICATE = "repo/duplicate-resource"

# (unit or folder, group, kind, namespace, name), the file or unit that holds it, the document's index there
Resource = tuple[tuple[str, ...], str, str]
DocumentOf = Callable[[str, str], Document | None]


def duplicates(
    resources: Sequence[Resource], document_of: DocumentOf, beside: Container[str] = ()
) -> Iterator[tuple[Finding, Document]]:
    """The same group, kind, namespace and name twice in one folder (or one rendered unit).

    Nothing is found in files `beside` those that are checked: their resources come first.
    """
    first: dict[tuple[str, ...], tuple[str, str]] = {}
    for key, item, index in resources:
        other = first.setdefault(key, (item, index))
        if not key[-1] or other == (item, index) or item in beside:
            continue
        document, earlier = document_of(item, index), document_of(*other)
        if document is None or earlier is None:
            continue
        path, line, _ = earlier.place(Violation("", None, ""))
        said = f"{document.resource} is also in {path}:{line}"
        hint = "Two resources of one name overwrite each other: remove or rename one."
        # What lies in one folder may be applied apart; what is rendered together is not.
        severity: Literal["error", "warning"] = "error" if document.unit else "warning"
        keys = ("metadata", "name")
        yield at(document, keys, DUPLICATE, said, hint=hint, severity=severity), document
