"""Expressions in CEL that definitions and policies hold: whether a server can compile them.

Sources: k8s.io/apiserver pkg/admission/plugin/policy/validating and pkg/cel/environment for the variables and the type
of each result; an expression that needs types known only there is told as not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gitops_ci.text import nearest_field
from gitops_ci.validation.apimachinery.field import Field, shown
from gitops_ci.validation.cel.engine import HINT, MISSING, expression
from gitops_ci.validation.cel.schema_rules import without_strings
from gitops_ci.validation.cel.types import REQUEST, Scope, scope

__all__ = ["admission", "compiles", "defined", "gives_object"]

_TYPES = {"BOOL": "true or false", "STRING": "a string"}
_VARIABLE = re.compile(r"\bvariables\.([A-Za-z_][A-Za-z0-9_]*)")
# Values of which only the server's own run knows the type.
_DYNAMIC = re.compile(r"\s*(?:object|oldObject|params)(?:\.\w+)*\s*")


def compiles(place: Field, key: str, rule: str, seen: Scope, *returns: str) -> None:
    """The expression under `key` is CEL, names no field that is not there, and gives one of the types BOOL, STRING,
    NULL where some are named.
    """
    text = place.text(key)
    if not text.strip():
        return
    where = place.at(key)
    for path, fields in seen.unknown:
        base, _, name = path.rpartition(".")
        where.bad(rule, f"'{base}' has no field '{name}' here", nearest_field(name, fields))
    if seen.unknown:
        return
    compiled = expression(seen.source, seen.variables)
    if compiled.unknown:
        # Of types the server knows more: how numbers compare, what its functions give.
        compiled = expression(text, tuple((name, "dyn") for name, _ in seen.variables if "." not in name))
    if compiled.refused:
        where.bad(rule, compiled.refused)
    elif compiled.unknown:
        missing = compiled.unknown == MISSING
        told = MISSING if missing else f"the expression {shown(text)} is not checked: {compiled.unknown}"
        where.unchecked(told, HINT if missing else "")
    elif returns and compiled.returns not in {*returns, "DYN"}:
        where.bad(rule, f"'{shown(text)}' must give {_TYPES[returns[0]]}, gives {compiled.returns.lower()}")
    elif returns and compiled.returns == "DYN" and _DYNAMIC.fullmatch(text):
        where.bad(rule, f"'{shown(text)}' must give {_TYPES[returns[0]]}; its type is not known before it is read")


def admission(place: Field, key: str, rule: str, names: tuple[str, ...], *returns: str) -> None:
    """An expression of a policy or a webhook, which may use some names beside those of every request."""
    dynamic = ("object", "oldObject", "namespaceObject", "authorizer", *names)
    compiles(place, key, rule, scope(place.text(key), {"request": REQUEST}, dynamic=dynamic), *returns)


def gives_object(place: Field, key: str, rule: str, names: tuple[str, ...], kind: str) -> None:
    """An expression whose result is of a type that only the server has: what compiles without that type is none."""
    text = place.text(key)
    if not text.strip():
        return
    dynamic = ("object", "oldObject", "namespaceObject", "authorizer", "request", *names)
    compiled = expression(text, tuple((name, "dyn") for name in dynamic))
    if compiled.refused:
        place.at(key).bad(rule, compiled.refused)
    elif not compiled.unknown:
        place.at(key).bad(rule, f"'{shown(text)}' must give {kind}, gives {compiled.returns.lower()}")
    elif compiled.unknown == MISSING:
        place.at(key).unchecked(MISSING, HINT)


def defined(place: Field, key: str, rule: str, names: Iterable[str]) -> None:
    """An expression names no variable that is not defined before it."""
    known = frozenset(names)
    for name in _VARIABLE.findall(without_strings(place.text(key))):
        if name not in known:
            place.at(key).bad(rule, f"the variable '{name}' is not defined before it is used")
