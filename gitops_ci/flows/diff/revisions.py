"""The two sides of a change in Git: their commits, and the files of each, read from the objects without a checkout."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from gitops_ci.checkout import checkout_git
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError, ProgramError, UsageError
from gitops_ci.quantities import whole_number

__all__ = [
    "Blobs",
    "CommitFiles",
    "Listing",
    "WorkingFiles",
    "WorkingTree",
    "commit_of",
    "differing_paths",
    "listing",
    "start_of",
]

_SAFE = re.compile(r"[A-Za-z0-9_./@{}^~+-]+")
_ANY = frozenset({0, 1, 128})
_HISTORY = (
    "Fetch more history: GitHub fetch-depth: 0, GitLab GIT_DEPTH: 0, Azure fetchDepth: 0, or git fetch --deepen 50."
)
_WHOLE = ("--no-color", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
# Whatever the user's settings say of the order of files.
_ORDER = f"-O{os.devnull}"
_LARGEST = 1 << 20  # bytes: a larger file is read by itself, when it is needed


def commit_of(revision: str) -> str:
    """The id of a commit.

    Raises:
        UsageError: there is none of that name.
    """
    if revision.startswith("-") or not _SAFE.fullmatch(revision):
        raise UsageError(f"'{revision}' is not a Git revision", hint="For example origin/main or HEAD~1.")
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", allowed=_ANY)
    if not found.strip():
        raise UsageError(f"There is no commit '{revision}' in this repository", hint=_HISTORY)
    return found.decode("ascii").strip()


def start_of(references: Sequence[str], head: str) -> str:
    """The commit where `head` left the first of the references that is here.

    Raises:
        UsageError: none of them is here, or they have no common history.
    """
    _git("rev-parse", "--show-toplevel")
    for reference in references:
        if reference.startswith("-") or not _SAFE.fullmatch(reference):
            raise UsageError(f"'{reference}' is not a Git revision", hint="For example --base origin/main.")
        found = _git("merge-base", "--end-of-options", reference, head, allowed=_ANY).decode("ascii").strip()
        if found:
            return found
    known = " or ".join(map(repr, references))
    raise UsageError(f"The base commit is not in this clone: no common history with {known}", hint=_HISTORY)


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a commit: path -> (mode, id of the blob, size). `submodules` are their commits by path."""

    files: Mapping[str, tuple[str, str, int]] = field(default_factory=dict)
    submodules: Mapping[str, str] = field(default_factory=dict)


def listing(commit: str) -> Listing:
    """Every file of a commit, without those of submodules."""
    found: dict[str, tuple[str, str, int]] = {}
    submodules: dict[str, str] = {}
    for line in _git("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", commit).split(b"\0"):
        about, tab, path = line.partition(b"\t")
        if tab:
            mode, kind, name, size = about.decode("ascii").split()
            if kind == "blob":
                found[path.decode("utf-8", "surrogateescape")] = (mode, name, whole_number(size) or 0)
            elif kind == "commit":
                submodules[path.decode("utf-8", "surrogateescape")] = name
    return Listing(found, submodules)


@dataclass(frozen=True, slots=True)
class WorkingTree:
    """The paths of a checkout that Git does not ignore. Of `left_out` a sparse checkout has the blob in Git alone.

    `submodules` are their commits by path, as they are staged.
    """

    paths: Sequence[str]
    left_out: Mapping[str, str]
    submodules: Mapping[str, str] = field(default_factory=dict)


def differing_paths(root: str, base: str, listed: Listing) -> tuple[set[str], WorkingTree]:
    """What differs between a commit and the working tree, and that tree.

    Paths count from the root, wherever the command runs.
    """
    changed = _git_names("-C", root, "diff", "--name-only", "-z", *_WHOLE, _ORDER, "--end-of-options", base, "--")
    others = _git_names("-C", root, "ls-files", "--others", "--exclude-standard", "--full-name", "-z")
    tracked, submodules = dict[str, str](), dict[str, str]()
    for line in _git_names("-C", root, "ls-files", "--cached", "--stage", "-t", "--full-name", "-z"):
        about, _, path = line.partition("\t")
        tag, mode, name, _ = about.split(" ")
        if mode == "160000":
            submodules[path] = name
        tracked[path] = name if tag == "S" else ""  # git-ls-files(1): skip-worktree
    here = [path for path in dict.fromkeys((*tracked, *others)) if os.path.lexists(os.path.join(root, path))]
    left_out = {path: name for path, name in tracked.items() if name}
    for path in here:
        left_out.pop(path, None)
    gone = listed.files.keys() - set(here) - left_out.keys()
    return {*changed, *others, *gone}, WorkingTree([*here, *left_out], left_out, submodules)


def _git_names(*arguments: str) -> list[str]:
    return [name for name in _git(*arguments).decode("utf-8", "surrogateescape").split("\0") if name]


class Blobs:
    """Contents by their id, each read once for both sides."""

    def __init__(self) -> None:
        self._read: dict[str, bytes] = {}

    def prefetch(self, listed: Listing, paths: Iterable[str]) -> None:
        """Read many at once."""
        wanted = (listed.files[path] for path in paths if path in listed.files)
        self._fetch([name for _, name, size in wanted if size <= _LARGEST and name not in self._read])

    def data(self, name: str) -> bytes:
        if name not in self._read:
            self._fetch([name])
        return self._read[name]

    def _fetch(self, names: Sequence[str]) -> None:
        asked = list(dict.fromkeys(names))
        if not asked:
            return
        answer = _git("cat-file", "--batch", "--buffer", stdin=("\n".join(asked) + "\n").encode())
        at = 0
        for name in asked:
            end = answer.index(b"\n", at)
            about = answer[at:end].split()
            if len(about) != 3:
                raise GitError(f"The object {name} is not in this clone", hint=_HISTORY)
            start = end + 1
            at = start + int(about[2])
            self._read[name] = answer[start:at]
            at += 1


class CommitFiles:
    """The files of a commit."""

    def __init__(self, listed: Listing, blobs: Blobs) -> None:
        self._listed = listed.files
        self._blobs = blobs

    def names(self) -> Iterable[str]:
        return self._listed

    def data(self, path: str) -> bytes | None:
        found = self._listed.get(path)
        return self._blobs.data(found[1]) if found and found[0] != "120000" else None

    def links(self) -> Mapping[str, str]:
        return {
            path: self._blobs.data(name).decode("utf-8", "surrogateescape")
            for path, (mode, name, _) in self._listed.items()
            if mode == "120000"
        }


class WorkingFiles:
    """The files of a checkout that Git knows, or would take."""

    def __init__(self, root: str, tree: WorkingTree, blobs: Blobs) -> None:
        self._root = root
        self._names = tree.paths
        self._left_out = tree.left_out
        self._blobs = blobs

    def names(self) -> Iterable[str]:
        return [name for name in self._names if not os.path.isdir(full := self._full(name)) or os.path.islink(full)]

    def data(self, path: str) -> bytes | None:
        if path in self._left_out:
            return self._blobs.data(self._left_out[path])
        try:
            # O_NONBLOCK: a pipe in a checkout would hold the run up for ever.
            descriptor = os.open(self._full(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            return file.read() if os.path.isfile(self._full(path)) else None

    def links(self) -> Mapping[str, str]:
        return {name: os.readlink(full) for name in self._names if os.path.islink(full := self._full(name))}

    def _full(self, path: str) -> str:
        return os.path.join(self._root, path)


def _git(*arguments: str, stdin: bytes | None = None, allowed: frozenset[int] = frozenset({0})) -> bytes:
    try:
        return checkout_git(*arguments, stdin=stdin, allowed=allowed).stdout
    except ProgramError as error:
        words = error.message
        raise GitError(f"git failed: {words}", hint="Run this inside a Git repository with a commit.") from error
