"""The files that paths of the command line stand for, read."""

from __future__ import annotations

import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Sequence

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.globs import Paths, is_manifest
from gitops_ci.flows.validate.left_out import LeftOut, ignored_by_git
from gitops_ci.model import Skip
from gitops_ci.paths import leads_out

__all__ = ["STDIN", "InputFiles", "read_manifests", "read_sources"]

STDIN = "-"


@dataclass(frozen=True, slots=True)
class InputFiles:
    """(path, text) of what could be read, sorted, and what could not or was not meant to be."""

    files: tuple[tuple[str, str], ...]
    unread: tuple[Skip, ...]
    left_out: LeftOut


def read_manifests(paths: Sequence[str], stdin: Callable[[], bytes], exclude: Sequence[str]) -> InputFiles:
    """Read what is to be checked: as `read_sources`, without what is excluded or ignored by Git.

    Raises:
        UsageError: a path does not exist, or a glob can match nothing.
    """
    folders = [path for path in paths if path != STDIN and os.path.isdir(path)]
    ignored = frozenset[str]().union(*map(ignored_by_git, folders))
    return read_sources(paths, stdin, LeftOut(Paths(tuple(exclude)) if exclude else None, ignored))


def read_sources(
    paths: Sequence[str], stdin: Callable[[], bytes] = lambda: b"", left_out: LeftOut | None = None
) -> InputFiles:
    """Read files, all manifests below folders, and what `-` stands for.

    Raises:
        UsageError: a path does not exist.
    """
    without = left_out or LeftOut()
    files: dict[str, str] = {}
    unread: dict[str, Skip] = {}
    for path in paths:
        for found in _files(path, without):
            name = found.path if isinstance(found, Skip) else found
            if name in files or name in unread:
                continue
            try:
                if isinstance(found, Skip):
                    unread[name] = found
                else:
                    files[name] = _decoded(stdin() if name == STDIN else _bytes(name))
            except OSError as error:
                unread[name] = _unreadable(name, error)
            except UnicodeDecodeError as error:
                reason = f"is not UTF-8 (byte {error.start})"
                unread[name] = Skip(name, 0, reason, "Save it as UTF-8.", failed=True)
    return InputFiles(tuple(sorted(files.items())), tuple(unread[name] for name in sorted(unread)), without)


def _unreadable(path: str, error: OSError) -> Skip:
    return Skip(path, 0, f"cannot be read: {error.strerror}", "Check its permissions.", failed=True)


def _bytes(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _decoded(data: bytes) -> str:
    """The text as kubectl reads it: UTF-8, or UTF-16 that says so (cli-runtime pkg/resource/visitor.go, FileVisitor).

    Raises:
        UnicodeDecodeError: it is neither. kubectl would put U+FFFD in the place of what it cannot read.
    """
    return data.decode("utf-16" if data[:2] in {BOM_UTF16_LE, BOM_UTF16_BE} else "utf-8")


def _files(path: str, without: LeftOut) -> Iterator[str | Skip]:
    """The manifests that a path stands for, with `/` and relative to where the command runs."""
    if path == STDIN:
        yield path
        return
    if os.path.exists(path) and not os.path.isdir(path):
        if not without.is_excluded(path):
            yield _shown(os.path.normpath(path))
        return
    if not os.path.isdir(path):
        raise UsageError(f"There is no file or folder {path}", hint="Give files, folders, or - for standard input.")
    folders = [os.path.normpath(path)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield _unreadable(_shown(folder), error)
            continue
        for entry in found:
            if entry.name.startswith("."):
                without.hide(_shown(entry.path))
                continue
            path, told = _shown(entry.path), None
            if entry.is_dir(follow_symlinks=False):
                is_out, told = without.folder(path)
                folders += [] if is_out else [entry.path]
            elif entry.is_dir():
                told = _no_file(entry)
            elif is_manifest(entry.name):
                is_out, told = without.file(path)
                if not is_out and entry.is_file(follow_symlinks=False):
                    yield path
                elif not is_out:
                    told = _no_file(entry)
            if told:
                yield told


def _no_file(entry: os.DirEntry[str]) -> Skip:
    # It leads out of the tree, or to a file of the tree that is read anyway.
    if entry.is_symlink():
        reason, is_here = "a symbolic link, not followed", not leads_out(entry.path)
        return Skip(_shown(entry.path), 0, reason, "Name its target to have it checked.", expected=is_here)
    return Skip(_shown(entry.path), 0, "no regular file", expected=True)


def _shown(path: str) -> str:
    return path.replace(os.sep, "/").removeprefix("./")
