"""The documented fields of files that have no schema, further rules about kinds that have one, and what does not fit.

A shape is a type (`text`, `flag`, `number`, `any`, `number-or-text`), a `Text` of a form, a tuple of words, a list of
one shape, or the fields of a mapping by name; `*` stands for every other name, and a name that ends in `!` is required.
A tuple of names says how many of them are given: `ONE`, `SOME` or `NOT_BOTH`; of one name what it `Needs` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gitops_ci.text import did_you_mean, nearest_field
from gitops_ci.validation.apimachinery.scalars import type_name

__all__ = [
    "ANY",
    "FLAG",
    "MAP",
    "NAME",
    "NOT_BOTH",
    "NUMBER",
    "NUMBER_OR_TEXT",
    "OBJECT",
    "ONE",
    "SELECTOR",
    "SOME",
    "TEXT",
    "TEXTS",
    "Misfit",
    "Needs",
    "Shape",
    "Text",
    "find_misfits",
    "with_others",
]

Shape = Any
TEXT, FLAG, NUMBER, ANY, NUMBER_OR_TEXT = "text", "flag", "number", "any", "number-or-text"
ONE, SOME, NOT_BOTH = "exactly one", "at least one", "at most one"
TEXTS = [TEXT]
MAP = {"*": TEXT}
OBJECT = {"*": ANY}
SELECTOR = {
    "matchLabels": MAP,
    "matchExpressions": [
        {"key!": TEXT, "operator!": ("In", "NotIn", "Exists", "DoesNotExist"), "values": TEXTS},
    ],
}
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    TEXT: ((str,), "a string"),
    FLAG: ((bool,), "true or false"),
    NUMBER: ((int,), "a whole number"),
    NUMBER_OR_TEXT: ((int, str), "a number or a string"),
}
Keys = tuple[str | int, ...]


class Text(NamedTuple):
    """A string of a form: `said` is what is said of another, `pattern` is matched in full, `most` counts characters."""

    said: str = ""
    pattern: re.Pattern[str] | None = None
    hint: str = ""
    least: int = 0
    most: int | None = None


NAME = Text(least=1)
_Read = tuple[Mapping[Any, Shape], Mapping[str, Shape], list[tuple[Any, Any]]]
_READ: dict[int, _Read] = {}


class Needs(NamedTuple):
    """A field needs another one, below dots, with one of some values (any if none is named).

    `without`: what an absent one counts as; `when`: only this value of the field needs it.
    """

    field: str
    values: tuple[str, ...] = ()
    without: str | None = None
    when: str | None = None


class Misfit(NamedTuple):
    """What does not fit, and where. `is_unknown`: a field that no documented version has."""

    keys: Keys
    message: str
    hint: str = ""
    at_key: bool = False
    is_unknown: bool = False


def with_others(fields: Mapping[Any, Shape]) -> dict[Any, Shape]:
    """The shape of a mapping of which only some fields are described: others may be of any kind."""
    return {**fields, "*": ANY}


def find_misfits(value: Any, shape: Shape, keys: Keys = ()) -> Iterator[Misfit]:
    """Everything about a value that does not fit a shape; null is as good as absent, but no item of a list."""
    if shape == ANY or (value is None and not (keys and isinstance(keys[-1], int))):
        return
    if isinstance(shape, str):
        yield from _of_type(value, shape, keys)
    elif isinstance(shape, Text):
        yield from _of_form(value, shape, keys)
    elif isinstance(shape, tuple):
        if value not in shape:
            hint = did_you_mean(value, shape) if isinstance(value, str) else ""
            yield Misfit(keys, f"'{value}' is not supported; one of {', '.join(shape)}", hint)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield Misfit(keys, f"must be a list, is {type_name(value)}")
            return
        for index, item in enumerate(value):
            yield from find_misfits(item, shape[0], (*keys, index))
    elif not isinstance(value, dict):
        yield Misfit(keys, f"must be a mapping, is {type_name(value)}")
    else:
        yield from _of_fields(value, shape, keys)


def _of_type(value: Any, shape: str, keys: Keys) -> Iterator[Misfit]:
    kinds, wanted = _TYPES[shape]
    whole = isinstance(value, float) and value.is_integer() and int in kinds
    if not (isinstance(value, kinds) or whole) or (isinstance(value, bool) and shape != FLAG):
        yield Misfit(keys, f"must be {wanted}, is {type_name(value)}")


def _of_form(value: Any, form: Text, keys: Keys) -> Iterator[Misfit]:
    if not isinstance(value, str):
        yield Misfit(keys, f"must be a string, is {type_name(value)}")
    elif len(value) < form.least:
        yield Misfit(keys, "must not be empty")
    elif form.most is not None and len(value) > form.most:
        yield Misfit(keys, f"may have {form.most} characters, has {len(value)}")
    elif form.pattern is not None and not form.pattern.fullmatch(value):
        yield Misfit(keys, f"'{value}' {form.said}", form.hint)


def _of_fields(value: Mapping[str, Any], shape: Mapping[Any, Shape], keys: Keys) -> Iterator[Misfit]:
    _, fields, demands = _READ.get(id(shape)) or _read(shape)
    every = fields.get("*")
    for key, item in value.items():
        if (inner := fields.get(key, every)) is not None:
            yield from find_misfits(item, inner, (*keys, key))
        else:
            hint = nearest_field(key, fields)
            yield Misfit((*keys, key), f"unknown field '{key}'", hint, at_key=True, is_unknown=True)
    for name, asked in demands:
        if isinstance(asked, Needs):
            yield from _of_need(value, name[0], asked, keys)
        elif isinstance(name, tuple):
            given = [one for one in name if value.get(one) is not None]
            if (not given and asked != NOT_BOTH) or (len(given) > 1 and asked != SOME):
                yield Misfit(keys, f"needs {asked} of {', '.join(name[:-1])} and {name[-1]}", at_key=True)
        elif value.get(name) is None:
            yield Misfit(keys, f"'{name}' is required", at_key=True)


def _read(shape: Mapping[Any, Shape]) -> _Read:
    """The fields of a shape and what it demands beside, told apart once; kept with it, so that its id stays its own."""
    fields = {name.removesuffix("!"): inner for name, inner in shape.items() if isinstance(name, str)}
    demands: list[tuple[Any, Any]] = [(name, asked) for name, asked in shape.items() if isinstance(name, tuple)]
    demands += [(name[:-1], None) for name in shape if isinstance(name, str) and name.endswith("!")]
    return _READ.setdefault(id(shape), (shape, fields, demands))


def _of_need(value: Mapping[str, Any], name: str, needs: Needs, keys: Keys) -> Iterator[Misfit]:
    given = value.get(name)
    if given is None or (needs.when is not None and given != needs.when):
        return
    other: Any = value
    for part in needs.field.split("."):
        other = other.get(part) if isinstance(other, dict) else None
    other = needs.without if other is None else other
    if other is None or (needs.values and other not in needs.values):
        said = f"{name}: {needs.when}" if needs.when else name
        wanted = f"{needs.field}: {' or '.join(needs.values)}" if needs.values else needs.field
        yield Misfit((*keys, name), f"'{said}' needs '{wanted}'", at_key=True)
