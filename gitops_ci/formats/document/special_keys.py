"""Keys that name an image in the kinds of one operator only, and maps of names to images.

Sources: docs.crossplane.io/latest/packages (`spec.package`); tekton.dev/docs/pipelines/pipelines (`bundle`);
docs.openshift.com, "Managing image streams" (`from` of kind DockerImage); kubevirt.io/user-guide/storage
(`docker://`); Knative's ConfigMaps of images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitops_ci.formats.document.image_fields import DOCKER
from gitops_ci.formats.document.manifest_text import Entry
from gitops_ci.formats.document.nodes import FILE, NodeContext
from gitops_ci.yamltext import ScalarNode

__all__ = ["special_entries"]

_PACKAGES = frozenset({"Provider", "Function", "Configuration", "ProviderRevision", "ConfigurationRevision"})
_BUNDLES = frozenset({"Pipeline", "PipelineRun", "Task", "TaskRun", "PipelineTemplate", "TriggerTemplate"})
_MAPS = frozenset({"data", "images"})


def special_entries(entries: Mapping[str, Entry], place: NodeContext) -> Iterator[Entry]:
    """The entries of a mapping whose value may be a whole reference, though their keys do not say so."""
    if place.kind in _PACKAGES and "package" in entries:
        yield entries["package"]
    if place.kind in _BUNDLES and "bundle" in entries:
        yield entries["bundle"]
    kind = entries.get("kind")
    if kind and "name" in entries and isinstance(kind.value, ScalarNode) and kind.value.value == "DockerImage":
        yield entries["name"]
    is_map = place.key == "images" or (place.kind == "ConfigMap" and place.key in _MAPS) or place.kind == FILE
    for key, entry in entries.items():
        if not isinstance(entry.value, ScalarNode):
            continue
        if (is_map and "/" in entry.value.value) or (key in {"url", "source"} and entry.value.value.startswith(DOCKER)):
            yield entry
