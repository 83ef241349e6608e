"""The files that paths of the command line stand for, read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gitops_ci.errors import UsageError
from gitops_ci.model import Skip

__all__ = ["STDIN", "Sources", "read_sources"]

STDIN = "-"
_MANIFESTS = (".yaml", ".yml", ".json")
_ALSO = frozenset({"Kustomization"})
_NEVER = frozenset({"node_modules", "__pycache__", "venv"})


@dataclass(frozen=True, slots=True)
class Sources:
    """(path, text) of what could be read, sorted, and what could not."""

    files: tuple[tuple[str, str], ...]
    unread: tuple[Skip, ...]


def read_sources(paths: Sequence[str], stdin: Callable[[], bytes] = lambda: b"") -> Sources:
    """Read files, all manifests below folders, and what `-` stands for.

    Raises:
        UsageError: a path does not exist.
    """
    files: dict[str, str] = {}
    unread: dict[str, Skip] = {}
    for path in paths:
        for name in _files(path):
            if name in files or name in unread:
                continue
            try:
                files[name] = (stdin() if name == STDIN else _bytes(name)).decode("utf-8")
            except OSError as error:
                reason = f"cannot be read: {error.strerror}"
                unread[name] = Skip(name, 0, reason, "Check its permissions.", failed=True)
            except UnicodeDecodeError as error:
                reason = f"is not UTF-8 (byte {error.start})"
                unread[name] = Skip(name, 0, reason, "Save it as UTF-8.", failed=True)
    return Sources(tuple(sorted(files.items())), tuple(unread[name] for name in sorted(unread)))


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _files(path: str) -> Iterator[str]:
    """The manifests that a path stands for, with `/` and relative to where the command runs."""
    if path == STDIN or (os.path.exists(path) and not os.path.isdir(path)):
        yield _shown(path)
        return
    if not os.path.isdir(path):
        raise UsageError(f"There is no {path}", hint="Give files, folders, or - for standard input.")
    # Links are not followed: they lead out of the tree, or into a part of it that is walked anyway.
    for folder, names, leaves in os.walk(path):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in _NEVER)
        for leaf in sorted(leaves):
            full = os.path.join(folder, leaf)
            wanted = (leaf.endswith(_MANIFESTS) and not leaf.startswith(".")) or leaf in _ALSO
            if wanted and stat.S_ISREG(os.lstat(full).st_mode):
                yield _shown(full)


def _shown(path: str) -> str:
    if path == STDIN:
        return path
    return os.path.normpath(path).replace(os.sep, "/").removeprefix("./")
