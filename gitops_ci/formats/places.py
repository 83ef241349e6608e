"""The nodes of a document with what lies above each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitops_ci.yamltext import Mapping, Node, Scalar, Sequence

__all__ = ["Object", "Place", "below", "object_of"]

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
class Place:
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
    if not isinstance(node, Mapping):
        return None
    version, kind = node.text("apiVersion"), node.text("kind")
    if not version or not kind:
        return None
    metadata = node.get("metadata")
    if not isinstance(metadata, Mapping):
        return Object(version.rpartition("/")[0], kind, "")
    name = metadata.text("name") or metadata.text("generateName")
    return Object(version.rpartition("/")[0], kind, name, metadata.text("namespace"))


def below(root: Node | None, *, resource: str = "", layers: str = "") -> Iterator[Place]:
    """Every node in the order written, aliases not followed; without what an object says about itself.

    Names, labels and annotations (`metadata`, of pod templates too) and a controller's `status` are no places to edit.
    """
    stack = [Place(root, resource=resource, layers=layers)] if root is not None else []
    while stack:
        place = stack.pop()
        node = place.node
        if isinstance(node, Mapping):
            what = object_of(node)
            if what:
                place = replace(place, kind=what.kind, resource=what.resource)
            if registry := _global_registry(node):
                place = replace(place, registry=registry)
            yield place
            stack.extend(
                _child(place, key.value, value)
                for key, value in reversed(node.pairs)
                if isinstance(key, Scalar)
                and not (place.kind and _about_itself(key.value, value, top=what is not None))
            )
        elif isinstance(node, Sequence):
            yield place
            stack.extend(
                replace(place, node=item, item=True, keys=(*place.keys, str(index)) if place.layers else ())
                for index, item in reversed([*enumerate(node.items)])
            )
        elif isinstance(node, Scalar):
            yield place


def _child(place: Place, key: str, value: Node) -> Place:
    if key in _VALUES and "/" in place.resource:
        return replace(place, node=value, key=key, item=False, layers=place.resource, keys=())
    keys = (*place.keys, key) if place.layers else ()
    return replace(place, node=value, key=key, item=False, keys=keys)


def _about_itself(key: str, value: Node, *, top: bool) -> bool:
    return isinstance(value, Mapping) and (key == "metadata" or (key == "status" and top))


def _global_registry(node: Mapping) -> str:
    """What a chart's `global.imageRegistry` (or `global.image.registry`) puts before every repository."""
    common = node.get("global")
    if not isinstance(common, Mapping):
        return ""
    image = common.get("image")
    return common.text("imageRegistry") or (image.text("registry") if isinstance(image, Mapping) else "")
