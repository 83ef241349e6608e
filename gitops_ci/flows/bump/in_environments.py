"""Which environments of the config repository a change is made in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gitops_ci.flows.environments import Environment
from gitops_ci.flows.globs import Paths
from gitops_ci.model import Change

__all__ = ["in_environments"]


def in_environments(
    changes: Iterable[Change], layout: Mapping[str, Environment], base: str, named: str | None
) -> tuple[Change, ...]:
    """The changes with the environments on this branch whose paths they are in; `named` is that of the run."""
    if named:
        return tuple(replace(change, environments=(named,)) for change in changes)
    there = {name: Paths(one.paths) for name, one in layout.items() if one.paths and one.base in {None, base}}
    return tuple(
        replace(change, environments=tuple(name for name, paths in there.items() if paths.matches(change.path)))
        for change in changes
    )
