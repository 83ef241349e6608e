"""The changes of an object as lines: the place once, then what was and what is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any

from gitops_ci.display import shorten
from gitops_ci.model.rendered import PathChange
from gitops_ci.yaml_view import scalar, yaml_lines

__all__ = ["change_text"]

_LAST = re.compile(r"(?P<parent>.*?)(?:\.(?P<key>[A-Za-z_][A-Za-z0-9_-]*)|(?P<entry>\[[^\[\]]*\]))$", re.DOTALL)
_CONTEXT = 3
_LONG = 2_000
_MOST_OF_A_RUN, _MOST_LINES = 100, 1_000  # lines that are removed or added together, and those of one value
_LONGEST = 500  # characters of a line: a value that was encoded may be one of a million


def change_text(paths: Iterable[PathChange], context: int = _CONTEXT) -> str:
    """Each change by its place, removed lines with -, added ones with +."""
    lines: list[str] = []
    last = None
    for place, key, change in _each(paths):
        if place != last:
            lines.append(f" {place or '(object)'}")
            last = place
        lines += _shortened(list(_change(change, key, context)), _MOST_LINES)
    return "\n".join(shorten(line, _LONGEST) for line in lines)


def _each(paths: Iterable[PathChange]) -> Iterator[tuple[str, str, PathChange]]:
    """Each change with its place and key; those in JSON or YAML instead of the text that it is."""
    for change in paths:
        if not change.inside:
            yield *_divided(change.path), change
        for one in change.inside or ():
            place, key = _divided(one.path)
            yield f"{change.path} > {place}" if place else change.path, key, one


def _divided(path: str) -> tuple[str, str]:
    """The place of a value, and the key that its line begins with; an entry of a list has none."""
    found = _LAST.fullmatch(path)
    if found is None:
        return "", path
    if found["key"]:
        return found["parent"], found["key"]
    name = (found["entry"] or "")[1:-1]
    return (path, "") if "=" in name or name.isdigit() else (found["parent"], scalar(name))


def _change(change: PathChange, key: str, context: int) -> Iterator[str]:
    name = f"{key}: " if key else ""
    if change.masked:
        yield from _masked(change, name)
        return
    is_added, is_removed = change.base_pointer is None, change.head_pointer is None
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and ("\n" in old or "\n" in new):
        yield from _text(name, old, new, context)
        return
    if not is_added:
        yield from _shortened([f"-  {line}" for line in _value(name, old)])
    if not is_removed:
        yield from _shortened([f"+  {line}" for line in _value(name, new)])


def _shortened(lines: list[str], most: int = _MOST_OF_A_RUN) -> list[str]:
    """The first lines, and how many follow: nobody reads an encoded archive. The JSON document has the whole value."""
    left = len(lines) - most
    return lines if left <= 1 else [*lines[:most], f"{lines[most][0]}    ... and {left:,} more lines"]


def _masked(change: PathChange, name: str) -> Iterator[str]:
    if change.head_pointer is None:
        yield f"-  {name}(secret, removed)"
    elif change.base_pointer is None:
        yield f"+  {name}(secret, added)"
    else:
        yield f"-  {name}(secret)"
        yield f"+  {name}(secret, changed)"


def _value(name: str, value: Any) -> list[str]:
    if isinstance(value, (dict, list)) and value:
        inner = yaml_lines(value)
        return [name.rstrip(), *(f"  {line}" for line in inner)] if name else inner
    if isinstance(value, str) and "\n" in value:
        return [f"{name}|", *(f"  {line}" for line in value.split("\n"))]
    return [f"{name}{scalar(value)}"]


def _text(name: str, old: str, new: str, context: int) -> Iterator[str]:
    """A text of many lines, line by line. A text that only has other line ends shows these."""
    before, after = old.split("\n"), new.split("\n")
    if old.replace("\r\n", "\n") == new.replace("\r\n", "\n"):
        yield f"-  {name}(line ends: {_ends(old)})"
        yield f"+  {name}(line ends: {_ends(new)})"
        return
    yield f"   {name}|"
    if max(len(before), len(after)) > _LONG:
        yield from _ends_apart(before, after, context)
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(context)):
        if number:
            yield "     ..."
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from (f"     {line}" for line in before[a:b])
                continue
            yield from _shortened([f"-    {line}" for line in before[a:b]])
            yield from _shortened([f"+    {line}" for line in after[c:d]])


def _ends_apart(before: list[str], after: list[str], context: int) -> Iterator[str]:
    """What lies between equal beginnings and ends, for texts that are too long to be compared line by line."""
    first = 0
    while first < min(len(before), len(after)) and before[first] == after[first]:
        first += 1
    last = 0
    while last < min(len(before), len(after)) - first and before[-1 - last] == after[-1 - last]:
        last += 1
    yield from (f"     {line}" for line in before[max(0, first - context) : first])
    yield from _shortened([f"-    {line}" for line in before[first : len(before) - last]])
    yield from _shortened([f"+    {line}" for line in after[first : len(after) - last]])
    yield from (f"     {line}" for line in after[len(after) - last : len(after) - last + context])


def _ends(text: str) -> str:
    return "CRLF" if text.count("\n") == text.count("\r\n") else "LF" if "\r\n" not in text else "CRLF and LF"
