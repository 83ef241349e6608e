"""One commit of the config repository: its files by path, read on demand, never as files on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from gitops_ci.configrepo.commits import base_in, has_mark, is_marked, marked
from gitops_ci.configrepo.git import ASK_GIT, GitDirectory, check_path, last_lines
from gitops_ci.configrepo.needles import MANY, any_of, lines_with
from gitops_ci.configrepo.objects import LINK, OBSTACLES, TREE, Entry, Objects, Selection, tree_with
from gitops_ci.errors import GitError, UsageError

__all__ = ["Snapshot"]

_AT_ONCE = 1000  # files whose contents are held beside what was made of the ones before


class Snapshot:
    """One commit: its files by path, read on demand."""

    def __init__(self, git: GitDirectory, objects: Objects, commit: str) -> None:
        self.git = git
        self.objects = objects
        self.commit = commit
        self._listed: dict[str, Entry] | None = None
        _, raw = git.read_object(commit)
        head, _, message = raw.decode("utf-8", "replace").partition("\n\n")
        self.message = message
        headers = [line.split(" ", 1) for line in head.split("\n")]
        self.tree = next(value for name, value in headers if name == "tree")
        self.parents = tuple(value for name, value in headers if name == "parent")
        committer = next(value for name, value in headers if name == "committer")
        self.committed_at = int(committer.rsplit(" ", 2)[1])

    @property
    def is_sparse(self) -> bool:
        """Whether what it holds comes piece by piece, when it is read."""
        return self.objects.is_sparse

    @property
    def is_ours(self) -> bool:
        """Whether this tool made exactly this commit: nobody amended it, or put a merge on top."""
        return len(self.parents) == 1 and is_marked(self.message, self.tree)

    @property
    def has_mark(self) -> bool:
        """Whether its message was written by this tool, for whatever tree."""
        return has_mark(self.message)

    def parent(self) -> Snapshot | None:
        """The first parent, or None where the fetch did not reach so far."""
        return (*self.ancestors(), None)[0]

    def made_from(self) -> Snapshot | None:
        """The commit that a proposal is made against, or None where the fetch did not reach so far."""
        if not (named := base_in(self.message)):
            return self.parent()
        try:
            return Snapshot(self.git, self.objects, named)
        except KeyError:
            return None

    def ancestors(self) -> tuple[Snapshot, ...]:
        """The parents, in order; none where the fetch did not reach so far."""
        try:
            return tuple(Snapshot(self.git, self.objects, parent) for parent in self.parents)
        except KeyError:
            return ()

    def obstacle(self, path: str) -> str:
        """What of a path is a symlink or a submodule, and so neither read nor written: `apps is a symlink`; else ""."""
        parts = check_path(path).split("/")
        for place in ("/".join(parts[: count + 1]) for count in range(len(parts))):
            entry = self.entry(place)
            if entry and entry.mode in OBSTACLES:
                return f"{place} is {OBSTACLES[entry.mode]}"
        return ""

    def entry(self, path: str) -> Entry | None:
        parts, tree, entry = check_path(path).split("/"), self.tree, None
        if self._listed and path in self._listed:
            return self._listed[path]
        for part in parts:
            if entry is not None:
                if entry.mode != TREE:
                    return None
                tree = entry.sha
            entry = self.objects.entries(tree).get(part)
            if entry is None:
                return None
        return entry

    def read(self, path: str) -> bytes | None:
        """The content of a file, None where there is no regular file of this path."""
        entry = self.entry(path)
        return self.objects.blob(entry.sha) if entry and entry.is_file else None

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of the regular files among these paths; what is missing comes in one request."""
        entries = [(path, self.entry(path)) for path in paths]
        return self._contents([(path, entry) for path, entry in entries if entry and entry.is_file])

    def _contents(self, files: Sequence[tuple[str, Entry]]) -> Iterator[tuple[str, bytes]]:
        self.objects.need(entry.sha for _, entry in files)
        for first in range(0, len(files), _AT_ONCE):
            some = files[first : first + _AT_ONCE]
            blobs = self.objects.blobs(entry.sha for _, entry in some)
            yield from ((path, blobs[entry.sha]) for path, entry in some)

    def paths(self, selection: Selection) -> list[str]:
        """The paths of the selected regular files, in git's order."""
        return list(self._files(selection))

    def _files(self, selection: Selection) -> dict[str, Entry]:
        if self.objects.is_sparse:
            return self.objects.files(self.tree, selection)
        return {path: entry for path, entry in self._listing.items() if entry.is_file and selection.matches(path)}

    def links(self) -> dict[str, str]:
        """What each symbolic link says, by its path. A snapshot that is read piece by piece has none to tell."""
        found: dict[str, str] = {}
        for path, entry in () if self.objects.is_sparse else self._listing.items():
            if entry.mode == LINK:
                with suppress(UsageError):  # a name that is never read
                    found[check_path(path)] = os.fsdecode(self.objects.blob(entry.sha))
        return found

    @property
    def _listing(self) -> dict[str, Entry]:
        """All entries that are not folders, in git's order."""
        if self._listed is None:
            self._listed = {}
            listing = self.git.checked("Listing files", "ls-tree", "-r", "-z", "--full-tree", self.commit)
            for line in filter(None, listing.split(b"\0")):
                about, _, name = line.partition(b"\t")
                mode, _, sha = about.decode("ascii").split(" ")
                self._listed[name.decode("utf-8", "surrogateescape")] = Entry(mode, sha)
        return self._listed

    def search(self, needles: Sequence[str], selection: Selection, *, names: Sequence[str] = ()) -> list[str]:
        """The paths of the selected regular files that contain any needle, byte for byte.

        What is no UTF-8 stands in a needle as Python's surrogate escapes. `names` are the names of the files that are
        looked into; () means all.
        """
        if self.objects.is_sparse or len(needles) > MANY:
            wanted = any_of(needles)
            found = self._files(selection).items()
            asked = [(path, entry) for path, entry in found if not names or path.rpartition("/")[2] in names]
            return [path for path, data in self._contents(asked) if wanted.search(data)]
        # A line without text would match every file.
        lines = (line for needle in needles for line in needle.split("\n") if line)
        patterns = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
        files = [f":(glob)**/{name}" for name in names]
        answer = self.git.run(
            "grep", "--full-name", "-l", "-z", "-a", "-F", "-f", "-", self.commit, "--", *files, stdin=patterns
        )
        if answer.code > 1:
            raise GitError(f"Searching the config repository failed: {last_lines(answer.stderr)}", hint=ASK_GIT)
        prefix = len(self.commit) + 1
        paths = (name[prefix:].decode("utf-8", "surrogateescape") for name in answer.stdout.split(b"\0") if name)
        return [path for path in paths if selection.matches(path)]

    def lines(self, needles: Sequence[str], selection: Selection) -> str:
        """Every line of the selected regular files with any needle: the path, NUL, the line and a line break.

        What is no UTF-8 stands in needles and lines as Python's surrogate escapes.
        """
        if self.objects.is_sparse or len(needles) > MANY:
            return self._lines_read(needles, selection)
        patterns = "".join(f"{needle}\n" for needle in needles).encode("utf-8", "surrogateescape")
        answer = self.git.run("grep", "--full-name", "-z", "-a", "-F", "-f", "-", self.commit, "--", stdin=patterns)
        if answer.code > 1:
            raise GitError(f"Searching the config repository failed: {last_lines(answer.stderr)}", hint=ASK_GIT)
        text = f"\n{answer.stdout.decode('utf-8', 'surrogateescape')}"
        return text.replace(f"\n{self.commit}:", "\n")[1:]

    def _lines_read(self, needles: Sequence[str], selection: Selection) -> str:
        wanted = any_of(needles)
        return "".join(
            f"{path}\0{line.decode('utf-8', 'surrogateescape')}\n"
            for path, data in self._contents([*self._files(selection).items()])
            for line in lines_with(wanted, data)
        )

    def whole(self, most: int) -> Snapshot | None:
        """The same commit with all that it holds at hand; None where that are more than `most` files and folders."""
        if not self.is_sparse:
            return self
        return Snapshot(self.git, Objects(self.git), self.commit) if self.objects.complete(self.tree, most) else None

    def changed_paths(self, before: Snapshot) -> list[str]:
        """What differs between two commits, by tree; renames are not looked for."""
        return self.objects.differing(before.tree, self.tree)

    def mark(self, message: str, changes: Mapping[str, bytes | None], base: str = "") -> str:
        """The message of a commit that makes these changes here, as `commit` would write it."""
        return marked(message, self.tree_with(changes), base)

    def tree_with(self, changes: Mapping[str, bytes | None]) -> str:
        """The id of a tree that is this commit's with these files replaced, added or (None) gone.

        Raises:
            UsageError: a path leads through or to a symlink or a submodule.
        """
        return tree_with(self.git, self.tree, changes, self.objects.entries)
