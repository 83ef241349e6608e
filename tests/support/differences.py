"""How a file that came out differs from the file of a case: where it starts, and a unified diff."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

from tests.support import CHECKOUT

__all__ = ["difference"]


def difference(expected: Path, found: str) -> str:
    """'' where they are equal, else `path:line` of the file of the case, and what came out as a diff to it.

    For a file that is not there: its path, and what to write into it.
    """
    name = expected.relative_to(CHECKOUT).as_posix() if expected.is_relative_to(CHECKOUT) else expected.as_posix()
    if not expected.exists():
        return f"{name}: is not there. This came out; write it there if it is what you want:\n\n{found}"
    before, after = expected.read_bytes().decode(), found
    if before == after:
        return ""
    old, new = _lines(before), _lines(after)
    same = next(
        (n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new))
    )
    diff = unified_diff(old, new, name, "what came out", lineterm="")
    return "\n".join([f"{name}:{same + 1}: not what the case says", *diff])


def _lines(text: str) -> list[str]:
    """Lines with what nobody sees spelled out: `\\r`, blanks at the end, a byte order mark, a missing line end."""
    lines = text.split("\n")
    shown = [line[: len(line.rstrip())] + _spelled(line[len(line.rstrip()) :]) for line in lines]
    shown = [line.replace("\ufeff", "\\ufeff") for line in shown]
    return shown[:-1] if lines[-1] == "" else [*shown[:-1], f"{shown[-1]}\\ no line end"]


def _spelled(blanks: str) -> str:
    return blanks.replace(" ", "·").encode("unicode_escape").decode().replace("\\xb7", "·")
