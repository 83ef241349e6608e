"""The repository that the command runs in: its root and its addresses, read without git."""

from __future__ import annotations

import os
import re

from gitops_ci.dataclass import dataclass
from gitops_ci.lazy import lazy_pattern

__all__ = ["Root", "repository_branches", "repository_root", "repository_urls", "root_around"]

_HEADS = (("HEAD", "refs/heads/"), ("refs/remotes/origin/HEAD", "refs/remotes/origin/"))
_URL = lazy_pattern(r"^[ \t]*url[ \t]*=[ \t]*(\S+)[ \t\r]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Root:
    """The folder that holds `.git`."""

    path: str

    def exists(self, path: str) -> bool:
        """Whether a path, relative to the root, exists and lies inside."""
        full = os.path.normpath(os.path.join(self.path, path.lstrip("/")))
        inside = full == self.path or full.startswith(f"{self.path}{os.sep}")
        return inside and os.path.exists(full)


def repository_root() -> Root | None:
    """The repository around the working folder, None outside of any."""
    return root_around(os.getcwd())


def root_around(folder: str) -> Root | None:
    """The repository around an absolute folder or file, None outside of any."""
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return Root(folder)


def repository_urls(root: Root | None) -> tuple[str, ...]:
    """The addresses of its remotes."""
    if root is None:
        return ()
    try:
        with open(os.path.join(root.path, ".git", "config"), encoding="utf-8", errors="replace") as file:
            return tuple(dict.fromkeys(_URL.findall(file.read(1 << 20))))
    except OSError:
        return ()


def repository_branches(root: Root | None) -> frozenset[str]:
    """The branch that is checked out, and the one that a clone of the remote begins with."""
    found: set[str] = set()
    if root is None:
        return frozenset()
    for name, start in _HEADS:
        try:
            with open(os.path.join(root.path, ".git", name), encoding="utf-8", errors="replace") as file:
                head = file.read(1 << 12)
        except OSError:
            continue
        if head.startswith(f"ref: {start}"):
            found.add(head.removeprefix(f"ref: {start}").strip())
    return frozenset(found)
