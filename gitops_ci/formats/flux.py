"""Flux: the values and post-renderers of a HelmRelease, the images and patches of a Kustomization, OCIRepositories,
and the inputs and templates of a ResourceSet.

Source: fluxcd.io/flux/components: HelmRelease `spec.values`, `spec.postRenderers[].kustomize.images`; Kustomization
`spec.images`, `spec.patches`; OCIRepository `spec.url` and `spec.ref`, an artifact that is named like an image. A
HelmRelease's `chart` is the version of a chart, not of an image.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.formats.document.image_fields import artifact
from gitops_ci.formats.document.image_overrides import overrides
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import NodeContext, object_of, walk
from gitops_ci.formats.document.scan import scan, site
from gitops_ci.formats.document.variables import settings
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import MappingNode, Node, SequenceNode

ID = "flux"

_ARTIFACT = ("source.toolkit.fluxcd.io", "OCIRepository")
_RESOURCE_SET = ("fluxcd.controlplane.io", "ResourceSet")
_KINDS = frozenset({("kustomize.toolkit.fluxcd.io", "Kustomization"), ("helm.toolkit.fluxcd.io", "HelmRelease")})


def find(source: ManifestText) -> Iterator[ImageSite]:
    for root in source.yaml.documents:
        what = object_of(root)
        if what and (what.group, what.kind) == _ARTIFACT:
            yield from _artifact(source, root, what.resource)
        if what and (what.group, what.kind) == _RESOURCE_SET:
            yield from scan(source, root, format_id=ID)
            yield from _inputs(source, root, what.resource)
        if what is None or (what.group, what.kind) not in _KINDS:
            continue
        for place in walk(root):
            if isinstance(place.node, SequenceNode) and place.key == "images" and not place.layers:
                yield from overrides(source, place.node, resource=place.resource, format_id=ID)
        yield from scan(source, root, format_id=ID)
        build = _at(root, "spec", "postBuild", "substitute")
        if build:
            layers = substitution_layer(source.path, what.resource)
            yield from settings(source, build, format_id=ID, resource=what.resource, layers=layers)


def substitution_layer(path: str, resource: str) -> str:
    """The layer of the variables that a Kustomization substitutes."""
    return f"substitute:{path}#{resource}"


def inputs_layer(path: str) -> str:
    """The layer of the inputs that a ResourceSet gives its templates."""
    return f"inputs:{path}"


def _inputs(source: ManifestText, root: Node | None, resource: str) -> Iterator[ImageSite]:
    spec = _at(root, "spec")
    listed = spec.get("inputs") if spec else None
    for item in listed.items if isinstance(listed, SequenceNode) else ():
        if isinstance(item, MappingNode):
            layers = inputs_layer(source.path)
            yield from settings(source, item, format_id=ID, resource=resource, layers=layers)


def _at(node: Node | None, *keys: str) -> MappingNode | None:
    for key in keys:
        node = node.get(key) if isinstance(node, MappingNode) else None
    return node if isinstance(node, MappingNode) else None


def _artifact(source: ManifestText, root: Node | None, resource: str) -> Iterator[ImageSite]:
    spec = root.get("spec") if isinstance(root, MappingNode) else None
    ref = spec.get("ref") if isinstance(spec, MappingNode) else None
    if isinstance(spec, MappingNode) and isinstance(ref, MappingNode):
        entries = source.entries(ref)
        for found in artifact(source, spec.text("url"), {r: entries[r] for r in ("tag", "digest") if r in entries}):
            yield site(source, found, NodeContext(ref, resource=resource), format_id=ID)
