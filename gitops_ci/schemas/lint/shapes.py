"""The documented fields of files and kinds whose schema is not at hand, and what does not fit them.

A shape is a type (`text`, `flag`, `number`, `any`, `number-or-text`), a tuple of words, a list of one shape, or the
fields of a mapping by name; `*` stands for every other name, and a name that ends in `!` is required.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gitops_ci.schemas.hints import nearest, nearest_field
from gitops_ci.schemas.scalars import type_name

__all__ = ["ANY", "FLAG", "MAP", "NUMBER", "NUMBER_OR_TEXT", "TEXT", "TEXTS", "Misfit", "Shape", "misfits"]

Shape = Any
TEXT, FLAG, NUMBER, ANY, NUMBER_OR_TEXT = "text", "flag", "number", "any", "number-or-text"
TEXTS = [TEXT]
MAP = {"*": TEXT}
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    TEXT: ((str,), "a string"),
    FLAG: ((bool,), "true or false"),
    NUMBER: ((int,), "a whole number"),
    NUMBER_OR_TEXT: ((int, str), "a number or a string"),
}
Keys = tuple[str | int, ...]


class Misfit(NamedTuple):
    """What does not fit, and where. `is_unknown`: a field that no documented version has."""

    keys: Keys
    message: str
    hint: str = ""
    at_key: bool = False
    is_unknown: bool = False


def misfits(value: Any, shape: Shape, keys: Keys = ()) -> Iterator[Misfit]:
    """Everything about a value that does not fit a shape; null is as good as absent."""
    if value is None or shape == ANY:
        return
    if isinstance(shape, str):
        kinds, wanted = _TYPES[shape]
        if not isinstance(value, kinds) or (isinstance(value, bool) and shape != FLAG):
            yield Misfit(keys, f"must be {wanted}, is {type_name(value)}")
    elif isinstance(shape, tuple):
        if value not in shape:
            near = nearest(value, shape) if isinstance(value, str) else None
            hint = f"Did you mean '{near}'?" if near else ""
            yield Misfit(keys, f"'{value}' is not supported; one of {', '.join(shape)}", hint)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield Misfit(keys, f"must be a list, is {type_name(value)}")
            return
        for index, item in enumerate(value):
            yield from misfits(item, shape[0], (*keys, index))
    elif not isinstance(value, dict):
        yield Misfit(keys, f"must be a mapping, is {type_name(value)}")
    else:
        yield from _fields(value, {name.removesuffix("!"): inner for name, inner in shape.items()}, keys)
        for name in shape:
            if name.endswith("!") and value.get(name[:-1]) in (None, "", {}, []):
                yield Misfit(keys, f"'{name[:-1]}' is required", at_key=True)


def _fields(value: Mapping[str, Any], fields: Mapping[str, Shape], keys: Keys) -> Iterator[Misfit]:
    every = fields.get("*")
    for key, item in value.items():
        if (inner := fields.get(key, every)) is not None:
            yield from misfits(item, inner, (*keys, key))
        else:
            hint = nearest_field(key, fields)
            yield Misfit((*keys, key), f"unknown field '{key}'", hint, at_key=True, is_unknown=True)
