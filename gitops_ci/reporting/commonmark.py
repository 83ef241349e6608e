"""Markdown whose structure is ours: texts of others are in code spans and fences.

Inside these a reader of CommonMark 0.31 (§6.1 code spans, §4.5 fences) and of GitHub's and GitLab's dialects takes
nothing for a link, HTML or emphasis. Mentions and references are spelled out even there: a squash merge makes plain
text of it, and some hosts obey that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gitops_ci.display import shorten, visible, visible_lines
from gitops_ci.reporting.plaintext import defused

__all__ = ["code", "fence", "link", "plain", "row", "table_head"]

LONGEST = 200
_LONGEST_URL = 400
# A URL that needs no escaping between < and >: no blank, bracket, quote, backslash or control character.
_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:[/?#][A-Za-z0-9._~:/?#@!$&*+,;=%-]*)?")
# What begins something inside a line; colon and dot where GitHub makes a link of a bare address (GFM §6.9).
_PUNCTUATION = re.compile(r"[!#$%&*<>@\[\\\]^_`{|}~]|:(?=//)|(?<=www)\.", re.IGNORECASE)
# GitHub looks for mail addresses after escapes are gone.
_MAIL = re.compile(r"@(?=[\w-]+\.\w)")


def code(text: str, *, longest: int = LONGEST) -> str:
    """A code span; empty for an empty text. A `|` is spelled out, since in a table it would end the cell."""
    inner = defused(shorten(visible(text), longest)).replace("|", r"\x7c")
    if not inner:
        return ""
    marks = "`" * (_longest_run(inner) + 1)
    pad = " " if inner[0] in "` " or inner[-1] in "` " else ""
    return f"{marks}{pad}{inner}{pad}{marks}"


def fence(text: str, language: str) -> str:
    """A fenced block, its fence longer than any run of backticks inside."""
    inner = visible_lines(text).rstrip("\n")
    marks = "`" * max(3, _longest_run(inner) + 1)
    return f"{marks}{language}\n{inner}\n{marks}"


def plain(text: str, *, longest: int = 2 * LONGEST) -> str:
    """A sentence as it is read, for anywhere but the start of a line: what Markdown could take for its own is escaped
    (§2.4).
    """
    shown = _MAIL.sub(r"\\x40", defused(shorten(visible(text), longest)))
    return _PUNCTUATION.sub(r"\\\g<0>", shown)


def link(url: str, text: str = "") -> str:
    """A link that shows `text`, else its address; a code span where `url` is not a plain http(s) URL."""
    if len(url) > _LONGEST_URL or not _URL.fullmatch(url) or defused(url) != url:
        return code(text or url)
    return f"[{code(text)}](<{url}>)" if text else f"<{url}>"


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table_head(*names: str) -> list[str]:
    return [row(names), row("---" for _ in names)]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
