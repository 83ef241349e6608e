"""The nodes of a document with what lies above each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode

__all__ = ["NodeContext", "Object", "object_of", "walk"]

# Under these keys an object carries the values of a chart: Argo CD, Flux, Fleet, Kustomize, K3s.
_VALUES = frozenset({"values", "valuesObject", "valuesInline", "valuesContent"})


@dataclass(frozen=True, slots=True)
class Object:
    """What a document says it is."""

    group: str
    kind: str
    name: str
    namespace: str = ""

    @property
    def resource(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else self.kind


@dataclass(frozen=True, slots=True)
class NodeContext:
    """A node, the key it stands under and whether it is a list's item there; the object it is part of.

    `registry` is what a chart's global settings put before every repository. `layers` is set inside the values of a
    chart and names all that is laid over each other there; `keys` are the keys from the top of the values.
    """

    node: Node
    key: str = ""
    item: bool = False
    kind: str = ""
    resource: str = ""
    registry: str = ""
    layers: str = ""
    keys: tuple[str, ...] = ()


def object_of(node: Node | None) -> Object | None:
    """The Kubernetes object that a mapping is: it has `apiVersion` and `kind`."""
    if not isinstance(node, MappingNode):
        return None
    version, kind = node.text("apiVersion"), node.text("kind")
    if not version or not kind:
        return None
    metadata = node.get("metadata")
    if not isinstance(metadata, MappingNode):
        return Object(version.rpartition("/")[0], kind, "")
    name = metadata.text("name") or metadata.text("generateName")
    return Object(version.rpartition("/")[0], kind, name, metadata.text("namespace"))


def walk(root: Node | None, *, resource: str = "", layers: str = "") -> Iterator[NodeContext]:
    """Every mapping and list in the order written, and every string that may hold YAML; aliases are not followed.

    What an object says about itself is no place to edit: names, labels and annotations (`metadata`, of pod templates
    too) and a controller's `status`.
    """
    stack = [NodeContext(root, resource=resource, layers=layers)] if root is not None else []
    while stack:
        place = stack.pop()
        node = place.node
        if isinstance(node, MappingNode):
            place = _entered(place, node)
            yield place
            stack.extend(_in_mapping(place, node))
        elif isinstance(node, SequenceNode):
            yield place
            stack.extend(_in_list(place, node))
        elif isinstance(node, ScalarNode):
            yield place


def _entered(place: NodeContext, node: MappingNode) -> NodeContext:
    what = object_of(node)
    registry = _global_registry(node)
    if what is None and not registry:
        return place
    kind, resource = (what.kind, what.resource) if what else (place.kind, place.resource)
    return replace(place, kind=kind, resource=resource, registry=registry or place.registry)


def _in_mapping(place: NodeContext, node: MappingNode) -> Iterator[NodeContext]:
    top = bool(place.kind) and object_of(node) is not None
    for key, value in reversed(node.pairs):
        if not isinstance(key, ScalarNode) or not _worth_a_look(value):
            continue
        name = key.value
        if place.kind and isinstance(value, MappingNode) and (name == "metadata" or (name == "status" and top)):
            continue
        layers, keys = place.layers, (*place.keys, name) if place.layers else ()
        if name in _VALUES and "/" in place.resource:
            layers, keys = place.resource, ()
        yield NodeContext(value, name, False, place.kind, place.resource, place.registry, layers, keys)  # noqa: FBT003


def _in_list(place: NodeContext, node: SequenceNode) -> Iterator[NodeContext]:
    for index in range(len(node.items) - 1, -1, -1):
        item = node.items[index]
        if _worth_a_look(item):
            keys = (*place.keys, str(index)) if place.layers else ()
            yield NodeContext(item, place.key, True, place.kind, place.resource, place.registry, place.layers, keys)  # noqa: FBT003


def _worth_a_look(node: Node) -> bool:
    # Nearly all nodes are short strings: what they name is found from the mapping or list they are in.
    if not isinstance(node, ScalarNode) or "\n" in node.value or node.value[:1] in {"{", "["}:
        return True
    return node.style in {"|", ">"} and ": " in node.value


def _global_registry(node: MappingNode) -> str:
    """What a chart's `global.imageRegistry` (or `global.image.registry`) puts before every repository."""
    common = node.get("global")
    if not isinstance(common, MappingNode):
        return ""
    image = common.get("image")
    return common.text("imageRegistry") or (image.text("registry") if isinstance(image, MappingNode) else "")
