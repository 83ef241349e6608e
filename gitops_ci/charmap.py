"""Where each character of a YAML scalar's value is written.

This is what lets YAML inside a string (`values: |`) be edited in place: a block scalar is written without its
indentation, a quoted one with its escapes, a folded one with other line breaks than its value has.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import overload

from gitops_ci.yamltext import ScalarNode

__all__ = ["Places", "offsets"]

_HEADER = re.compile(r"[|>][-+0-9]*[^\r\n]*(?:\r\n|\n|\r)?")
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r|$)")
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")


class Places(Sequence[int]):
    """The offset of each character of a value, kept as runs that are written in one piece."""

    def __init__(self, runs: Sequence[tuple[int, int]], length: int) -> None:
        self._values = [value for value, _ in runs]
        self._texts = [text for _, text in runs]
        self._length = length

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        index %= self._length
        run = bisect_right(self._values, index) - 1
        return self._texts[run] + index - self._values[run]

    def __len__(self) -> int:
        return self._length


def offsets(text: str, scalar: ScalarNode) -> Places | None:
    """For each character of `scalar.value` its offset in `text`; None when the two do not line up."""
    if scalar.style in {"|", ">"}:
        return _block(text, scalar)
    quotes = 1 if scalar.style else 0
    start, end = scalar.start + quotes, scalar.end - quotes
    body = text[start:end]
    if body == scalar.value:
        return Places([(0, start)], len(body))
    if "\n" in body or "\r" in body:
        return None
    return _quoted(body, start, scalar)


def _quoted(body: str, start: int, scalar: ScalarNode) -> Places | None:
    runs, shift = [(0, start)], 0
    for escape in (re.compile("''") if scalar.style == "'" else _ESCAPE).finditer(body):
        shift += len(escape[0]) - 1
        runs.append((escape.end() - shift, start + escape.end()))
    length = len(body) - shift
    return Places(runs, length) if length == len(scalar.value) else None


def _block(text: str, scalar: ScalarNode) -> Places | None:
    header = _HEADER.match(text, scalar.start, scalar.end)
    if header is None:
        return None
    lines = _lines(text, header.end(), scalar.end)
    full = next((line for _, line in lines if line.strip(" ")), None)
    if full is None:
        return None
    indent = _leading(full) - _leading(scalar.value.lstrip("\n"))
    value, at = scalar.value, 0
    runs: list[tuple[int, int]] = []
    for start, line in lines:
        cut = min(indent, _leading(line))
        content = line[cut:]
        if at == len(value):
            break
        if not value.startswith(content, at):
            return None
        runs.append((at, start + cut))
        at += len(content)
        # A line break is one character of the value, or a space when it was folded, or none at all.
        if value[at : at + 1] == "\n" or (value[at : at + 1] == " " and scalar.style == ">"):
            at += 1
    if at != len(value):
        return None
    return Places([run for run, after in pairwise([*runs, (at, 0)]) if run[0] < after[0]], at)


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _lines(text: str, start: int, end: int) -> list[tuple[int, str]]:
    found = []
    while start < end and (match := _LINE.match(text, start, end)):
        found.append((start, match[1]))
        start = match.end()
    return found
