"""Globs as expressions that take linear time: what is matched is a stranger's, and so may the glob be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

__all__ = ["name_expression", "with_stars"]

_NOTHING = "(?!)"


def with_stars(chunks: Sequence[str], character: str) -> str:
    """The expression for chunks with a star between each two; a star is any number of a `character`.

    A chunk that is followed by a star is where it is first found: no later place could fit better, and none is tried.
    """
    first, *others = chunks
    if not others:
        return first
    between = "".join(f"(?>{character}*?{chunk})" for chunk in others[:-1])
    return f"{first}{between}{character}*{others[-1]}"


@cache
def name_expression(pattern: str) -> str:
    """The expression for one name, as Go's filepath.Match reads a pattern; what it refuses fits nothing."""
    chunks, at = [""], 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            chunks.append("")
        elif character == "[":
            at, inside = _class(pattern, at)
            chunks[-1] += inside
        elif character == "\\":
            chunks[-1] += re.escape(pattern[at]) if at < len(pattern) else _NOTHING
            at += 1
        else:
            chunks[-1] += "[^/]" if character == "?" else re.escape(character)
    made = with_stars(chunks, "[^/]")
    return _NOTHING if _NOTHING in made else made


def _class(pattern: str, at: int) -> tuple[int, str]:
    """A class of characters from behind its bracket: where it ends, and the expression."""
    is_negated = pattern[at : at + 1] == "^"
    at += is_negated
    ranges = ""
    is_first = True
    while is_first or pattern[at : at + 1] != "]":
        is_first = False
        low, at = _character(pattern, at)
        high = low
        if pattern[at : at + 1] == "-":
            high, at = _character(pattern, at + 1)
        if not low or not high:
            return len(pattern), _NOTHING
        if low <= high:
            ranges += f"{re.escape(low)}-{re.escape(high)}"
    if not ranges:
        return at + 1, "[^/]" if is_negated else "(?!.)."
    return at + 1, f"(?!/)[{'^' if is_negated else ''}{ranges}]"


def _character(pattern: str, at: int) -> tuple[str, int]:
    """One character of a class and where the next begins; '' where there is none, or the class does not end."""
    if pattern[at : at + 1] in {"", "-", "]"}:
        return "", at
    at += pattern[at] == "\\"
    return (pattern[at : at + 1], at + 1) if at + 1 < len(pattern) else ("", at)
