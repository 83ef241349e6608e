"""The lines of a repository that say what belongs together, found in the one search for the image's name.

A search of the whole repository costs as much as everything else together. So the search that looks for the image also
brings the lines with words of relations, and questions about relations are answered from these.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property

from gitops_ci.known_files import KUSTOMIZATIONS
from gitops_ci.paths import folders_above

__all__ = ["WORDS", "RelationLines"]

# Files that others refer to, folders of applications, charts and kustomizations, markers, substitutions, registries.
# Few and short, since each costs a pass over the repository, and each line that has one costs more.
WORDS = ("path", "chart", ".y", ".json", "../", "$", "postBuild", "url")
_PATH = re.compile(r"[\w./@+-]+")
_GLOB = re.compile(r"""\bpath["']?:[ \t]*["']?([^\s"',}\]*]*\*[^\s"',}\]]*)""")


class RelationLines:
    """Lines with their files: `text` is `PATH`, NUL, the line and a line break, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = f"\n{text}"  # so that every line follows a line break

    def having(self, needles: Iterable[str]) -> set[str]:
        """The files with a line that has one of the needles."""
        return {path for needle in needles for path, _ in self._with(needle)}

    def kustomizations_of(self, target: str) -> set[str]:
        """The kustomizations with a line that leads up and then down to a file or folder."""
        named_so = self._entries.get(posixpath.basename(target), ())
        return {path for path, entry in named_so if _resolved(path, entry) == target}

    def leading_to(self, files: Collection[str]) -> set[str]:
        """The files with a `path:` of one of these files, or of a folder above it; paths count from the root."""
        above = {folder for file in files for folder in folders_above(file)} | {*files}
        # The root is written as a dot or a slash. A pattern that begins with a word is searched fast.
        names = "|".join([*map(re.escape, sorted(above - {"."})), *([r"\./?", "/"] if "." in above else [])])
        leads = re.compile(rf"""path["']?:[ \t]*["']?(?:\./|/)?(?:{names})/?(?=["'\s,}}\]])""")
        found = set[str]()
        for match in leads.finditer(self._text) if names else ():
            start = self._text.rfind("\n", 0, match.start()) + 1
            nul = self._text.find("\0", start)
            if nul < match.start() and not self._text[match.start() - 1].isalnum():
                found.add(self._text[start:nul])
        return found

    def generating_from(self, files: Iterable[str]) -> set[str]:
        """The files with a `path:` that has a `*`, as git generators have, and fits a file or a folder above it."""
        above = {folder for file in files for folder in folders_above(file)}
        return {path for path, target in self._globs if any(fnmatchcase(up, target) for up in above)}

    @cached_property
    def _globs(self) -> set[tuple[str, str]]:
        """Each file with a `path:` that has a `*`, and that path and the folder above it."""
        matches = ((path, match[1].lstrip("./")) for path, line in self._with("*") for match in _GLOB.finditer(line))
        return {(path, glob) for path, whole in matches for glob in (whole, posixpath.dirname(whole)) if glob}

    @cached_property
    def _entries(self) -> dict[str, list[tuple[str, str]]]:
        """Each path with a slash in a line of a kustomization, behind the kustomization, by the name that it ends in.

        Without a slash it leads to what lies beside the kustomization: nobody asks for that.
        """
        found: dict[str, list[tuple[str, str]]] = {}
        for path, line in self._of_kustomizations():
            for entry in _PATH.findall(line) if "/" in line else ():
                found.setdefault(posixpath.basename(entry.rstrip("/")), []).append((path, entry))
        return found

    def _of_kustomizations(self) -> Iterator[tuple[str, str]]:
        text = self._text
        for name in KUSTOMIZATIONS:
            nul = text.find(f"{name}\0")
            while nul >= 0:
                nul += len(name)
                start, end = text.rfind("\n", 0, nul) + 1, text.find("\n", nul)
                path = text[start:nul]
                if posixpath.basename(path) == name:
                    yield path, text[nul + 1 : end]
                nul = text.find(f"{name}\0", end)

    def _with(self, needle: str) -> Iterator[tuple[str, str]]:
        """Each line with a text, behind its file; a path with the text does not count."""
        text, at = self._text, self._text.find(needle)
        while at >= 0:
            start = text.rfind("\n", 0, at) + 1
            nul = text.find("\0", start)
            if nul > at:
                at = text.find(needle, nul)
                continue
            end = text.find("\n", at)
            yield text[start:nul], text[nul + 1 : end]
            at = text.find(needle, end)


def _resolved(path: str, entry: str) -> str:
    """Where a path in a file leads, from the root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), entry))
