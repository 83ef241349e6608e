"""What is compared of a chart that cannot be rendered here: its description, and those of its values that differ.

Most often it depends on charts of a registry. Their versions and values are what a change of it is about.
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


def inputs_of(found: Found | None, tree: SourceTree, differing: Collection[str]) -> list[Side]:
    """The side of a chart's inputs, as one object `Chart`; none for what is no chart."""
    if found is None or not tree.is_file(join(found.unit.source, CHART)):
        return []
    folder = found.unit.source
    chart = _value(join(folder, CHART), tree)
    about = {key: one for key, one in (chart or {}).items() if key not in {"apiVersion", "kind", "metadata"}}
    values = dict(_values(found, folder, tree, differing))
    made = {"apiVersion": "v2", "kind": "Chart", "metadata": {"name": folder}, **about}
    return [Side(found.unit.id, [made | ({"values": values} if values else {})])]


def _values(found: Found, folder: str, tree: SourceTree, differing: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Each file of values that differs, by its path from the chart."""
    for path in sorted((found.closure.files | found.closure.parts) & frozenset(differing)):
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
