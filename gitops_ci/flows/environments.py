"""Environments: which files, which branch and which way of publishing a name like `staging` stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal, NamedTuple

from gitops_ci.errors import UsageError
from gitops_ci.text import did_you_mean, nearest
from gitops_ci.windows import Windows

__all__ = ["Environment", "Mode", "Soak", "by_convention", "in_order", "named", "protected_seconds", "require_one"]

Mode = Literal["pull-request", "push", "dry-run"]


class Soak(NamedTuple):
    """How long a version stays in the environments before. With `protect` they take no newer one meanwhile."""

    seconds: int = 0
    protect: bool = False


class Environment(NamedTuple):
    """One entry of `environments:`; None and empty mean "not said here". `paths` are globs from the root.

    `soak` is how long a version stays in the environments of `promote_from` first, `require_status` are globs of commit
    statuses there. `config_repo` is the repository of an environment that has one of its own.
    """

    name: str
    paths: tuple[str, ...] = ()
    base: str | None = None
    mode: Mode | None = None
    promote_from: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    title: str | None = None
    merge: Literal["when-green"] | None = None
    promote: Literal["auto", "manual"] | None = None
    soak: Soak = Soak()
    require_status: tuple[str, ...] = ()
    windows: Windows = Windows()
    config_repo: str | None = None


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
    near = nearest(name, known)
    raise UsageError(
        f"There is no environment '{name}'{f': did you mean {near!r}?' if near else ''}",
        hint=f"Known environments: {', '.join(known)}.",
    )


def protected_seconds(name: str, layout: Iterable[Environment]) -> int:
    """How long the environments after this one let a version soak here, and protect it; 0 where none does."""
    return max((one.soak.seconds for one in layout if one.soak.protect and name in one.promote_from), default=0)


def in_order(layout: Mapping[str, Environment]) -> list[Environment]:
    """The environments in the order of promotion, else as they are written.

    Raises:
        UsageError: one promotes from itself, over others or not, or from one that does not exist.
    """
    ordered: dict[str, Environment] = {}

    def add(name: str, on_the_way: tuple[str, ...]) -> None:
        if name in on_the_way:
            circle = " <- ".join((*on_the_way[on_the_way.index(name) :], name))
            raise UsageError(f"promote-from forms a cycle: {circle}", hint="Remove one of them.")
        for source in layout[name].promote_from:
            if source not in layout:
                raise UsageError(
                    f"environments.{name}.promote-from is '{source}', which is not defined",
                    hint=f"{did_you_mean(source, layout)} Known environments: {', '.join(sorted(layout))}.".lstrip(),
                )
            if source not in ordered:
                add(source, (*on_the_way, name))
        ordered[name] = layout[name]

    for name in layout:
        if name not in ordered:
            add(name, ())
    return list(ordered.values())


def by_convention(name: str) -> Callable[[str], bool]:
    """A test for the paths that bear a name, for where no `environments:` say what it means.

    `staging` is `overlays/staging/…`, `values-staging.yaml`, `staging.yaml`.
    """
    bears = re.compile(rf"(?:^|[/._-]){re.escape(name)}(?:[/._-]|$)")
    return lambda path: bears.search(path) is not None


def require_one(name: str | None, known: Collection[str]) -> None:
    """Raises UsageError where no environment is named and there are some."""
    if name is None and known:
        raise UsageError("No environment is given", hint=f"--environment NAME, one of: {', '.join(known)}.")
