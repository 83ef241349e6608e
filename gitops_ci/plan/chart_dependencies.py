"""Charts that depend on charts of the same repository: the values of these lie under a key of the parent's values.

Source: helm.sh/docs/topics/charts, "Chart Dependencies": `alias` replaces `name`; `file://` counts from the chart, and
what lies in `charts/` is used without an entry, too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from gitops_ci import known_files
from gitops_ci.dataclass import dataclass
from gitops_ci.formats import ManifestText
from gitops_ci.yamltext import MappingNode, SequenceNode

__all__ = ["ChartDependency", "find"]

_LISTED_IN = frozenset({known_files.CHART, "requirements.yaml"})


@dataclass(frozen=True, slots=True)
class ChartDependency:
    """The folders of a chart and of its parent, and the keys under which the parent's values set its values."""

    folder: str
    keys: tuple[str, ...]
    parent: str


def find(source: ManifestText) -> Iterator[ChartDependency]:
    """The dependencies of a chart that may lie in the repository, and the chart in whose `charts/` it lies itself."""
    parent, _, name = source.path.rpartition("/")
    above, _, own = parent.rpartition("/")
    if name == known_files.CHART and posixpath.basename(above) == "charts":
        yield ChartDependency(parent, (own,), posixpath.dirname(above))
    if name not in _LISTED_IN or "dependencies" not in source.text:
        return
    for root in source.documents:
        listed = root.get("dependencies") if isinstance(root, MappingNode) else None
        for item in listed.items if isinstance(listed, SequenceNode) else ():
            if isinstance(item, MappingNode) and item.text("name"):
                keys = (item.text("alias") or item.text("name"),)
                yield ChartDependency(posixpath.join(parent, "charts", item.text("name")), keys, parent)
                if item.text("repository").startswith("file://"):
                    path = item.text("repository").removeprefix("file://")
                    yield ChartDependency(posixpath.normpath(posixpath.join(parent, path)), keys, parent)
