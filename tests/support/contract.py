"""A code host's contract, as something that requests and answers are held against.

A body key or a query parameter that a contract does not name is a mistake: a host ignores it in silence and does not
do what was asked. So is a field of an answer: the program would rely on what nobody has looked up.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from jsonschema import Draft202012Validator

from tests.support.contract_file import CONTRACTS, Entry, read_contract
from tests.support.contract_schema import Schema

__all__ = ["Contract", "Operation", "load"]


@dataclass(frozen=True)
class Operation:
    """A request that a contract knows, with what its path is filled with."""

    entry: Entry
    values: Mapping[str, str]

    @property
    def template(self) -> str:
        return self.entry.template


@dataclass(frozen=True)
class Contract:
    """The requests that a kind of code host answers."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def file(self) -> str:
        return f"tests/data/contracts/{self.name}.yaml"

    def find(self, method: str, path: str) -> Operation | None:
        """The operation for a path without query, still percent-encoded; the most literal template wins."""
        found = []
        for entry in self.entries:
            if method == entry.method and (match := entry.pattern.fullmatch(path)):
                names = entry.values["properties"]
                found.append(Operation(entry, dict(zip(names, map(unquote, match.groups()), strict=True))))
        return min(found, key=lambda operation: operation.template.count("{"), default=None)

    def request_problems(self, operation: Operation, query: str, content_type: str, body: bytes) -> Iterator[str]:
        """Everything in a request that the contract does not allow."""
        entry = operation.entry
        asked = parse_qsl(query, keep_blank_values=True)
        for name, times in Counter(name for name, _ in asked).items():
            if times > 1:
                yield self._said(entry, f"the query parameter {name} is given {times} times")
        for where, schema, texts in (("path", entry.values, operation.values), ("query", entry.query, dict(asked))):
            values = {name: _value(schema["properties"].get(name, {}), text) for name, text in texts.items()}
            yield from (self._said(entry, f"{where}{problem}") for problem in _violations(schema, values))
        yield from (self._said(entry, problem) for problem in _body_problems(entry, content_type, body))

    def answer_problems(self, operation: Operation, status: int, body: Any) -> Iterator[str]:
        """Everything in an answer of a stub that the contract does not describe."""
        entry = operation.entry
        if status not in entry.answers:
            yield self._said(entry, f"there is no answer {status}")
            return
        schema = entry.answers[status]
        if schema is None:
            if body is not None:
                yield self._said(entry, f"answer {status} has no content")
            return
        yield from (self._said(entry, f"answer {status}{problem}") for problem in _violations(schema, body))

    def _said(self, entry: Entry, problem: str) -> str:
        return f"{problem} ({entry.id} in {self.file})"


@cache
def load(name: str) -> Contract:
    """The contract of this name. Raises ContractError when its file is malformed."""
    return Contract(name, read_contract(CONTRACTS / f"{name}.yaml"))


def _body_problems(entry: Entry, content_type: str, body: bytes) -> Iterator[str]:
    if entry.body is None:
        if body:
            yield "a body where none belongs"
    elif not body:
        yield "no body"
    elif content_type.partition(";")[0] != "application/json":
        yield f"content type {content_type}"
    else:
        yield from (f"body{problem}" for problem in _violations(entry.body, json.loads(body)))


def _value(schema: Schema, text: str) -> Any:
    """What a text in a URL stands for."""
    kind = schema.get("type")
    if kind in {"integer", "number"} and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text == "true" if kind == "boolean" and text in {"true", "false"} else text


def _violations(schema: Schema, value: Any) -> Iterator[str]:
    for error in Draft202012Validator(schema).iter_errors(value):
        where = "".join(f"/{part}" for part in error.absolute_path)
        yield f"{where}: {error.message[:300]}"
