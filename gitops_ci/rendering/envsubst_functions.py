"""What is done to a variable's value: `${A:1:2}`, `${A^^}`, `${A/x/y}`, `${A##*/}` and their like.

Source: github.com/fluxcd/pkg/envsubst 1.7 (funcs.go, path/match.go). Lengths and positions count bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

__all__ = ["FunctionError", "apply_function"]

_INTEGER = re.compile(r"(?P<sign>[+-]?)0*(?P<digits>[0-9]{1,19})")
_LONGEST = 4096  # trimming compares every prefix: more would take minutes


class FunctionError(ValueError):
    """A function that cannot be applied to this value."""


def apply_function(operator: str, value: str, arguments: Sequence[str]) -> str:
    """The value after one function; `length` stands for `${#A}`, '' for none at all.

    Raises:
        FunctionError: Flux ends with an error here.
    """
    found = _FUNCTIONS.get(operator)
    return found(value, arguments) if found else value


def _default(value: str, arguments: Sequence[str]) -> str:
    return value or "".join(arguments)


def _length(value: str, arguments: Sequence[str]) -> str:
    del arguments
    return str(len(value.encode()))


def _is_integer(text: str) -> bool:
    """True for what Go's strconv.Atoi reads: a number of 64 bits."""
    matched = _INTEGER.fullmatch(text)
    return matched is not None and -(2**63) <= int(matched["sign"] + matched["digits"]) < 2**63


def _slice(value: str, arguments: Sequence[str]) -> str:
    if not all(_is_integer(one) for one in arguments):
        return value  # as bash does
    data = value.encode()
    start = int(arguments[0])
    if start < 0:
        start = max(0, len(data) + start)
    length = int(arguments[1]) if len(arguments) > 1 else len(data)
    # A negative length counts back from the end.
    end = len(data) + length if length < 0 else start + length
    return data[start : max(start, end)].decode("utf-8", "replace")


def _cased(change: Callable[[str], str]) -> Callable[[str, Sequence[str]], str]:
    def each(value: str, arguments: Sequence[str]) -> str:
        del arguments
        return "".join(_one_for_one(change, character) for character in value)

    return each


def _cased_first(change: Callable[[str], str]) -> Callable[[str, Sequence[str]], str]:
    def first(value: str, arguments: Sequence[str]) -> str:
        del arguments
        return _one_for_one(change, value[:1]) + value[1:]

    return first


def _one_for_one(change: Callable[[str], str], character: str) -> str:
    """Go maps a character to one character: an sharp s has no capital."""
    changed = change(character)
    return changed if len(changed) == 1 else character


def _replaced(count: int) -> Callable[[str, Sequence[str]], str]:
    def replace(value: str, arguments: Sequence[str]) -> str:
        searched, replacement = (*arguments, "")[:2]
        return value.replace(searched, replacement, count)

    return replace


def _replaced_prefix(value: str, arguments: Sequence[str]) -> str:
    # Without a replacement nothing is done: ${A/#x/} is A.
    if len(arguments) == 2 and value.startswith(arguments[0]):
        return arguments[1] + value[len(arguments[0]) :]
    return value


def _replaced_suffix(value: str, arguments: Sequence[str]) -> str:
    if len(arguments) == 2 and value.endswith(arguments[0]):
        return value[: len(value) - len(arguments[0])] + arguments[1]
    return value


def _trimmed(*, suffix: bool, longest: bool) -> Callable[[str, Sequence[str]], str]:
    def trim(value: str, arguments: Sequence[str]) -> str:
        if len(value) > _LONGEST:
            raise FunctionError(f"the value has more than {_LONGEST} characters")
        text, pattern = (value[::-1], arguments[0][::-1]) if suffix else (value, arguments[0])
        lengths = range(len(text), 0, -1) if longest else range(1, len(text) + 1)
        cut = next((length for length in lengths if _matches(pattern, text[:length])), 0)
        return text[cut:][::-1] if suffix else text[cut:]

    return trim


_FUNCTIONS: dict[str, Callable[[str, Sequence[str]], str]] = {
    "=": _default,
    "length": _length,
    ":": _slice,
    ",": _cased_first(str.lower),
    ",,": _cased(str.lower),
    "^": _cased_first(str.upper),
    "^^": _cased(str.upper),
    "/": _replaced(1),
    "//": _replaced(-1),
    "/#": _replaced_prefix,
    "/%": _replaced_suffix,
    "#": _trimmed(suffix=False, longest=False),
    "##": _trimmed(suffix=False, longest=True),
    "%": _trimmed(suffix=True, longest=False),
    "%%": _trimmed(suffix=True, longest=True),
}


def _matches(pattern: str, text: str) -> bool:
    """Whether a glob matches a whole text. `*` takes anything, a slash too; without backtracking."""
    chunks = _chunks(pattern)
    if chunks is None:
        return False
    first, *rest = chunks
    if (found := first.match(text)) is None:
        return False
    at = found.end()
    if not rest:
        return at == len(text)
    *middle, last = rest
    for chunk in middle:
        if (found := chunk.search(text, at)) is None:
            return False
        at = found.end()
    return any(chunk_end == len(text) for chunk_end in _ends(last, text, at))


def _ends(chunk: re.Pattern[str], text: str, at: int) -> list[int]:
    """Where a chunk, whose matches all have one length, ends when it is moved to the end of a text."""
    found = chunk.search(text, at)
    if found is None:
        return []
    start = len(text) - (found.end() - found.start())
    last = chunk.match(text, start) if start >= at else None
    return [last.end()] if last else []


@cache
def _chunks(pattern: str) -> tuple[re.Pattern[str], ...] | None:
    """What stands between the stars, None for a pattern that cannot be read."""
    made = [""]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            made.append("")
        elif character == "?":
            made[-1] += "."
        elif character == "[":
            found = _class(pattern, at)
            if found is None:
                return None
            expression, at = found
            made[-1] += expression
        elif character == "\\":
            if at == len(pattern):
                return None
            made[-1] += re.escape(pattern[at])
            at += 1
        else:
            made[-1] += re.escape(character)
    return tuple(re.compile(one, re.DOTALL) for one in made)


def _class(pattern: str, at: int) -> tuple[str, int] | None:
    """A class of characters whose `[` stands before `at`, as an expression, and where it ends."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges = ""
    while not (pattern.startswith("]", at) and ranges):
        low = _member(pattern, at)
        if low is None:
            return None
        high, at = low
        low_character = high
        if pattern.startswith("-", at):
            upper = _member(pattern, at + 1)
            if upper is None:
                return None
            high, at = upper
        if low_character <= high:
            ranges += f"{re.escape(low_character)}-{re.escape(high)}"
        else:
            ranges += "\\0-\\0"  # matches nothing that a value holds
    return f"[{'^' if negated else ''}{ranges}]", at + 1


def _member(pattern: str, at: int) -> tuple[str, int] | None:
    if pattern[at : at + 1] in {"", "-", "]"}:
        return None
    if pattern[at] == "\\":
        at += 1
    if at + 1 >= len(pattern):  # a class must be closed
        return None
    return pattern[at], at + 1
