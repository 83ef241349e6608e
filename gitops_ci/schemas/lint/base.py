"""How a rule beyond the API server says what it found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.problem import Path, Problem, show_path

__all__ = ["at", "dig", "strings_under"]


def at(
    document: Document,
    keys: tuple[str | int, ...],
    rule: str,
    message: str,
    *,
    hint: str = "",
    severity: Literal["error", "warning"] = "error",
    key: bool = False,
) -> Finding:
    """A finding at a path of a document."""
    path: Path = None
    for part in keys:
        path = (path, part)
    place = document.place(Problem(rule, path, message, at="key" if key else "value"))
    where = show_path(path)
    said = f"{where}: {message}" if where else message
    return Finding(rule, severity, said, *place, document.resource, hint)


def dig(value: Any, *keys: str) -> Any:
    """The value below, None when something on the way is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def strings_under(
    value: Any, name: str, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, text) of every string under a key `name`, at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == name and isinstance(item, str):
                yield (*path, key), item
            elif isinstance(item, dict | list):
                yield from strings_under(item, name, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from strings_under(item, name, (*path, index))
