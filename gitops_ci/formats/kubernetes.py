"""Kubernetes manifests: every document with `apiVersion` and `kind`, custom resources and Lists included.

An image is what stands under `image` (or a key that ends so) wherever it stands, in `repository` and `tag` pairs of
custom resources, in image volumes, in patches, and in YAML inside ConfigMaps. What an object says about itself
(`metadata`, `status`) is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import Object, object_of, patch_layer
from gitops_ci.formats.document.scan import scan
from gitops_ci.formats.document.variables import setting, settings, with_settings
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import MappingNode, Node, SequenceNode

ID = "kubernetes"
TEMPLATES = "template.openshift.io"


def find(source: ManifestText) -> Iterator[ImageSite]:
    for root in source.yaml.documents:
        if what := object_of(root):
            sites = scan(source, root, format_id=ID)
            yield from with_settings(sites, [*_parameters(source, root, what)]) if what.group == TEMPLATES else sites
            data = root.get("data") if isinstance(root, MappingNode) and what.kind == "ConfigMap" else None
            if isinstance(data, MappingNode):
                # Variables of Flux: `substituteFrom`.
                yield from settings(source, data, format_id=ID, resource=what.resource, layers=what.resource)
        elif _is_patch(root):
            # Which object it is for, the kustomization says that names the file.
            yield from scan(source, root, format_id=ID, layers=patch_layer(source.path))


def parameters_layer(path: str) -> str:
    """The layer of the parameters of a file's OpenShift Templates."""
    return f"parameters:{path}"


def _parameters(source: ManifestText, root: Node | None, what: Object) -> Iterator[ImageSite]:
    """The parameters of an OpenShift Template, which its objects read as `${TAG}`."""
    layers = parameters_layer(source.path)
    listed = root.get("parameters") if isinstance(root, MappingNode) else None
    for item in listed.items if isinstance(listed, SequenceNode) else ():
        if isinstance(item, MappingNode) and item.text("name") and (value := source.entries(item).get("value")):
            keys = (item.text("name"),)
            if one := setting(source, value, format_id=ID, resource=what.resource, layers=layers, keys=keys):
                yield one


def _is_patch(root: Node | None) -> bool:
    """A JSON patch in a file of its own: RFC 6902 operations."""
    items = root.items if isinstance(root, SequenceNode) else []
    return any(isinstance(item, MappingNode) and item.text("op") and item.text("path") for item in items)
