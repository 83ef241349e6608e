"""Versions of Helm charts in OCI registries: a chart there is named like an image, `ghcr.io/acme/charts/shop`.

Every tool writes the repository, the chart's name and the version in keys of its own. Flux and Helmfile name the
repository in another place: see `chart_repositories`. Sources: argo-cd.readthedocs.io, "Helm" (`repoURL`, `chart`,
`targetRevision`); helm.sh/docs/topics/registries (`dependencies`); kubectl.docs.kubernetes.io, "helmCharts";
fleet.rancher.io/ref-fleet-yaml (`helm`); helmfile.readthedocs.io (`releases`); projectsveltos.github.io (`helmCharts`);
github.com/crossplane-contrib/provider-helm (`spec.forProvider.chart` of a Release).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from gitops_ci.formats.document import chart_repositories
from gitops_ci.formats.document.chart_repositories import OCI, WHOLE_VERSION
from gitops_ci.formats.document.image_fields import NAMELESS, Found, text_of
from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.formats.document.nodes import NodeContext, patch_layer, walk
from gitops_ci.formats.document.scan import site
from gitops_ci.formats.document.variables import variable_of
from gitops_ci.imageref import ImageRef
from gitops_ci.known_files import CHART, FLEET
from gitops_ci.model import Field, ImageSite
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode, YamlError

__all__ = ["ID", "VERSION", "find"]

ID = "chart-version"

_WORDS = ("oci://", "chart", "oci:", "targetRevision", "helm:")
_FILES = frozenset({CHART, "requirements.yaml"})
# The keys of a chart's version in the layer of the object that installs it.
VERSION = ("chart version",)
_LAID_OVER = frozenset({"HelmRelease", "HelmChart", "Application", "ApplicationSet"})
_PATCHES = frozenset({"patch", "patches", "patchesStrategicMerge", "patchesJson6902"})
_POINTERS = ("/chart/spec/version", "/source/targetRevision", "/helm/version")
_NEWEST = "it has no version and gets the newest one"


class _Keys(NamedTuple):
    """The keys of one tool. Without `repository`, the chart's own address has to begin with `oci://`."""

    chart: str
    version: str
    repository: str = ""
    has_scheme: bool = True


_ARGO_CD = _Keys("chart", "targetRevision", "repoURL", has_scheme=False)
_DEPENDENCY = _Keys("name", "version", "repository")
_KUSTOMIZE = _Keys("name", "version", "repo")
_FLEET = _Keys("chart", "version", "repo")
# Fleet takes a chart's whole address there, too.
_FLEET_REPO = _Keys("repo", "version")
_SVELTOS = _Keys("chartName", "chartVersion", "repositoryURL")
_CROSSPLANE = _Keys("name", "version", "repository")
_ADDRESS = _Keys("chart", "version")


def find(source: ManifestText) -> Iterator[ImageSite]:
    if any(word in source.text for word in _WORDS):
        for root in source.yaml.documents:
            yield from _below(source, root, NodeContext(root) if root else None)


def _below(source: ManifestText, root: Node | None, start: NodeContext | None) -> Iterator[ImageSite]:
    above = start or NodeContext(ScalarNode(0, 0, "", ""))
    patched = above.target or (patch_layer(source.path) if isinstance(root, SequenceNode) else "")
    for place in walk(root, resource=above.resource, target=patched):
        if isinstance(place.node, MappingNode):
            for found, layers, keys in _in_mapping(source, source.entries(place.node), place):
                here = NodeContext(place.node, resource=place.resource, layers=layers, keys=keys)
                yield site(source, found, here, format_id=ID)
        elif isinstance(place.node, ScalarNode) and place.key in _PATCHES and (inner := source.inside(place.node)):
            # A patch in a kustomization is a string.
            with suppress(YamlError):
                for patch in inner.yaml.documents:
                    yield from _below(inner, patch, place)


def _in_mapping(
    source: ManifestText, entries: Mapping[str, Entry], place: NodeContext
) -> Iterator[tuple[Found, str, tuple[str, ...]]]:
    owner = _owner(source, place)
    for keys in _spellings(source, place):
        if keys.chart in entries and (image := _image(entries, keys)):
            yield from ((found, owner, VERSION) for found in _version(source, entries, keys, image))
            return
    if repository := chart_repositories.used_by(source, entries, place):
        layer = repository.layer
        yield from ((found, layer, (repository.chart,)) for found in _version(source, entries, _ADDRESS, NAMELESS))
    elif owner and (entry := _patched(entries, place)):
        # What it is laid over has the name.
        found = _version(source, {"version": entry}, _ADDRESS, NAMELESS)
        yield from ((one, owner, VERSION) for one in found if not one.problem)


def _owner(source: ManifestText, place: NodeContext) -> str:
    """The object whose chart a mapping sets the version of; '' where no other file is laid over it."""
    folder, _, name = source.path.rpartition("/")
    if name in FLEET and place.key == "helm":
        return f"Fleet/{folder or '.'}"
    return place.target or (place.resource if place.kind in _LAID_OVER else "")


def _patched(entries: Mapping[str, Entry], place: NodeContext) -> Entry | None:
    """The version that a mapping sets without the chart's name: values laid over others, and patches."""
    if "op" in entries:
        path = text_of(entries.get("path"))
        return entries.get("value") if path.endswith(_POINTERS) else None
    if place.key in {"spec", "helm"} and "chart" not in entries and not entries.keys() & {"interval", "sourceRef"}:
        return entries.get("version")
    if place.key in {"source", "sources"} and not entries.keys() & {"repoURL", "chart", "path"}:
        return entries.get("targetRevision")
    return None


def _spellings(source: ManifestText, place: NodeContext) -> Iterator[_Keys]:
    name = posixpath.basename(source.path)
    if place.key == "dependencies" and name in _FILES:
        yield _DEPENDENCY
    elif place.key == "helmCharts":
        yield from (_KUSTOMIZE, _SVELTOS)
    elif place.key == "helm" and (name in FLEET or place.kind in {"Bundle", "HelmOp"}):
        yield from (_FLEET, _FLEET_REPO)
    elif place.key == "chart" and place.kind == "Release":
        yield _CROSSPLANE
    elif place.kind in {"Application", "ApplicationSet"}:
        yield _ARGO_CD
    yield _ADDRESS


def _image(entries: Mapping[str, Entry], keys: _Keys) -> ImageRef | None:
    """The chart as a registry names it; None for a chart of another kind of repository."""
    chart, repository = text_of(entries[keys.chart]), text_of(entries.get(keys.repository))
    if chart.startswith(OCI):
        address = chart
    elif not keys.repository or not repository or (keys.has_scheme and not repository.startswith(OCI)):
        return None
    else:
        address = f"{repository.rstrip('/')}/{chart}"
    image = ImageRef.try_parse(address.removeprefix(OCI))
    return image if image and not (image.tag or image.digest) else None


def _version(source: ManifestText, entries: Mapping[str, Entry], keys: _Keys, image: ImageRef) -> Iterator[Found]:
    entry = entries.get(keys.version)
    text = text_of(entry)
    field = source.field("version", entry) if entry else None
    if not field or not text:
        name = entries[keys.chart].key
        here = Field("name", source.span(name.start, name.start), "")
        yield Found(image, (here,), problem=_NEWEST)
    elif variable := variable_of(text):
        yield Found(image, (field,), problem=f"its version is the variable {variable.name}", variable=variable.keys)
    elif WHOLE_VERSION.fullmatch(text):
        # A tag has no `+`: Helm writes `_` there.
        yield Found(image.with_version(tag=text.replace("+", "_", 1), digest=None), (field,))
    else:
        yield Found(image, (field,), problem=f"its version is '{text}', which is not a whole version")
