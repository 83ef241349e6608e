"""Expressions in CEL that definitions and policies hold: whether a server can compile them.

Sources: k8s.io/apiserver pkg/admission/plugin/policy/validating and pkg/cel/environment for the variables and the type
of each result; an expression that needs types known only there is told as not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gitops_ci.schemas.cel import HINT, MISSING, expression
from gitops_ci.schemas.celrules import escaped
from gitops_ci.schemas.hints import nearest_field
from gitops_ci.schemas.rules.base import Spot, shown

__all__ = ["ADMISSION", "compiles", "defined", "fields_of_self", "without_strings"]

# What an expression of a policy or a webhook may name.
ADMISSION = ("object", "oldObject", "request", "params", "namespaceObject", "authorizer", "variables")
_TYPES = {"BOOL": "true or false", "STRING": "a string"}
_STRING = re.compile(r"""r?('''|\"{3})[\s\S]*?\1|r?'(?:[^'\\\n]|\\.)*'|r?"(?:[^"\\\n]|\\.)*\"""")
_OF_SELF = re.compile(r"(?<![\w.])self\.([A-Za-z_][A-Za-z0-9_]*)\b(?!\s*\()")
_UNDECLARED = re.compile(r"undeclared reference to '([A-Za-z_]\w*)'")
_VARIABLE = re.compile(r"\bvariables\.([A-Za-z_][A-Za-z0-9_]*)")


def compiles(place: Spot, key: str, rule: str, variables: tuple[str, ...], returns: str = "") -> None:
    """The expression under `key` is CEL, and its result is of the type BOOL or STRING where one is asked for."""
    source = place.text(key)
    if not source.strip():
        return
    compiled = expression(source, variables)
    where = place.at(key)
    if compiled.refused:
        where.bad(rule, compiled.refused)
    elif name := _of_nobody(compiled.unknown, source):
        where.bad(rule, f"there is no '{name}' here; known are {', '.join(variables)}")
    elif compiled.unknown:
        missing = compiled.unknown == MISSING
        told = MISSING if missing else f"the expression {shown(source)} is not checked: {compiled.unknown}"
        where.unchecked(told, HINT if missing else "")
    elif returns and compiled.returns not in {returns, "DYN"}:
        where.bad(rule, f"'{shown(source)}' must give {_TYPES[returns]}, gives {compiled.returns.lower()}")


def _of_nobody(said: str, source: str) -> str:
    """A variable that nobody defines, '' for none; a function, a type or a macro's own may be the server's."""
    found = _UNDECLARED.search(said)
    if found is None or re.search(rf"\b{found[1]}\s*[.(,]", without_strings(source)):
        return ""
    return found[1]


def fields_of_self(rule: Spot, schema: Spot) -> None:
    """A rule of a definition names no field of `self` that its schema lacks: the server compiles it by its types."""
    fields = schema.mapping("properties")
    if schema.text("type") != "object" or not fields:
        return
    known = {escaped(name) for name in fields} | {"apiVersion", "kind", "metadata"}
    for name in _OF_SELF.findall(without_strings(rule.text("rule"))):
        if name not in known:
            rule.at("rule").bad("crd", f"'self' has no field '{name}' here", nearest_field(name, fields))


def without_strings(source: str) -> str:
    """An expression whose string literals are empty: what is left are its names and operators."""
    return _STRING.sub("''", source)


def defined(place: Spot, key: str, rule: str, names: Iterable[str]) -> None:
    """An expression names no variable that is not defined before it."""
    known = frozenset(names)
    for name in _VARIABLE.findall(without_strings(place.text(key))):
        if name not in known:
            place.at(key).bad(rule, f"the variable '{name}' is not defined before it is used")
