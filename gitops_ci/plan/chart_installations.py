"""Which files of values a chart is installed with, as the objects that install it say.

Sources: argo-cd.readthedocs.io/en/stable/user-guide/helm (`path`, `valueFiles`, `$ref/…` of multi-source Applications);
fluxcd.io/flux/components/helm/helmreleases (`spec.chart.spec`, `valuesFiles`); fleet.rancher.io/ref-fleet-yaml
(`helm.chart`, `helm.valuesFiles`); kubectl.docs.kubernetes.io/references/kustomize/builtins (`helmCharts`);
helmfile.readthedocs.io, "Configuration" (`releases` with `chart`, `values`, `set`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from gitops_ci import known_files
from gitops_ci.dataclass import dataclass
from gitops_ci.formats import fleet
from gitops_ci.formats.argocd import override_of
from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import object_of, walk
from gitops_ci.plan import generators
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode

__all__ = ["ChartInstallation", "find_installations"]

_WORDS = ("valueFiles", "valuesFile", "valuesFrom", "helmCharts", "chart:", "path:")


@dataclass(frozen=True, slots=True)
class SingleValue:
    """One value of a ConfigMap, which a HelmRelease puts under keys of its own: `valuesKey` and `targetPath`."""

    layer: str
    keys: tuple[str, ...]
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChartInstallation:
    """One installation: the layer of the values that its object holds, and the files below them, the lowest first.

    A part of a file's path that a template fills in is a `*`. `maps` are layers of ConfigMaps that it reads, `values`
    single values from them, `inline` the keys of values in the describing file itself, where that is not an object.
    """

    layer: str
    files: tuple[str, ...]
    maps: tuple[str, ...] = ()
    inline: tuple[tuple[str, ...], ...] = ()
    values: tuple[SingleValue, ...] = ()

    def expanded(self, paths: Collection[str]) -> tuple[str, ...]:
        """The files, each pattern replaced by the `paths` that fit it.

        An object may count from the root of another repository: then the chart lies here under the end of its path.
        """
        files = [file.split("/") for file in self.files]
        most = len(files[0]) - 1 if files and self.files[0] not in paths else 0
        away = next((n for n in range(1, most) if "/".join(files[0][n:]) in paths), 0)
        found: list[str] = []
        for parts in files:
            file = "/".join(parts[away:])
            if "*" in file:
                pattern = re.compile("[^/]*".join(map(re.escape, re.split(r"\*+", file))))
                found += sorted(path for path in paths if pattern.fullmatch(path))
            elif file:
                found.append(file)
        return tuple(found)


def find_installations(source: ManifestText, paths: Collection[str] = ()) -> Iterator[ChartInstallation]:
    """Every installation that a file describes; paths count from the repository's root.

    `paths` are those in which the generators of an ApplicationSet find folders.
    """
    folder, _, name = source.path.rpartition("/")
    if name.startswith(".argocd-source"):
        # Laid over the Application whose chart lies here.
        yield _use(override_of(name), folder, ".", [])
    if not any(word in source.text for word in _WORDS):
        return
    for root in source.documents:
        if isinstance(root, MappingNode):
            yield from _of(source.path, root, paths)


def _of(path: str, root: MappingNode, paths: Collection[str]) -> Iterator[ChartInstallation]:
    folder, _, name = path.rpartition("/")
    what = object_of(root)
    if what and what.group == "argoproj.io":
        yield from _of_argocd(what.resource, root, paths)
    elif what and what.group == "helm.toolkit.fluxcd.io":
        spec = _at(root, "spec", "chart", "spec")
        if spec and "/" in spec.text("chart"):
            files = [f"/{file}" for file in _files(spec, "valuesFiles")]
            yield _use(what.resource, "", spec.text("chart"), files)
        spec = _at(root, "spec")
        maps, values = tuple(_maps(spec)), tuple(_single_values(spec))
        if maps or values:
            yield ChartInstallation(what.resource, (), maps, values=values)
    elif bundle := fleet.bundle_of(path, root):
        customized = root.get("targetCustomizations")
        customizations = customized.items if isinstance(customized, SequenceNode) else []
        chart, common = _at(root, "helm"), _files(root.get("helm"), "valuesFiles")
        for options in (root, *customizations):
            helm = options.get("helm") if isinstance(options, MappingNode) else None
            own = _files(helm, "valuesFiles") if options is not root else []
            files = [f"/{posixpath.join(folder, file)}" for file in (*common, *own)]
            yield _use(bundle, folder, chart.text("chart") if chart else "", files)
    elif name in known_files.KUSTOMIZATIONS:
        yield from _kustomized(folder, root)
    elif what is None and isinstance(releases := root.get("releases"), SequenceNode):
        for number, release in enumerate(releases.items):
            if isinstance(release, MappingNode) and release.text("chart"):
                yield _of_helmfile(folder, release, ("releases", str(number)))


def _of_argocd(resource: str, root: MappingNode, paths: Collection[str]) -> Iterator[ChartInstallation]:
    """The sources of Applications; one of an ApplicationSet is there for each folder that its generators find."""
    for place in walk(root):
        node = place.node
        if not isinstance(node, MappingNode) or not (place.key == "source" or (place.key == "sources" and place.item)):
            continue
        chart, files = node.text("path"), _files(node.get("helm"), "valueFiles")
        is_generated = any("{{" in text for text in (chart, *files))
        for folder in (generators.folders(root, paths) if is_generated else ()) or ("",):
            filled = [generators.filled_in(file, folder) for file in files]
            yield _use(resource, "", generators.filled_in(chart, folder), filled)


def _of_helmfile(folder: str, release: MappingNode, above: tuple[str, ...]) -> ChartInstallation:
    """A release of a Helmfile; its chart lies here where the address begins with a dot."""
    chart, listed = release.text("chart"), release.get("values")
    values = listed.items if isinstance(listed, SequenceNode) else []
    files = [f"/{posixpath.join(folder, item.value)}" for item in values if isinstance(item, ScalarNode)]
    inline = [(*above, "values", str(n)) for n, item in enumerate(values) if isinstance(item, MappingNode)]
    inline += [(*above, key) for key in ("set", "setString")]
    return replace(_use("", folder, chart if chart.startswith(".") else "", files), inline=tuple(inline))


def _kustomized(folder: str, root: MappingNode) -> Iterator[ChartInstallation]:
    common = _at(root, "helmGlobals")
    home = (common.text("chartHome") if common else "") or "charts"
    listed = root.get("helmCharts")
    for number, chart in enumerate(listed.items if isinstance(listed, SequenceNode) else ()):
        if isinstance(chart, MappingNode):
            own = [chart.text("valuesFile"), *_files(chart, "additionalValuesFiles")]
            files = [f"/{posixpath.join(folder, file)}" for file in own if file]
            inline = (("helmCharts", str(number), "valuesInline"),)
            yield replace(_use("", folder, posixpath.join(home, chart.text("name")), files), inline=inline)


def _use(layer: str, folder: str, chart: str, files: list[str]) -> ChartInstallation:
    """Files that begin with `/` count from the root, others from the chart, as those of Argo CD do."""
    base = posixpath.join(folder, chart) if chart else folder
    if "://" in chart:
        # A chart of a registry: its own values are not here.
        chart = ""
    found = [posixpath.join(base, "values.yaml")] if chart else []
    # `$values/envs/prod.yaml`: a repository by name, most often this one.
    found += [file.partition("/")[2] if file.startswith(("$", "/")) else posixpath.join(base, file) for file in files]
    plain = (posixpath.normpath(generators.filled_in(file)) for file in found if "://" not in file)
    return ChartInstallation(layer, tuple(file for file in plain if not file.startswith("..") and file.strip("*/")))


def _maps(spec: MappingNode | None) -> Iterator[str]:
    yield from (f"ConfigMap/{item.text('name')}" for item in _values_from(spec) if not item.text("targetPath"))


def _single_values(spec: MappingNode | None) -> Iterator[SingleValue]:
    for item in _values_from(spec):
        key, path = item.text("valuesKey") or "values.yaml", item.text("targetPath").split(".")
        known, target = image_role_of(key), image_role_of(path[-1])
        if path[-1] and target:
            # A ConfigMap writes the key of a version as values do.
            keys = ((key,), (known[0],)) if known else ((key,),)
            layer = f"ConfigMap/{item.text('name')}"
            yield from (SingleValue(layer, one, (*path[:-1], target[0])) for one in keys)


def _values_from(spec: MappingNode | None) -> Iterator[MappingNode]:
    listed = spec.get("valuesFrom") if spec else None
    for item in listed.items if isinstance(listed, SequenceNode) else ():
        if isinstance(item, MappingNode) and item.text("name"):
            yield item


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
