"""Expressions in CEL, by cel-expr-python where it is installed: Google's own compiler and runtime (cel-cpp).

It bounds itself: patterns are RE2's, and an expression ends after 10,000 iterations. What cannot be told here (a
function that only an API server has, an expression that takes too long) is told as such and never as broken.

Sources: kubernetes.io/docs/reference/using-api/cel; k8s.io/apiserver pkg/cel/library for the functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from gitops_ci.schemas.scalars import quantity

__all__ = ["HINT", "MISSING", "Expression", "expression"]

HINT = "Install gitops-ci[cel] to have expressions in CEL checked."
MISSING = "expressions in CEL are not checked: the library for them is not installed"
_NO_KEY = "Key not found"


class Expression:
    """A compiled expression. `refused` is why no server takes it, `unknown` why it cannot be told here; '' else."""

    __slots__ = ("_compiled", "refused", "returns", "unknown")

    def __init__(self, compiled: Any = None, refused: str = "", unknown: str = "") -> None:
        self._compiled = compiled
        self.refused = refused
        self.unknown = unknown
        self.returns = compiled.return_type().name() if compiled is not None else ""
        """BOOL, STRING, ...; DYN where only a value tells."""

    def holds(self, value: Any) -> bool | str:
        """Whether it is true of `self`; a text says why that cannot be told."""
        if self._compiled is None:
            return self.refused or self.unknown
        try:
            result = self._compiled.eval(data={"self": value})
            kind, found = result.type().name(), result.value()
        except (RuntimeError, ValueError, TypeError, OverflowError) as error:
            return _first_line(error)
        if kind == "BOOL":
            return bool(found)
        # To read a field that is not there fails a rule on the server, too.
        return False if _NO_KEY in str(found) else _first_line(found)


@cache
def expression(text: str, variables: tuple[str, ...] = ("self",)) -> Expression:
    """Compile an expression over variables of any type."""
    environment = _environment(variables)
    if environment is None:
        return Expression(unknown=MISSING)
    try:
        return Expression(environment.compile(text))
    except RuntimeError as error:
        said = str(error)
    if "Syntax error" in said:
        return Expression(refused=f"no CEL expression: {said.partition('Syntax error: ')[2].partition(chr(10))[0]}")
    return Expression(unknown=_first_line(said))


def _first_line(error: object) -> str:
    text = str(error).partition("\n")[0]
    return re.sub(r"^(?:[A-Z_]+: )*(?:ERROR: <input>:\d+:\d+: )?", "", text)


@cache
def _environment(variables: tuple[str, ...]) -> Any | None:
    try:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_bindings, ext_math, ext_optional, ext_strings
    except ImportError:
        return None
    extensions = [ext_strings.ExtStrings(), ext_optional.ExtOptional(), ext_math.ExtMath(), ext_bindings.ExtBindings()]
    return cel.NewEnv(
        variables=dict.fromkeys(variables, cel.Type.DYN), extensions=extensions, functions=_functions(cel)
    )


def _functions(cel: Any) -> list[Any]:
    """The functions that an API server adds, as far as they are plain. A quantity is its number, written in full."""
    text, truth, number, anything = cel.Type.STRING, cel.Type.BOOL, cel.Type.INT, cel.Type.DYN
    items = cel.Type.List(anything)
    table: list[tuple[str, Any, Sequence[Any], Any, bool]] = [
        ("isSorted", truth, [items], lambda found: sorted(found) == found, True),
        ("sum", anything, [items], sum, True),
        ("min", anything, [items], min, True),
        ("max", anything, [items], max, True),
        ("quantity", text, [text], _quantity, False),
        ("isQuantity", truth, [text], lambda found: quantity(found) is not None, False),
        ("isGreaterThan", truth, [text, text], lambda one, other: Decimal(one) > Decimal(other), True),
        ("isLessThan", truth, [text, text], lambda one, other: Decimal(one) < Decimal(other), True),
        ("compareTo", number, [text, text], lambda one, other: int(Decimal(one).compare(Decimal(other))), True),
        ("isInteger", truth, [text], lambda found: Decimal(found) % 1 == 0, True),
        ("sign", number, [text], lambda found: (Decimal(found) > 0) - (Decimal(found) < 0), True),
        ("isIP", truth, [text], _is_ip, False),
        ("isCIDR", truth, [text], _is_cidr, False),
    ]
    return [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"kubernetes_{name}", return_type=returns, parameters=list(parameters), is_member=member, impl=done
                )
            ],
        )
        for name, returns, parameters, done, member in table
    ]


def _quantity(text: str) -> str:
    number = quantity(text)
    if number is None:
        raise ValueError(f"'{text}' is no quantity")
    return f"{number.normalize():f}"


def _is_ip(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_cidr(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return "/" in text and "%" not in text
