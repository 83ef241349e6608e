"""Definitions of the bundle compiled to functions that accept: what most documents need, at half of the time.

They look once at every value of an object that was read fast: is it what the definition wants, and certainly what
go-yaml reads? What they do not accept is unsure, not wrong; strict_decoding.py then says what is wrong, and is never
more lenient (a test holds the two together).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from gitops_ci.fast_yaml.ambiguity import (
    AMBIGUOUS,
    HAS_NULL,
    OTHER_NUMBER,
    OTHER_WORDS,
    UNAMBIGUOUS,
    Answer,
    certain_keys,
    classify,
    is_ambiguous,
)
from gitops_ci.validation.apimachinery.scalars import SCALARS
from gitops_ci.validation.openapi.bundle import Bundle
from gitops_ci.validation.openapi.strict_decoding import EMPTY

__all__ = ["FastAcceptor"]

Accept = Callable[[Any], Answer]


class FastAcceptor:
    """The compiled definitions of one Kubernetes version."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._compiled: dict[int, Accept] = {}
        # Where a definition is waited for that is not compiled yet: (fields, name).
        self._awaited: dict[int, list[tuple[dict[str, Accept], str]]] = {}

    @staticmethod
    @cache
    def of(version: str) -> FastAcceptor:
        return FastAcceptor(Bundle.load(version))

    def kind(self, api_version: str, kind: str) -> Accept | None:
        """What accepts objects of a kind, None when this version serves no such kind."""
        number = self._bundle.find(api_version, kind)
        return None if number is None else self._reference(number)

    def _reference(self, number: int) -> Accept:
        if compiled := self._compiled.get(number):
            return compiled

        def compile_when_reached(value: Any) -> Answer:
            accept = self._compiled.get(number)
            if accept is None:
                accept = self._compiled[number] = self._compile(self._bundle.definition(number))
                for fields, name in self._awaited.pop(number, ()):
                    fields[name] = accept
            return accept(value)

        return compile_when_reached

    def _compile(self, schema: Mapping[str, Any]) -> Accept:
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        if "anyOf" in schema:
            return _any_of([self._compile(option) for option in schema["anyOf"]])
        if "properties" in schema:
            return _object(self._fields(schema["properties"]), tuple(schema.get("required", ())))
        if "additionalProperties" in schema:
            return _map(self._compile(schema["additionalProperties"]))
        if "items" in schema:
            return _array(self._compile(schema["items"]))
        return _SCALARS[schema["type"]]

    def _fields(self, properties: Mapping[str, Any]) -> dict[str, Accept]:
        fields = {name: self._compile(field) for name, field in properties.items()}
        for name, field in properties.items():
            number = field.get("$ref")
            if number is not None and number not in self._compiled:
                self._awaited.setdefault(number, []).append((fields, name))
        return fields


def _object(fields: Mapping[str, Accept], required: tuple[str, ...]) -> Accept:
    find = fields.get

    def accept(value: Any) -> Answer:
        if type(value) is not dict:
            return AMBIGUOUS
        seen: Answer = UNAMBIGUOUS
        for key, item in value.items():
            field = find(key)
            if field is _string and type(item) is str:
                # Two values of three are strings: no call for them.
                if OTHER_NUMBER(item) if item < ":" else len(item) < 4 and item in OTHER_WORDS:
                    return AMBIGUOUS
            elif field is None:
                return AMBIGUOUS
            elif item is None:
                seen = HAS_NULL
            elif found := field(item):
                if found == AMBIGUOUS:
                    return AMBIGUOUS
                seen = HAS_NULL
        for key in required:
            if not (given := value.get(key)) and given in EMPTY:
                return AMBIGUOUS
        return seen

    return accept


def _map(accept_item: Accept) -> Accept:
    def accept(value: Any) -> Answer:
        if type(value) is not dict or not certain_keys(value):
            return AMBIGUOUS
        seen: Answer = UNAMBIGUOUS
        for item in value.values():
            if accept_item is _string and type(item) is str:
                if OTHER_NUMBER(item) if item < ":" else len(item) < 4 and item in OTHER_WORDS:
                    return AMBIGUOUS
            elif item is None:
                seen = HAS_NULL
            elif found := accept_item(item):
                if found == AMBIGUOUS:
                    return AMBIGUOUS
                seen = HAS_NULL
        return seen

    return accept


def _array(accept_item: Accept) -> Accept:
    def accept(value: Any) -> Answer:
        if type(value) is not list:
            return AMBIGUOUS
        seen: Answer = UNAMBIGUOUS
        for item in value:
            if item is None:
                return AMBIGUOUS
            if found := accept_item(item):
                if found == AMBIGUOUS:
                    return AMBIGUOUS
                seen = HAS_NULL
        return seen

    return accept


def _any_of(options: list[Accept]) -> Accept:
    def accept(value: Any) -> Answer:
        return min(option(value) for option in options)

    return accept


def _scalar(name: str) -> Accept:
    refuse = SCALARS[name]

    def accept(value: Any) -> Answer:
        # Bytes may be a list of numbers, and null among them.
        return AMBIGUOUS if refuse(value) or is_ambiguous(value) or type(value) is list else UNAMBIGUOUS

    return accept


def _boolean(value: Any) -> Answer:
    return UNAMBIGUOUS if type(value) is bool else AMBIGUOUS


_string = _scalar("string")
_SCALARS: Mapping[str, Accept] = {
    **{name: _scalar(name) for name in SCALARS},
    "string": _string,
    "boolean": _boolean,
    "any": classify,
}
