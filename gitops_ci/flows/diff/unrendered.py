"""What is compared of a unit that cannot be rendered here, or not wholly: what its chart is installed with.

Most often the chart is in a registry. Its version and its values are what a change of the unit is about. A HelmRelease
or an Application has both in its own object; a bundle, a kustomization and a chart around other charts have them in
files.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from gitops_ci.comparing import Side
from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.discovery import Found
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["inputs_of"]

_NO_VALUES = ("templates/", "crds/", "charts/", "ci/")
_OF_CHARTS = frozenset({"helmcharts", "helmglobals", "helmchartinflationgenerator"})


def inputs_of(found: Found | None, tree: SourceTree, differing: Collection[str], *, is_in_part: bool) -> list[Side]:
    """The side of a unit's inputs; `is_in_part` says that the rest of it is rendered."""
    if found is None:
        return []
    made = list(_objects(found, tree, is_in_part=is_in_part))
    values = dict(_values(found, tree, differing, is_in_part=is_in_part))
    if values and not made:
        made = [_object("v2", "Values", found.unit.id.partition(":")[2])]
    if values:
        made[0]["values"] = values
    return [Side(found.unit.id, made)] if made else []


def _object(version: str, kind: str, name: str, /, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def _objects(found: Found, tree: SourceTree, *, is_in_part: bool) -> Iterator[dict[str, Any]]:
    folder = found.unit.source
    if _is_chart(found, tree) and not is_in_part:
        chart = _value(join(folder, CHART), tree) or {}
        about = {key: one for key, one in chart.items() if key not in {"apiVersion", "kind", "metadata"}}
        yield _object("v2", "Chart", folder, **about)
    elif found.unit.kind == "fleet" and found.closure.remote and not is_in_part:
        yield _object("fleet.cattle.io/v1alpha1", "Bundle", folder, helm=found.unit.value["helm"])
    for path in sorted(found.closure.inflating):
        said = _value(path, tree) or {}
        charts = {key: one for key, one in said.items() if key.lower() in _OF_CHARTS}
        yield _object("kustomize.config.k8s.io/v1beta1", "Kustomization", posixpath.dirname(path) or ".", **charts)


def _is_chart(found: Found, tree: SourceTree) -> bool:
    return tree.is_file(join(found.unit.source, CHART))


def _values(
    found: Found, tree: SourceTree, differing: Collection[str], *, is_in_part: bool
) -> Iterator[tuple[str, Any]]:
    """Each file of values that differs, by its path; that of a chart from its folder."""
    closure, folder = found.closure, "."
    files = set(closure.inputs)
    if _is_chart(found, tree) and not is_in_part:
        folder = found.unit.source
        files |= closure.files | closure.parts
    for path in sorted(files & frozenset(differing)):
        name = posixpath.relpath(path, folder)
        is_other = name.startswith(_NO_VALUES) or posixpath.basename(name) in {CHART, "requirements.yaml"}
        if path.endswith((".yaml", ".yml")) and not is_other and (value := _value(path, tree)) is not None:
            yield name, value


def _value(path: str, tree: SourceTree) -> Mapping[str, Any] | None:
    try:
        documents = tree.documents(path)
    except YamlError:
        return None
    return documents[0].value if documents else None
