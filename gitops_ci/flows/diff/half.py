"""One side of a change while it is expanded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.deployment import Output, Recipe
from gitops_ci.rendering.discovery import Deployment, Found
from gitops_ci.rendering.programs import ProgramSettings
from gitops_ci.rendering.tree import SourceTree

__all__ = ["Half", "Trouble"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a unit was not rendered. `is_error`: nobody can render it."""

    reason: str
    remedy: str = ""
    is_error: bool = False


@dataclass(slots=True)
class Half:
    """One side. `outputs` and `troubles` are by unit, as far as the change reaches it, `again` second renderings.

    `omitted` is what units were rendered without, each with its reason.
    """

    deployment: Deployment
    settings: ProgramSettings
    outputs: dict[str, Output] = field(default_factory=dict)
    again: dict[str, Output] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    omitted: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def units(self) -> Mapping[str, Found]:
        return self.deployment.units

    @property
    def tree(self) -> SourceTree:
        return self.deployment.repository.tree
