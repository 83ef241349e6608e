"""Walk a document and find every image in it: the common ground of all formats that are YAML.

Formats differ in which documents are theirs and in a few spellings of their own; how an image looks inside a mapping,
a list, a patch or a string that holds YAML is the same everywhere and told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitops_ci.formats import parts
from gitops_ci.formats.parts import Found
from gitops_ci.formats.source import Entry, Source
from gitops_ci.formats.words import part_of
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import Alias, Mapping, Node, Scalar, Sequence, YamlError

__all__ = ["Object", "object_of", "scan"]

_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})
# An `image` of these kinds names a repository to watch, not an image to run: a version there would break them.
_WATCHERS = frozenset({"ImageRepository", "ImageUpdater", "Warehouse"})
_IMAGE_VARIABLE = re.compile(r"(?:^|_)IMAGE(?:_|$)", re.IGNORECASE)
# YAML inside YAML inside YAML occurs (a patch in an Application in a template); more is somebody's joke.
_DEEPEST_STRING = 3


@dataclass(frozen=True, slots=True)
class Object:
    """What a document says it is."""

    group: str
    kind: str
    name: str

    @property
    def resource(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else self.kind


def object_of(node: Node | None) -> Object | None:
    """The Kubernetes object that a mapping is: it has `apiVersion` and `kind`."""
    if not isinstance(node, Mapping):
        return None
    version, kind = node.text("apiVersion"), node.text("kind")
    if not version or not kind:
        return None
    metadata = node.get("metadata")
    name = metadata.text("name") or metadata.text("generateName") if isinstance(metadata, Mapping) else ""
    return Object(version.rpartition("/")[0], kind, name)


@dataclass(frozen=True, slots=True)
class _Place:
    """A node and what lies above it: its key, whether it is a list's item, its object, the chart's registry."""

    node: Node
    key: str = ""
    item: bool = False
    object: Object | None = None
    registry: str = ""


def scan(
    source: Source, root: Node | None, *, format_id: str, resource: str = "", depth: int = 0
) -> Iterator[ImageSite]:
    """Every image below `root`, in the order written."""
    for place in _below(root):
        node = place.node
        where = place.object.resource if place.object else resource
        if isinstance(node, Mapping):
            for found in _in_mapping(source, node, place):
                yield ImageSite(format_id, source.path, where, found.image, found.fields, found.default, found.problem)
        elif isinstance(node, Sequence):
            for found in _in_list(source, node, place):
                yield ImageSite(format_id, source.path, where, found.image, found.fields)
        elif isinstance(node, Scalar) and depth < _DEEPEST_STRING:
            yield from _in_string(source, node, format_id=format_id, resource=where, depth=depth + 1)


def _below(root: Node | None) -> Iterator[_Place]:
    """Every node in the order written, except where an object speaks about itself: names, labels, annotations."""
    stack = [_Place(root)] if root is not None else []
    while stack:
        place = stack.pop()
        node = place.node
        if isinstance(node, Mapping):
            if what := object_of(node):
                place = replace(place, object=what)
            if registry := _global_registry(node):
                place = replace(place, registry=registry)
            yield place
            stack.extend(
                replace(place, node=value, key=key.value, item=False)
                for key, value in reversed(node.pairs)
                if isinstance(key, Scalar) and not (place.object and _about_itself(key.value, value, what))
            )
        elif isinstance(node, Sequence):
            yield place
            stack.extend(replace(place, node=item, item=True) for item in reversed(node.items))
        elif isinstance(node, Scalar):
            yield place


def _about_itself(key: str, value: Node, what: Object | None) -> bool:
    return isinstance(value, Mapping) and (key == "metadata" or (key == "status" and what is not None))


def _global_registry(node: Mapping) -> str:
    """What a chart's `global.imageRegistry` (or `global.image.registry`) puts before every repository."""
    common = node.get("global")
    if not isinstance(common, Mapping):
        return ""
    image = common.get("image")
    return common.text("imageRegistry") or (image.text("registry") if isinstance(image, Mapping) else "")


def _in_mapping(source: Source, node: Mapping, place: _Place) -> Iterator[Found]:
    for found in parts.parts(source, node, parent=place.key, registry=place.registry):
        bare = found.image.tag is None and found.image.digest is None and not found.problem
        if bare and place.object and place.object.kind in _WATCHERS:
            continue
        container = place.object is not None and place.item and place.key in _CONTAINERS
        if bare and not container:
            yield replace(found, default=found.default or "what its chart or operator adds")
        else:
            yield found
    entries = source.entries(node)
    value = entries.get("value")
    if value and isinstance(value.value, Scalar) and _names_an_image(entries):
        yield from _pinned(source, value)


def _names_an_image(entries: dict[str, Entry]) -> bool:
    """A JSON patch of an `image`, or an environment variable with IMAGE in its name: their `value` is a reference."""
    name, path = entries.get("name"), entries.get("path")
    if path and "op" in entries and isinstance(path.value, Scalar):
        known = part_of(path.value.value.rpartition("/")[2])
        return known is not None and known[1] == "reference"
    return name is not None and isinstance(name.value, Scalar) and bool(_IMAGE_VARIABLE.search(name.value.value))


def _in_list(source: Source, node: Sequence, place: _Place) -> Iterator[Found]:
    """`images: [ghcr.io/acme/shop:1.4.2, ...]`."""
    known = part_of(place.key.removesuffix("s")) if place.key.endswith("mages") else None
    if known is None or known[1] != "reference":
        return
    for item in node.items:
        target = item.target if isinstance(item, Alias) else item
        if isinstance(target, Scalar):
            yield from _pinned(source, Entry(target, target, item if isinstance(item, Alias) else None))


def _pinned(source: Source, entry: Entry) -> Iterator[Found]:
    for found in parts.one_string(source, entry, ""):
        if found.image.tag or found.image.digest:
            yield found


def _in_string(source: Source, node: Scalar, *, format_id: str, resource: str, depth: int) -> Iterator[ImageSite]:
    """YAML that a string holds: `values: |`, a patch, a file in a ConfigMap."""
    if "\n" not in node.value or ":" not in node.value or not source.mentions(node.value):
        return
    inner = source.inside(node)
    if inner is None:
        return
    try:
        documents = inner.yaml.documents
    except YamlError:
        return
    for root in documents:
        if isinstance(root, Mapping | Sequence):
            yield from scan(inner, root, format_id=format_id, resource=resource, depth=depth)
