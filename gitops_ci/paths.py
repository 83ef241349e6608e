"""Paths of a checkout, whose links may lead anywhere, and the folders that a path of a repository lies in."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

__all__ = ["folders_above", "leads_out"]


def leads_out(path: str) -> bool:
    """Whether a path that is written as one below the working folder leads out of it by a link.

    One that is absolute, or begins with `..`, was meant to be outside.
    """
    written = os.path.normpath(path)
    if os.path.isabs(written) or written.split(os.sep, 1)[0] == os.pardir:
        return False
    inside = os.path.realpath(os.curdir)
    return os.path.commonpath((inside, os.path.realpath(written))) != inside


def folders_above(path: str) -> Iterator[str]:
    """The folders that a path of a repository lies in, from the nearest to the root, which is `.`."""
    while path not in {"", "."}:
        path = posixpath.dirname(path) or "."
        yield path
