"""What every part of the room shares."""

from __future__ import annotations

import posixpath

from gitops_ci.dataclass import dataclass

__all__ = ["BuildError", "join", "path_argument"]


@dataclass(frozen=True, slots=True)
class BuildError:
    """Something wrong with a unit's own description; `rule` is the name after `gitops/`."""

    rule: str
    path: str
    line: int
    column: int
    message: str
    hint: str = ""


def join(folder: str, path: str) -> str:
    """A path below a folder, as one that a person would write."""
    return posixpath.normpath(posixpath.join(folder, path))


def path_argument(path: str) -> str:
    """A path as a program gets it: never an option, whatever its name is."""
    return "./" if path in {"", "."} else f"./{path}"
