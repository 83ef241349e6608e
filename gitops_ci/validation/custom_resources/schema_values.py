"""Values against the schemas of custom resources: structural OpenAPI v3 of CRDs, and JSON Schema made from it.

What is unknown, has a default or must be unique is structural_schema.py's. Source: k8s.io/kube-openapi
pkg/validation/validate, with its rounding and its limits, over the schemas as k8s.io/apiextensions-apiserver
pkg/apiserver/validation makes them. Keywords that no CRD may use are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gitops_ci.display import shorten
from gitops_ci.text import nearest
from gitops_ci.validation.apimachinery.scalars import type_name
from gitops_ci.validation.custom_resources.string_formats import string_format
from gitops_ci.validation.custom_resources.structural_schema import resolved
from gitops_ci.validation.go.json_numbers import identity, number_of, number_tests
from gitops_ci.validation.go.regexp import HINT, matcher
from gitops_ci.validation.openapi.strict_decoding import missing, unknown_field, wrong_type
from gitops_ci.validation.violation import UNCHECKED, Check, Path, Violation

__all__ = ["compile_schema"]

_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
    "string": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) in {int, float} and type(number_of(value)) is int,
    "number": lambda value: type(value) in {int, float},
    "null": lambda value: value is None,
}
_ARTICLES = {"object": "a mapping", "array": "a list", "integer": "an integer", "boolean": "true or false"}
_PLAIN_NAMES = {"byte": "valid base64"}
_INT64 = 1 << 63
_INT_OR_STRING = ("integer", "string")
Test = Callable[[Any], str | None]


def compile_schema(schema: Mapping[str, Any], *, minor: int, definitions: Mapping[str, Any] | None = None) -> Check:
    """The check of a schema by a server of a minor version; `definitions` is the document that references lead into."""
    return _Compiler(schema if definitions is None else definitions, minor).schema(schema)


class _Compiler:
    def __init__(self, root: Mapping[str, Any], minor: int) -> None:
        self._root = root
        self._minor = minor
        self._references: dict[str, Check] = {}

    def schema(self, schema: Any) -> Check:
        if not isinstance(schema, Mapping):
            return _nothing if schema is False else _anything
        if isinstance(reference := schema.get("$ref"), str):
            return self._reference(reference)
        kinds = _kinds(schema)
        form = self._format(schema, kinds)
        fits = _type_test(kinds, has_format=form is not None)
        words = _words(schema)
        parts = [*self._structure(schema), *_values(schema, kinds, form), *self._logic(schema)]
        takes_null = not kinds or "null" in kinds or schema.get("nullable") is True

        def check(value: Any, path: Path, problems: list[Violation]) -> None:
            if value is None:
                if not takes_null:
                    problems.append(wrong_type(path, f"must be {_articles(kinds)}, is null"))
                elif words is not None:
                    problems.append(Violation("schema/value", path, f"null is not supported; {words}"))
                return
            if why := fits(value):
                problems.append(wrong_type(path, why))
                return  # of a wrong type nothing more can be said
            for part in parts:
                part(value, path, problems)

        return check

    def _reference(self, reference: str) -> Check:
        def check(value: Any, path: Path, problems: list[Violation]) -> None:
            found = self._references.get(reference)
            if found is None:
                target = resolved({"$ref": reference}, self._root)
                found = self._references[reference] = self.schema(target)
            found(value, path, problems)

        return check

    def _format(self, schema: Mapping[str, Any], kinds: Sequence[str]) -> Callable[[str], bool] | None:
        """The test of strings; those of numbers are bounds."""
        name = schema.get("format")
        of_strings = tuple(kinds) in {(), ("string",), _INT_OR_STRING}
        return string_format(name, self._minor) if isinstance(name, str) and of_strings else None

    def _structure(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = []
        if "properties" in schema or "additionalProperties" in schema:
            checks.append(self._object(schema))
        if isinstance(required := schema.get("required"), list):
            checks.append(_required([key for key in required if isinstance(key, str)]))
        if isinstance(items := schema.get("items"), Mapping):
            checks.append(_items(self.schema(items)))
        return checks

    def _object(self, schema: Mapping[str, Any]) -> Check:
        properties = schema.get("properties")
        named = properties if isinstance(properties, Mapping) else {}
        fields = {name: self.schema(field) for name, field in named.items()}
        extra = schema.get("additionalProperties")
        item = self.schema(extra) if isinstance(extra, Mapping) else None
        shut = extra is False

        def check(value: Any, path: Path, problems: list[Violation]) -> None:
            if type(value) is not dict:
                return
            for key, entry in value.items():
                field = fields.get(key, item)
                if field is not None:
                    field(entry, (path, key), problems)
                elif shut:
                    problems.append(unknown_field((path, key), key, fields))

        return check

    def _logic(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = []
        if isinstance(parts := schema.get("allOf"), list):
            checks += [self.schema(part) for part in parts]
        for word in ("anyOf", "oneOf"):
            if isinstance(parts := schema.get(word), list) and parts:
                checks.append(_options([self.schema(part) for part in parts], parts, one=word == "oneOf"))
        if isinstance(schema.get("not"), Mapping):
            checks.append(_not(self.schema(schema["not"]), schema["not"]))
        return checks


def _kinds(schema: Mapping[str, Any]) -> tuple[str, ...]:
    if schema.get("x-kubernetes-int-or-string"):
        return _INT_OR_STRING
    kinds = schema.get("type")
    names = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    return tuple(name for name in names if name in _KINDS)


def _articles(kinds: Sequence[str]) -> str:
    return " or ".join(_ARTICLES.get(name, f"a {name}") for name in kinds if name != "null")


def _type_test(kinds: tuple[str, ...], *, has_format: bool) -> Test:
    """Why a value is of the wrong type. Where a format is tested and no number expected, a list passes for a string."""
    tests = [_KINDS[name] for name in kinds]
    if has_format and "integer" not in kinds:
        tests = [_KINDS["string"], _KINDS["array"]]
    wanted = _articles(kinds) or "a string"

    def test(value: Any) -> str | None:
        if not tests or any(found(value) for found in tests):
            return None
        shown = value if type(value) is float and "integer" in kinds else type_name(value)
        return f"must be {wanted}, is {shown}"

    return test


def _anything(value: Any, path: Path, problems: list[Violation]) -> None:
    del value, path, problems


def _nothing(value: Any, path: Path, problems: list[Violation]) -> None:
    del value
    problems.append(Violation("schema/value", path, "nothing is allowed here"))


def _required(keys: list[str]) -> Check:
    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if type(value) is dict:
            problems.extend(missing(path, key, value) for key in keys if key not in value)

    return check


def _items(item: Check) -> Check:
    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if type(value) is list:
            for index, entry in enumerate(value):
                item(entry, (path, index), problems)

    return check


def _options(options: list[Check], schemas: list[Any], *, one: bool) -> Check:
    required = [part.get("required") for part in schemas if isinstance(part, Mapping)]
    names = [keys[0] for keys in required if isinstance(keys, list) and len(keys) == 1]
    told = f" of {', '.join(map(str, names))}" if len(names) == len(options) else " of several forms"

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        fitting, untold = 0, []
        for option in options:
            found: list[Violation] = []
            option(value, path, found)
            fitting += not found
            if found and all(problem.rule == UNCHECKED for problem in found):
                untold += found
        if one and fitting > 1:
            problems.append(Violation("schema/value", path, f"needs exactly one{told}, fits {fitting}"))
        elif untold and (one or not fitting):
            problems.extend(untold)
        elif not fitting:
            problems.append(
                Violation("schema/value", path, f"needs {'exactly' if one else 'at least'} one{told}, fits 0")
            )

    return check


def _not(option: Check, schema: Mapping[str, Any]) -> Check:
    required = schema.get("required")
    told = f": '{required[0]}' may not be given here" if isinstance(required, list) and len(required) == 1 else ""

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        found: list[Violation] = []
        option(value, path, found)
        if not found:
            problems.append(Violation("schema/value", path, f"has a form that is not allowed{told}"))
        elif all(problem.rule == UNCHECKED for problem in found):
            problems.extend(found)

    return check


def _values(schema: Mapping[str, Any], kinds: Sequence[str], form: Callable[[str], bool] | None) -> list[Check]:
    """Checks of a value by itself: bounds, lengths, words, patterns, formats."""
    tests = [*number_tests(schema, kinds), *_length_tests(schema)]
    if isinstance(enum := schema.get("enum"), list) and enum:
        tests.append(_enum(enum))
    if "const" in schema:
        tests.append(_enum([schema["const"]]))
    if form is not None:
        tests.append(_format(str(schema["format"]), form))

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        said = (test(value) for test in tests)
        problems.extend(Violation("schema/value", path, why) for why in said if why)

    checks: list[Check] = [check] if tests else []
    if isinstance(pattern := schema.get("pattern"), str) and pattern and (found := _pattern(pattern)):
        checks.append(found)
    return checks


_LENGTHS: tuple[tuple[type, str, str, str], ...] = (
    (str, "characters", "minLength", "maxLength"),
    (list, "items", "minItems", "maxItems"),
    (dict, "entries", "minProperties", "maxProperties"),
)


def _length_tests(schema: Mapping[str, Any]) -> list[Test]:
    tests: list[Test] = []
    for kind, what, low, high in _LENGTHS:
        least, most = schema.get(low), schema.get(high)
        if isinstance(least, int):
            tests.append(_length(kind, what, least, None))
        if isinstance(most, int):
            tests.append(_length(kind, what, None, most))
    return tests


def _length(kind: type[str | list[Any] | dict[str, Any]], what: str, least: int | None, most: int | None) -> Test:
    def test(value: Any) -> str | None:
        length = len(value) if type(value) is kind and isinstance(value, str | list | dict) else None
        if length is not None and least is not None and length < least:
            return f"must have at least {least} {what}, has {length}"
        too_long = length is not None and most is not None and length > most
        return f"must have at most {most} {what}, has {length}" if too_long else None

    return test


def _words(schema: Mapping[str, Any]) -> str | None:
    enum = schema.get("enum")
    return f"one of {', '.join(map(str, enum[:20]))}" if isinstance(enum, list) and enum else None


def _enum(allowed: list[Any]) -> Test:
    """As the server compares: a value is first converted to the type of the word, a fraction to an integer, too."""
    texts = {identity(word) for word in allowed}
    wholes = {number_of(word) for word in allowed if type(number_of(word)) is int}

    def test(value: Any) -> str | None:
        if identity(value) in texts or (type(value) is float and abs(value) < _INT64 and int(value) in wholes):
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

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if type(value) is not str or (found := matches(value)):
            return
        if found is None:
            problems.append(Violation(UNCHECKED, path, f"the pattern {pattern} is not checked", HINT))
            return
        problems.append(Violation("schema/value", path, f"'{shorten(value, 80)}' must match {pattern}"))

    return check


def _format(name: str, fits: Callable[[str], bool]) -> Test:
    def test(value: Any) -> str | None:
        if type(value) is not str or fits(value):
            return None
        return f"'{value}' is not {_PLAIN_NAMES.get(name, f'a valid {name}')}"

    return test
