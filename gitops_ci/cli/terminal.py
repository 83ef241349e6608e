"""Who reads the output: a person at a terminal gets colors, tables and bars; a log gets plain lines.

`NO_COLOR` (no-color.org) and `FORCE_COLOR` (force-color.org) count if they are set and not empty. NO_COLOR wins.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TextIO

import click

from gitops_ci.ci import detect
from gitops_ci.variables import variables

__all__ = ["COLORS", "columns", "is_watched", "painted", "table", "wants_color"]

_WIDEST = 1000  # columns: nothing is cut to measure it
_INDENT = 2


# What `--color` means to click: True, False, or None to look at the stream.
COLORS: Mapping[str, bool | None] = MappingProxyType({"auto": None, "always": True, "never": False})


def wants_color(stream: TextIO, choice: str = "auto") -> bool:
    """Whether output on `stream` has colors: `--color` decides, then the variables, then the kind of stream.

    `choice` is the value of `--color` where no command runs that has it.
    """
    ctx = click.get_current_context(silent=True)
    chosen = ctx.color if ctx is not None else COLORS.get(choice)
    if chosen is not None:
        return chosen
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_watched(stream: TextIO) -> bool:
    """Whether a person looks at `stream`: some CI systems give jobs a terminal, and what they keep is a log."""
    return stream.isatty() and not os.environ.get("CI") and detect(variables()).provider == "none"


def columns() -> int:
    """How wide the terminal is."""
    import shutil

    return shutil.get_terminal_size().columns


def painted(text: str, color: str, stream: TextIO, choice: str = "auto") -> str:
    """The text in one of click's colors, if `stream` has colors; `choice` as for `wants_color`."""
    return click.style(text, fg=color) if wants_color(stream, choice) else text


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table; none where it is wider than the terminal: a path that is cut cannot be clicked."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        drawn.add_column(heading)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    written = io.StringIO()
    console = Console(file=written, width=_WIDEST, color_system=None)
    if console.measure(drawn).maximum > columns() - _INDENT:
        return []
    console.print(drawn)
    return [line.rstrip() for line in written.getvalue().splitlines()]
