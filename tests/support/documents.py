"""The project's documentation as data: fenced blocks with what is said above them, and what a console showed.

In a `console` block a line that begins with `$ ` is typed (`\\` carries on), what follows is what it prints: `…` in a
line stands for anything within it, a line `…` for any lines. A command that fails is followed by `$ echo $?`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from markdown_it import MarkdownIt

from tests.support import CHECKOUT

__all__ = ["Block", "Command", "blocks", "matches", "pages", "title_of"]

# "`apps/x.yaml` in `shop-config`, ...:" above a block says what the block is: a file of one of the two repositories.
_CAPTION = re.compile(r"`(?P<path>[^`]+)` in `(?P<repository>shop|shop-config)`.*:$", re.DOTALL)


@dataclass(frozen=True)
class Command:
    """What is typed, and what it prints."""

    line: str
    shown: str


@dataclass(frozen=True)
class Block:
    """A fenced block; `above` is the paragraph right above it."""

    page: str
    line: int
    language: str
    text: str
    above: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @cached_property
    def file(self) -> tuple[str, str] | None:
        """(repository, path) where the block is a file."""
        found = _CAPTION.match(self.above)
        return (found["repository"], found["path"]) if found else None

    @property
    def commands(self) -> Iterator[Command]:
        """What a console block types and shows."""
        typed, shown = "", []
        for line in self.text.splitlines():
            if typed.endswith("\\\n"):
                typed += line.lstrip() + ("\n" if line.endswith("\\") else "")
            elif line.startswith("$ "):
                if typed:
                    yield Command(_joined(typed), "\n".join(shown))
                typed, shown = line[2:] + ("\n" if line.endswith("\\") else ""), []
            else:
                assert typed, f"{self}: output without a command"
                shown.append(line)
        assert typed, f"{self}: no command"
        yield Command(_joined(typed), "\n".join(shown))


def _joined(typed: str) -> str:
    return typed.replace("\\\n", "")


def pages() -> list[str]:
    """Every page of documentation, by its path in the project."""
    return ["README.md", *sorted(path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "docs").glob("*.md"))]


def title_of(page: str) -> str:
    return (CHECKOUT / page).read_text().partition("\n")[0].removeprefix("# ")


def blocks(page: str, text: str = "") -> list[Block]:
    """The fenced blocks of a page in their order."""
    found = []
    tokens = MarkdownIt().parse(text or (CHECKOUT / page).read_text())
    for number, token in enumerate(tokens):
        if token.type not in {"fence", "code_block"}:
            continue
        above = tokens[number - 2].content if number > 1 and tokens[number - 1].type == "paragraph_close" else ""
        assert token.map is not None
        found.append(Block(page, token.map[0] + 1, token.info.strip(), token.content, above))
    return found


def matches(shown: str, printed: str) -> bool:
    """Whether what a page shows is what was printed. How wide columns are depends on addresses: blanks are one."""
    wanted = "".join(
        r"(?:[^\n]*\n)*?" if line == "…" else _pattern(line) + r"\n" for line in _lines(shown) if line or shown
    )
    return re.fullmatch(wanted, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    return [re.sub(r"[ \t]+", " ", line.rstrip()) for line in text.strip("\n").split("\n")] if text.strip() else []


def _pattern(line: str) -> str:
    return r"[^\n]*?".join(re.escape(part) for part in line.split("…"))
