"""Files that name no image and yet hold its version, or say who does: which ones to read beside those that name it.

A version may stand in values laid over others, in a patch, in the values of a chart that depends on another, in a
chart's Chart.yaml, or behind the marker of a policy. Which files go together is said by the objects that install a
chart, by kustomizations and by charts. Nothing here asks for the image's name in such a file.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath

from gitops_ci import formats, known_files
from gitops_ci.formats import ManifestText, chart_version, flux_policies
from gitops_ci.formats.document import chart_repositories
from gitops_ci.formats.document.nodes import patch_layer
from gitops_ci.formats.document.variables import layer as layer_of_variables
from gitops_ci.paths import folders_above
from gitops_ci.plan import chart_dependencies, chart_installations, chart_locks, kustomizations, replacements, variables
from gitops_ci.plan.chart_installations import ChartInstallation
from gitops_ci.plan.layers import Below, lies_over
from gitops_ci.plan.relation_lines import RelationLines
from gitops_ci.plan.targets import Targets
from gitops_ci.yamltext import YamlError

__all__ = ["RelatedFiles", "layered"]

_VALUES = ("values.yaml", "values.yml")
_CHARTS = frozenset({known_files.CHART, "requirements.yaml"})
_INSTALLERS = frozenset({*known_files.FLEET, *known_files.KUSTOMIZATIONS, "helmfile.yaml", "helmfile.yml"})
_LEVELS = 3  # `kustomization.yaml` beside `charts/shop/values.yaml`
# An object with values, which a patch may be laid over.
_HAS_VALUES = re.compile(r"\b(?:values|valuesObject|valuesInline|valuesContent|valuesFrom|parameters)[\"']?\s*:")
_OBJECT = re.compile(r"^[ \t{\"']*apiVersion[\"']?[ \t]*:", re.MULTILINE)
_CHART = re.compile(r"\bchart[\"']?\s*:")
_K3S = "helm.cattle.io/"
_FLUX = ".toolkit.fluxcd.io"
_REFERS = re.compile(r"\b(?:valueFiles|valuesFiles?|additionalValuesFiles|releases)[\"']?\s*:")


class RelatedFiles:
    """What is known of the repository so far, and what to read next: asked again until nothing new comes.

    `paths` are all files of the repository that may be read, `lines` those that may say what belongs together.
    """

    def __init__(self, paths: Iterable[str], wanted: Targets, lines: RelationLines) -> None:
        self._paths = frozenset(paths)
        self._wanted = wanted
        self._lines = lines
        self._sorted = sorted(self._paths)
        self._sources: list[ManifestText] = []
        # Files that name a wanted image, and values that a chart passes on to such files.
        self._carriers: set[str] = set()
        self._values: set[str] = set()
        self._objects: set[str] = set()
        self._readers: set[str] = set()
        self._variables: set[str] = set()

    def add(self, texts: Iterable[ManifestText]) -> None:
        for text in texts:
            self._sources.append(text)
            if text.is_yaml and self._wanted.mentioned(text.text) and self._wanted.first_line_with_name(text.text):
                self._carriers.add(text.path)
                if variables.reads_variables(text):
                    self._readers.add(text.path)
                    self._variables |= self._versions(text)
                if _holds_values(text.path) or not _OBJECT.search(text.text):
                    self._values.add(text.path)
                elif _HAS_VALUES.search(text.text) or "ConfigMap" in text.text:
                    self._objects.add(text.path)
            if text.is_yaml and self._installs_chart(text):
                self._objects.add(text.path)

    def next(self) -> tuple[set[str], set[str]]:
        """The paths of files which belong to those that are known, and names that others define: any text may."""
        passed_on = self._paths.intersection(self._passed_on())
        self._carriers |= passed_on
        self._values |= passed_on
        found = {*passed_on, *self._companions(), *self._referred()}
        builders = kustomizations.builders({*self._objects, *self._carriers}, self._lines, self._paths)
        found |= builders
        found |= {lock for source in self._sources if (lock := chart_locks.lock_of(source.path))}
        found.update(posixpath.join(posixpath.dirname(path), ".env") for path in self._readers)
        for source in self._sources:
            if source.path in builders or _is_kustomization(source.path):
                found |= kustomizations.used(source)
            found |= self._generated(source)
        found |= replacements.needed(self._sources)
        found |= self._lines.having(self._mentions()) | self._lines.generating_from(self._carriers)
        charts = {posixpath.basename(posixpath.dirname(path)) for path in self._own_values()} - {""}
        found |= {path for path in self._lines.having(charts) if posixpath.basename(path) in _CHARTS}
        # Other images may read the same variable: then it is nobody's alone.
        found |= self._lines.having(f"${brace}{name}" for name in self._variables for brace in ("", "{"))
        found |= self._lines.having({posixpath.basename(path) for s in self._sources for path in self._generated(s)})
        if any(chart_repositories.may_use(source) for source in self._sources):
            found |= self._lines.having(self._wanted.parents())
        found |= self._beside_k3s_charts()
        if any(_FLUX in source.text for source in self._sources if source.path in self._objects):
            found |= self._lines.leading_to({*builders, *self._objects})
        substituted, maps = self._substitutions()
        return (found | substituted) & self._paths, maps | set(self._maps())

    def _substitutions(self) -> tuple[set[str], set[str]]:
        """The Kustomizations of Flux that fill in variables of the known files, and the ConfigMaps that these take."""
        readers = [source.path for source in self._sources if source.path in self._readers and "${" in source.text]
        if not readers:
            return set(), set()
        found = self._lines.having(["postBuild"]) & self._lines.leading_to(readers)
        return found, {name for source in self._sources for name in variables.substituted_from(source)}

    def _maps(self) -> Iterator[str]:
        """ConfigMaps as others name them.

        A release with a wanted image takes values from them, or they have a wanted image without a version.
        """
        names = set[str]()
        for source in self._sources:
            if source.path in self._objects and "valuesFrom" in source.text:
                for use in chart_installations.find_installations(source):
                    names.update(layer for layer in (*use.maps, *(one.layer for one in use.values)))
            names.update(name for name, files in kustomizations.generated(source) if self._values.intersection(files))
            names |= self._unversioned_maps(source)
        for name in sorted(name.removeprefix("ConfigMap/") for name in names):
            yield from (f"name: {quote}{name}" for quote in ("", '"', "'"))
            yield from (f'"name":{space}"{name}"' for space in ("", " "))

    def _companions(self) -> Iterator[str]:
        """Files that belong to a carrier by their place and name.

        These are values laid over a file of values, the Chart.yaml beside it or above it, an override of Argo CD, and
        what may install the chart from there or from above.
        """
        for path in self._carriers:
            folder = path.rpartition("/")[0]
            for other in self._beside(folder):
                name = other.rpartition("/")[2]
                if name not in _INSTALLERS and _goes_with(other, name, [path]):
                    yield other
            if path in self._values:
                above = islice(folders_above(path), _LEVELS)
                yield from (posixpath.join("" if up == "." else up, name) for up in above for name in _INSTALLERS)
            if "charts/" in path:
                yield posixpath.join(path[: path.rindex("charts/")], known_files.CHART)

    def _beside(self, folder: str) -> Iterator[str]:
        """The files of a folder, without those below its folders."""
        start = f"{folder}/" if folder else ""
        for at in range(bisect_left(self._sorted, start), len(self._sorted)):
            path = self._sorted[at]
            if not path.startswith(start):
                return
            if "/" not in path[len(start) :]:
                yield path

    def _installs_chart(self, source: ManifestText) -> bool:
        """Whether a file holds the version of a wanted chart: a patch may be laid over it."""
        if not (_CHART.search(source.text) and self._wanted.mentioned(source.text)):
            return False
        try:
            sites = [*chart_version.find(source)]
        except YamlError:
            return False
        charts = {site.keys[0] for site in sites if not site.image.repository}
        return any(self._wanted.of(site.image) for site in sites) or not self._wanted.basenames.isdisjoint(charts)

    def _versions(self, source: ManifestText) -> set[str]:
        """The names of the variables that hold the version of a wanted image, or of one that is named elsewhere."""
        try:
            sites = [site for site in formats.find(source) if site.variable]
        except YamlError:
            return set()
        return {site.variable[-1] for site in sites if not site.image.repository or self._wanted.of(site.image)}

    def _unversioned_maps(self, source: ManifestText) -> set[str]:
        """The ConfigMaps with values that name a wanted image and leave its version to others."""
        if source.path not in self._objects or "ConfigMap" not in source.text:
            return set()
        try:
            sites = [*formats.find(source)]
        except YamlError:
            return set()
        bare = (site for site in sites if not site.image.tag and not site.image.digest and self._wanted.of(site.image))
        return {site.layers for site in bare if site.layers.startswith("ConfigMap/")}

    def _generated(self, source: ManifestText) -> set[str]:
        return variables.generator_files(source, self._paths) if source.path in self._readers else set()

    def _own_values(self) -> Iterator[str]:
        """The values.yaml of charts in the repository."""
        for path in self._carriers:
            folder, _, name = path.rpartition("/")
            if name in _VALUES and posixpath.join(folder, known_files.CHART) in self._paths:
                yield path

    def _passed_on(self) -> Iterator[str]:
        """The values of charts that depend on one whose values name the image."""
        for source in self._sources:
            for dependency in chart_dependencies.find(source):
                if any(posixpath.join(dependency.folder, name) in self._carriers for name in _VALUES):
                    yield from (posixpath.join(dependency.parent, name) for name in _VALUES)

    def _mentions(self) -> Iterator[str]:
        """The addresses of charts and values in objects that install them, and the markers of the image's policies."""
        for path in sorted(self._values):
            yield from _addresses(path)
        for source in self._sources:
            if source.path in self._carriers:
                for policy in flux_policies.named(source):
                    yield from (f'{policy.name}:{part}"' for part in ("tag", "digest"))

    def _beside_k3s_charts(self) -> set[str]:
        """The manifests beside a HelmChart of k3s: a HelmChartConfig among them may set the version."""
        here = {source.path for source in self._sources if source.path in self._carriers and _K3S in source.text}
        folders = {posixpath.dirname(path) for path in here}
        manifests = (path for path in self._paths if path.endswith((".yaml", ".yml"))) if here else ()
        return {path for path in manifests if posixpath.dirname(path) in folders}

    def _referred(self) -> set[str]:
        """What texts refer to: values of the same installation."""
        known = {source.path for source in self._sources}
        found = set[str]()
        for source in (source for source in self._sources if _REFERS.search(source.text)):
            for use in chart_installations.find_installations(source, self._paths):
                files = use.expanded(self._paths)
                if not known.isdisjoint(files):
                    found.update(files)
        return found


def layered(sources: Iterable[ManifestText]) -> dict[str, set[Below]]:
    """For each layer of values those that something puts below it: an installation, a patch, a chart's dependencies."""
    found: dict[str, set[Below]] = {}
    sources = [*sources]
    paths = frozenset(source.path for source in sources)
    for source in sources:
        for use in chart_installations.find_installations(source, paths):
            below: list[Below] = []
            for layer in filter(None, (*use.maps, *map(_layer, use.expanded(paths)), use.layer)):
                found.setdefault(layer, set()).update(below)
                below.append(Below(layer, use=use.layer if layer in use.maps else ""))
            found.setdefault(_layer(source.path), set()).update(_inline(use, source.path, below))
            # What a release takes from a ConfigMap may be completed by its own values.
            for layer in use.maps:
                found.setdefault(layer, set()).add(Below(use.layer))
            for one in use.values:
                found.setdefault(one.layer, set()).add(Below(use.layer, one.keys, one.target))
        for dependency in chart_dependencies.find(source):
            child = Below(_layer(posixpath.join(dependency.folder, _VALUES[0])), dependency.keys)
            found.setdefault(_layer(posixpath.join(dependency.parent, _VALUES[0])), set()).add(child)
        for path, target in kustomizations.patch_files(source):
            if target:
                found.setdefault(patch_layer(path), set()).add(Below(target))
        for setting in variables.settings(source, paths):
            found.setdefault(setting.layer, set()).update(Below(layer_of_variables(path)) for path in setting.files)
        for name, files in kustomizations.generated(source):
            for file in files:
                found.setdefault(_layer(file), set()).add(Below(f"ConfigMap/{name}"))
                found.setdefault(f"ConfigMap/{name}", set()).add(Below(_layer(file)))
    return found


def _inline(use: ChartInstallation, path: str, files: Iterable[Below]) -> Iterator[Below]:
    """What lies below the values that a file such as a Helmfile writes itself: files, and what it writes before."""
    for number, keys in enumerate(use.inline):
        name = f"{path}:{'.'.join(keys[:2])}"
        yield from (Below(file.layer, keys, use=name) for file in files)
        yield from (Below(_layer(path), keys, under, name) for under in use.inline[:number])


def _layer(path: str) -> str:
    return f"values:{PurePosixPath(path).with_suffix('')}"


def _goes_with(path: str, name: str, bases: Collection[str]) -> bool:
    if name == known_files.CHART or name.startswith(".argocd-source"):
        return any(posixpath.basename(base) in _VALUES for base in bases)
    return any(lies_over(path, base) for base in bases)


def _addresses(path: str) -> Iterator[str]:
    parts = path.split("/")
    if len(parts) > 1:
        yield "/".join(parts[-2:])
        if parts[-1] in _VALUES:
            yield "/".join(parts[-3:-1]) if len(parts) > 2 else f"path: {parts[0]}"
            if len(parts) == 2:
                yield f"/{parts[0]}"


def _holds_values(path: str) -> bool:
    return path.endswith((".yaml", ".yml")) and "values" in posixpath.basename(path)


def _is_kustomization(path: str) -> bool:
    return posixpath.basename(path) in known_files.KUSTOMIZATIONS
