"""Argo CD: Application and ApplicationSet, single and multi source, and `.argocd-source-*.yaml`.

Source: argo-cd.readthedocs.io/en/stable/user-guide: `helm.parameters` (names are dotted paths into the values),
`helm.values`, `helm.valuesObject`; `kustomize.images` are strings `[name=]image[:tag|@digest]`; `repoURL: oci://…` with
`targetRevision` is an artifact that is named like an image. Argo CD's image updater and `argocd app set` write
overrides to `.argocd-source.yaml` and `.argocd-source-<application>.yaml`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from gitops_ci.formats.document.image_fields import Found, artifact, one_string, runs_instead
from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.formats.document.nodes import NodeContext, object_of, walk
from gitops_ci.formats.document.scan import scan, site
from gitops_ci.formats.document.variables import settings, with_settings
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, SequenceNode

ID = "argocd"

_GENERATORS = frozenset(
    {"git", "clusters", "list", "matrix", "merge", "clusterDecisionResource", "scmProvider", "plugin"}
)
_KINDS = frozenset({"Application", "ApplicationSet"})


def find(source: ManifestText) -> Iterator[ImageSite]:
    name = posixpath.basename(source.path)
    is_override = name == ".argocd-source.yaml" or (name.startswith(".argocd-source-") and name.endswith(".yaml"))
    for root in source.yaml.documents:
        what = object_of(root)
        if not (is_override or (what and what.group == "argoproj.io" and what.kind in _KINDS)):
            continue
        # An override is laid over the Application of its name; they never hold values but parameters.
        resource = "" if what else override_of(name)
        for place in walk(root, resource=resource):
            if isinstance(place.node, SequenceNode) and place.key == "images":
                yield from _overrides(source, place.node, place)
            elif isinstance(place.node, MappingNode) and place.key in {"source", "sources"}:
                yield from _artifact(source, place.node, place)
        sites = scan(source, root, format_id=ID, resource=resource)
        if what and what.kind == "ApplicationSet":
            # A parameter called `values` is not a chart's values.
            yield from with_settings(sites, [*_generated(source, root, what.resource)])
        else:
            yield from sites


def generators_layer(path: str) -> str:
    """The layer of the parameters that the generators of an ApplicationSet give its template."""
    return f"generators:{path}"


def _generated(source: ManifestText, root: Node | None, resource: str) -> Iterator[ImageSite]:
    """The parameters of list generators, and the `values` of any."""
    layers = generators_layer(source.path)
    for place in walk(root):
        if not isinstance(place.node, MappingNode):
            continue
        if place.key == "elements" and place.item:
            yield from settings(source, place.node, format_id=ID, resource=resource, layers=layers)
        elif place.key in _GENERATORS and isinstance(values := place.node.get("values"), MappingNode):
            above = ("values",)
            yield from settings(source, values, format_id=ID, resource=resource, layers=layers, above=above)


def override_of(name: str) -> str:
    """The Application that a `.argocd-source-*.yaml` of this name is laid over."""
    return f"Application/{name.removeprefix('.argocd-source-').removesuffix('.yaml')}"


def _artifact(source: ManifestText, node: MappingNode, place: NodeContext) -> Iterator[ImageSite]:
    """`repoURL: oci://…` and `targetRevision`: manifests or a chart in a registry."""
    revision = source.entries(node).get("targetRevision")
    if node.text("repoURL").startswith("oci://") and not node.text("chart") and revision:
        for found in artifact(source, node.text("repoURL"), {"tag": revision}):
            yield site(source, found, place, format_id=ID)


def _overrides(source: ManifestText, node: SequenceNode, place: NodeContext) -> Iterator[ImageSite]:
    for item in node.items:
        target = item.target if isinstance(item, AliasNode) else item
        if isinstance(target, ScalarNode):
            for found in one_string(source, Entry(target, target, item if isinstance(item, AliasNode) else None)):
                yield site(source, found, place, format_id=ID)
                replaced = ImageRef.try_parse(target.value.rpartition("=")[0])
                if replaced and not replaced.same_image(found.image):
                    here = Field("name", source.span(target.start, target.start), "")
                    yield site(source, Found(replaced, (here,), problem=runs_instead(found.image)), place, format_id=ID)
