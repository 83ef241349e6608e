"""The history of a branch by first parents: each commit, and the files in which it differs from the one before.

A merge counts as one change of the branch, whatever was merged (git-log(1), `--first-parent`, `-m`). Renames are not
looked for: what is in another file afterward is removed in one and added in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from sys import intern  # names and ids come again and again: each is kept once

from gitops_ci.configrepo.git import GitDirectory
from gitops_ci.configrepo.objects import Objects
from gitops_ci.dataclass import dataclass
from gitops_ci.quantities import whole_number

__all__ = ["BlobChange", "BranchLog", "LogEntry", "parse_log"]

_FORMAT = "--format=%x01%H%x00%P%x00%ct%x00%an%x00%cn%x00%B"
_BUFFERED = {"GIT_FLUSH": "0"}  # git(1): into a pipe it would write each commit by itself
_FILE = b"100"  # how the mode of a regular file begins
_AT_ONCE = 500  # blobs that git prints in one go
_PIECE = 1 << 20  # bytes of a log


@dataclass(frozen=True, slots=True)
class BlobChange:
    """A regular file before and after a commit, by the ids of its blobs; None where there is none."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One commit on the first-parent line. `time` is when it was committed, in seconds since 1970.

    `parents` is empty for the first commit, and for the last one that was fetched: `is_cut`. The changes of that one
    are all files that it has.
    """

    commit: str
    parents: tuple[str, ...]
    time: int
    author: str
    committer: str
    message: str
    changes: tuple[BlobChange, ...] = ()
    is_cut: bool = False


class BranchLog:
    """The history of a branch as far as it was fetched. `is_whole`: it reaches to the first commit.

    An empty `ref` has no commits; without `with_files` no commit has changes.
    """

    def __init__(self, git: GitDirectory, ref: str, objects: Objects, *, with_files: bool = True) -> None:
        self._git = git
        self._with_files = with_files
        self._ref = ref
        self._objects = objects
        self._cut = _shallow(git)

    @property
    def is_whole(self) -> bool:
        return not self._cut

    def entries(self, wanted: Callable[[str], bool]) -> Iterator[LogEntry]:
        """The commits, oldest first; of each the changes of the files whose path is wanted."""
        if not self._ref:
            return
        changes = ("-m", "--raw") if self._with_files else ("--no-patch",)
        printed = self._git.checked(
            "Reading the history",
            "log", "--first-parent", "--reverse", *changes, "-z", "--no-abbrev", "--no-renames", "--root",
            "--no-mailmap", "--no-show-signature", "--no-notes", "--no-color", "--encoding=UTF-8",
            "--ignore-submodules", _FORMAT, "--end-of-options", self._ref, "--", environment=_BUFFERED,
        )  # fmt: skip
        for entry in parse_log(printed, wanted):
            yield entry if entry.commit not in self._cut else _as_cut(entry)

    def blobs(self, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of blobs, each id once; what is missing comes in one request."""
        wanted = list(dict.fromkeys(ids))
        self._objects.need(wanted)
        for start in range(0, len(wanted), _AT_ONCE):
            yield from self._git.read_blobs(wanted[start : start + _AT_ONCE])

    def messages(self, commits: Sequence[str]) -> dict[str, str]:
        """The messages of commits beside the line: of what was merged. Those that were not fetched are left out."""
        found = {}
        for start in range(0, len(commits), _AT_ONCE):
            for name, raw in self._git.read_blobs(commits[start : start + _AT_ONCE]):
                found[name] = raw.decode("utf-8", "replace").partition("\n\n")[2].strip("\n")
        return found


def parse_log(printed: bytes, wanted: Callable[[str], bool]) -> Iterator[LogEntry]:
    """The entries of `git log -z --raw` in the format of this module."""
    known: dict[bytes, str | None] = {}
    head: list[bytes] = []
    changes: list[BlobChange] = []
    fields = _fields(printed)
    for field in fields:
        token = field.lstrip(b"\n")
        if token.startswith(b"\x01"):
            if head:
                yield _entry(head, changes)
            head = [token[1:], *islice(fields, 5)]
            changes = []
        elif token.startswith(b":"):
            name = next(fields, b"")
            if name not in known:
                path = name.decode("utf-8", "surrogateescape")
                known[name] = path if wanted(path) else None
            wanted_path = known[name]
            if wanted_path is not None and (change := _change(wanted_path, token)):
                changes.append(change)
    if head:
        yield _entry(head, changes)


def _fields(printed: bytes) -> Iterator[bytes]:
    """What stands between NULs. Splitting takes a quarter of the time of finding each, and all at once much memory."""
    start = 0
    while start < len(printed):
        end = printed.find(b"\0", start + _PIECE)
        end = len(printed) if end < 0 else end
        yield from printed[start:end].split(b"\0")
        start = end + 1


def _entry(head: list[bytes], changes: list[BlobChange]) -> LogEntry:
    fields = b"\0".join(head).decode("utf-8", "replace").split("\0")
    commit, parents, time, author, committer, message = fields
    seconds = (whole_number(time.removeprefix("-")) or 0) * (-1 if time.startswith("-") else 1)
    ids = tuple(map(intern, parents.split()))
    who = intern(author), intern(committer)
    return LogEntry(intern(commit), ids, seconds, *who, message.strip("\n"), tuple(changes))


def _change(path: str, meta: bytes) -> BlobChange | None:
    """`:100644 100644 <old> <new> M`; None where neither side is a regular file."""
    old_mode, new_mode, old, new, *_ = meta[1:].split(b" ")
    before = intern(old.decode("ascii")) if old_mode.startswith(_FILE) else None
    after = intern(new.decode("ascii")) if new_mode.startswith(_FILE) else None
    return BlobChange(path, before, after) if before != after else None


def _as_cut(entry: LogEntry) -> LogEntry:
    return replace(entry, parents=(), is_cut=True)


def _shallow(git: GitDirectory) -> frozenset[str]:
    """The commits at which a fetch cut the history off (gitrepository-layout(5), `shallow`)."""
    try:
        with open(f"{git.path}/shallow", encoding="ascii") as file:
            return frozenset(file.read().split())
    except FileNotFoundError:
        return frozenset()
