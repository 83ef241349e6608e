"""Schemas of custom resources compiled to checks: structural OpenAPI v3 of CRDs, and JSON Schema made from it.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema and validation; pkg/apis/apiextensions types for what the
x-kubernetes-* keywords mean. Keywords that no CRD may use are ignored.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from gitops_ci.schemas.hints import nearest
from gitops_ci.schemas.patterns import HINT, matcher
from gitops_ci.schemas.problem import UNCHECKED, Path, Problem, show_path
from gitops_ci.schemas.scalars import SCALARS, type_name
from gitops_ci.schemas.structure import Check, missing, unknown_field, wrong_type

__all__ = ["compile_schema", "violations"]

_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
    "string": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": lambda value: type(value) in {int, float},
    "null": lambda value: value is None,
}
_ARTICLES = {"object": "a mapping", "array": "a list", "integer": "an integer", "boolean": "true or false"}


def violations(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with a value, as messages."""
    problems: list[Problem] = []
    compile_schema(schema)(value, None, problems)
    shown = [(show_path(problem.path), problem.message) for problem in problems if problem.rule != UNCHECKED]
    return [f"{where}: {message}" if where else message for where, message in shown]


def compile_schema(
    schema: Mapping[str, Any], *, closed: bool = True, definitions: Mapping[str, Any] | None = None
) -> Check:
    """The check of a schema. `closed` refuses fields that `properties` do not name, as the server does when strict."""
    return _Compiler(schema if definitions is None else definitions).schema(schema, closed=closed)


class _Compiler:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._references: dict[str, Check] = {}

    def schema(self, schema: Any, *, closed: bool) -> Check:
        if not isinstance(schema, Mapping):
            return _nothing if schema is False else _anything
        if isinstance(reference := schema.get("$ref"), str):
            return self._reference(reference, closed=closed)
        parts = [part for part in (self._type(schema), *self._structure(schema, closed=closed)) if part]
        parts += _values(schema)
        parts += self._logic(schema)
        nullable = bool(schema.get("nullable")) or not ("type" in schema or "x-kubernetes-int-or-string" in schema)

        def check(value: Any, path: Path, problems: list[Problem]) -> None:
            if value is None and nullable:
                return
            before = len(problems)
            for part in parts:
                part(value, path, problems)
                if len(problems) > before and part is parts[0]:
                    return  # of a wrong type nothing more can be said

        return check

    def _reference(self, reference: str, *, closed: bool) -> Check:
        """A reference inside the document; any other one is not followed: nothing is fetched."""
        if not reference.startswith("#/"):
            return _anything

        def check(value: Any, path: Path, problems: list[Problem]) -> None:
            found = self._references.get(reference)
            if found is None:
                found = self._references[reference] = self.schema(self._resolve(reference), closed=closed)
            found(value, path, problems)

        return check

    def _resolve(self, reference: str) -> Any:
        target: Any = self._root
        for key in reference.removeprefix("#/").split("/"):
            target = target.get(key.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
        return target

    def _type(self, schema: Mapping[str, Any]) -> Check | None:
        if schema.get("x-kubernetes-int-or-string"):
            return _scalar("int-or-string")
        kinds = schema.get("type")
        names = [kinds] if isinstance(kinds, str) else list(kinds) if isinstance(kinds, list) else []
        names = [name for name in names if name in _KINDS]
        if not names:
            return None
        tests = [_KINDS[name] for name in names]
        wanted = " or ".join(_ARTICLES.get(name, f"a {name}") for name in names if name != "null")

        def check(value: Any, path: Path, problems: list[Problem]) -> None:
            if not any(test(value) for test in tests):
                problems.append(wrong_type(path, f"must be {wanted}, is {type_name(value)}"))

        return check

    def _structure(self, schema: Mapping[str, Any], *, closed: bool) -> list[Check]:
        checks: list[Check] = []
        if "properties" in schema or "additionalProperties" in schema or schema.get("type") == "object":
            checks.append(self._object(schema, closed=closed))
        if isinstance(required := schema.get("required"), list):
            checks.append(_required([key for key in required if isinstance(key, str)]))
        if isinstance(items := schema.get("items"), Mapping):
            checks.append(
                _items(self.schema(items, closed=closed), items.get("nullable") is True or "type" not in items)
            )
        if schema.get("x-kubernetes-list-type") in {"set", "map"}:
            checks.append(_unique(schema))
        return checks

    def _object(self, schema: Mapping[str, Any], *, closed: bool) -> Check:
        properties = schema.get("properties")
        named = properties if isinstance(properties, Mapping) else {}
        fields = {name: self.schema(field, closed=closed) for name, field in named.items()}
        # With a default, null counts as absent; so it does for any field that is not nullable and is pruned away.
        lenient = {name for name, field in named.items() if isinstance(field, Mapping) and "default" in field}
        extra = schema.get("additionalProperties")
        item = self.schema(extra, closed=closed) if isinstance(extra, Mapping) else None
        keep = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        embedded = bool(schema.get("x-kubernetes-embedded-resource"))
        # An object without any properties keeps nothing, unless it says so.
        shut = extra is False or (closed and not keep and extra is None and ("properties" in schema or embedded))

        def check(value: Any, path: Path, problems: list[Problem]) -> None:
            if type(value) is not dict:
                return
            for key, entry in value.items():
                field = fields.get(key, item)
                if field is not None:
                    if entry is not None or key not in lenient:
                        field(entry, (path, key), problems)
                elif shut and not (embedded and key in {"apiVersion", "kind", "metadata"}):
                    problems.append(unknown_field((path, key), key, fields))

        return check

    def _logic(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = []
        if isinstance(parts := schema.get("allOf"), list):
            checks += [self.schema(part, closed=False) for part in parts]
        for word in ("anyOf", "oneOf"):
            if isinstance(parts := schema.get(word), list):
                checks.append(_options([self.schema(part, closed=False) for part in parts], parts, one=word == "oneOf"))
        if isinstance(schema.get("not"), Mapping):
            checks.append(_not(self.schema(schema["not"], closed=False), schema["not"]))
        return checks


def _anything(value: Any, path: Path, problems: list[Problem]) -> None:
    del value, path, problems


def _nothing(value: Any, path: Path, problems: list[Problem]) -> None:
    del value
    problems.append(Problem("schema/value", path, "nothing is allowed here"))


def _scalar(name: str) -> Check:
    refuse = SCALARS[name]

    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        if refusal := refuse(value):
            problems.append(Problem(f"schema/{refusal[0]}", path, refusal[1]))

    return check


def _required(keys: list[str]) -> Check:
    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        if type(value) is dict:
            problems.extend(missing(path, key, value) for key in keys if key not in value)

    return check


def _items(item: Check, nullable: bool) -> Check:
    del nullable

    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        if type(value) is list:
            for index, entry in enumerate(value):
                item(entry, (path, index), problems)

    return check


def _unique(schema: Mapping[str, Any]) -> Check:
    keys = [key for key in schema.get("x-kubernetes-list-map-keys") or () if isinstance(key, str)]
    defaults = {}
    if isinstance(items := schema.get("items"), Mapping) and isinstance(items.get("properties"), Mapping):
        fields = items["properties"]
        defaults = {key: fields[key].get("default") for key in keys if isinstance(fields.get(key), Mapping)}

    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        seen: list[Any] = []
        for index, entry in enumerate(value if type(value) is list else ()):
            mark = [entry.get(key, defaults.get(key)) for key in keys] if keys and type(entry) is dict else entry
            if mark in seen:
                problems.append(Problem("schema/duplicate", (path, index), "is given twice in a list of unique items"))
            seen.append(mark)

    return check


def _options(options: list[Check], schemas: list[Any], *, one: bool) -> Check:
    required = [part.get("required") for part in schemas if isinstance(part, Mapping)]
    names = [keys[0] for keys in required if isinstance(keys, list) and len(keys) == 1]
    told = f" of {', '.join(map(str, names))}" if len(names) == len(options) else " of several forms"

    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        fitting, untold = 0, []
        for option in options:
            found: list[Problem] = []
            option(value, path, found)
            fitting += not found
            if found and all(problem.rule == UNCHECKED for problem in found):
                untold += found
        if one and fitting > 1:
            problems.append(Problem("schema/value", path, f"needs exactly one{told}, fits {fitting}"))
        elif untold and (one or not fitting):
            problems.extend(untold)
        elif not fitting:
            problems.append(
                Problem("schema/value", path, f"needs {'exactly' if one else 'at least'} one{told}, fits 0")
            )

    return check


def _not(option: Check, schema: Mapping[str, Any]) -> Check:
    required = schema.get("required")
    told = f": '{required[0]}' may not be given here" if isinstance(required, list) and len(required) == 1 else ""

    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        found: list[Problem] = []
        option(value, path, found)
        if not found:
            problems.append(Problem("schema/value", path, f"has a form that is not allowed{told}"))
        elif all(problem.rule == UNCHECKED for problem in found):
            problems.extend(found)

    return check


def _values(schema: Mapping[str, Any]) -> list[Check]:
    """Checks of a value by itself: bounds, lengths, words, patterns, formats."""
    tests: list[Callable[[Any], str | None]] = []
    tests += _number_tests(schema)
    tests += _length_tests(schema)
    if isinstance(enum := schema.get("enum"), list):
        tests.append(_enum(enum))
    if "const" in schema:
        tests.append(_enum([schema["const"]]))
    if isinstance(name := schema.get("format"), str) and name in _FORMATS:
        tests.append(_format(name))

    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        if value is not None:
            said = (test(value) for test in tests)
            problems.extend(Problem("schema/value", path, why) for why in said if why)

    checks: list[Check] = [check] if tests else []
    if isinstance(pattern := schema.get("pattern"), str) and (found := _pattern(pattern)):
        checks.append(found)
    return checks


def _number_tests(schema: Mapping[str, Any]) -> list[Callable[[Any], str | None]]:
    tests: list[Callable[[Any], str | None]] = []
    least, most, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")

    def number(value: Any) -> bool:
        return type(value) in {int, float}

    if isinstance(least, int | float):
        strict = above is True
        tests.append(
            lambda value: (
                f"{value} must be {'greater than' if strict else 'at least'} {least}"
                if number(value) and (value < least or (strict and value == least))
                else None
            )
        )
    if isinstance(most, int | float):
        tight = below is True
        tests.append(
            lambda value: (
                f"{value} must be {'less than' if tight else 'at most'} {most}"
                if number(value) and (value > most or (tight and value == most))
                else None
            )
        )
    if isinstance(step, int | float) and step:
        tests.append(lambda value: f"{value} must be a multiple of {step}" if number(value) and value % step else None)
    return tests


_LENGTHS: tuple[tuple[type, str, str, str], ...] = (
    (str, "characters", "minLength", "maxLength"),
    (list, "items", "minItems", "maxItems"),
    (dict, "entries", "minProperties", "maxProperties"),
)


def _length_tests(schema: Mapping[str, Any]) -> list[Callable[[Any], str | None]]:
    tests: list[Callable[[Any], str | None]] = []
    for kind, what, low, high in _LENGTHS:
        least, most = schema.get(low), schema.get(high)
        if isinstance(least, int):
            tests.append(_length(kind, what, least, None))
        if isinstance(most, int):
            tests.append(_length(kind, what, None, most))
    return tests


def _length(
    kind: type[str | list[Any] | dict[str, Any]], what: str, least: int | None, most: int | None
) -> Callable[[Any], str | None]:
    def test(value: Any) -> str | None:
        length = len(value) if type(value) is kind and isinstance(value, str | list | dict) else None
        if length is not None and least is not None and length < least:
            return f"must have at least {least} {what}, has {length}"
        too_long = length is not None and most is not None and length > most
        return f"must have at most {most} {what}, has {length}" if too_long else None

    return test


def _enum(allowed: list[Any]) -> Callable[[Any], str | None]:
    def test(value: Any) -> str | None:
        # 1 and true are equal to Python, not to JSON.
        if any(value == word and isinstance(value, bool) == isinstance(word, bool) for word in allowed):
            return None
        near = nearest(value, [word for word in allowed if isinstance(word, str)]) if isinstance(value, str) else None
        meant = f" (did you mean '{near}'?)" if near else ""
        return f"'{value}' is not supported; one of {', '.join(map(str, allowed[:20]))}{meant}"

    return test


def _pattern(pattern: str) -> Check | None:
    """The check of an RE2 pattern, None for what is none: the definition's own findings tell."""
    matches = matcher(pattern)
    if matches is None:
        return None

    def check(value: Any, path: Path, problems: list[Problem]) -> None:
        if type(value) is not str or (found := matches(value)):
            return
        if found is None:
            problems.append(Problem(UNCHECKED, path, f"the pattern {pattern} is not checked", HINT))
            return
        shown = value if len(value) <= 80 else f"{value[:77]}..."
        problems.append(Problem("schema/value", path, f"'{shown}' must match {pattern}"))

    return check


_DURATION = re.compile(
    r"[-+]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+|0"
    r"|\d+ ?(?:ns|us|µs|ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)"
)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value))


def _is_ip(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False


def _is_cidr(value: str) -> bool:
    try:
        ipaddress.ip_interface(value)
    except ValueError:
        return False
    return "/" in value


# Formats that the server validates (apiextensions types.go, JSONSchemaProps.Format) and that cannot be told wrong here.
_FORMATS: Mapping[str, Callable[[Any], bool]] = {
    "date": _is_date,
    "date-time": lambda value: SCALARS["time"](value) is None,
    "byte": lambda value: SCALARS["byte"](value) is None,
    "ipv4": lambda value: _is_ip(value, 4),
    "ipv6": lambda value: _is_ip(value, 6),
    "cidr": _is_cidr,
    "uuid": lambda value: bool(
        re.fullmatch(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", value)
    ),
    "duration": lambda value: bool(_DURATION.fullmatch(value)),
    "int32": lambda value: -(1 << 31) <= value < 1 << 31,
    "int64": lambda value: -(1 << 63) <= value < 1 << 63,
}


def _format(name: str) -> Callable[[Any], str | None]:
    numeric = name.startswith("int")
    fits = _FORMATS[name]

    def test(value: Any) -> str | None:
        if type(value) not in ({int, float} if numeric else {str}):
            return None
        return None if fits(value) else f"'{value}' is no {name}"

    return test
