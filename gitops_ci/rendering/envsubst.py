"""`${NAME}` and the functions of bash that Flux knows, as kustomize-controller fills them in after a build.

Source: github.com/fluxcd/pkg/envsubst 1.7 (parse/parse.go, parse/scan.go), a fork of drone/envsubst. Its reader differs
from bash, and what it does is what counts: `${A-b}` is an error, `${A:+b}` and `${A:?b}` are defaults.

A variable whose value is not known stays as it is written, with whatever is done to it. One that nothing defines is an
empty text for functions and defaults; a plain `${NAME}` of it stays, so that what it stands in is judged without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.display import shorten
from gitops_ci.rendering.envsubst_functions import FunctionError, apply_function

__all__ = ["Substitution", "SubstitutionError", "substitute_variables"]

_DEEPEST = 50
_PLAIN_TEXT = re.compile(r"[^$]+|\$(?![${])")
_NAME = re.compile(r"[^\W]+")  # letters, digits and _ of any script
_ARGUMENT = re.compile(r"(?:(?!\$\{)[^}])+")
_BEFORE_COLON = re.compile(r"(?:(?!\$\{)[^:}])+")
_ESCAPED = r"(?:\\[/\\]|\$\$|(?!\$\{)[^{end}])+"
_SEARCHED = re.compile(_ESCAPED.replace("{end}", "/"))
_REPLACEMENT = re.compile(_ESCAPED.replace("{end}", "}"))
_ESCAPE = re.compile(r"\\([/\\])|\$(\$)")
_OPERATOR = re.compile(r":[=\-?+]|:|=|[,^]{1,2}|/[/#%]?|##?|%%?")


class SubstitutionError(ValueError):
    """A `${…}` that Flux refuses."""


@dataclass(slots=True)
class Substitution:
    """What came of a text. `undefined` are names without value and without default, in the order they are met."""

    text: str = ""
    undefined: dict[str, None] = field(default_factory=dict)


def substitute_variables(text: str, variables: Mapping[str, str | None], *, is_open: bool = False) -> Substitution:
    """Fill in variables; one whose value is None is defined, but nobody here knows its value.

    `is_open` says that others may be defined, too.

    Raises:
        SubstitutionError: the text has a `${…}` that cannot be read.
    """
    result = Substitution()
    if "$" not in text:
        result.text = text
        return result
    result.text = _Reader(text, variables, result.undefined, is_open=is_open).everything()
    return result


class _Reader:
    """Reads and evaluates at once; `at` is where it stands. None is the value of what depends on an unknown one."""

    def __init__(
        self, text: str, variables: Mapping[str, str | None], undefined: dict[str, None], *, is_open: bool
    ) -> None:
        self.text = text
        self.at = 0
        self._variables = variables
        self._undefined = undefined
        self._is_open = is_open
        self._depth = 0

    def everything(self) -> str:
        parts: list[str] = []
        while self.at < len(self.text):
            if found := _PLAIN_TEXT.match(self.text, self.at):
                parts.append(found[0])
                self.at = found.end()
            elif self.text.startswith("$$", self.at):
                # Of two dollars one stays, and it opens nothing: what follows is text.
                end = self.at + 2 + self.text.startswith("{", self.at + 2)
                parts.append(self.text[self.at + 1 : end])
                self.at = end
            else:
                start = self.at
                value = self._expression()
                parts.append(self.text[start : self.at] if value is None else value)
        return "".join(parts)

    def _expression(self) -> str | None:
        """What begins at `${`, up to its closing brace."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SubstitutionError(f"'${{…}}' is nested more than {_DEEPEST} times")
        self.at += 2
        if self._peek() == "#":
            self.at += 1
            name = self._taken(_NAME, "a name")
            function: tuple[str, list[str | None]] = ("length", [])
        else:
            name = self._taken(_NAME, "a name")
            function = self._function()
        self._expect("}")
        self._depth -= 1
        return self._evaluated(name, *function)

    def _function(self) -> tuple[str, list[str | None]]:
        found = _OPERATOR.match(self.text, self.at)
        if found is None:
            return "", []
        operator = found[0]
        self.at = found.end()
        if operator in {"=", ":=", ":-", ":?", ":+"}:
            arguments: list[str | None] = []
            while self._peek() != "}":
                arguments.append(self._argument(_ARGUMENT))
            return "=", arguments
        if operator == ":":
            arguments = [self._argument(_BEFORE_COLON)]
            if self._peek() == ":":
                self._skip_all(":")
                arguments.append(self._argument(_ARGUMENT))
            return operator, arguments
        if operator[0] in ",^":
            return operator, []
        if operator[0] == "/":
            return operator, self._replacement()
        return operator, [self._argument(_ARGUMENT)]

    def _replacement(self) -> list[str | None]:
        arguments = [self._argument(_SEARCHED, escapes=True)]
        if self._peek() != "/":
            raise self._error("a / before the replacement")
        self._skip_all("/")
        if self._peek() != "}":
            arguments.append(self._argument(_REPLACEMENT, escapes=True))
        return arguments

    def _argument(self, pattern: re.Pattern[str], *, escapes: bool = False) -> str | None:
        if self.text.startswith("${", self.at):
            return self._expression()
        text = self._taken(pattern, "an argument")
        return _ESCAPE.sub(lambda one: one[1] or one[2], text) if escapes else text

    def _evaluated(self, name: str, operator: str, arguments: list[str | None]) -> str | None:
        known = [one for one in arguments if one is not None]
        value: str | None = ""
        if name in self._variables:
            value = self._variables[name]
        elif operator != "=":
            self._undefined[name] = None
            is_plain = not operator and not self._depth
            if is_plain or self._is_open:
                value = None
        # An unused default need not be known.
        if value is None or (len(known) != len(arguments) and not (operator == "=" and value)):
            return None
        try:
            return apply_function(operator, value, known)
        except FunctionError as error:
            raise SubstitutionError(f"'${{{name}{operator}…}}': {error}") from None

    def _taken(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self._error(what)
        self.at = found.end()
        return found[0]

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip_all(self, character: str) -> None:
        while self._peek() == character:
            self.at += 1

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._error(f"'{character}'")
        self.at += 1

    def _error(self, expected: str) -> SubstitutionError:
        start = self.text.rfind("${", 0, self.at + 1)
        shown = shorten(self.text[start : self.at + 1].partition("\n")[0], 60)
        return SubstitutionError(f"'{shown}' is not a substitution that Flux can read: {expected} is expected")
