"""The types of a contract: what a value has to be, as JSON Schema, and what is wrong with how it is written down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import CHECKOUT

__all__ = ["ContractError", "Part", "Schema", "closed_object", "described_fields"]

_SIMPLE = re.compile(r"(string|integer|number|boolean)(?: up to (\d+))?")
_ONE_OF = re.compile(r"one of ([^\s|]+(?: \| [^\s|]+)*)")
_FIELD = re.compile(r"([^\s!?]+)(!?)(\??)")
_LIMIT = {"string": "maxLength", "integer": "maximum", "number": "maximum"}

Schema = dict[str, Any]


class ContractError(ValueError):
    """A contract is malformed; the message names the file, the place in it and the reason."""

    def __init__(self, path: Path, at: str, reason: str) -> None:
        shown = path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path
        super().__init__(f"{shown}: {at}: {reason}" if at else f"{shown}: {reason}")


@dataclass
class Part:
    """Reads parts of one file; `known` are the shapes that were asked for, None while one is being read."""

    path: Path
    shapes: Mapping[str, Any]
    known: dict[tuple[str, bool], Schema | None] = field(default_factory=dict)

    def schema(self, node: Any, at: str, *, answer: bool = False) -> Schema:
        if isinstance(node, dict):
            return self.fields(self.mapping(node, at), at, answer=answer)
        if isinstance(node, list):
            if len(node) != 1:
                raise self.error(at, "a list has one part: what each of its items is")
            return {"type": "array", "items": self.schema(node[0], f"{at}/[]", answer=answer)}
        if isinstance(node, str):
            return self.named(node, at, answer=answer)
        raise self.error(at, f"{node!r} is not a type")

    def fields(self, node: Any, at: str, *, answer: bool = False) -> Schema:
        """An object: `name!` has to be there, `name?` may be null."""
        properties: dict[str, Schema] = {}
        required = []
        for key, part in self.mapping(node, at, empty=True).items():
            marked = _FIELD.fullmatch(key) if isinstance(key, str) else None
            if marked is None:
                raise self.error(f"{at}/{key}", "is not the name of a field, with ! or ? behind it")
            name, must, may_be_null = marked.groups()
            if name in properties:
                raise self.error(f"{at}/{name}", "is given twice")
            schema = self.schema(part, f"{at}/{name}", answer=answer)
            properties[name] = _nullable(schema) if may_be_null else schema
            required += [name] if must else []
        return closed_object(properties, required)

    def named(self, text: str, at: str, *, answer: bool) -> Schema:
        if simple := _SIMPLE.fullmatch(text):
            kind, limit = simple.groups()
            if limit and kind not in _LIMIT:
                raise self.error(at, f"a {kind} has no limit")
            return {"type": kind, **({_LIMIT[kind]: int(limit)} if limit else {})}
        if values := _ONE_OF.fullmatch(text):
            return {"type": "string", "enum": values[1].split(" | ")}
        if text == "anything" and answer:
            return {}
        if text not in self.shapes:
            raise self.error(at, f"{text!r} is not a type and no shape of this file")
        key = (text, answer)
        if key not in self.known:
            self.known[key] = None
            self.known[key] = self.schema(self.shapes[text], f"shapes/{text}", answer=answer)
        if (found := self.known[key]) is None:
            raise self.error(at, f"{text} contains itself")
        return found

    def mapping(self, node: Any, at: str, *, empty: bool = False) -> dict[Any, Any]:
        if not isinstance(node, dict) or (not node and not empty):
            raise self.error(at, "is not a mapping, or an empty one")
        return node

    def keys(self, node: Any, at: str, *, required: set[str], optional: set[str]) -> None:
        found = self.mapping(node, at)
        for key in found:
            if key not in required | optional:
                raise self.error(f"{at}/{key}".lstrip("/"), f"is none of {', '.join(sorted(required | optional))}")
        if absent := sorted(required - found.keys()):
            raise self.error(at, f"{absent[0]} is missing")

    def error(self, at: str, reason: str) -> ContractError:
        return ContractError(self.path, at, reason)


def closed_object(properties: dict[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _nullable(schema: Schema) -> Schema:
    if not schema:
        return schema
    return {
        **schema,
        "type": [schema["type"], "null"],
        **({"enum": [*schema["enum"], None]} if "enum" in schema else {}),
    }


def described_fields(schema: Schema | None) -> Iterator[str]:
    """Every name of a field in a schema."""
    if not schema:
        return
    for name, part in schema.get("properties", {}).items():
        yield name
        yield from described_fields(part)
    yield from described_fields(schema.get("items"))
