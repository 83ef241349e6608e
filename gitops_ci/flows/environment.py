"""Environments: which files, which branch and which way of publishing a name like `staging` stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from gitops_ci.errors import UsageError

__all__ = ["Environment", "Mode", "Paths", "by_convention", "named"]

Mode = Literal["pull-request", "push", "dry-run"]


@dataclass(frozen=True, slots=True)
class Environment:
    """One entry of `environments:`; None and empty mean "not said here". `paths` are globs from the root."""

    name: str
    paths: tuple[str, ...] = ()
    base: str | None = None
    mode: Mode | None = None
    promote_from: str | None = None
    reviewers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    title: str | None = None
    merge: Literal["when-green"] | None = None


def named(name: str, *layouts: Mapping[str, Environment]) -> Environment | None:
    """The environment of this name from the first layout that has it; None when no layout defines any.

    Raises:
        UsageError: environments are defined, this one is not among them; the message lists them.
    """
    for layout in layouts:
        if name in layout:
            return layout[name]
    known = sorted({known for layout in layouts for known in layout})
    if not known:
        return None
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"There is no environment '{name}'{f': did you mean {near[0]!r}?' if near else ''}",
        hint=f"Known environments: {', '.join(known)}.",
    )


@dataclass(frozen=True, slots=True)
class Paths:
    """A selection of files by globs: `*` and `?` stay within a folder, `**` crosses folders, a folder means all below.

    No glob selects everything; `exclude` takes away. `bears` is a further condition on the whole path.
    """

    globs: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    bears: Callable[[str], bool] | None = None

    def matches(self, path: str) -> bool:
        if self.globs and not any(_pattern(glob).fullmatch(path) for glob in self.globs):
            return False
        if any(_pattern(glob).fullmatch(path) for glob in self.exclude):
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


def by_convention(name: str) -> Callable[[str], bool]:
    """A test for the paths that bear a name, for where no `environments:` say what it means.

    `staging` is `overlays/staging/…`, `values-staging.yaml`, `staging.yaml`.
    """
    bears = re.compile(rf"(?:^|[/._-]){re.escape(name)}(?:[/._-]|$)")
    return lambda path: bears.search(path) is not None


def _parts(glob: str) -> list[str]:
    return glob.removeprefix("./").rstrip("/").split("/")


def _fits(glob: list[str], folder: list[str]) -> bool:
    for wanted, part in zip(glob, folder, strict=False):
        if "**" in wanted:
            return True
        if not _pattern(wanted).fullmatch(part):
            return False
    return True


def _leads_everywhere(glob: list[str], folder: list[str]) -> bool:
    if not _fits(glob, folder):
        return False
    rest = glob[len(folder) :]
    return any("**" in part for part in glob[: len(folder) + 1]) or not rest


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./").rstrip("/"))
    spelled = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(spelled.get(part) or re.escape(part) for part in parts) + r"(?:/.*)?", re.DOTALL)
