"""The nodes of a document with what lies above each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gitops_ci.dataclass import dataclass
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode

__all__ = [
    "FILE",
    "NodeContext",
    "Object",
    "at_pointer",
    "is_pointer",
    "object_of",
    "patch_layer",
    "pointer",
    "target_of",
    "values_path",
    "walk",
]

# Under these keys an object carries the values of a chart: Argo CD, Flux, Fleet, Kustomize, K3s.
_VALUES = frozenset({"values", "valuesObject", "valuesInline", "valuesContent"})


# What holds files of values for others: `valuesFrom` of Flux, `valuesFrom` of Fleet.
_HOLDERS = frozenset({"ConfigMap", "Secret"})
_DATA = frozenset({"data", "stringData"})
# The kind of what a ConfigMap holds as a file.
FILE = "file of a ConfigMap"
# Where kustomize and Flux hold a patch beside its `target`.
_PATCH = frozenset({"patch"})
# What the keys of a place outside of values begin with.
_POINTER = "/"
_LONGEST_INDEX = 6  # digits


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
    chart and names all that is laid over each other there; `keys` are the keys from the top of the values. `target`
    is the object that a patch is for, where the patch itself does not decide that.
    """

    node: Node
    key: str = ""
    item: bool = False
    kind: str = ""
    resource: str = ""
    registry: str = ""
    layers: str = ""
    keys: tuple[str, ...] = ()
    target: str = ""


def target_of(node: Node | None) -> str:
    """The objects that the `target` of a patch selects, as `Kind/name`: a `*` stands for any kind or name."""
    if not isinstance(node, MappingNode):
        return ""
    return f"{node.text('kind') or '*'}/{node.text('name') or '*'}"


def patch_layer(path: str) -> str:
    """The layer of the values that a JSON patch in a file of its own sets."""
    return f"patch:{path}"


def values_path(path: str) -> tuple[str, ...] | None:
    """The keys below a chart's values that the path of a JSON patch leads to; None outside of values.

    A list of `parameters` has the keys of values in its items.
    """
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]
    if parts[-1] == "parameters":
        return ()
    at = next((number for number, part in enumerate(parts) if part in _VALUES), None)
    return None if at is None else tuple(parts[at + 1 :])


def pointer(path: str) -> tuple[str, ...]:
    """The keys of a place outside of values that a JSON pointer leads to (RFC 6901); no keys of values begin so."""
    return (_POINTER, *(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]))


def is_pointer(keys: tuple[str, ...]) -> bool:
    """Whether keys are those of `pointer`."""
    return keys[:1] == (_POINTER,)


def at_pointer(root: Node | None, keys: tuple[str, ...]) -> Node | None:
    """The node of a document at the keys that `pointer` gives; None where there is none, or they are keys of values."""
    if not is_pointer(keys):
        return None
    for key in keys[1:]:
        if isinstance(root, MappingNode):
            root = root.get(key)
        elif isinstance(root, SequenceNode) and key.isascii() and key.isdecimal() and len(key) <= _LONGEST_INDEX:
            root = root.items[int(key)] if int(key) < len(root.items) else None
        else:
            return None
    return root


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


def walk(
    root: Node | None, *, kind: str = "", resource: str = "", layers: str = "", target: str = ""
) -> Iterator[NodeContext]:
    """Every mapping and list in the order written, and every string that may hold YAML; aliases are not followed.

    What an object says about itself is not a place to edit: names, labels and annotations (`metadata`, of pod templates
    too) and a controller's `status`.
    """
    stack = [NodeContext(root, kind=kind, resource=resource, layers=layers, target=target)] if root is not None else []
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
        if name in _VALUES and "/" in (place.target or place.resource):
            layers, keys = place.target or place.resource, ()
        elif name in _DATA and place.kind in _HOLDERS:
            layers, keys = f"ConfigMap/{place.resource.partition('/')[2]}", ()
        elif place.key in _DATA and place.kind in _HOLDERS:
            keys = ()
        target = place.target
        if name in _PATCH and isinstance(node.get("target"), MappingNode):
            target = target_of(node.get("target"))
        elif name == "value" and node.text("op"):
            if (below := values_path(node.text("path"))) is not None:
                layers, keys = place.target or place.layers, below
            # What a JSON patch adds as a whole stands under the key of its path.
            name = node.text("path").removesuffix("/-").rpartition("/")[2] or name
        yield NodeContext(value, name, False, place.kind, place.resource, place.registry, layers, keys, target)  # noqa: FBT003


def _in_list(place: NodeContext, node: SequenceNode) -> Iterator[NodeContext]:
    for index in range(len(node.items) - 1, -1, -1):
        item = node.items[index]
        if _worth_a_look(item):
            keys = (*place.keys, str(index)) if place.layers else ()
            yield NodeContext(
                item,
                place.key,
                True,  # noqa: FBT003
                place.kind,
                place.resource,
                place.registry,
                place.layers,
                keys,
                place.target,
            )


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
