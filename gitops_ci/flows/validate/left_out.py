"""Which files below the named folders are not input: excluded by the user, ignored by Git, or copies of other projects.

What a unit uses of them is rendered all the same, except that nothing is found in a file that the user excludes.
"""

from __future__ import annotations

import os
from dataclasses import field

from gitops_ci import process
from gitops_ci.checkout import checkout_git
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ProgramError
from gitops_ci.flows.checkout import root_around
from gitops_ci.flows.globs import Paths
from gitops_ci.model import Skip

__all__ = ["LeftOut", "ignored_by_git", "is_walked"]

_IGNORED = "ignored by Git, so no operator gets it"
_COPY = "copies of other projects: checked only where something here uses them"
# Go modules, Composer, jsonnet-bundler and vendir keep copies there.
_COPIES = frozenset({"vendor"})
_NEVER = frozenset({"node_modules", "__pycache__", "venv"})
_NAME_IT = "Name it to have it checked."


def is_walked(path: str) -> bool:
    """Whether a file below the root is read when the root is named; what is ignored by Git is not in a commit."""
    parts = path.split("/")
    return {*_NEVER, *_COPIES}.isdisjoint(parts[:-1]) and not any(part.startswith(".") for part in parts)


@dataclass(slots=True)
class LeftOut:
    """Paths as the run names them. `exclude` are globs from the working folder.

    `folders` and `files` fill up while folders are read.
    """

    exclude: Paths | None = None
    ignored: frozenset[str] = frozenset()
    folders: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)

    def is_excluded(self, path: str) -> bool:
        """Whether the user does not want to see a file checked."""
        return self.exclude is not None and self.exclude.matches(os.path.relpath(path).replace(os.sep, "/"))

    def covers(self, path: str) -> bool:
        """Whether a file is not input."""
        return path in self.files or path.startswith(tuple(self.folders)) or self.is_excluded(path)

    def folder(self, path: str) -> tuple[bool, Skip | None]:
        """Whether a folder is left out, and the note about it in the report."""
        name = path.rpartition("/")[2]
        if name in _NEVER:
            return self._without(path), None
        if path in self.ignored:
            return self._without(path), Skip(path, 0, _IGNORED, _NAME_IT, expected=True)
        if name in _COPIES:
            return self._without(path), Skip(path, 0, _COPY, _NAME_IT, expected=True)
        return False, None

    def file(self, path: str) -> tuple[bool, Skip | None]:
        """Whether a manifest is left out, and the note about it in the report."""
        if path in self.ignored:
            self.files.add(path)
            return True, Skip(path, 0, _IGNORED, _NAME_IT, expected=True)
        return self.is_excluded(path), None

    def hide(self, path: str) -> None:
        """Leave a hidden folder out: what is in it is deployed where something outside of it takes it."""
        self.folders.append(f"{path}/")

    def _without(self, path: str) -> bool:
        self.folders.append(f"{path}/")
        return True


def ignored_by_git(folder: str) -> frozenset[str]:
    """The untracked files and folders below a folder that Git ignores, none where the folder itself is one of them.

    Where Git cannot answer (no repository, no program, a folder of another user) nothing is ignored.
    """
    if root_around(os.path.abspath(folder)) is None:
        return frozenset()
    listing = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    try:
        done = checkout_git("-C", process.operand(folder), *listing, allowed=frozenset({0, 128}))
    except ProgramError:
        return frozenset()
    names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    if done.code or "./" in names:
        return frozenset()
    return frozenset(os.path.normpath(os.path.join(folder, name)).replace(os.sep, "/") for name in names if name)
