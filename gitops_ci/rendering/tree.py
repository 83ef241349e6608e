"""The files of a repository as units read them: a checkout, or a commit. Nothing outside the root is ever read."""

from __future__ import annotations

import os
import posixpath
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Protocol, TypeVar

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.documents import Document, load
from gitops_ci.yamltext import YamlError

__all__ = ["CheckoutFiles", "Files", "MemoryFiles", "SourceTree"]

_MOST_LINKS = 40  # as Linux counts
_T = TypeVar("_T")


class Files(Protocol):
    """Where the bytes are. Paths have `/`, are relative to the root, and hold no `..`."""

    def names(self) -> Iterable[str]:
        """The path of every file and every link."""

    def data(self, path: str) -> bytes | None:
        """The bytes of a regular file."""

    def links(self) -> Mapping[str, str]:
        """What each symbolic link says."""


class CheckoutFiles:
    """A folder on disk; `.git` is not part of it."""

    def __init__(self, root: str = ".") -> None:
        self.root = root

    def names(self) -> Iterable[str]:
        return self._found[0]

    def links(self) -> Mapping[str, str]:
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[list[str], dict[str, str]]:
        names: list[str] = []
        links: dict[str, str] = {}
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                entries = list(os.scandir(os.path.join(self.root, folder)))
            except OSError:
                continue
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_symlink():
                    links[path] = os.readlink(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    folders += [path] if entry.name != ".git" else []
                    continue
                names.append(path)
        return names, links

    def data(self, path: str) -> bytes | None:
        full = os.path.join(self.root, path)
        try:
            # O_NONBLOCK: a pipe in a checkout would hold the run up for ever.
            descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            return file.read() if os.path.isfile(full) else None


class MemoryFiles:
    """Files that are at hand: those of a commit, or of a test. A text is UTF-8."""

    def __init__(self, files: Mapping[str, bytes | str], links: Mapping[str, str] | None = None) -> None:
        self._files = files
        self._links = links or {}

    def names(self) -> Iterable[str]:
        return (*self._files, *self._links)

    def data(self, path: str) -> bytes | None:
        found = self._files.get(path)
        return found.encode() if isinstance(found, str) else found

    def links(self) -> Mapping[str, str]:
        return self._links


@dataclass(frozen=True, slots=True)
class _Walk:
    """What came of following a path."""

    found: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    leads_out: bool = False


class SourceTree:
    """Files with their folders, links resolved inside the root, and each document read once.

    What is not `differing` from the `twin` is read there: two sides of a change share nearly all of their files. Files
    that are `hidden` are not there: an operator's source leaves them out.
    """

    def __init__(
        self,
        files: Files,
        twin: SourceTree | None = None,
        differing: Collection[str] = frozenset(),
        *,
        hidden: Collection[str] = (),
    ) -> None:
        self._files = files
        self._twin = twin
        self._differing = differing
        self.hidden = frozenset(hidden)
        self.names = sorted(set(files.names()) - self.hidden)
        self._known = set(self.names)
        self.folders = {"."}
        for name in self.names:
            folder = posixpath.dirname(name)
            while folder and folder not in self.folders:
                self.folders.add(folder)
                folder = posixpath.dirname(folder)
        self._documents: dict[str, tuple[Document, ...] | YamlError] = {}
        self._texts: dict[str, str | None] = {}
        self.links = {path: said for path, said in files.links().items() if path not in self.hidden}
        self._walks: dict[str, _Walk] = {}
        self._notes: dict[tuple[object, str], Any] = {}
        self._differing_folders = frozenset(posixpath.dirname(path) or "." for path in differing)
        # What folders bring to those that include them, kept for as long as the files are (`kustomization_files`).
        self.closures: dict[str, Any] = {}
        # Closures of folders by themselves, which the other side of a change takes where its files are the same.
        self.plain_closures: dict[str, Any] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._known

    def without(self, hidden: Collection[str]) -> SourceTree:
        """The same files without some of them; what was read of the others is not read again."""
        made = SourceTree(self._files, self._twin, self._differing, hidden=hidden)
        made._documents, made._texts = self._documents, self._texts
        return made

    def resolve(self, path: str) -> str | None:
        """The path of a file or folder with all links followed; None when it is not there or leads outside."""
        return self._walk(path).found

    def links_on(self, path: str) -> Mapping[str, str]:
        """The links that a path goes through, each with what it says."""
        return self._walk(path).links

    def exists(self, path: str) -> bool:
        """Whether a path exists. A path outside of the tree counts as one that does."""
        return self.leads_out(path) or self.resolve(path) is not None

    def is_file(self, path: str) -> bool:
        found = self.resolve(path)
        return found is not None and found in self._known

    def is_folder(self, path: str) -> bool:
        found = self.resolve(path)
        return found is not None and found in self.folders

    def leads_out(self, path: str) -> bool:
        """Whether a path is absolute, climbs above the root, or goes through a link that does."""
        return self._walk(path).leads_out

    def below(self, folder: str) -> list[str]:
        """Every file and link below a folder, sorted."""
        if folder in {"", "."}:
            return self.names
        first = bisect_left(self.names, f"{folder}/")
        return self.names[first : bisect_left(self.names, f"{folder}0")]  # "0" follows "/"

    def data(self, path: str) -> bytes | None:
        found = self.resolve(path)
        return self._files.data(found) if found in self._known and found is not None else None

    def text(self, path: str) -> str | None:
        """A file's text, None when it is not there or no UTF-8."""
        found = self.resolve(path)
        if found is None:
            return None
        if self._twin and self._is_shared(found):
            return self._twin.text(found)
        if found not in self._texts:
            data = self._files.data(found) if found in self._known else None
            try:
                self._texts[found] = None if data is None else data.decode("utf-8")
            except UnicodeDecodeError:
                self._texts[found] = None
        return self._texts[found]

    def documents(self, path: str) -> tuple[Document, ...]:
        """The objects of a file.

        Raises:
            YamlError: it is not YAML.
        """
        if self._twin and self._is_shared(path) and self.resolve(path) == path:
            return self._twin.documents(path)
        found = self._documents.get(path)
        if found is None:
            try:
                found = load(path, self.text(path) or "")
            except YamlError as error:
                found = error
            self._documents[path] = found
        if isinstance(found, YamlError):
            raise found
        return found

    def noted(self, path: str, note: Callable[[str], _T]) -> _T:
        """What a function finds in a file's text, found once for both sides."""
        found = self.resolve(path) or path
        if self._twin and self._is_shared(found):
            return self._twin.noted(found, note)
        key = note, found
        if key not in self._notes:
            self._notes[key] = note(self.text(found) or "")
        made: _T = self._notes[key]
        return made

    def twin_of(self, folders: Collection[str]) -> SourceTree | None:
        """The other side, where it has the same files directly in some folders, and no link that leads elsewhere."""
        twin = self._twin
        if twin is None or self.hidden or self.links or twin.links:
            return None
        return twin if self._differing_folders.isdisjoint(folders) else None

    def _is_shared(self, path: str) -> bool:
        return self._twin is not None and path not in self._differing and path in self._twin

    def _walk(self, path: str) -> _Walk:
        known = self._walks.get(path)
        if known is None:
            known = self._walks[path] = self._walked(path)
        return known

    def _walked(self, path: str) -> _Walk:
        """Follow a path name by name, as the kernel does."""
        if not self.links and (path in self._known or path in self.folders):
            return _Walk(path)
        passed: dict[str, str] = {}
        if path.startswith("/") or "\0" in path:
            return _Walk(leads_out=True)
        todo = [part for part in reversed(path.split("/")) if part not in {"", "."}]
        at: list[str] = []
        steps = 0
        while todo:
            part = todo.pop()
            if part == "..":
                if not at:
                    return _Walk(links=passed, leads_out=True)
                at.pop()
                continue
            here = "/".join((*at, part)) if self.links else ""
            said = self.links.get(here)
            if said is None:
                at.append(part)
                continue
            passed[here] = said
            steps += 1
            if said.startswith("/") or steps > _MOST_LINKS:
                return _Walk(links=passed, leads_out=True)
            todo += [one for one in reversed(said.split("/")) if one not in {"", "."}]
        found = "/".join(at) or "."
        return _Walk(found if found in self._known or found in self.folders else None, passed)
