"""What a check found in a document: a path into the value, not yet a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

__all__ = ["UNCHECKED", "Check", "Path", "Violation", "keys_of", "path_of", "show_path"]

# The rule of a problem that is none: something could not be checked, and `message` says what and why.
UNCHECKED = "unchecked"
# A path grows by one small tuple a level and is unrolled only for what is wrong: (((None, "spec"), "ports"), 0).
Path = tuple["Path", str | int] | None


class Violation(NamedTuple):
    """One broken rule at `path`; `at` tells whether the key or the value there is to blame.

    `decode` marks what fails before the server validates anything: the rules that need sound types are then not run.
    `offset` is the character to point at where no path leads: the second of two equal keys. `lacks` is the field that
    is missing, or empty.
    """

    rule: str
    path: Path
    message: str
    hint: str = ""
    at: Literal["key", "value"] = "value"
    decode: bool = False
    offset: int | None = None
    lacks: Path = None


# Looks at a value, at its path, and adds what is wrong.
Check = Callable[[Any, Path, list[Violation]], None]


def keys_of(path: Path) -> tuple[str | int, ...]:
    """The path from the root: `("spec", "ports", 0)`."""
    keys: list[str | int] = []
    while path is not None:
        path, key = path
        keys.append(key)
    return tuple(reversed(keys))


def path_of(keys: Iterable[str | int]) -> Path:
    """The path of keys from the root."""
    path: Path = None
    for key in keys:
        path = (path, key)
    return path


def show_path(path: Path) -> str:
    """As the API server writes it: `spec.ports[0].name`, `metadata.labels[a.b/c]`; the root is ''."""
    text = ""
    for key in keys_of(path):
        if isinstance(key, int):
            text += f"[{key}]"
        elif key.replace("_", "").replace("-", "").replace("$", "").isalnum():
            text += f".{key}" if text else key
        else:
            text += f"[{key}]"
    return text
