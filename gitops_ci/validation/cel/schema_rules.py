"""The rules of a CustomResourceDefinition, `x-kubernetes-validations`, over the values of its objects.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/cel: what `self` is at each place (of
the completed value, names escaped, whole numbers of type `number` as doubles), and that a rule about `oldSelf` has
nothing to say of a new object.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gitops_ci.validation.cel.engine import HINT, MISSING, Expression, expression
from gitops_ci.validation.violation import UNCHECKED, Check, Path, Violation

__all__ = ["RESERVED", "RULES", "escaped", "rules_of", "without_strings"]

RULES = "x-kubernetes-validations"
# Gives the value as CEL sees it, and notes the rules it breaks.
_Reader = Callable[[Any, Path, list[Violation]], Any]
_STRING = re.compile(r"""r?('''|\"{3})[\s\S]*?\1|r?'(?:[^'\\\n]|\\.)*'|r?"(?:[^"\\\n]|\\.)*\"""")
_OLD = re.compile(r"\boldSelf\b")
_OF_TIME = re.compile(r"\b(?:timestamp|duration)\(|\.get(?:FullYear|Month|D\w+|Hours|Minutes|\w*[sS]econds)\(")
_WHOLE = re.compile(r"[\w)]\s*(?:[=!]=|\+)\s*(?:\[|self\b)|\]\s*(?:[=!]=|\+)")
# Words of CEL that no field can be called (k8s.io/apiserver pkg/cel/escaping.go).
RESERVED = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    }
)
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}


def rules_of(schema: Mapping[str, Any]) -> Check | None:
    """The check of all rules in a schema, None when it has none."""
    if not _has_rules(schema):
        return None
    reader = _reader(schema)

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if reader is not None:
            reader(value, path, problems)

    return check


def escaped(name: str) -> str:
    """A field's name as expressions write it: `x-y` is `x__dash__y`."""
    return f"__{name}__" if name in RESERVED else re.sub(r"__|[./-]", lambda found: _ESCAPES[found[0]], name)


def without_strings(source: str) -> str:
    """An expression whose string literals are empty: what is left are its names and operators."""
    return _STRING.sub("''", source)


def _has_rules(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return RULES in schema or any(_has_rules(part) for part in schema.values())
    return isinstance(schema, list) and any(_has_rules(part) for part in schema)


class _Rule(NamedTuple):
    compiled: Expression
    source: str
    message: str
    below: tuple[str, ...]

    def judge(self, value: Any, path: Path) -> Violation | None:
        verdict = self.compiled.holds(value)
        if verdict is True:
            return None
        if verdict is False:
            for key in self.below:
                path = (path, key)
            return Violation("schema/rule", path, self.message or f"breaks the rule {self.source}")
        told = MISSING if verdict == MISSING else f"the rule {self.source} is not checked: {verdict}"
        return Violation(UNCHECKED, path, told, HINT if verdict == MISSING else "")


def _rules(schema: Mapping[str, Any]) -> list[_Rule]:
    found = []
    listed = schema.get(RULES)
    for rule in listed if isinstance(listed, list) else ():
        source = rule.get("rule") if isinstance(rule, Mapping) else None
        if not isinstance(source, str) or not source.strip():
            continue
        if rule.get("optionalOldSelf") is True:
            compiled = expression(_OLD.sub("optional.none()", source))
        elif _OLD.search(source):
            continue
        else:
            compiled = expression(source)
        if compiled.unknown == "" and (why := _why_untold(source, schema)):
            compiled = Expression(unknown=why)
        below = re.findall(r"[^.\[\]'\"]+", str(rule.get("fieldPath") or ""))
        message = str(rule.get("message") or "").strip()
        found.append(_Rule(compiled, " ".join(source.split()), message, tuple(below)))
    return found


def _why_untold(source: str, schema: Mapping[str, Any]) -> str:
    """Why a rule that compiles cannot be told: to the server some values are of types that have no form here."""
    source = without_strings(source)
    if _OF_TIME.search(source) and _holds(schema, "format", {"date", "date-time", "duration"}):
        return "it is about times"
    if _WHOLE.search(source) and _holds(schema, "x-kubernetes-list-type", {"set", "map"}):
        return "it compares lists whose order does not count"
    return ""


def _holds(schema: Any, key: str, values: set[str]) -> bool:
    if isinstance(schema, Mapping):
        return str(schema.get(key)) in values or any(_holds(part, key, values) for part in schema.values())
    return isinstance(schema, list) and any(_holds(part, key, values) for part in schema)


class _Field(NamedTuple):
    name: str
    reader: _Reader | None


def _reader(schema: Any) -> _Reader | None:
    """How to read values of a schema; None where they are taken as they are."""
    if not isinstance(schema, Mapping):
        return None
    rules = _rules(schema)
    properties, extra = schema.get("properties"), _reader(schema.get("additionalProperties"))
    fields = {
        name: _Field(escaped(name), _reader(field))
        for name, field in (properties.items() if isinstance(properties, Mapping) else ())
        if isinstance(field, Mapping)
    }
    item, scalar = _reader(schema.get("items")), _scalar(schema)
    same = all(name == field.name and field.reader is None for name, field in fields.items())
    if not rules and same and extra is None and item is None and scalar is None:
        return None

    def read(value: Any, path: Path, problems: list[Violation]) -> Any:
        if type(value) is dict:
            value = _object(value, path, problems, fields, extra)
        elif type(value) is list and item is not None:
            value = [item(entry, (path, index), problems) for index, entry in enumerate(value)]
        elif scalar is not None:
            value = scalar(value)
        if value is not None:
            problems.extend(problem for rule in rules if (problem := rule.judge(value, path)))
        return value

    return read


def _scalar(schema: Mapping[str, Any]) -> Callable[[Any], Any] | None:
    """What expressions see of a scalar that is not what is written."""
    if schema.get("type") == "number":
        return lambda value: float(value) if type(value) is int else value
    if schema.get("type") == "string" and schema.get("format") == "byte":
        return lambda value: b64decode(value) if type(value) is str else value
    return None


def _object(
    value: Mapping[str, Any],
    path: Path,
    problems: list[Violation],
    fields: Mapping[str, _Field],
    extra: _Reader | None,
) -> dict[str, Any]:
    made = {}
    for key, entry in value.items():
        field = fields.get(key)
        if field is None:
            made[key] = extra(entry, (path, key), problems) if extra else entry
        elif entry is not None:  # to expressions a field that is null is not there
            made[field.name] = field.reader(entry, (path, key), problems) if field.reader else entry
    return made
