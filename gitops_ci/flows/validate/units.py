"""The units of a checkout, found without starting a program.

Paths of the repository count from its root, those of a run from the working folder. `Checkout` translates.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from itertools import chain

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.validate.selection import RenderUnit
from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.deployment import USUAL_BRANCHES, Cluster, Repository
from gitops_ci.rendering.discovery import Deployment, Found
from gitops_ci.rendering.general_patches import kinds_patched_in_general
from gitops_ci.rendering.tree import CheckoutFiles, SourceTree

__all__ = ["Checkout", "UnitSettings", "Units", "chart_values", "find_units", "listed_units"]


class Checkout:
    """The folder whose files units may use, seen from the working folder. `names` are files as the run names them."""

    def __init__(self, root: str, names: Iterable[str]) -> None:
        self.root = root
        self._here = os.path.relpath(os.getcwd(), root).replace(os.sep, "/")
        self._is_outside = self._here == ".." or self._here.startswith("../")
        self._names = {self.inside(name): name for name in names}

    def shown(self, path: str) -> str:
        """A path of the checkout as the run names it."""
        if self._here == ".":
            return self._names.get(path, path)
        if self._is_outside:
            return self._names.get(path) or os.path.relpath(os.path.join(self.root, path)).replace(os.sep, "/")
        return self._names.get(path) or os.path.relpath(path, self._here).replace(os.sep, "/")

    def inside(self, path: str) -> str:
        """A path of the run as the checkout has it; what lies outside begins with `..`."""
        if self._is_outside or os.path.isabs(path):
            return os.path.relpath(path, self.root).replace(os.sep, "/")
        return path if self._here == "." else os.path.normpath(f"{self._here}/{path}").replace(os.sep, "/")


@dataclass
class Units:
    """What is deployed from a checkout: `listed` are the units that it describes, for a choice among them."""

    deployment: Deployment
    checkout: Checkout
    first: list[Found]
    listed: list[RenderUnit]

    def holding(self, names: Iterable[str]) -> frozenset[str]:
        """The units that files of the run are in, and those that hold these."""
        paths = {self.checkout.inside(name) for name in names}
        return self.with_holders(
            name
            for name, one in self.deployment.units.items()
            if not paths.isdisjoint({one.unit.path, *one.closure.files, *one.closure.parts})
        )

    def with_holders(self, ids: Iterable[str]) -> frozenset[str]:
        """Units, and all those in whose output they may stand."""
        return frozenset(chain.from_iterable(self.deployment.holders(name) for name in ids))

    @property
    def has_variables(self) -> bool:
        """Whether Flux substitutes variables in what it applies from here."""
        return any(one.unit.kind == "flux-kustomization" for one in self.deployment.units.values())

    @property
    def kustomized(self) -> frozenset[str]:
        """The files that kustomize reads."""
        made = (one for one in self.deployment.units.values() if one.unit.kind == "kustomization")
        return frozenset(self.checkout.shown(path) for one in made for path in one.closure.files)

    @cached_property
    def patched_kinds(self) -> frozenset[str]:
        """The kinds of which something here patches every object."""
        units = (one.unit for one in self.deployment.units.values() if not one.within)
        return kinds_patched_in_general(units, self.deployment.repository.tree)

    def completed_in(self, found: Found) -> frozenset[str]:
        """The kinds of which what would apply a unit patches every object; none where something here applies it."""
        first = found
        while first.within:
            first = self.deployment.units[first.within]
        if first.unit.kind != "kustomization" or kinds_patched_in_general(
            [first.unit], self.deployment.repository.tree
        ):
            return frozenset()
        return self.patched_kinds


@dataclass(frozen=True, slots=True)
class UnitSettings:
    """What units are found and rendered with. Paths are as the run names them.

    `urls` are this repository's addresses, `branches` more names of the one at hand. `values` are files for the charts
    in some folders, `variables` values of Flux variables, `clusters` those of Argo CD. What `is_left_out` describes no
    unit.
    """

    urls: tuple[str, ...] = ()
    branches: frozenset[str] = frozenset()
    kubernetes_version: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    clusters: Sequence[Cluster] | None = None
    is_left_out: Callable[[str], bool] = lambda path: False  # noqa: ARG005


def find_units(checkout: Checkout, settings: UnitSettings) -> Units:
    """Every unit of a checkout, found without starting a program.

    Raises:
        UsageError: values are given for what is not a chart, or their file is not in the checkout.
    """
    tree = SourceTree(CheckoutFiles(checkout.root))
    repository = Repository(
        tree,
        urls=settings.urls,
        branches=USUAL_BRANCHES | settings.branches,
        kubernetes_version=settings.kubernetes_version,
        values=chart_values(settings.values, checkout, tree),
        variables=settings.variables,
        clusters=settings.clusters,
    )
    deployment = Deployment(repository, is_left_out=lambda path: settings.is_left_out(checkout.shown(path)))
    first = deployment.start()
    return Units(deployment, checkout, first, listed_units(deployment, checkout, first))


def listed_units(deployment: Deployment, checkout: Checkout, first: Iterable[Found]) -> list[RenderUnit]:
    """All units for a choice among them; those that are not `first` are parts of others."""
    starting = {one.unit.id for one in first}
    return [_listed(one, checkout, is_inner=name not in starting) for name, one in deployment.units.items()]


def chart_values(given: Mapping[str, Sequence[str]], checkout: Checkout, tree: SourceTree) -> dict[str, Sequence[str]]:
    """Files of values by the folder of their chart, as the checkout has them.

    Raises:
        UsageError: values are given for what is not a chart, or their file is not in the checkout.
    """
    return {
        _chart_folder(chart, checkout, tree): [_values_file(file, checkout, tree) for file in files]
        for chart, files in given.items()
    }


def _chart_folder(chart: str, checkout: Checkout, tree: SourceTree) -> str:
    folder = checkout.inside(os.path.normpath(chart))
    if not tree.is_file(join(folder, CHART)):
        raise UsageError(
            f"There is no chart in {chart}", hint="--values CHART=FILE: CHART is a folder with Chart.yaml."
        )
    return folder


def _values_file(file: str, checkout: Checkout, tree: SourceTree) -> str:
    path = checkout.inside(os.path.normpath(file))
    if not tree.is_file(path):
        hint = "A file of values lies in this repository. Its path counts from the working folder."
        raise UsageError(f"There is no file {file} for --values", hint=hint)
    return path


def _listed(found: Found, checkout: Checkout, *, is_inner: bool) -> RenderUnit:
    unit, closure = found.unit, found.closure
    files = {checkout.shown(path) for path in {unit.path, *closure.files, *closure.parts}}
    return RenderUnit(
        unit.id,
        checkout.shown(unit.path),
        frozenset(checkout.shown(folder) for folder in {*closure.folders, unit.source} if folder),
        frozenset(files),
        frozenset(checkout.shown(path) for path in closure.parts),
        is_inner,
    )
