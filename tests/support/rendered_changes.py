"""The changes of a JSON document applied to an object, by the rule that the schema gives."""

from __future__ import annotations

import copy
from typing import Any

__all__ = ["applied"]


def _tokens(pointer: str) -> list[Any]:
    found = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return [int(part) if part.isdigit() else part for part in found]


def _parent(value: Any, way: list[Any]) -> tuple[Any, Any]:
    for part in way[:-1]:
        value = value[part] if isinstance(value, list) else value[str(part)]
    return value, way[-1] if isinstance(value, list) else str(way[-1])


def applied(base: Any, paths: list[dict[str, Any]]) -> Any:
    """The rule of `PathChange`: set what both sides have, remove from the end, add from the beginning."""
    made = {"": copy.deepcopy(base)}
    order = lambda way: [(isinstance(part, int), part) for part in way]  # noqa: E731
    both = [one for one in paths if one["base_pointer"] is not None and one["head_pointer"] is not None]
    gone = [one for one in paths if one["head_pointer"] is None]
    new = [one for one in paths if one["base_pointer"] is None]
    for one in both:
        at, key = _parent(made, ["", *_tokens(one["base_pointer"])])
        at[key] = copy.deepcopy(one["new"])
    for way in sorted((["", *_tokens(one["base_pointer"])] for one in gone), key=order, reverse=True):
        at, key = _parent(made, way)
        del at[key]
    for one in sorted(new, key=lambda one: order(_tokens(one["head_pointer"]))):
        at, key = _parent(made, ["", *_tokens(one["head_pointer"])])
        at.insert(key, copy.deepcopy(one["new"])) if isinstance(at, list) else at.update({key: one["new"]})
    return made[""]
