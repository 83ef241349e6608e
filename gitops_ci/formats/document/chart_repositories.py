"""Repositories of charts that have a name: HelmRepository objects of Flux, `repositories` of Helmfile.

Sources: fluxcd.io/flux/components/source/helmrepositories (`type: oci`), fluxcd.io/flux/components/helm/helmreleases
(`spec.chart.spec.sourceRef`); helmfile.readthedocs.io, "Configuration" (`oci: true`, `chart: NAME/CHART`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gitops_ci.dataclass import dataclass
from gitops_ci.formats.document.image_fields import text_of
from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.formats.document.nodes import NodeContext, object_of
from gitops_ci.imageref import ImageRef
from gitops_ci.yamltext import MappingNode, SequenceNode

__all__ = ["LAYER", "OCI", "WHOLE_VERSION", "ChartRepository", "RepositoryUse", "may_use", "named", "used_by"]

OCI = "oci://"
# Anything less is a range for Helm: `1.4` means `1.4.x`. Source: github.com/Masterminds/semver, "Checking Constraints".
WHOLE_VERSION = re.compile(r"v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")

LAYER = "chart-repository:"
# What a file has that uses a repository by its name.
_USERS = ("sourceRef", "releases:")
_FLUX = "source.toolkit.fluxcd.io"
_HELMFILE = "helmfile"


@dataclass(frozen=True, slots=True)
class ChartRepository:
    """An OCI repository by its name; `address` is `ghcr.io/acme/charts`."""

    namespace: str
    name: str
    address: str

    @property
    def layer(self) -> str:
        """The layer of the charts that use it."""
        return _layer(self.namespace, self.name)

    def chart(self, name: str) -> ImageRef | None:
        return ImageRef.try_parse(f"{self.address}/{name}")


@dataclass(frozen=True, slots=True)
class RepositoryUse:
    """A chart of a named repository."""

    layer: str
    chart: str


def named(source: ManifestText) -> Iterator[ChartRepository]:
    """The OCI repositories that a file gives a name."""
    if not ("HelmRepository" in source.text or "repositories:" in source.text):
        return
    for root in source.documents:
        what = object_of(root)
        spec = root.get("spec") if isinstance(root, MappingNode) else None
        if what and (what.group, what.kind) == (_FLUX, "HelmRepository") and isinstance(spec, MappingNode):
            if spec.text("url").startswith("oci://"):
                yield ChartRepository(what.namespace, what.name, _address(spec.text("url")))
        elif what is None and isinstance(root, MappingNode):
            listed = root.get("repositories")
            for item in listed.items if isinstance(listed, SequenceNode) else ():
                if isinstance(item, MappingNode) and item.text("oci") == "true":
                    yield ChartRepository(_HELMFILE, item.text("name"), _address(item.text("url")))


def may_use(source: ManifestText) -> bool:
    """Whether a file may name a chart whose repository another file defines."""
    return source.is_yaml and "chart" in source.text and any(word in source.text for word in _USERS)


def used_by(source: ManifestText, entries: Mapping[str, Entry], place: NodeContext) -> RepositoryUse | None:
    """The chart and its repository, where a mapping names them: `spec.chart.spec`, or a release of a Helmfile."""
    chart, reference = text_of(entries.get("chart")), entries.get("sourceRef")
    if reference and isinstance(reference.value, MappingNode) and chart:
        target = source.entries(reference.value)
        if text_of(target.get("kind")) != "HelmRepository":
            return None
        return RepositoryUse(_layer(text_of(target.get("namespace")), text_of(target.get("name"))), chart)
    repository, slash, name = chart.partition("/")
    if place.key == "releases" and not place.kind and slash and "/" not in name and repository.strip("."):
        return RepositoryUse(_layer(_HELMFILE, repository), name)
    return None


def _layer(namespace: str, name: str) -> str:
    return f"{LAYER}{namespace}/{name}"


def _address(url: str) -> str:
    return url.removeprefix("oci://").rstrip("/")
