"""Charts in the repository that a kustomization inflates. A chart that would have to be fetched is left out.

Source: sigs.k8s.io/kustomize/api 0.21 (builtins/HelmChartInflationGenerator.go, types/helmchartargs.go). Kustomize
starts helm with names of the kustomization as they are; here helm comes first, and kustomize reads what it printed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART, collect_chart
from gitops_ci.rendering.deployment import CHART_OUTPUT, Closure
from gitops_ci.rendering.documents import items, load_any, text_of
from gitops_ci.rendering.helm_command import Installation
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["ChartLeftOut", "inflation"]

_HOME = "charts"
# A release without a name gets a random one.
_RELEASE = "release-name"


class ChartLeftOut(Exception):
    """The chart is not here, with the reason. `values` are files of the repository for it."""

    def __init__(self, reason: str, values: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.values = values


def inflation(
    chart: Mapping[str, Any], globals_: Mapping[str, Any], folder: str, number: int, tree: SourceTree
) -> tuple[Closure, str]:
    """What one entry of `helmCharts` needs and runs, and the file in the folder that it makes.

    Names of fields are in lower case.

    Raises:
        ChartLeftOut: it would have to be fetched, or it has values that nobody can know.
    """
    made = Closure()
    name = text_of(chart.get("name"))
    place = _place(chart, globals_, folder)
    files = [path for path in _values_files(chart, folder) if tree.is_file(path)]
    values = [tree.resolve(path) or path for path in files]
    if not name or tree.leads_out(place):
        made.refuse(f"the chart '{name}' leads out of the repository")
        return made, ""
    if not tree.is_file(join(place, CHART)):
        if not text_of(chart.get("repo")):
            made.error = f"there is no chart in '{place}', and 'helmCharts' names no repo to fetch it from"
            return made, ""
        raise ChartLeftOut(
            f"the chart {name} {text_of(chart.get('version'))}".rstrip() + f" of {chart['repo']}", values
        )
    collect_chart(tree.resolve(place) or place, tree, made)
    made.parts |= made.files
    if made.remote:
        raise ChartLeftOut(f"the chart {name}, which needs {', '.join(made.remote)}", values)
    if text_of(chart.get("nametemplate")):
        raise ChartLeftOut(f"the chart {name}, whose release is named by a template", values)
    installed = _installation(chart, tree.resolve(place) or place, folder, number)
    _add_values(chart, installed, folder, tree, made)
    output = f"{CHART_OUTPUT}{number}.yaml"
    made.copies |= installed.copies
    made.written |= installed.written
    made.steps.append(installed.step(_below(folder, output)))
    return made, output


def _place(chart: Mapping[str, Any], globals_: Mapping[str, Any], folder: str) -> str:
    """The folder of the chart: one that kustomize fetched has its version in its path."""
    name, version = text_of(chart.get("name")), text_of(chart.get("version"))
    home = _below(folder, text_of(globals_.get("charthome")) or _HOME)
    if version and text_of(chart.get("repo")):
        home = posixpath.join(home, f"{name}-{version}")
    return posixpath.join(home, name)


def _installation(chart: Mapping[str, Any], place: str, folder: str, number: int) -> Installation:
    made = Installation(place, text_of(chart.get("releasename")) or _RELEASE, text_of(chart.get("namespace")))
    made.label = f"{folder}/{number}-"
    made.kubernetes_version = text_of(chart.get("kubeversion"))
    made.api_versions = tuple(text_of(one) for one in items(chart, "apiversions"))
    made.include_crds = chart.get("includecrds") is True
    made.skip_tests = chart.get("skiptests") is True
    if chart.get("skiphooks") is True:
        made.options.append("--no-hooks")
    return made


def _add_values(
    chart: Mapping[str, Any], installed: Installation, folder: str, tree: SourceTree, made: Closure
) -> None:
    """The file, the values on the spot over it or below it, then the further files."""
    named = text_of(chart.get("valuesfile"))
    listed = _values_files(chart, folder)
    file = listed[0] if named else join(installed.chart, "values.yaml")
    inline = chart.get("valuesinline")
    if isinstance(inline, dict) and inline:
        way = text_of(chart.get("valuesmerge")) or "override"
        own = _values_of(file, tree) if way in {"override", "merge"} else {}
        made_of = {"override": (own, inline), "merge": (inline, own)}.get(way)
        installed.add_values(_over(*made_of) if made_of else inline)
    elif named:
        installed.add_values_file(file)
    for path in listed[1:] if named else listed:
        installed.add_values_file(path)
    for path in listed:
        if tree.leads_out(path):
            made.refuse(f"the values file '{path}' leads out of the repository")
        elif not tree.is_file(path):
            made.error = made.error or f"there is no values file '{path}'"
        else:
            made.files.add(tree.resolve(path) or path)
            made.parts.add(tree.resolve(path) or path)


def _values_files(chart: Mapping[str, Any], folder: str) -> list[str]:
    named = [one] if (one := text_of(chart.get("valuesfile"))) else []
    return [_below(folder, path) for path in (*named, *map(text_of, items(chart, "additionalvaluesfiles")))]


def _values_of(path: str, tree: SourceTree) -> dict[str, Any]:
    try:
        found = load_any((tree.text(path) if tree.is_file(path) else None) or "")
    except YamlError:
        return {}
    return found if isinstance(found, dict) else {}


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Values over others as kustomize merges them (kyaml merge2): a null takes away, and does not stay for helm."""
    made = dict(below)
    for key, value in above.items():
        old = made.pop(key, None)
        if isinstance(value, dict):
            made[key] = _over(old if isinstance(old, dict) else {}, value)
        elif value is not None:
            made[key] = value
    return made


def _below(folder: str, path: str) -> str:
    return posixpath.join("" if folder == "." else folder, path)
