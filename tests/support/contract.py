"""A code host's official API description, as something that requests and answers are held against.

The descriptions are OpenAPI 3.0 files beside the checkout. They let unknown body keys and query parameters pass;
here those are mistakes, since a host ignores them in silence and does not do what was asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from openapi_schema_validator import OAS30Validator

from tests.support import shared

__all__ = ["Contract", "Operation", "load"]

# Parameters whose value may hold slashes.
_DEEP = frozenset({"ref", "path", "basehead"})


@dataclass(frozen=True)
class Operation:
    """One method of one path template, with what the URL filled in."""

    method: str
    template: str
    values: Mapping[str, str]
    description: Mapping[str, Any]


@dataclass
class Contract:
    """`extra` are operations that the cut description lacks, `undescribed` query parameters and body keys that the
    host takes though its description is silent about them; each is written out with its source where it is used.
    """

    document: dict[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    undescribed: frozenset[str] = frozenset()

    def find(self, method: str, path: str) -> Operation | None:
        """The operation for a path without query, still percent-encoded; the most literal template wins."""
        found = []
        for template, item in {**self.document["paths"], **self.extra}.items():
            if method.lower() in item and (match := _template(template).fullmatch(path)):
                values = {_original(name): unquote(value) for name, value in match.groupdict().items()}
                shared_parameters = item.get("parameters", [])
                operation = item[method.lower()]
                full = {**operation, "parameters": [*shared_parameters, *operation.get("parameters", [])]}
                found.append(Operation(method, template, values, full))
        return min(found, key=lambda op: op.template.count("{"), default=None)

    def request_problems(self, operation: Operation, query: str, content_type: str, body: bytes) -> Iterator[str]:
        """Everything in a request that the description does not allow."""
        parameters = [self.resolved(p) for p in operation.description["parameters"]]
        asked = parse_qsl(query, keep_blank_values=True)
        known = {p["name"]: p for p in parameters if p["in"] == "query"}
        for name, value in asked:
            if name in known:
                yield from self._parameter_problems(known[name], value)
            elif name not in self.undescribed:
                yield f"query parameter {name} is unknown"
        for name, parameter in known.items():
            if parameter.get("required") and name not in dict(asked):
                yield f"query parameter {name} is missing"
        for parameter in parameters:
            if parameter["in"] == "path":
                yield from self._parameter_problems(parameter, operation.values[parameter["name"]])
        yield from self._body_problems(operation, content_type, body)

    def answer_problems(self, operation: Operation, status: int, body: Any) -> Iterator[str]:
        """What is wrong with an answer of a stub; nothing is known about undescribed statuses."""
        response = self.resolved(operation.description["responses"].get(str(status), {}))
        content = response.get("content", {})
        if content and body is not None:
            schema = next(iter(content.values())).get("schema", {})
            yield from (f"answer {status}: {problem}" for problem in self._violations(schema, body))

    def example(self, schema: Any) -> Any:
        """The smallest value that a schema allows: required properties only, null where it may be."""
        return self._example(schema, 0)

    def answer_example(self, operation: Operation, status: int) -> Any:
        response = self.resolved(operation.description["responses"][str(status)])
        return self.example(next(iter(response["content"].values()))["schema"])

    def resolved(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def _parameter_problems(self, parameter: Mapping[str, Any], text: str) -> Iterator[str]:
        schema = self.resolved(parameter.get("schema", {}))
        value: Any = text
        if schema.get("type") in {"integer", "number"} and re.fullmatch(r"-?\d+", text):
            value = int(text)
        elif schema.get("type") == "boolean" and text in {"true", "false"}:
            value = text == "true"
        elif schema.get("type") == "array":
            value = text.split(",")
        yield from (f"parameter {parameter['name']}: {problem}" for problem in self._violations(schema, value))

    def _body_problems(self, operation: Operation, content_type: str, body: bytes) -> Iterator[str]:
        described = self.resolved(operation.description.get("requestBody", {}))
        if not described:
            if body:
                yield "a body where none belongs"
            return
        if not body:
            if described.get("required"):
                yield "no body"
            return
        if content_type.partition(";")[0] != "application/json":
            yield f"content type {content_type}"
            return
        schema = (described["content"].get("application/json") or next(iter(described["content"].values())))["schema"]
        value = json.loads(body)
        if isinstance(value, dict):
            value = {key: part for key, part in value.items() if key not in self.undescribed}
        yield from (f"body: {problem}" for problem in self._violations(schema, value))
        yield from (f"body key {key} is unknown" for key in self._unknown(schema, value, ""))

    def _violations(self, schema: Any, value: Any) -> Iterator[str]:
        validator = OAS30Validator({"allOf": [schema], "components": self._components})
        for error in validator.iter_errors(value):
            yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"

    @cached_property
    def _components(self) -> Any:
        return self.document.get("components", {})

    def _unknown(self, schema: Any, value: Any, where: str) -> Iterator[str]:
        """Keys that no branch of the schema names; an object without described properties is open."""
        if isinstance(value, list):
            items = [branch["items"] for branch in self._branches(schema) if "items" in branch]
            for number, item in enumerate(value):
                if items:
                    yield from self._unknown({"anyOf": items}, item, f"{where}[{number}]")
        if not isinstance(value, dict):
            return
        properties: dict[str, list[Any]] = {}
        is_open = False
        for branch in self._branches(schema):
            is_open |= bool(branch.get("additionalProperties"))
            for name, part in branch.get("properties", {}).items():
                properties.setdefault(name, []).append(part)
        for key, part in value.items():
            if key in properties:
                yield from self._unknown({"anyOf": properties[key]}, part, f"{where}.{key}")
            elif properties and not is_open:
                yield f"{where}.{key}".removeprefix(".")

    def _branches(self, schema: Any) -> Iterator[dict[str, Any]]:
        schema = self.resolved(schema)
        yield schema
        for word in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(word, ()):
                yield from self._branches(part)

    def _example(self, schema: Any, depth: int) -> Any:
        schema = self.resolved(schema)
        if schema.get("nullable") or depth > 12:
            return None
        if "enum" in schema:
            return schema["enum"][0]
        if "allOf" in schema:
            parts = [self._example(part, depth + 1) for part in schema["allOf"]]
            merged: dict[str, Any] = {}
            for part in parts:
                merged.update(part if isinstance(part, dict) else {})
            return merged
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return self._example(schema[word][0], depth + 1)
        kind = schema.get("type") or ("object" if "properties" in schema else "string")
        if kind == "object":
            properties = schema.get("properties", {})
            return {name: self._example(properties.get(name, {}), depth + 1) for name in schema.get("required", ())}
        if kind == "array":
            return [self._example(schema["items"], depth + 1)] * schema.get("minItems", 0)
        return {"integer": schema.get("minimum", 0), "number": 0, "boolean": False}.get(kind, "")


@cache
def _document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(shared("contracts", name).read_text())
    return loaded


def load(name: str, extra: Mapping[str, Any] | None = None, undescribed: Iterable[str] = ()) -> Contract:
    """The description in `../shared/contracts/NAME`; skips the test where the data is not beside the checkout."""
    return Contract(_document(name), extra or {}, frozenset(undescribed))


@cache
def _template(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{([^}]+)\}", template)
    pattern = ""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            pattern += re.escape(part)
        else:
            pattern += f"(?P<{_group(part)}>{'.+' if part in _DEEP else '[^/]+'})"
    return re.compile(pattern)


def _group(name: str) -> str:
    return "p_" + name.replace("-", "__dash__").replace(".", "__dot__")


def _original(group: str) -> str:
    return group.removeprefix("p_").replace("__dash__", "-").replace("__dot__", ".")
