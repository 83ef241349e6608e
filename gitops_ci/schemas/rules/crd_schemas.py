"""The structural schemas inside CustomResourceDefinitions.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go and pkg/apiserver/schema
validation.go (structural schemas).
"""

from __future__ import annotations

import re
from typing import Any

from gitops_ci.schemas.problem import UNCHECKED, Problem, show_path
from gitops_ci.schemas.rules.base import Spot
from gitops_ci.schemas.rules.crd_nested import complete, nested_parts, only_values, typed_parts
from gitops_ci.schemas.rules.crd_validations import validations

__all__ = ["root"]

_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_FORBIDDEN = ("$ref", "definitions", "dependencies", "id", "patternProperties", "additionalItems")
# With the subresource `status` the root may hold nothing that would be lost when the status is taken out of it.
_BESIDE_STATUS = frozenset(
    {
        *("description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
        *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required"),
        *("items", "properties", "externalDocs", "example", "x-kubernetes-preserve-unknown-fields"),
        "x-kubernetes-validations",
    }
)
_NOTHING: tuple[Any, ...] = (None, "", False, [], {})


def root(schema: Spot, *, with_status: bool = False) -> None:
    if not schema.text("type"):
        schema.missing("crd", "type", "'type: object' is required at the root of a schema")
    elif schema.text("type") != "object":
        schema.at("type").bad("crd", "must be object at the root of a schema")
    if schema.flag("nullable"):
        schema.at("nullable").bad("crd", "may not be true at the root of a schema")
    for key in ("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"):
        if schema.flag(key):
            schema.at(key).bad("crd", "may not be set at the root of a schema")
    if schema.has("additionalProperties"):
        schema.at("additionalProperties").bad_key("crd", "must not be used at the root of a schema")
    for key in sorted(schema.value) if with_status else ():
        if key not in _BESIDE_STATUS and schema.get(key) not in _NOTHING:
            schema.at(key).bad_key("crd", "may not stand at the root of a schema with the subresource status")
    _envelope(schema.at("properties"))
    complete(schema)
    _schema(schema)


def _envelope(properties: Spot) -> None:
    for key, kind in (("apiVersion", "string"), ("kind", "string"), ("metadata", "object")):
        if properties.has(key) and properties.at(key).text("type") not in {"", kind}:
            properties.at(key, "type").bad("crd", f"must be {kind} for '{key}'")
        _no_default(properties.at(key))
    metadata = properties.at("metadata")
    for name in metadata.mapping("properties"):
        if name not in {"name", "generateName"}:
            metadata.at("properties", name).bad_key("crd", "only metadata.name and generateName may be restricted")
    for key in metadata.value if type(metadata.value) is dict else ():
        if key not in {"type", "properties"} and metadata.get(key) not in _NOTHING:
            metadata.at(key).bad_key("crd", "nothing but name and generateName of metadata may be restricted")


def _no_default(schema: Spot) -> None:
    """Of what every object has there are no defaults."""
    if schema.has("default"):
        schema.at("default").bad_key("crd", "must not be set in apiVersion, kind and metadata of the root")
    for _, child in schema.pairs("properties"):
        _no_default(child)


def _schema(
    schema: Spot, *, nested: bool = False, correlated: bool = True, typed: frozenset[int] = frozenset()
) -> None:
    if type(schema.value) is not dict:
        return
    for key in _FORBIDDEN:
        if schema.get(key) not in (None, {}, ""):
            schema.at(key).bad_key("crd", f"'{key}' is forbidden in a structural schema")
    if schema.flag("uniqueItems"):
        schema.at("uniqueItems").bad("crd", "may not be true; use x-kubernetes-list-type: set")
    if schema.has("pattern") and (why := _why_no_regex(schema.text("pattern"))):
        schema.at("pattern").bad("crd", why)
    if nested:
        only_values(schema, may_have_type=id(schema.value) in typed)
    else:
        _structure(schema)
        validations(schema, correlated=correlated)
    _children(schema, nested=nested, correlated=correlated)
    below = typed if nested else typed_parts(schema)
    for part in nested_parts(schema):
        _schema(part, nested=True, typed=below)


def _children(schema: Spot, *, nested: bool, correlated: bool) -> None:
    of_fields = correlated and schema.text("x-kubernetes-map-type") != "atomic"
    for _, child in schema.pairs("properties"):
        _schema(child, nested=nested, correlated=of_fields)
    items = schema.get("items")
    if isinstance(items, list):
        schema.at("items").bad("crd", "must be one schema, not a list")
    elif items is not None:
        of_items = correlated and schema.text("x-kubernetes-list-type") == "map"
        _schema(schema.at("items"), nested=nested, correlated=of_items)
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict) and not nested:
        _schema(schema.at("additionalProperties"), correlated=correlated)
    if (isinstance(additional, dict) or additional is False) and schema.count("properties"):
        schema.at("additionalProperties").bad_key("crd", "properties and additionalProperties exclude each other")


def _structure(schema: Spot) -> None:
    kind = schema.text("type")
    either = schema.flag("x-kubernetes-int-or-string")
    keep = schema.flag("x-kubernetes-preserve-unknown-fields")
    if kind and kind not in _TYPES:
        schema.one_of("crd", "type", _TYPES)
    if not kind and not either and not keep:
        schema.missing("crd", "type", "'type' is required")
    if either and kind:
        schema.at("type").bad("crd", "must be empty when x-kubernetes-int-or-string is true")
    for key in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
        if either and schema.flag(key):
            schema.at(key).bad("crd", "must not be true beside x-kubernetes-int-or-string")
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        schema.at("x-kubernetes-preserve-unknown-fields").bad("crd", "must be true or absent")
    if schema.flag("x-kubernetes-embedded-resource"):
        if kind != "object":
            schema.at("x-kubernetes-embedded-resource").bad("crd", "needs type: object")
        if schema.has("additionalProperties"):
            schema.at("additionalProperties").bad_key("crd", "must not be used in an embedded resource")
        if not keep and not schema.count("properties"):
            schema.missing("crd", "properties", "an embedded resource needs properties or preserve-unknown-fields")
    if kind == "array" and not schema.has("items"):
        schema.missing("crd", "items", "'items' is required for an array")
    _lists(schema, kind)
    if schema.has("default"):
        for why in _default_errors(schema.value["default"], schema.value, schema.minor):
            schema.at("default").bad("crd", why)


def _lists(schema: Spot, kind: str) -> None:
    list_type = schema.text("x-kubernetes-list-type")
    schema.one_of("crd", "x-kubernetes-list-type", ("atomic", "set", "map"), pointer=True)
    schema.one_of("crd", "x-kubernetes-map-type", ("atomic", "granular"), pointer=True)
    if list_type and kind != "array":
        schema.at("x-kubernetes-list-type").bad("crd", "needs type: array")
    if schema.has("x-kubernetes-map-type") and kind != "object":
        schema.at("x-kubernetes-map-type").bad("crd", "needs type: object")
    keys = schema.strings("x-kubernetes-list-map-keys")
    if keys and list_type != "map":
        schema.at("x-kubernetes-list-map-keys").bad("crd", "needs x-kubernetes-list-type: map")
    if list_type == "map":
        _map_keys(schema, keys)
    items = schema.at("items")
    if list_type in {"set", "map"} and items.flag("nullable"):
        items.at("nullable").bad("crd", f"may not be true in a {list_type}")
    if list_type == "set" and kind == "array":
        granular = items.text("type") == "object" and items.text("x-kubernetes-map-type") != "atomic"
        if granular or (items.text("type") == "array" and items.text("x-kubernetes-list-type") not in {"", "atomic"}):
            schema.at("items").bad("crd", "items of a set must be scalars, or atomic")


def _map_keys(schema: Spot, keys: list[str]) -> None:
    if not keys:
        schema.missing(
            "crd", "x-kubernetes-list-map-keys", "'x-kubernetes-list-map-keys' is required for list-type map"
        )
    items = schema.at("items")
    if items.text("type") != "object":
        items.bad("crd", "must be of type object in a list of type map")
    if len(set(keys)) < len(keys):
        schema.at("x-kubernetes-list-map-keys").bad("duplicate", "a key is given twice")
    for index, key in enumerate(keys):
        place = schema.at("x-kubernetes-list-map-keys").item(index)
        field = items.at("properties", key)
        if type(field.value) is not dict:
            place.bad("crd", f"'{key}' must be a property of the items")
            continue
        if field.text("type") in {"object", "array"}:
            place.bad("crd", f"'{key}' must be a scalar")
        if key not in items.strings("required") and not field.has("default"):
            place.bad("crd", f"'{key}' must be required or have a default")
        if field.flag("nullable"):
            place.bad("crd", f"'{key}' must not be nullable")


def _why_no_regex(pattern: str) -> str | None:
    """Whether RE2 would take it; Python's dialect is close enough to tell what is plainly broken."""
    import warnings

    text = re.sub(r"\\[pP](?:\{\^?[A-Za-z_]+\}|[A-Z])", "x", pattern).replace(r"\z", r"\Z")
    if re.search(r"\(\?(?:[=!]|<[=!])|(?<!\\)(?:\\\\)*\\[1-9]", text):
        return f"'{pattern}' is no regular expression of RE2: it has neither look-around nor back references"
    text = re.sub(r"\[\[:\^?\w+:\]\]", "x", text).replace("(?P<", "(?P<")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(re.sub(r"(?<!^)\(\?([imsU]+)\)", "", text))
    except (re.error, OverflowError, RecursionError) as error:
        said = str(error)
        return (
            None if "global flags" in said or "bad escape" in said else f"'{pattern}' is no regular expression: {said}"
        )
    return None


def _default_errors(value: Any, schema: dict[str, Any], minor: int) -> list[str]:
    """Why a default does not fit its own schema."""
    from gitops_ci.schemas.openapi import compile_schema
    from gitops_ci.schemas.structural import Structural

    problems: list[Problem] = []
    Structural(schema, f"1.{minor}").examine_part(value, problems)
    compile_schema(schema, minor=minor)(value, None, problems)
    shown = [(show_path(problem.path), problem.message) for problem in problems if problem.rule != UNCHECKED]
    told = [f"{where}: {message}" if where else message for where, message in shown]
    return [f"the default does not fit the schema: {message}" for message in told]
