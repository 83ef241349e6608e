"""Whether a value is sound by a schema, as far as that can be seen without compiling it: nearly all values are.

`find_problems` of bundled_kinds.py asks this first. No is not a refusal: then the engine for definitions looks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["is_plainly_sound"]

_KEEP = "x-kubernetes-preserve-unknown-fields"
_LIST = "x-kubernetes-list-type"
_RULES = "x-kubernetes-validations"
_READ = frozenset(
    {
        *("type", "properties", "additionalProperties", "required", "items", "enum", "minLength", "maxLength"),
        *("pattern", "minItems", "maxItems", "minimum", "maximum", "default", "format", "nullable", _KEEP, _LIST),
        "x-kubernetes-list-map-keys",
    }
)
_BITS = {"int32": 31, "int64": 63}
_LONGEST = 253  # of a text that Python matches with a pattern: its time may grow with the square
Schema = Mapping[str, Any]


def is_plainly_sound(value: Any, schema: Schema, root: Schema, *, with_rules: bool) -> bool:
    """Whether nothing of a schema refuses a value; False where one cannot see it here."""
    while "$ref" in schema:
        schema = root[schema["$ref"].removeprefix("#/")]
    if not _READ.issuperset(schema.keys() - (() if with_rules else {_RULES})):
        return False
    kind = schema.get("type")
    if kind is None and schema.keys() == {_KEEP}:
        return True
    if isinstance(value, dict):
        return kind == "object" and _is_sound_object(value, schema, root, with_rules=with_rules)
    if isinstance(value, list):
        return kind == "array" and _is_sound_list(value, schema, root, with_rules=with_rules)
    if isinstance(value, bool):
        return kind == "boolean" and "enum" not in schema
    if isinstance(value, str):
        return kind == "string" and _is_sound_text(value, schema)
    return isinstance(value, int) and kind == "integer" and _is_sound_number(value, schema)


def _is_sound_object(value: dict[str, Any], schema: Schema, root: Schema, *, with_rules: bool) -> bool:
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
    if any(name not in value and "default" not in properties.get(name, ()) for name in schema.get("required", ())):
        return False
    for key, item in value.items():
        field = properties.get(key, extra)
        if isinstance(field, Mapping):
            if not is_plainly_sound(item, field, root, with_rules=with_rules):
                return False
        elif field is not None or schema.get(_KEEP) is not True:
            return False
    return True


def _is_sound_list(value: list[Any], schema: Schema, root: Schema, *, with_rules: bool) -> bool:
    items = schema.get("items")
    if len(value) > 1 and schema.get(_LIST, "atomic") != "atomic":
        return False
    if not isinstance(items, Mapping) or not _is_between(len(value), schema, "minItems", "maxItems"):
        return False
    return all(is_plainly_sound(item, items, root, with_rules=with_rules) for item in value)


def _is_sound_text(value: str, schema: Schema) -> bool:
    if "format" in schema or ("enum" in schema and value not in schema["enum"]):
        return False
    if not _is_between(len(value), schema, "minLength", "maxLength"):
        return False
    if "pattern" not in schema:
        return True
    # RE2 and Python read the patterns of the bundle alike in a line of ASCII (tests/unit/validation).
    is_alike = len(value) <= _LONGEST and value.isascii() and value.isprintable()
    return is_alike and re.search(schema["pattern"], value) is not None


def _is_sound_number(value: int, schema: Schema) -> bool:
    bits = _BITS.get(schema.get("format", "int64"))
    if "enum" in schema or bits is None:
        return False
    return -(1 << bits) <= value < 1 << bits and _is_between(value, schema, "minimum", "maximum")


def _is_between(size: int, schema: Schema, least: str, most: str) -> bool:
    return bool(schema.get(least, size) <= size <= schema.get(most, size))
