"""The structural schemas inside CustomResourceDefinitions.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go and pkg/apiserver/schema
validation.go (structural schemas).
"""

from __future__ import annotations

from typing import NamedTuple

from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apiserver.apiextensions.defaults import default_errors
from gitops_ci.validation.apiserver.apiextensions.lists import lists
from gitops_ci.validation.apiserver.apiextensions.nested import complete, nested_parts, only_values, typed_parts
from gitops_ci.validation.apiserver.apiextensions.validations import validations
from gitops_ci.validation.go.re2_syntax import why_no_pattern

__all__ = ["root"]

_TYPES = ("string", "integer", "number", "boolean", "array", "object")
# Whatever they hold, and what is forbidden only when it holds something.
_FORBIDDEN = ("$ref", "dependencies", "additionalItems")
_EMPTY_ONLY = ("$schema", "definitions", "id", "patternProperties")
_ENVELOPE = (("apiVersion", "string"), ("kind", "string"), ("metadata", "object"))
_EMBEDDED = "x-kubernetes-embedded-resource"
_KEEP = "x-kubernetes-preserve-unknown-fields"
# With the subresource `status` the root may hold nothing that would be lost when the status is taken out of it.
_BESIDE_STATUS = frozenset(
    {
        *("description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
        *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required"),
        *("items", "properties", "externalDocs", "example", "x-kubernetes-validations", _KEEP),
    }
)


class _Where(NamedTuple):
    """What the place of a schema means for it.

    `correlated`: a value here can be compared with the one it replaces. `meta`: it is or lies in apiVersion, kind or
    metadata of an object. `defaults`: a default may be given, and is checked here.
    """

    correlated: bool = True
    meta: bool = False
    defaults: str = "checked"


def root(schema: Field, *, with_status: bool = False) -> None:
    if schema.text("type") not in {"", "object"}:
        schema.at("type").bad("crd", "must be object at the root of a schema")
    if schema.flag("nullable"):
        schema.at("nullable").bad("crd", "may not be true at the root of a schema")
    if schema.has("additionalProperties"):
        schema.at("additionalProperties").bad_key("crd", "must not be used at the root of a schema")
    for key, value in sorted(schema.value.items()) if with_status else ():
        if key not in _BESIDE_STATUS and value is not None and value is not False and value != "":
            schema.at(key).bad_key("crd", "may not stand at the root of a schema with the subresource status")
    _metadata(schema.at("properties", "metadata"))
    complete(schema)
    _schema(schema, _Where(), is_root=True)


def _metadata(metadata: Field) -> None:
    """Of the metadata of the root only the name may be restricted."""
    for name in metadata.mapping("properties"):
        if name not in {"name", "generateName"}:
            metadata.at("properties", name).bad_key("crd", "only metadata.name and generateName may be restricted")
    for key, value in metadata.value.items() if type(metadata.value) is dict else ():
        if key not in {"type", "properties"} and value not in (None, "", False, [], {}):
            metadata.at(key).bad_key("crd", "nothing but name and generateName of metadata may be restricted")


def _schema(schema: Field, where: _Where, *, is_root: bool = False) -> None:
    if type(schema.value) is not dict:
        return
    _keywords(schema, nested=False)
    _structure(schema, where)
    lists(schema)
    validations(schema, correlated=where.correlated, is_root=is_root or schema.flag(_EMBEDDED))
    if is_root or schema.flag(_EMBEDDED):
        _envelope(schema.at("properties"))
    if schema.has("default"):
        _default(schema, where)
    _children(schema, where, is_root=is_root)
    typed = typed_parts(schema)
    for part in nested_parts(schema):
        _nested(part, typed)


def _keywords(schema: Field, *, nested: bool) -> None:
    """What holds of every schema, nested ones included."""
    for key in _FORBIDDEN:
        if schema.has(key):
            schema.at(key).bad_key("crd", f"'{key}' is forbidden in a structural schema")
    for key in _EMPTY_ONLY:
        if schema.get(key) not in (None, "", {}):
            schema.at(key).bad_key("crd", f"'{key}' is forbidden in a structural schema")
    if schema.flag("uniqueItems"):
        schema.at("uniqueItems").bad("crd", "may not be true; use x-kubernetes-list-type: set")
    if schema.text("pattern") and (why := why_no_pattern(schema.text("pattern"))):
        schema.at("pattern").bad("crd", why)
    if isinstance(schema.get("items"), list) and not (nested and schema.get("items") == []):
        schema.at("items").bad("crd", "must be one schema, not a list")
    additional = schema.get("additionalProperties")
    if additional is not None and additional is not True and schema.count("properties"):
        schema.at("additionalProperties").bad_key("crd", "properties and additionalProperties exclude each other")
    if schema.get(_KEEP) is False:
        schema.at(_KEEP).bad("crd", "must be true or absent")


def _structure(schema: Field, where: _Where) -> None:
    kind = schema.text("type")
    either, keep, embedded = (schema.flag(key) for key in ("x-kubernetes-int-or-string", _KEEP, _EMBEDDED))
    if kind and kind not in _TYPES:
        schema.one_of("crd", "type", _TYPES)
    if not kind and not either and not keep and not embedded:
        schema.missing("crd", "type", "'type' is required")
    for key in (_KEEP, _EMBEDDED):
        if either and schema.flag(key):
            schema.at(key).bad("crd", "must not be true beside x-kubernetes-int-or-string")
    if embedded:
        if kind != "object":
            schema.at(_EMBEDDED).bad("crd", "needs type: object")
        if where.meta:
            schema.at(_EMBEDDED).bad("crd", "must not be used inside of metadata")
        if schema.has("additionalProperties"):
            schema.at("additionalProperties").bad_key("crd", "must not be used in an embedded resource")
        if not keep and not schema.count("properties"):
            schema.missing("crd", "properties", "an embedded resource needs properties or preserve-unknown-fields")
    if kind == "array" and type(schema.get("items")) is not dict:
        schema.missing("crd", "items", "'items' is required for an array")


def _envelope(properties: Field) -> None:
    for key, kind in _ENVELOPE:
        if properties.has(key) and properties.at(key).text("type") != kind:
            properties.at(key).missing("crd", "type", f"must be of type {kind}")


def _default(schema: Field, where: _Where) -> None:
    if where.defaults == "forbidden":
        schema.at("default").bad_key("crd", "must not be set in apiVersion, kind and metadata")
    elif where.defaults == "checked":
        for why in default_errors(schema.value["default"], schema.value, schema.minor, whole=not where.meta):
            schema.at("default").bad("crd", why)


def _children(schema: Field, where: _Where, *, is_root: bool) -> None:
    comparable = where.correlated and schema.text("x-kubernetes-map-type") != "atomic"
    is_object = is_root or schema.flag(_EMBEDDED)
    envelope = {key for key, _ in _ENVELOPE} if is_object else set()
    for name, child in schema.pairs("properties"):
        inside = where._replace(correlated=comparable)
        if name in envelope:
            inside = inside._replace(meta=True, defaults="forbidden" if is_root else where.defaults)
        _schema(child, inside)
    if schema.has("items"):
        list_type = schema.text("x-kubernetes-list-type")
        _schema(schema.at("items"), where._replace(correlated=where.correlated and list_type == "map"))
    if isinstance(schema.get("additionalProperties"), dict):
        defaults = "forbidden" if where.meta else "unchecked" if where.defaults == "checked" else where.defaults
        _schema(schema.at("additionalProperties"), where._replace(defaults=defaults))


def _nested(part: Field, typed: frozenset[int]) -> None:
    """A schema below allOf, anyOf, oneOf or not."""
    if type(part.value) is not dict:
        return
    _keywords(part, nested=True)
    only_values(part, may_have_type=id(part.value) in typed)
    for _, child in part.pairs("properties"):
        _nested(child, typed)
    if part.has("items"):
        _nested(part.at("items"), typed)
    for deeper in nested_parts(part):
        _nested(deeper, typed)
