"""Where each character of a YAML scalar's value is written.

This is what lets YAML inside a string (`values: |`) be edited in place: a block scalar is written without its
indentation, a quoted one with its escapes, a folded one with other line breaks than its value has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitops_ci.yamltext import Scalar

__all__ = ["offsets"]

_HEADER = re.compile(r"[|>][-+0-9]*[^\r\n]*(?:\r\n|\n|\r)?")
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r|$)")
_ESCAPED = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)|.", re.DOTALL)


def offsets(text: str, scalar: Scalar) -> Sequence[int] | None:
    """For each character of `scalar.value` its offset in `text`; None when the two do not line up."""
    if scalar.style in {"|", ">"}:
        return _block(text, scalar)
    quotes = 1 if scalar.style else 0
    start, end = scalar.start + quotes, scalar.end - quotes
    body = text[start:end]
    if body == scalar.value:
        return range(start, end)
    if "\n" in body or "\r" in body:
        return None
    units = re.finditer(r"''|.", body) if scalar.style == "'" else _ESCAPED.finditer(body)
    places = [start + unit.start() for unit in units]
    return places if len(places) == len(scalar.value) else None


def _block(text: str, scalar: Scalar) -> Sequence[int] | None:
    header = _HEADER.match(text, scalar.start, scalar.end)
    if header is None:
        return None
    lines = _lines(text, header.end(), scalar.end)
    full = next((line for _, line in lines if line.strip(" ")), None)
    if full is None:
        return None
    first = scalar.value.lstrip("\n")
    indent = _leading(full) - _leading(first)
    written: list[tuple[str, int]] = []
    for start, line in lines:
        cut = min(indent, _leading(line))
        written += [(char, start + cut + at) for at, char in enumerate(line[cut:])]
        written.append(("\n", start + len(line)))
    return _aligned(scalar.value, written)


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _lines(text: str, start: int, end: int) -> list[tuple[int, str]]:
    found = []
    while start < end and (match := _LINE.match(text, start, end)):
        found.append((start, match[1]))
        start = match.end()
    return found


def _aligned(value: str, written: Sequence[tuple[str, int]]) -> Sequence[int] | None:
    """Pair each character of a value with its written one: folding turns line breaks into spaces or drops them."""
    places: list[int] = []
    at = 0
    for char in value:
        while at < len(written) and written[at][0] != char and not (char == " " and written[at][0] == "\n"):
            if written[at][0] != "\n":
                return None
            at += 1
        if at == len(written):
            return None
        places.append(written[at][1])
        at += 1
    return places
