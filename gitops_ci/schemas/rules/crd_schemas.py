"""The structural schemas inside CustomResourceDefinitions.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go and pkg/apiserver/schema
(structural schemas).
"""

from __future__ import annotations

import re
from typing import Any

from gitops_ci.schemas.rules.base import Spot
from gitops_ci.schemas.rules.expressions import compiles, fields_of_self

__all__ = ["root"]

_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_FORBIDDEN = ("$ref", "definitions", "dependencies", "id", "patternProperties", "additionalItems")
_REASONS = ("FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate")
# What may stand in a schema below allOf, anyOf, oneOf or not: values only, no structure.
_NOT_NESTED = (
    *("type", "description", "default", "nullable", "x-kubernetes-preserve-unknown-fields"),
    *("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-type"),
    *("x-kubernetes-list-map-keys", "x-kubernetes-map-type", "title"),
)


def root(schema: Spot) -> None:
    if not schema.text("type"):
        schema.missing("crd", "type", "'type: object' is required at the root of a schema")
    elif schema.text("type") != "object":
        schema.at("type").bad("crd", "must be object at the root of a schema")
    if schema.flag("nullable"):
        schema.at("nullable").bad("crd", "may not be true at the root of a schema")
    for key in ("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"):
        if schema.flag(key):
            schema.at(key).bad("crd", "may not be set at the root of a schema")
    properties = schema.at("properties")
    for key, kind in (("apiVersion", "string"), ("kind", "string"), ("metadata", "object")):
        if properties.has(key) and properties.at(key).text("type") not in {"", kind}:
            properties.at(key, "type").bad("crd", f"must be {kind} for '{key}'")
    _metadata(properties.at("metadata"))
    _schema(schema, nested=False)


def _metadata(metadata: Spot) -> None:
    if type(metadata.value) is not dict:
        return
    for name in metadata.mapping("properties"):
        if name not in {"name", "generateName"}:
            metadata.at("properties", name).bad_key("crd", "only metadata.name and generateName may be restricted")


def _schema(schema: Spot, *, nested: bool) -> None:
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
        for key in _NOT_NESTED:
            allowed = key == "type" and schema.text("type") == ""
            if schema.has(key) and not allowed and not _int_or_string_part(schema, key):
                schema.at(key).bad_key("crd", f"'{key}' must not be set below allOf, anyOf, oneOf or not")
    else:
        _structure(schema)
    _children(schema, nested=nested)
    for rule in schema.each("x-kubernetes-validations"):
        compiles(rule, "rule", "crd", ("self", "oldSelf"), "BOOL")
        compiles(rule, "messageExpression", "crd", ("self", "oldSelf"), "STRING")
        fields_of_self(rule, schema)
        rule.one_of("crd", "reason", _REASONS, pointer=True)
        if not rule.text("rule").strip():
            rule.missing("crd", "rule")
        message = rule.text("message")
        if rule.has("message") and not message.strip():
            rule.at("message").bad("crd", "must not be blank")
        if "\n" in message.strip():
            rule.at("message").bad("crd", "must not contain line breaks")
        if "\n" in rule.text("rule").strip() and not message:
            rule.missing("crd", "message", "'message' is required for a rule of several lines")


def _int_or_string_part(schema: Spot, key: str) -> bool:
    # `anyOf: [{type: integer}, {type: string}]` beside x-kubernetes-int-or-string is the one legal use of type.
    return key == "type" and set(schema.value) == {"type"} and schema.text("type") in {"integer", "string"}


def _children(schema: Spot, *, nested: bool) -> None:
    for _, child in schema.pairs("properties"):
        _schema(child, nested=nested)
    items = schema.get("items")
    if isinstance(items, list):
        schema.at("items").bad("crd", "must be one schema, not a list")
    elif items is not None:
        _schema(schema.at("items"), nested=nested)
    additional = schema.get("additionalProperties")
    if additional is False:
        schema.at("additionalProperties").bad("crd", "may not be false")
    elif isinstance(additional, dict) and not nested:
        _schema(schema.at("additionalProperties"), nested=nested)
    if isinstance(additional, dict) and schema.count("properties"):
        schema.at("additionalProperties").bad_key("crd", "properties and additionalProperties exclude each other")
    for key in ("allOf", "anyOf", "oneOf"):
        for child in schema.each(key):
            _schema(child, nested=True)
    if schema.has("not"):
        _schema(schema.at("not"), nested=True)


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
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        schema.at("x-kubernetes-preserve-unknown-fields").bad("crd", "must be true or absent")
    if schema.flag("x-kubernetes-embedded-resource"):
        if kind != "object":
            schema.at("x-kubernetes-embedded-resource").bad("crd", "needs type: object")
        if not keep and not schema.count("properties"):
            schema.missing("crd", "properties", "an embedded resource needs properties or preserve-unknown-fields")
    if kind == "array" and not schema.has("items"):
        schema.missing("crd", "items", "'items' is required for an array")
    _lists(schema, kind)
    if schema.has("default"):
        for why in _default_errors(schema.value["default"], schema.value):
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
    if list_type == "set" and kind == "array":
        items = schema.at("items")
        atomic = items.text("x-kubernetes-list-type") == "atomic" or items.text("x-kubernetes-map-type") == "atomic"
        if items.flag("nullable"):
            items.at("nullable").bad("crd", "may not be true in a set")
        if items.text("type") in {"object", "array"} and not atomic:
            schema.at("items").bad("crd", "items of a set must be scalars, or atomic")


def _map_keys(schema: Spot, keys: list[str]) -> None:
    if not keys:
        schema.missing(
            "crd", "x-kubernetes-list-map-keys", "'x-kubernetes-list-map-keys' is required for list-type map"
        )
    items = schema.at("items")
    if items.text("type") not in {"object", ""}:
        items.at("type").bad("crd", "must be object in a list of type map")
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


def _default_errors(value: Any, schema: dict[str, Any]) -> list[str]:
    """Why a default does not fit its own schema."""
    from gitops_ci.schemas.openapi import violations

    return [f"the default does not fit the schema: {message}" for message in violations(value, schema)]
