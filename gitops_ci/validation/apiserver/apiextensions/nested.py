"""What may stand below allOf, anyOf, oneOf and not in the schema of a CustomResourceDefinition: values, no structure.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema, validateNestedValueValidation and complete.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["complete", "nested_parts", "only_values", "typed_parts"]

_STRUCTURE = (
    *("type", "description", "nullable", "title", "x-kubernetes-preserve-unknown-fields"),
    *("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys"),
    "x-kubernetes-validations",
)
# Of these it counts that they are given, not what they hold.
_GIVEN = ("default", "x-kubernetes-list-type", "x-kubernetes-map-type")
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]


def nested_parts(schema: Field) -> Iterator[Field]:
    for key in ("allOf", "anyOf", "oneOf"):
        yield from schema.each(key)
    if schema.has("not"):
        yield schema.at("not")


def typed_parts(schema: Field) -> frozenset[int]:
    """Which nested schemas may have a type, by identity: those that say "an integer or a string"."""
    first = next(schema.each("allOf"), None)
    forms = (schema.get("anyOf"), first.get("anyOf") if first else None)
    return frozenset(id(part) for form in forms if form == _INT_OR_STRING for part in form)


def only_values(part: Field, *, may_have_type: bool) -> None:
    """A nested schema holds nothing that would add to the structure outside of it."""
    for key in _STRUCTURE[may_have_type:]:
        if part.get(key) not in (None, "", False, [], {}):
            part.at(key).bad_key("crd", f"'{key}' must not be set below allOf, anyOf, oneOf or not")
    for key in _GIVEN:
        if part.has(key):
            part.at(key).bad_key("crd", f"'{key}' must not be set below allOf, anyOf, oneOf or not")
    allowed = (None, False) if part.on(gates.CLOSED_NESTED_SCHEMAS) else (None,)
    if part.get("additionalProperties") not in allowed:
        said = "must not be set below allOf, anyOf, oneOf or not"
        part.at("additionalProperties").bad_key("crd", f"'additionalProperties' {said}")
    if "metadata" in part.mapping("properties"):
        part.at("properties", "metadata").bad_key("crd", "must not be specified below allOf, anyOf, oneOf or not")


def complete(schema: Field) -> None:
    """Every field that a nested schema of the root speaks of is also a field outside of it."""
    for part in nested_parts(schema):
        _within(part, schema.value)


def _within(part: Field, structure: Any) -> None:
    fields = structure.get("properties") if isinstance(structure, dict) else None
    for name, field in part.pairs("properties"):
        outside = fields.get(name) if isinstance(fields, dict) else None
        if not isinstance(outside, dict):
            field.bad_key("crd", f"'{name}' is not a field of the schema outside of allOf, anyOf, oneOf and not")
        else:
            _within(field, outside)
    items = structure.get("items") if isinstance(structure, dict) else None
    # An empty list is not a schema, and none is asked for.
    if part.get("items") == []:
        pass
    elif part.has("items") and not isinstance(items, dict):
        part.at("items").bad_key("crd", "there are no 'items' outside of allOf, anyOf, oneOf and not")
    elif part.has("items"):
        _within(part.at("items"), items)
    for deeper in nested_parts(part):
        _within(deeper, structure)
