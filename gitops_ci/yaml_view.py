"""Values as YAML for persons. It is read by nobody else: a file is never written with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

__all__ = ["WrittenNumber", "scalar", "yaml_lines"]

_PLAIN = re.compile(r"[A-Za-z0-9_./$][A-Za-z0-9_./@%+=$,()-]*(?:[ :][A-Za-z0-9_./@%+=$,()-]+)*")
_OTHER_THAN_TEXT = re.compile(
    r"[-+]?[0-9][0-9_.,:eExXa-fA-F+-]*|\.[0-9]+|~|null|true|false|yes|no|on|off|y|n|.*:|.*: .*", re.IGNORECASE
)
_FIRST_KEYS = {"apiVersion": 0, "kind": 1, "metadata": 2, "name": 3}


class WrittenNumber(str):
    """A number as it is written: 1.10, 1e3, 0x10."""

    __slots__ = ()


def yaml_lines(value: Any) -> list[str]:
    """A value in block style, keys sorted, those first that name an object."""
    return list(_lines(value))


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key in sorted(value, key=lambda one: (_FIRST_KEYS.get(str(one), 9), str(one))):
            yield from _entry(f"{scalar(key)}:", value[key])
    elif isinstance(value, list) and value:
        for one in value:
            inner = list(_lines(one))
            if isinstance(one, str) and "\n" in one:
                yield from _block("- ", one)
                continue
            yield f"- {inner[0]}"
            yield from (f"  {line}" for line in inner[1:])
    else:
        yield scalar(value)


def _entry(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value:
        yield from _block(f"{name} ", value)
    elif isinstance(value, (dict, list)) and value:
        yield name
        indent = "  " if isinstance(value, dict) else ""
        yield from (f"{indent}{line}" for line in _lines(value))
    else:
        yield f"{name} {scalar(value)}"


def _block(name: str, value: str) -> Iterator[str]:
    lines = value.split("\n")
    ended = lines[-1] == ""
    yield f"{name}|" if ended else f"{name}|-"
    yield from (f"  {line}" for line in (lines[:-1] if ended else lines))


def scalar(value: Any) -> str:
    """One line; a text that YAML would read as something else is quoted."""
    if isinstance(value, WrittenNumber):
        return str(value)
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and not _OTHER_THAN_TEXT.fullmatch(value):
            return value
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, default=str)
