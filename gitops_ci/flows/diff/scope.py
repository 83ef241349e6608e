"""Units to render although the change does not affect them, because their output contains other units.

What a unit holds is the same on both sides then; it matters only where one of those is reached. Units that are written
in Git are known without rendering. So a kustomization is left out where none of the units in its files is reached,
unless a patch may send one of them to a folder that the change touches. What a template writes is known only when it is
rendered.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from gitops_ci.flows.diff.half import Half
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.discovery import Found
from gitops_ci.rendering.documents import dig
from gitops_ci.rendering.kustomization_files import NAMES

__all__ = ["Scope"]

_VARIABLE = re.compile(r"\$\{|\{\{")
# What an edit sets a path to: a line of a strategic merge patch, or the value of a JSON patch.
_SETS = re.compile(r"[\"']?\b(?P<key>path|chart|value)[\"']?: *[\"']?(?P<to>[^\s\"',}]+)")


class Scope:
    """What is known before anything is rendered. `is_reached` decides by a unit's id."""

    def __init__(self, halves: Sequence[Half], differing: Iterable[str], is_reached: Callable[[str], bool]) -> None:
        known = {name for half in halves for name in half.units}
        # What a variable fills in is known once the unit above is rendered.
        reached = {name for name in known if is_reached(name) or any(_is_open(half, name) for half in halves)}
        chain = {name for half in halves for one in reached for name in _holders(half, one)}
        self._leading = {half.units[name].unit.path for half in halves for name in chain if name in half.units}
        self._touched = {folder for path in differing for folder in _folders(path)}

    def may_lead(self, half: Half, found: Found) -> bool:
        """Whether a unit that the change does not reach may hold one that it reaches."""
        if not half.deployment.may_hold(found):
            return False
        if found.unit.kind == "applicationset" or not self._leading.isdisjoint(found.closure.files):
            return True
        if any(posixpath.basename(path) == CHART for path in found.closure.files) or _has_charts(half, found):
            return True
        return any(self._may_send(text) for text in _edits(half, found))

    def _may_send(self, text: str) -> bool:
        """Whether an edit names a folder that the change touches, or one that is filled in later."""
        return any(
            (found["key"] != "value" and _VARIABLE.search(found["to"]))
            or posixpath.normpath(found["to"]) in self._touched
            for found in _SETS.finditer(text)
        )


def _is_open(half: Half, name: str) -> bool:
    return name in half.units and _VARIABLE.search(half.units[name].unit.source) is not None


def _holders(half: Half, name: str) -> set[str]:
    return half.deployment.holders(name) if name in half.units else set()


def _has_charts(half: Half, found: Found) -> bool:
    """Whether a kustomization inflates charts: what they hold is not written in Git."""
    return any("helmCharts" in text for text in _kustomizations(half, found))


def _kustomizations(half: Half, found: Found) -> Iterator[str]:
    for path in found.closure.files:
        if posixpath.basename(path) in NAMES:
            yield half.tree.text(path) or ""


def _edits(half: Half, found: Found) -> Iterator[str]:
    """Patches: files, those inside of kustomizations, and those of the operator's object."""
    yield from (half.tree.text(path) or "" for path in found.closure.parts)
    yield from (text for text in _kustomizations(half, found) if "patch" in text)
    if patches := dig(found.unit.value, "spec", "patches"):
        yield json.dumps(patches).replace("\\n", "\n")


def _folders(path: str) -> Iterator[str]:
    """The folders that a file is in, the nearest first, and the root."""
    folder = posixpath.dirname(path)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield "."
