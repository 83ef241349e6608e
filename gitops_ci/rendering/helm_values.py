"""One value at a path, as `helm --set` reads both. Source: helm.sh/helm/v4 pkg/strvals (parser.go)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from gitops_ci.quantities import whole_number

__all__ = ["BadValue", "set_value", "text_value", "typed_value"]

_LARGEST_INDEX = 65_536
_STEP = re.compile(r"(?P<name>(?:\\.|[^\\.\[\]=])+)|\[(?P<index>\d{1,6})\]|(?P<dot>\.)", re.DOTALL)
_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
_COMMA = re.compile(r"(?<!\\),")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}


class BadValue(Exception):
    """The path names no place, or the value is none."""


def set_value(values: dict[str, Any], path: str, value: Any) -> None:
    """Set a value in values.

    Raises:
        BadValue: helm would refuse the path.
    """
    keys = _keys(path)
    at: Any = values
    for key, following in pairwise(keys):
        at = _child(at, key, is_list=isinstance(following, int))
    _put(at, keys[-1], value)


def typed_value(text: str) -> Any:
    """What `--set` makes of a text: a number, a word, a list in braces, or a text.

    Raises:
        BadValue: helm would refuse it.
    """
    if text.startswith("{"):
        if not text.endswith("}"):
            raise BadValue(f"the list '{text}' does not end with a brace")
        return [_scalar(one) for one in _COMMA.split(text[1:-1])]
    return _scalar(_without_comma(text))


def text_value(text: str) -> str:
    """What `--set-string` makes of a text.

    Raises:
        BadValue: helm would refuse it.
    """
    return _plain(_without_comma(text))


def _without_comma(text: str) -> str:
    if _COMMA.search(text):
        raise BadValue(f"'{text}' has a comma, behind which another value would begin: write a backslash before it")
    return text


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
        raise BadValue(f"'{path}' is no path to a value")
    return keys


def _child(at: Any, key: str | int, *, is_list: bool) -> Any:
    wanted = list if is_list else dict
    found = (at[key] if key < len(at) else None) if isinstance(key, int) else at.get(key)
    if not isinstance(found, wanted):
        found = wanted()
        _put(at, key, found)
    return found


def _put(at: Any, key: str | int, value: Any) -> None:
    if isinstance(key, int):
        at.extend([None] * (key + 1 - len(at)))
    at[key] = value


def _scalar(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.fullmatch(text):
        number = whole_number(text.removeprefix("-"))
        return text if number is None else -number if text.startswith("-") else number
    return _plain(text)


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
