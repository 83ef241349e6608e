"""Texts cut to what a code host takes, and compared as a code host keeps them."""

from __future__ import annotations

import re

__all__ = ["cut", "cut_title", "same"]

NOTE = "\n\n*Cut: the rest is in the log of the pipeline.*"
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


def cut(text: str, limit: int) -> str:
    """Markdown of at most `limit` UTF-16 units, cut between lines, with a note; an open code fence is closed."""
    if _units(text) <= limit:
        return text
    kept: list[str] = []
    left = limit - _units(NOTE)
    fence = ""
    for line in text.split("\n"):
        after = _fence_after(line, fence)
        # Room is kept for the line that closes the fence.
        if _units(line) + 1 + (len(after) + 1 if after else 0) > left:
            break
        kept.append(line)
        left -= _units(line) + 1
        fence = after
    return "\n".join([*kept, *([fence] if fence else [])]) + NOTE


def cut_title(text: str, limit: int) -> str:
    """One line of at most `limit` UTF-16 units."""
    line = " ".join(text.split())
    if _units(line) <= limit:
        return line
    while _units(line) > limit - 1:
        line = line[:-1]
    return line.rstrip() + "…"


def same(ours: str, theirs: str) -> bool:
    """Whether a host keeps what we would send: line ends and blanks at the ends are its own business."""
    return _normal(ours) == _normal(theirs)


def _normal(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after `line` (CommonMark §4.5), '' for none."""
    marker = _FENCE.match(line)
    if marker is None:
        return fence
    if not fence:
        return "" if marker[1][0] == "`" and "`" in marker[2] else marker[1]
    closes = marker[1].startswith(fence) and not marker[2].strip()
    return "" if closes else fence


def _units(text: str) -> int:
    """UTF-16 units, the largest count that any host uses for its limits in characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
