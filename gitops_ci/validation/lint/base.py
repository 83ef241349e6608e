"""How a rule beyond the API server says what it found."""

from __future__ import annotations

from typing import Any, Literal

from gitops_ci.model import Finding
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.violation import Violation, path_of, show_path

__all__ = ["Keys", "at", "dig"]

Keys = tuple[str | int, ...]


def at(
    document: Document,
    keys: tuple[str | int, ...],
    rule: str,
    message: str,
    *,
    hint: str = "",
    severity: Literal["error", "warning", "note"] = "error",
    key: bool = False,
) -> Finding:
    """A finding at a path of a document."""
    path = path_of(keys)
    place = document.place(Violation(rule, path, message, at="key" if key else "value"))
    where = show_path(path)
    said = f"{where}: {message}" if where else message
    return Finding(rule, severity, said, *place, document.resource, hint, where)


def dig(value: Any, *keys: str) -> Any:
    """The value at a path below, None if a part of the path is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
