"""Globs over the files of a config repository: which of them a run is about."""

from __future__ import annotations

import re
from collections.abc import Callable

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.known_files import OWN_FOLDER
from gitops_ci.lazy import lazy_pattern

__all__ = ["Paths", "is_manifest"]

_OUTSIDE = lazy_pattern(r"^/|(?:^|/)\.\.(?:/|$)|\\|\0|(?:^|/)\.git(?:/|$)", re.IGNORECASE)


_MANIFESTS = (".yaml", ".yml", ".json")
_ALSO = frozenset({"Kustomization"})


def is_manifest(path: str) -> bool:
    """Whether a file's name says that it is a manifest: what is read below a folder."""
    name = path.rpartition("/")[2]
    return name.endswith(_MANIFESTS) or name in _ALSO


@dataclass(frozen=True, slots=True)
class Paths:
    """A selection of files by globs: `*` and `?` stay within a folder, `**` crosses folders, a folder means all below.

    No glob selects everything; `exclude` takes away. `bears` is a further condition on the whole path.

    Raises:
        UsageError: a glob leaves the config repository, or leads into git's own folder: it could never match.
    """

    globs: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    bears: Callable[[str], bool] | None = None

    def __post_init__(self) -> None:
        for glob in (*self.globs, *self.exclude):
            if _OUTSIDE.search(glob):
                raise UsageError(
                    f"{glob!r} is not a path inside the config repository",
                    hint="Give it from the repository's root, with / between folders: apps/*/overlays/staging/**",
                )

    def matches(self, path: str) -> bool:
        if path.startswith(OWN_FOLDER):
            return False
        if self.globs and not any(_matches(glob, path) for glob in self.globs):
            return False
        if self.exclude and any(_matches(glob, path) for glob in self.exclude):
            return False
        return self.bears is None or self.bears(path)

    def may_hold(self, folder: str) -> bool:
        """Whether a path below this folder can match: the parts that both have must fit."""
        parts = folder.split("/")
        return not self.globs or any(_fits(_parts(glob), parts) for glob in self.globs)

    def wants_all(self, folder: str) -> bool:
        """Whether some glob has only `**`, or nothing, left to say below this folder."""
        parts = folder.split("/") if folder else []
        return not self.globs or any(_leads_everywhere(_parts(glob), parts) for glob in self.globs)

    @property
    def is_narrow(self) -> bool:
        """Whether folders can be left unopened: every glob begins with a folder's name."""
        return bool(self.globs) and all("**" not in _parts(glob)[0] for glob in self.globs)


def _parts(glob: str) -> list[str]:
    return glob.removeprefix("./").rstrip("/").split("/")


def _fits(glob: list[str], folder: list[str]) -> bool:
    for wanted, part in zip(glob, folder, strict=False):
        if "**" in wanted:
            return True
        if not _fits_part(wanted, part):
            return False
    return True


def _leads_everywhere(glob: list[str], folder: list[str]) -> bool:
    if not _fits(glob, folder):
        return False
    rest = glob[len(folder) :]
    return any("**" in part for part in glob[: len(folder) + 1]) or not rest


def _matches(glob: str, path: str) -> bool:
    """Whether a glob stands for a path, or for a folder above it; in time that grows with the product of both."""
    wanted, parts = _parts(glob), path.split("/")
    # `reached` are the numbers of the glob's parts that may be used up before the next part of the path.
    reached = {0}
    for part in parts:
        reached = _across(wanted, reached)
        if len(wanted) in reached:
            return True
        here = {at for at in reached if "**" in wanted[at]}
        reached = here | {at + 1 for at in reached if "**" not in wanted[at] and _fits_part(wanted[at], part)}
    return len(wanted) in _across(wanted, reached)


def _across(wanted: list[str], reached: set[int]) -> set[int]:
    """Also what is reached when `**` stands for no folder at all."""
    beyond = set(reached)
    for at in sorted(reached):
        while at < len(wanted) and "**" in wanted[at]:
            at += 1  # noqa: PLW2901 - walks on from each
            beyond.add(at)
    return beyond


def _fits_part(wanted: str, part: str) -> bool:
    """`*` and `?` within one name: the last star takes one more character when the rest does not fit."""
    at = place = 0
    star = retry = -1
    while place < len(part):
        if at < len(wanted) and wanted[at] == "*":
            star, retry = at, place
            at += 1
        elif at < len(wanted) and wanted[at] in {"?", part[place]}:
            at, place = at + 1, place + 1
        elif star >= 0:
            retry += 1
            at, place = star + 1, retry
        else:
            return False
    return all(rest == "*" for rest in wanted[at:])
