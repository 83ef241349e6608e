"""Which files of values a chart is installed with, as the objects that install it say.

Sources: argo-cd.readthedocs.io/en/stable/user-guide/helm (`path`, `valueFiles`, `$ref/…` of multi-source Applications);
fluxcd.io/flux/components/helm/helmreleases (`spec.chart.spec`, `valuesFiles`); fleet.rancher.io/ref-fleet-yaml
(`helm.chart`, `helm.valuesFiles`); kubectl.docs.kubernetes.io/references/kustomize/builtins (`helmCharts`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_ci import known_files
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import object_of, walk
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode, YamlError

__all__ = ["ChartInstallation", "find_installations"]

_WORDS = ("valueFiles", "valuesFile", "helmCharts", "chart:", "path:")


@dataclass(frozen=True, slots=True)
class ChartInstallation:
    """One installation: the layer of the values that its object holds, and the files below them, the lowest first."""

    layer: str
    files: tuple[str, ...]


def find_installations(source: ManifestText) -> Iterator[ChartInstallation]:
    """Every installation that a file describes; paths count from the repository's root."""
    if not source.is_yaml or not any(word in source.text for word in _WORDS):
        return
    try:
        documents = source.yaml.documents
    except YamlError:
        return
    for root in documents:
        if isinstance(root, MappingNode):
            yield from _of(source.path, root)


def _of(path: str, root: MappingNode) -> Iterator[ChartInstallation]:
    folder, _, name = path.rpartition("/")
    what = object_of(root)
    if what and what.group == "argoproj.io":
        for place in walk(root):
            if isinstance(place.node, MappingNode) and (
                place.key == "source" or (place.key == "sources" and place.item)
            ):
                yield _use(what.resource, "", place.node.text("path"), _files(place.node.get("helm"), "valueFiles"))
    elif what and what.group == "helm.toolkit.fluxcd.io":
        spec = _at(root, "spec", "chart", "spec")
        if spec and "/" in spec.text("chart"):
            files = [f"/{file}" for file in _files(spec, "valuesFiles")]
            yield _use(what.resource, "", spec.text("chart"), files)
    elif name in known_files.FLEET and what is None:
        customized = root.get("targetCustomizations")
        customizations = customized.items if isinstance(customized, SequenceNode) else []
        for bundle in (root, *customizations):
            helm = bundle.get("helm") if isinstance(bundle, MappingNode) else None
            chart = _at(root, "helm")
            files = [f"/{posixpath.join(folder, file)}" for file in _files(helm, "valuesFiles")]
            yield _use(f"Fleet/{folder or '.'}", folder, chart.text("chart") if chart else "", files)
    elif name in known_files.KUSTOMIZATIONS:
        yield from _kustomized(folder, root)


def _kustomized(folder: str, root: MappingNode) -> Iterator[ChartInstallation]:
    common = _at(root, "helmGlobals")
    home = (common.text("chartHome") if common else "") or "charts"
    listed = root.get("helmCharts")
    for chart in listed.items if isinstance(listed, SequenceNode) else ():
        if isinstance(chart, MappingNode):
            own = [chart.text("valuesFile"), *_files(chart, "additionalValuesFiles")]
            files = [f"/{posixpath.join(folder, file)}" for file in own if file]
            yield _use("", folder, posixpath.join(home, chart.text("name")), files)


def _use(layer: str, folder: str, chart: str, files: list[str]) -> ChartInstallation:
    """Files that begin with `/` count from the root, others from the chart, as those of Argo CD do."""
    base = posixpath.join(folder, chart) if chart else folder
    found = [posixpath.join(base, "values.yaml")] if chart else []
    # `$values/envs/prod.yaml`: a repository by name, most often this one.
    found += [file.partition("/")[2] if file.startswith(("$", "/")) else posixpath.join(base, file) for file in files]
    plain = (posixpath.normpath(file) for file in found if "{{" not in file and "://" not in file)
    return ChartInstallation(layer, tuple(file for file in plain if not file.startswith("..")))


def _files(node: Node | None, key: str) -> list[str]:
    listed = node.get(key) if isinstance(node, MappingNode) else None
    return (
        [item.value for item in listed.items if isinstance(item, ScalarNode)]
        if isinstance(listed, SequenceNode)
        else []
    )


def _at(node: MappingNode, *keys: str) -> MappingNode | None:
    for key in keys:
        below = node.get(key)
        if not isinstance(below, MappingNode):
            return None
        node = below
    return node
