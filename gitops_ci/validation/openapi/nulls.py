"""What Go makes of null, by the type: a field is absent, an item or an entry of a map is its type's zero value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ci.validation.openapi.bundle import Bundle

__all__ = ["without_nulls"]

Schema = Mapping[str, Any]
_METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_ZEROS: Mapping[str, Any] = {"string": "", "byte": "", "time": "", "micro-time": "", "boolean": False, "any": None}


def without_nulls(value: Mapping[str, Any], bundle: Bundle, api_version: str, kind: str) -> dict[str, Any]:
    """A copy of an object without nulls; of a kind that the bundle does not have only `metadata` is looked at."""
    number = bundle.find(api_version, kind)
    own = {"properties": {"metadata": {"$ref": bundle.names.index(_METADATA)}}}
    made: dict[str, Any] = _without(value, own if number is None else {"$ref": number}, bundle)
    return made


def _without(value: Any, schema: Schema, bundle: Bundle) -> Any:
    if "$ref" in schema:
        schema = bundle.definition(schema["$ref"])
    if schema.get("type") == "any":
        return value
    if isinstance(value, dict):
        if "anyOf" in schema:
            return _without(value, schema["anyOf"][0], bundle)
        if (fields := schema.get("properties")) is not None:
            given = ((name, item) for name, item in value.items() if item is not None)
            return {name: _without(item, fields.get(name, {}), bundle) for name, item in given}
        if (entry := schema.get("additionalProperties")) is not None:
            return {
                name: _zero(entry) if item is None else _without(item, entry, bundle) for name, item in value.items()
            }
    elif isinstance(value, list):
        of_list = next((option for option in schema.get("anyOf", ()) if "items" in option), schema)
        if (entry := of_list.get("items")) is not None:
            return [_zero(entry) if item is None else _without(item, entry, bundle) for item in value]
    return value


def _zero(schema: Schema) -> Any:
    if "type" in schema and "items" not in schema and "additionalProperties" not in schema:
        return _ZEROS.get(schema["type"], 0)
    return [] if "items" in schema else {}
