"""Lists and maps in the schema of a CustomResourceDefinition: how they merge, and what makes an item.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from gitops_ci.validation.apimachinery.field import Field

__all__ = ["lists"]

_LIST_TYPE, _MAP_TYPE, _KEYS = "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-list-map-keys"


def lists(schema: Field) -> None:
    kind, list_type = schema.text("type"), schema.text(_LIST_TYPE)
    schema.one_of("crd", _LIST_TYPE, ("atomic", "set", "map"), pointer=True)
    schema.one_of("crd", _MAP_TYPE, ("atomic", "granular"), pointer=True)
    if schema.has(_LIST_TYPE) and kind != "array":
        schema.at(_LIST_TYPE).bad("crd", "needs type: array")
    if schema.has(_MAP_TYPE) and kind != "object":
        schema.at(_MAP_TYPE).bad("crd", "needs type: object")
    keys = schema.strings(_KEYS)
    if keys and list_type != "map":
        schema.at(_KEYS).bad("crd", f"needs {_LIST_TYPE}: map")
    if list_type == "map":
        _map_keys(schema, keys)
    items = schema.at("items")
    if list_type in {"set", "map"} and items.flag("nullable"):
        items.at("nullable").bad("crd", f"may not be true in a {list_type}")
    if list_type == "set" and kind == "array":
        granular = items.text("type") == "object" and items.text(_MAP_TYPE) != "atomic"
        if granular or (items.text("type") == "array" and items.text(_LIST_TYPE) not in {"", "atomic"}):
            items.bad("crd", "items of a set must be scalars, or atomic")


def _map_keys(schema: Field, keys: list[str]) -> None:
    if not keys:
        schema.missing("crd", _KEYS, f"'{_KEYS}' is required for list-type map")
    items = schema.at("items")
    if items.text("type") != "object":
        items.bad("crd", "must be of type object in a list of type map")
        return
    for index, key in enumerate(keys):
        place = schema.at(_KEYS).item(index)
        field = items.at("properties", key)
        if key in keys[:index]:
            place.bad("duplicate", f"'{key}' is given twice")
        elif type(field.value) is not dict:
            place.bad("crd", f"'{key}' must be a property of the items")
        elif field.text("type") in {"object", "array"}:
            place.bad("crd", f"'{key}' must be a scalar")
        elif key not in items.strings("required") and not field.has("default"):
            place.bad("crd", f"'{key}' must be required or have a default")
        elif field.flag("nullable"):
            place.bad("crd", f"'{key}' must not be nullable")
