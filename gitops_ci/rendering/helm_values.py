"""One value at a path, as `helm --set` reads both. Source: helm.sh/helm/v4 pkg/strvals (parser.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from gitops_ci.quantities import whole_number

__all__ = ["BadValue", "set_value", "set_value_from_text"]

_LARGEST_INDEX = 65_536
_STEP = re.compile(r"(?P<name>(?:\\.|[^\\.\[\]=])+)|\[(?P<index>\d{1,6})\]|(?P<dot>\.)", re.DOTALL)
_NUMBER = re.compile(r"0|(?P<sign>[+-]?)(?P<digits>[0-9]+)")
_COMMA = re.compile(r"(?<!\\),")
_PART = re.compile(r"(?:\\.|[^\\,])*", re.DOTALL)
_ITEM = re.compile(r"(?P<text>(?:\\.|[^\\,}])*)(?P<end>[,}])", re.DOTALL)
_NEXT = re.compile(r"(?P<path>(?:\\.|[^\\=,])+)=", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}


class BadValue(Exception):
    """The path names no place, or the value is none."""


def set_value(values: dict[str, Any], path: str, value: Any) -> None:
    """Set a value in values, in place: only a list that becomes longer is another one.

    Raises:
        BadValue: helm would refuse the path.
    """
    _set(values, path, value, is_last_and_empty=value == "")


def _set(values: dict[str, Any], path: str, value: Any, *, is_last_and_empty: bool) -> None:
    keys = _keys(path)
    # helm's parser stops at the end of its text. If nothing stands behind the `=` of a key, no list gets another item.
    _put(values, keys, value, path, grows=not is_last_and_empty or isinstance(keys[-1], int))


def set_value_from_text(values: dict[str, Any], path: str, text: str, *, is_typed: bool = True) -> None:
    """What `--set PATH=TEXT` does, or `--set-string`: behind a comma the next PATH=TEXT begins.

    Raises:
        BadValue: helm would refuse it.
    """
    read: Callable[[str], Any] = _scalar if is_typed else _plain
    at = 0
    while True:
        is_last_and_empty = at == len(text)
        value, at = _value(text, at, read)
        _set(values, path, value, is_last_and_empty=is_last_and_empty)
        if at == len(text):
            return
        following = _NEXT.match(text, at)
        if following is None:
            raise BadValue(f"'{text}' has a comma, behind which another value would begin: write a backslash before it")
        path, at = following["path"], following.end()


def _value(text: str, at: int, read: Callable[[str], Any]) -> tuple[Any, int]:
    """The value that begins at a place, and where the next path begins."""
    if not text.startswith("{", at):
        end = found.end() if (found := _PART.match(text, at)) else at
        return read(text[at:end]), min(end + 1, len(text))
    made, at = [], at + 1
    while item := _ITEM.match(text, at):
        made.append(read(item["text"]))
        at = item.end()
        if item["end"] == "}":
            return made, at + text.startswith(",", at)
    raise BadValue(f"the list '{text}' does not end with a brace")


def _keys(path: str) -> list[str | int]:
    keys: list[str | int] = []
    end = 0
    for match in _STEP.finditer(path):
        if match.start() != end:
            break
        end = match.end()
        if match["name"]:
            keys.append(_plain(match["name"]))
        elif match["index"]:
            index = int(match["index"])
            if index > _LARGEST_INDEX:
                raise BadValue(f"the index {index} in '{path}' is too large")
            keys.append(index)
    if end != len(path) or not keys or isinstance(keys[0], int):
        raise BadValue(f"'{path}' is not a path to a value")
    return keys


def _put(at: Any, keys: Sequence[str | int], value: Any, path: str, *, grows: bool) -> Any:
    """What holds the value then: `at` itself, or a longer list where lists may grow."""
    key, *others = keys
    if others:
        value = _put(_inside(at, key, others[0], path), others, value, path, grows=grows)
    if isinstance(key, int) and not grows and (key >= len(at) or isinstance(others[0], int)):
        return at
    if isinstance(key, int) and key >= len(at):
        return [*at, *[None] * (key - len(at)), value]
    at[key] = value
    return at


def _inside(at: Any, key: str | int, following: str | int, path: str) -> Any:
    """The mapping or list at a key. In a list, what is not a mapping gives way to one."""
    for_list = isinstance(following, int)
    is_there = key < len(at) if isinstance(key, int) else key in at
    found = at[key] if is_there else None
    if isinstance(found, list if for_list else dict):
        return found
    gives_way = isinstance(key, int) and (found is None or not for_list)
    if is_there and not gives_way:
        raise BadValue(f"'{path}' leads into a value that is not a {'list' if for_list else 'mapping'}")
    return [] if for_list else {}


def _scalar(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    plain = _plain(text)
    matched = None if plain.startswith("0") and plain != "0" else _NUMBER.fullmatch(plain)
    number = whole_number(matched["digits"] or "0") if matched else None
    if matched is None or number is None:
        return plain
    number = -number if matched["sign"] == "-" else number
    return number if -(2**63) <= number < 2**63 else plain


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
