"""Paths into the schema of a CustomResourceDefinition: of a rule's field, of a selectable field.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/cel/validation.go, ValidFieldPath.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["NoPathError", "target"]

_TOKEN = re.compile(r"'(?:\\.|[^'])*'?|[.\[\]]|[^.\[\]]+", re.DOTALL)


class NoPathError(ValueError):
    """A path leads nowhere."""


def target(path: str, schema: Any, *, brackets: bool = True) -> dict[str, Any]:
    """The schema at the end of a path such as `.spec['a-b'].c`.

    Raises:
        NoPathError: it is not a path, or the schema does not lead there.
    """
    tokens = _TOKEN.findall(path)
    at = 0
    while at < len(tokens):
        name, at = _name(tokens, at, brackets=brackets)
        schema = _below(schema, name)
    return schema if isinstance(schema, dict) else {}


def _name(tokens: list[str], at: int, *, brackets: bool) -> tuple[str, int]:
    """The name at a place, and the place behind it."""
    mark, *following = tokens[at : at + 3]
    if mark == "." and following:
        return following[0], at + 2
    if mark != "[":
        raise NoPathError(f"'{mark}' is not expected; names are written as .name")
    if not brackets:
        raise NoPathError("brackets are not allowed here")
    if len(following) < 2 or following[1] != "]" or len(following[0]) < 2 or following[0][0] != "'":
        raise NoPathError("brackets must hold a name in single quotes")
    return re.sub(r"\\(.)", r"\1", following[0][1:-1]), at + 3


def _below(schema: Any, name: str) -> Any:
    known = schema if isinstance(schema, dict) else {}
    properties, extra = known.get("properties"), known.get("additionalProperties")
    if isinstance(properties, dict) and properties:
        if name in properties:
            return properties[name]
    elif isinstance(extra, dict):
        return extra
    raise NoPathError(f"there is no field '{name}'")
