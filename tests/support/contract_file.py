"""Reads the contracts in tests/data/contracts, whose README describes the form; nothing else passes.

A part is turned into JSON Schema, which is then what requests and answers are judged by.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from graphql import GraphQLError, GraphQLSchema, build_schema

from tests.support import CHECKOUT
from tests.support.contract_schema import ContractError, Part, Schema, closed_object

__all__ = ["CONTRACTS", "Entry", "read_contract", "read_graphql"]

CONTRACTS = CHECKOUT / "tests" / "data" / "contracts"

_SHARED = ("query", "refusals", "shapes")  # what stands once for all requests of a file
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PARAMETER = re.compile(r"\{([\w-]+)(?::(integer|path))?\}")


@dataclass(frozen=True)
class Entry:
    """One request: `values` are what its path is filled with, `answers` what may come back by status."""

    id: str
    method: str
    template: str
    pattern: re.Pattern[str]
    source: str
    values: Schema
    query: Schema
    body: Schema | None
    answers: Mapping[int, Schema | None]


def read_contract(path: Path) -> tuple[Entry, ...]:
    """The entries of a contract file.

    Raises:
        ContractError: it is malformed.
    """
    document = _with_base(path)
    file = _File(path, document["shapes"])
    for name in file.shapes:
        if not re.fullmatch(r"[A-Z]\w*", str(name)):
            raise file.error(f"shapes/{name}", "the name of a shape begins with a capital letter")
    common = file.fields(document["query"], "query")
    refusals = file.answers(document["refusals"], "refusals")
    entries = tuple(file.entry(name, node, common, refusals) for name, node in document["requests"].items())
    taken: dict[tuple[str, str], str] = {}
    for entry in entries:
        other = taken.setdefault((entry.method, entry.template), entry.id)
        if other != entry.id:
            raise ContractError(path, f"requests/{entry.id}", f"is the same request as {other}")
    if unused := sorted(map(str, file.shapes.keys() - {name for name, _ in file.known})):
        raise ContractError(path, f"shapes/{unused[0]}", "is used by no request")
    return entries


@cache
def read_graphql(path: Path) -> GraphQLSchema:
    """The types of a GraphQL API. Raises ContractError when the file is malformed."""
    try:
        return build_schema(_text(path))
    except GraphQLError as error:
        line = f"line {error.locations[0].line}" if error.locations else ""
        raise ContractError(path, line, error.message) from None
    except TypeError as error:  # what graphql-core says about types that do not fit together
        raise ContractError(path, "", str(error)) from None


def _with_base(path: Path) -> dict[str, Any]:
    """The document; where it is `like` another, that one with what this one puts in its place."""
    document = _document(path)
    if "like" not in document:
        return document
    base = _document(path.with_name(f"{document['like']}.yaml"))
    if "like" in base:
        raise ContractError(path, "like", f"{document['like']} is itself like another")
    return {part: {**base[part], **document[part]} for part in ("requests", *_SHARED)}


def _document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(_text(path), _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ContractError(
            path, f"line {mark.line + 1}" if mark else "", getattr(error, "problem", str(error))
        ) from None
    file = _File(path, {})
    file.keys(document, "", required={"host", "requests"}, optional={"like", *_SHARED})
    for part in ("requests", *_SHARED):
        file.mapping(document.setdefault(part, {}), part, empty=part != "requests")
    return document  # type: ignore[no-any-return]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(path, "", f"cannot be read: {error}") from None


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{name}' is given twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


class _File(Part):
    """A file that is being read."""

    def entry(self, name: Any, node: Any, common: Schema, refusals: Mapping[int, Schema | None]) -> Entry:
        at = f"requests/{name}"
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise self.error(at, "an id has lower-case letters, digits and single hyphens")
        self.keys(node, at, required={"method", "path", "answers", "source"}, optional={"query", "body"})
        if node["method"] not in _METHODS:
            raise self.error(f"{at}/method", f"{node['method']!r} is none of {', '.join(_METHODS)}")
        if node["method"] in {"GET", "DELETE"} and "body" in node:
            raise self.error(f"{at}/body", f"a {node['method']} has no body")
        if not re.fullmatch(r"https://[^\s/]+/\S+", str(node["source"])):
            raise self.error(f"{at}/source", "is not the https address of a documentation page")
        answers = {**refusals, **self.answers(node["answers"], f"{at}/answers")}
        if min(answers) >= 300:
            raise self.error(f"{at}/answers", "there is no success among them")
        template, pattern, values = self.template(node["path"], f"{at}/path")
        query = self.fields(node.get("query", {}), f"{at}/query")
        both = {
            **query,
            "properties": {**common["properties"], **query["properties"]},
            "required": [*common["required"], *query["required"]],
        }
        body = self.schema(node["body"], f"{at}/body") if "body" in node else None
        return Entry(name, node["method"], template, pattern, node["source"], values, both, body, answers)

    def template(self, text: Any, at: str) -> tuple[str, re.Pattern[str], Schema]:
        """(The template without types, what matches a path, the schema of the values in it)."""
        if not isinstance(text, str) or not text.startswith("/") or re.search(r"[\s?#]", text):
            raise self.error(at, "is not a path that starts with a slash and has no query")
        literals = _PARAMETER.split(text)
        if re.search(r"[{}]", "".join(literals[::3])):
            raise self.error(at, "a parameter is {name}, {name:integer} or {name:path}")
        pattern, values = re.escape(literals[0]), {}
        for name, kind, literal in zip(literals[1::3], literals[2::3], literals[3::3], strict=True):
            if name in values:
                raise self.error(at, f"the parameter {name} is given twice")
            values[name] = {"type": "integer" if kind == "integer" else "string"}
            pattern += ("(.+)" if kind == "path" else "([^/]+)") + re.escape(literal)
        return _PARAMETER.sub(r"{\1}", text), re.compile(pattern), closed_object(values, list(values))

    def answers(self, node: Any, at: str) -> dict[int, Schema | None]:
        """What may come back, by status; None where nothing does."""
        found: dict[int, Schema | None] = {}
        for status, part in self.mapping(node, at, empty=at == "refusals").items():
            if not isinstance(status, int) or not 100 <= status <= 599:
                raise self.error(f"{at}/{status}", "is not an HTTP status")
            found[status] = None if part is None else self.schema(part, f"{at}/{status}", answer=True)
        return found
