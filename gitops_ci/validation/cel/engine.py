"""Expressions in CEL, by cel-expr-python where it is installed: Google's own compiler and runtime (cel-cpp).

It bounds itself: patterns are RE2's, and an expression ends after 10,000 iterations. What cannot be told here (a
function that only an API server has, an expression that takes too long) is told as such and never as broken.

Sources: kubernetes.io/docs/reference/using-api/cel; k8s.io/apiserver pkg/cel/library for the functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from gitops_ci.validation.apimachinery.scalars import quantity
from gitops_ci.validation.go.url import NoUrlError, parse_url

__all__ = ["HINT", "MISSING", "Expression", "Variables", "expression"]

HINT = "Install gitops-ci[cel] to have expressions in CEL checked."
MISSING = "expressions in CEL are not checked: the library for them is not installed"
_NOT_HERE = ("No matching overload", "Unknown", "Non-CEL value", "udget")
# Names and their types, as CEL writes them: ("self", "map(string, dyn)").
Variables = tuple[tuple[str, str], ...]
# The version of the strings' functions that API servers have.
_STRINGS = 2
_SELF: Variables = (("self", "dyn"),)
_ERROR = re.compile(r"<input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([\w.]+)'")
_NO_OVERLOAD = re.compile(r"found no matching overload for '(.+?)' applied to '(.*)'")
# What has overloads of CEL alone; of the numbers only order crosses types.
_PLAIN = frozenset(
    {
        *("_==_", "_!=_", "_&&_", "_||_", "!_", "_+_", "_-_", "_*_", "_/_", "_%_", "-_", "_?_:_", "@in", "_[_]"),
        *("size", "startsWith", "endsWith", "contains", "matches", "hasValue", "string", "int", "double"),
    }
)
_ORDER = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_NUMBERS = frozenset({"int", "uint", "double", "dyn"})
# Where the names of an API server's own types begin.
_TYPES = frozenset({"kubernetes", "net", "google", "Object", "JSONPatch", "optional_type"})


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
        # What fails here fails on the server, too (a missing field, a text that is not a number), unless it is a
        # function for other types that only the server has.
        return _first_line(found) if any(word in str(found) for word in _NOT_HERE) else False


@cache
def expression(text: str, variables: Variables = _SELF) -> Expression:
    """Compile an expression over variables."""
    environment = _environment(variables)
    if environment is None:
        return Expression(unknown=MISSING)
    try:
        return Expression(environment.compile(text))
    except RuntimeError as error:
        said = str(error)
    errors = [_why_refused(text, found) for found in _ERROR.finditer(said)]
    # What follows from a function or a macro that is not known here is not known either.
    refused = errors[0] if errors and all(errors) else ""
    return Expression(refused=refused, unknown="" if refused else _first_line(said))


def _why_refused(text: str, error: re.Match[str]) -> str:
    """What an error of the compiler is, when no function or type that only an API server has can be its cause."""
    said = error[3]
    if said.startswith("Syntax error: "):
        return f"no CEL expression: {said.removeprefix('Syntax error: ')}"
    if undeclared := _UNDECLARED.match(said):
        name = undeclared[1]
        # A name with dots is pointed at where its last part begins.
        start = int(error[2]) - 1 - len(name.rpartition(".")[0])
        line = text.splitlines()[int(error[1]) - 1][start:]
        is_name = line.startswith(name) and not re.match(r"[\w.?]*\s*[({]", line)
        first = name.partition(".")[0]
        return f"there is no '{first}' here" if is_name and first not in _TYPES else ""
    if overload := _NO_OVERLOAD.match(said):
        crosses = overload[1] in _ORDER and not set(re.findall(r"\w+", overload[2])) <= _NUMBERS
        # An object may be null, and looks like a map here.
        plain = (crosses or overload[1] in _PLAIN) and not ("map(string, dyn)" in said and "null_type" in said)
        return f"'{overload[1]}' cannot be applied to {overload[2]}" if plain else ""
    certain = said.startswith("expression of type") or said.endswith(" literal")
    return said if certain else ""


def _first_line(error: object) -> str:
    text = str(error).partition("\n")[0]
    return re.sub(r"^(?:[A-Z_]+: )*(?:ERROR: <input>:\d+:\d+: )?", "", text)


@cache
def _environment(variables: Variables) -> Any | None:
    try:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_optional, ext_strings
    except ImportError:
        return None
    extensions = [ext_strings.ExtStrings(_STRINGS), ext_optional.ExtOptional()]
    types = {name: _typed(cel, signature) for name, signature in variables}
    return cel.NewEnv(variables=types, extensions=extensions, functions=_functions(cel))


def _typed(cel: Any, signature: str) -> Any:
    outer, _, inner = signature.removesuffix(")").partition("(")
    if outer == "list":
        return cel.Type.List(_typed(cel, inner))
    if outer == "map":
        return cel.Type.Map(cel.Type.STRING, _typed(cel, inner.removeprefix("string, ")))
    return getattr(cel.Type, outer.upper())


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
        ("sign", number, [text], lambda found: (Decimal(found) > 0) - (Decimal(found) < 0), True),
        ("isIP", truth, [text], _is_ip, False),
        ("isCIDR", truth, [text], _is_cidr, False),
        ("isURL", truth, [text], _is_url, False),
        ("url", text, [text], _url, False),
        *((f"get{name}", text, [text], part, True) for name, part in _URL_PARTS.items()),
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
        raise ValueError(f"'{text}' is not a quantity")
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


def _url(text: str) -> str:
    parse_url(text, of_request=True)
    return text


def _is_url(text: str) -> bool:
    try:
        parse_url(text, of_request=True)
    except NoUrlError:
        return False
    return True


def _host_and_port(text: str) -> tuple[str, str]:
    host = parse_url(text, of_request=True).host
    end = host.rfind(":")
    if end > host.rfind("]"):
        return host[:end].strip("[]"), host[end + 1 :]
    return host.strip("[]"), ""


_URL_PARTS: Mapping[str, Callable[[str], str]] = {
    "Scheme": lambda text: parse_url(text, of_request=True).scheme,
    "Host": lambda text: parse_url(text, of_request=True).host,
    "Hostname": lambda text: _host_and_port(text)[0],
    "Port": lambda text: _host_and_port(text)[1],
    "EscapedPath": lambda text: parse_url(text, of_request=True).path,
}
