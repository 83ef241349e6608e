"""Which files below a folder Fleet takes into a bundle: none that is hidden, and none that a `.fleetignore` names.

Source: github.com/rancher/fleet 0.16 (internal/bundlereader/loaddirectory.go).
"""

from __future__ import annotations

import posixpath
import re
from functools import cache

from gitops_ci.rendering.globs import name_expression
from gitops_ci.rendering.tree import SourceTree

__all__ = ["IGNORE_FILE", "bundled"]

IGNORE_FILE = ".fleetignore"
_ALL_OF_A_FOLDER = "/*"


def bundled(folder: str, tree: SourceTree) -> list[str]:
    """The files of a bundle, named from its folder."""
    prefix = "" if folder == "." else f"{folder}/"
    names = [path[len(prefix) :] for path in tree.below(folder)]
    ignored = {
        posixpath.dirname(name): _lines(tree.text(prefix + name) or "")
        for name in names
        if posixpath.basename(name) == IGNORE_FILE
    }
    return [name for name in names if not _is_left_out(name, ignored)]


def _lines(text: str) -> tuple[str, ...]:
    lines = map(_without_blanks, text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _without_blanks(line: str) -> str:
    """Without blanks at the end, unless a backslash keeps them."""
    short = line.rstrip()
    return line[: len(short) + 1] if short.endswith("\\") else short


def _is_left_out(name: str, ignored: dict[str, tuple[str, ...]]) -> bool:
    parts = name.split("/")
    patterns: list[str] = []
    for depth, part in enumerate(parts):
        patterns += ignored.get("/".join(parts[:depth]), ())
        is_folder = depth < len(parts) - 1
        if part.startswith(".") or any(_fits(one, part, is_folder=is_folder) for one in patterns):
            return True
    return False


def _fits(pattern: str, name: str, *, is_folder: bool) -> bool:
    """A pattern is for one name, whatever folder it is in; `NAME/*` is for a folder."""
    if not pattern.startswith("/") and _ALL_OF_A_FOLDER in pattern:
        return is_folder and pattern.removesuffix(_ALL_OF_A_FOLDER) == name
    return _expression(pattern).fullmatch(name) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(name_expression(pattern), re.DOTALL)
