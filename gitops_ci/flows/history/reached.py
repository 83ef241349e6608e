"""The units of one commit that are made of an environment's files, rendered."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from gitops_ci.flows.diff.half import Half, Trouble
from gitops_ci.flows.diff.output import output_of
from gitops_ci.flows.diff.scope import Scope
from gitops_ci.model import Log
from gitops_ci.rendering.deployment import Output
from gitops_ci.rendering.discovery import Found

__all__ = ["render_reached"]

_WORKERS = 4


def render_reached(half: Half, paths: Collection[str], others: Collection[str], log: Log) -> None:
    """Fill the half with the outputs of the units that are made of some of `paths` and of none of `others`.

    What has files of both environments is the same for both. What stands in a unit's output and has no files of either
    belongs to where that unit does.
    """
    _Run(half, frozenset(paths), frozenset(others), log).everything()


class _Run:
    def __init__(self, half: Half, paths: frozenset[str], others: frozenset[str], log: Log) -> None:
        self._half = half
        self._paths = paths
        self._others = others
        self._log = log

    def everything(self) -> None:
        deployment = self._half.deployment
        batch = deployment.start()
        scope = Scope([self._half], self._paths, lambda name: self._is_reached(deployment.units[name]))
        while batch:
            batch = self._round(batch, scope) or deployment.remaining()

    def _round(self, batch: Iterable[Found], scope: Scope) -> list[Found]:
        deployment, follow, tasks = self._half.deployment, list[Found](), list[Found]()
        for found in batch:
            if self._is_reached(found) or scope.may_lead(self._half, found):
                tasks.append(found)
            else:
                deployment.follow(found, Output(""))
        with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
            made = list(pool.map(lambda one: output_of(self._half, one, lambda _: self._half.settings), tasks))
        for found, output in zip(tasks, made, strict=True):
            self._keep(found, output)
            if isinstance(output, Output):
                follow += deployment.follow(found, output)
        return follow

    def _keep(self, found: Found, output: Output | Trouble) -> None:
        if not self._is_reached(found):
            return
        if isinstance(output, Trouble):
            self._half.troubles[found.unit.id] = output
        else:
            self._half.outputs[found.unit.id] = output
            self._log.detail(f"rendered {found.unit.id}")

    def _is_reached(self, found: Found) -> bool:
        """Whether a unit is of this environment, and not of the other.

        A chart's folder may have the values of both: what the unit is written in decides then, or which it names.
        """
        unit, closure = found.unit, found.closure
        # What is written nowhere in Git has the path of what it stands in.
        is_made = bool(found.within) and unit.path == self._half.units[found.within].unit.path
        written = () if is_made else (unit.path,)
        used = {*written, *closure.files, *closure.parts, *closure.copies.values()}
        if self._paths.isdisjoint(used) and self._others.isdisjoint(used) and found.within:
            return self._is_reached(self._half.units[found.within])
        text = f"{unit.value} {unit.values}"
        for files in (used, written, {path for path in used if posixpath.basename(path) in text}):
            own, other = (not paths.isdisjoint(files) for paths in (self._paths, self._others))
            if own != other:
                return own
        return False
