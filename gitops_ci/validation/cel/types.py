"""What expressions know of the values they are about, by a schema: fields and their types.

Source: k8s.io/apiserver pkg/cel/common/schemas.go, SchemaDeclType and WithTypeAndObjectMeta. Where objects have types
of their own on the server, here a field is a variable with a dot in its name: CEL takes the longest name that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gitops_ci.validation.cel.engine import Variables
from gitops_ci.validation.cel.schema_rules import escaped, without_strings

__all__ = ["REQUEST", "Scope", "has_type", "scope"]

_OBJECT = "map(string, dyn)"
_SCALARS = {"string": "string", "boolean": "bool", "number": "double", "integer": "int"}
_FORMATS = {"byte": "bytes", "duration": "duration", "date": "timestamp", "date-time": "timestamp"}
_PATH = re.compile(r"(?<![\w.])(self|oldSelf|request)((?:\.[A-Za-z_]\w*)+)(\s*\()?")
_PRESENCE = re.compile(r"\bhas\(\s*(?:self|oldSelf|request)(?:\.[A-Za-z_]\w*)+\s*\)")
_TEXT = {"type": "string"}
_NAMES = {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}}
_ENVELOPE = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": _NAMES}


# What expressions of policies and webhooks know of a request (k8s.io/apiserver pkg/admission/plugin/cel/compile.go).
_KIND = {"type": "object", "properties": dict.fromkeys(("group", "version", "kind"), _TEXT)}
_RESOURCE = {"type": "object", "properties": dict.fromkeys(("group", "version", "resource"), _TEXT)}
_USER = {
    "username": _TEXT,
    "uid": _TEXT,
    "groups": {"type": "array", "items": _TEXT},
    "extra": {"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}},
}
REQUEST = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("name", "namespace", "operation", "subResource", "requestSubResource"), _TEXT),
        **dict.fromkeys(("kind", "requestKind"), _KIND),
        **dict.fromkeys(("resource", "requestResource"), _RESOURCE),
        "userInfo": {"type": "object", "properties": _USER},
        "dryRun": {"type": "boolean"},
        "options": {"x-kubernetes-int-or-string": True},
    },
}


class Scope(NamedTuple):
    """An expression as it can be compiled, its variables, and what fields it names that are not there, beside all."""

    source: str
    variables: Variables
    unknown: tuple[tuple[str, tuple[str, ...]], ...]


def scope(source: str, schemas: Mapping[str, Mapping[str, Any]], *, dynamic: tuple[str, ...] = ()) -> Scope:
    """The variables of an expression: those with schemas by their fields, the `dynamic` ones of any type."""
    found: dict[str, str] = {name: _type(schema) or "dyn" for name, schema in schemas.items()}
    found.update(dict.fromkeys(dynamic, "dyn"))
    unknown = []
    for base, path, call in _PATH.findall(without_strings(source)) if schemas else ():
        if base not in schemas:
            continue
        known, node = base, schemas[base]
        names = path[1:].split(".")
        for name in names[:-1] if call else names:
            fields = {} if node.get("type") in _SCALARS else _fields(node)
            if fields is None:
                break
            if name not in fields:
                unknown.append((f"{known}.{name}", tuple(fields)))
                break
            node, known = fields[name], f"{known}.{name}"
            found[known] = _type(node) or "dyn"
    # To ask whether a field is there is no use of its value.
    return Scope(_PRESENCE.sub("true", source), tuple(found.items()), tuple(unknown))


def has_type(schema: Any) -> bool:
    return isinstance(schema, Mapping) and _type(schema) is not None


def _fields(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]] | None:
    """The fields of an object by the names that expressions use, None for what is none."""
    if schema.get("type") != "object" or isinstance(schema.get("additionalProperties"), Mapping):
        return None
    properties = schema.get("properties")
    envelope = _ENVELOPE if schema.get("x-kubernetes-embedded-resource") is True else {}
    known = {**(properties if isinstance(properties, Mapping) else {}), **envelope}
    return {escaped(name): field for name, field in known.items() if has_type(field)}


def _type(schema: Mapping[str, Any]) -> str | None:
    """The type of values, None for those that expressions do not see."""
    if schema.get("x-kubernetes-int-or-string"):
        return "dyn"
    kind, extra = str(schema.get("type")), schema.get("additionalProperties")
    if kind == "array":
        items = schema.get("items")
        of = _type(items) if isinstance(items, Mapping) else None
        return f"list({of})" if of else None
    if kind == "object" and isinstance(extra, Mapping):
        of = _type(extra)
        return f"map(string, {of})" if of else None
    if kind == "object":
        return _OBJECT
    form = _FORMATS.get(str(schema.get("format"))) if kind == "string" else None
    return form or _SCALARS.get(kind)
