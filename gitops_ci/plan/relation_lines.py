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
from pathlib import PurePosixPath

from gitops_ci.known_files import KUSTOMIZATIONS

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
        parent, _, name = target.rpartition("/")
        # By its name alone from below its parent, else the parent's name precedes it.
        far = self._with(f"{posixpath.basename(parent)}/{name}") if parent else ()
        near = self._below(f"{parent}/", f"../{name}") if parent else self._with(f"../{name}")
        return {path for path, line in (*near, *far) if _is_kustomization(path) and _leads_to(target, path, line)}

    def leading_to(self, files: Collection[str]) -> set[str]:
        """The files with a `path:` of one of these files, or of a folder above it; paths count from the root."""
        above = {str(parent) for file in files for parent in PurePosixPath(file).parents} | {*files}
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
        above = {str(parent) for file in files for parent in PurePosixPath(file).parents}
        return {path for path, target in self._globs if any(fnmatchcase(up, target) for up in above)}

    @cached_property
    def _globs(self) -> set[tuple[str, str]]:
        """Each file with a `path:` that has a `*`, and that path and the folder above it."""
        matches = ((path, match[1].lstrip("./")) for path, line in self._with("*") for match in _GLOB.finditer(line))
        return {(path, glob) for path, whole in matches for glob in (whole, posixpath.dirname(whole)) if glob}

    def _below(self, start: str, needle: str) -> Iterator[tuple[str, str]]:
        """The lines with a text in files whose paths begin so, found by whichever of the two is rarer."""
        if self._text.count(f"\n{start}") >= self._text.count(needle):
            yield from ((path, line) for path, line in self._with(needle) if path.startswith(start))
            return
        at = self._text.find(f"\n{start}")
        while at >= 0:
            end = self._text.find("\n", at + 1)
            path, _, line = self._text[at + 1 : end].partition("\0")
            if needle in line:
                yield path, line
            at = self._text.find(f"\n{start}", end)

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


def _is_kustomization(path: str) -> bool:
    return path.rpartition("/")[2] in KUSTOMIZATIONS


def _leads_to(target: str, path: str, line: str) -> bool:
    folder = posixpath.dirname(path)
    return any(posixpath.normpath(posixpath.join(folder, entry)) == target for entry in _PATH.findall(line))
