"""Charts by themselves: rendered with values given for them, else with their `ci/` values, else alone.

Source: helm.sh/docs/topics/charts; github.com/helm/chart-testing (ci/*-values.yaml).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART, chart_value, collect_chart
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Recipe, Repository
from gitops_ci.rendering.documents import Document, text_of
from gitops_ci.rendering.helm_command import Installation
from gitops_ci.yamltext import YamlError

__all__ = ["closure", "describe", "recipe"]

_RELEASE = "release-name"
_CI_VALUES = re.compile(r"[^/]+-values\.ya?ml")


def describe(files: Sequence[str], documents: Sequence[Document], repository: Repository) -> Iterable[DeploymentUnit]:
    """Each chart, once for each file of values that it is tested with."""
    del documents
    tree = repository.tree
    for path in files:
        if posixpath.basename(path) != CHART:
            continue
        folder = posixpath.dirname(path) or "."
        name = f"chart:{folder}"
        if given := tuple(repository.values.get(folder, ())):
            yield DeploymentUnit(name, "chart", path, source=folder, values=given, is_assumed=True)
            continue
        tested = [one for one in tree.below(join(folder, "ci")) if _CI_VALUES.fullmatch(posixpath.basename(one))]
        for values in tested:
            told = posixpath.relpath(values, folder)
            yield DeploymentUnit(f"{name}#{told}", "chart", path, source=folder, values=(values,), is_assumed=True)
        if not tested:
            yield DeploymentUnit(name, "chart", path, source=folder, is_assumed=True)


def closure(unit: DeploymentUnit, repository: Repository) -> Closure:
    """Everything in its folder, and the charts that it depends on."""
    made = Closure()
    tree = repository.tree
    collect_chart(unit.source, tree, made)
    for path in unit.values:
        if not tree.is_file(path):
            made.error = f"there is no values file '{path}'"
        else:
            made.files.add(tree.resolve(path) or path)
    prefix = "" if unit.source == "." else f"{unit.source}/"
    made.parts |= {path for path in made.files if not path.startswith(f"{prefix}crds/")}
    if made.error or made.refused:
        return made
    try:
        is_library = text_of(chart_value(unit.source, tree).get("type")) == "library"
    except YamlError:
        return made
    if is_library:
        made.skip, made.is_only_a_part = "a library chart renders nothing by itself", True
    elif made.remote:
        made.skip = f"it needs {', '.join(made.remote)}"
        made.remedy = "Use --allow-remote to fetch it, or copy it into charts/."
    return made


def recipe(unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    """Template it under a name that stands for any."""
    made = Installation(unit.source, _RELEASE, kubernetes_version=repository.kubernetes_version)
    for path in unit.values:
        made.add_values_file(path)
    return Recipe(
        frozenset(closure.files), closure.copies | made.copies, dict(closure.links), made.written, (made.step(),)
    )
