"""Options of a pull request that a run without one would drop in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli.registry_options import is_given

if TYPE_CHECKING:
    from gitops_ci.model import Log

__all__ = ["warn_of_ignored"]

_OF_PULL_REQUESTS = (
    "title",
    "body",
    "branch",
    "fork",
    "label",
    "reviewer",
    "assignee",
    "milestone",
    "draft",
    "merge",
    "reopen",
)


def warn_of_ignored(ctx: click.Context, options: Mapping[str, Any], log: Log) -> None:
    """Warn of options of this run, not of the file, that are about pull requests where none is opened."""
    if options["mode"] != "push":
        return
    with ctx:
        given = [f"--{name}" for name in _OF_PULL_REQUESTS if name in ctx.params and options[name] and is_given(name)]
    if given:
        log.warn(f"{', '.join(given)} has no effect with --mode push: there is no pull request")
