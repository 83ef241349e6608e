"""A code host's official OpenAPI description, and where an entry of our own contract differs from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.contract_file import Entry
from tests.support.contract_schema import Schema

__all__ = ["Description"]

Difference = tuple[str, str]  # (place in our contract, what differs)


@dataclass(frozen=True)
class Description:
    """`lists_wrapped`: the description says that a list is a list, and the server answers an object around it.

    `tells_nulls`: it marks what may be null, and nothing else.
    """

    path: Path
    lists_wrapped: bool = False
    tells_nulls: bool = False

    def differences(self, entry: Entry) -> Iterator[Difference]:
        item = self.document["paths"].get(entry.template, {})
        operation = item.get(entry.method.lower())
        if operation is None:
            yield entry.id, "is not described"
            return
        parameters = [self.resolved(p) for p in (*item.get("parameters", ()), *operation.get("parameters", ()))]
        for place, ours in (("path", entry.values), ("query", entry.query)):
            theirs = {p["name"]: p for p in parameters if p["in"] == place}
            yield from self._parameters(ours, theirs, f"{entry.id}/{place}")
        yield from self._body(entry, self.resolved(operation.get("requestBody", {})))
        yield from self._answers(entry, operation["responses"])

    def resolved(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    @cached_property
    def document(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.path.read_text())
        return loaded

    def _parameters(self, ours: Schema, theirs: dict[str, Any], at: str) -> Iterator[Difference]:
        for name, schema in ours["properties"].items():
            if name in theirs:
                yield from self._value(schema, theirs[name].get("schema", {}), f"{at}/{name}", place="url")
            else:
                yield f"{at}/{name}", "is not described"
        for name, parameter in theirs.items():
            if parameter.get("required") and name not in ours["required"]:
                yield f"{at}/{name}", "is required"

    def _body(self, entry: Entry, theirs: Any) -> Iterator[Difference]:
        at = f"{entry.id}/body"
        if entry.body is None:
            if theirs.get("required"):
                yield at, "is required"
        elif not theirs:
            yield at, "is not described"
        else:
            yield from self._value(entry.body, _content(theirs), at, place="request")

    def _answers(self, entry: Entry, theirs: dict[str, Any]) -> Iterator[Difference]:
        for status, ours in entry.answers.items():
            at = f"{entry.id}/answers/{status}"
            response = self.resolved(theirs.get(str(status)))
            if response is None:
                # Descriptions leave out refusals, never what a success looks like.
                if status < 300:
                    yield at, "is not described"
                continue
            schema = _content(response)
            if ours is None:
                if schema:
                    yield at, "has content"
            else:
                yield from self._value(self._unwrapped(ours, schema), schema, at, place="answer")

    def _unwrapped(self, ours: Schema, theirs: Any) -> Schema:
        wraps = self.lists_wrapped and self.resolved(theirs).get("type") == "array"
        return ours["properties"]["value"] if wraps else ours

    def _value(self, ours: Schema, theirs: Any, at: str, *, place: str) -> Iterator[Difference]:
        branches = list(self._branches(theirs))
        kinds = {kind for branch in branches if (kind := _kind(branch))}
        if not ours or not kinds:
            return  # one of the two does not say what it is
        kind, may_be_null = _ours(ours)
        fits = kind in kinds or (kind == "integer" and "number" in kinds) or (place == "url" and "string" in kinds)
        if not fits:
            yield at, f"is {' or '.join(sorted(kinds))}, not {kind}"
            return
        yield from ((at, said) for said in self._limits(ours, branches, place=place))
        if self.tells_nulls and place == "answer":
            said = any(branch.get("nullable") for branch in branches)
            if said != may_be_null:
                yield at, "may be null" if said else "is never null"
        if kind == "array":
            items = [branch["items"] for branch in branches if "items" in branch]
            yield from self._value(ours["items"], {"anyOf": items}, f"{at}/[]", place=place)
        if kind == "object":
            yield from self._fields(ours, theirs, branches, at, place=place)

    def _fields(
        self, ours: Schema, theirs: Any, branches: list[dict[str, Any]], at: str, *, place: str
    ) -> Iterator[Difference]:
        described: dict[str, list[Any]] = {}
        for branch in branches:
            for name, part in branch.get("properties", {}).items():
                described.setdefault(name, []).append(part)
        if not described:
            return  # an object that is left open
        for name, schema in ours["properties"].items():
            if name in described:
                yield from self._value(schema, {"allOf": described[name]}, f"{at}/{name}", place=place)
            else:
                yield f"{at}/{name}", "is not described"
        required, said = set(ours["required"]), self._required(theirs)
        for name in sorted(said - required):
            if place == "request" or name in ours["properties"]:
                yield f"{at}/{name}", "is required"
        if place == "answer" and said:
            yield from ((f"{at}/{name}", "may be absent") for name in sorted(required - said))

    def _limits(self, ours: Schema, branches: list[dict[str, Any]], *, place: str) -> Iterator[str]:
        theirs = {value for branch in branches for value in branch.get("enum", ())} - {None}
        values = set(ours.get("enum", ())) - {None}
        if theirs and (not values or values - theirs or (place == "answer" and values != theirs)):
            yield f"is one of {sorted(theirs)}"
        for word in ("maxLength", "maximum"):
            said = {branch[word] for branch in branches if word in branch}
            if said and ours.get(word) not in said:
                yield f"has the {word} {said}"

    def _required(self, schema: Any) -> set[str]:
        schema = self.resolved(schema)
        found = set(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            found |= self._required(part)
        for word in ("oneOf", "anyOf"):
            if word in schema:
                found |= set.intersection(*(self._required(part) for part in schema[word]))
        return found

    def _branches(self, schema: Any) -> Iterator[dict[str, Any]]:
        schema = self.resolved(schema)
        yield schema
        for word in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(word, ()):
                yield from self._branches(part)


def _content(node: Any) -> Any:
    content = node.get("content", {})
    return (content.get("application/json") or next(iter(content.values()), {})).get("schema", {})


def _kind(branch: dict[str, Any]) -> str:
    if "properties" in branch:
        return "object"
    return str(branch.get("type", "string" if "enum" in branch else ""))


def _ours(schema: Schema) -> tuple[str, bool]:
    kind = schema["type"]
    return (kind[0], True) if isinstance(kind, list) else (kind, False)
