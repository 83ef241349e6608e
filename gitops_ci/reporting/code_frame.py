"""The line of a file that a finding is about, with a mark below its place. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitops_ci.display import visible
from gitops_ci.lazy import lazy_pattern
from gitops_ci.model import Finding
from gitops_ci.secret import mask

__all__ = ["SourceLine", "code_frame"]

# The text of a line, by path and number; None where it is not to be shown.
SourceLine = Callable[[Finding], str | None]
_WORD = lazy_pattern(r"[^\s:,\]}]+")


def code_frame(finding: Finding, line: str, paint: Callable[[str, str], str], columns: int) -> Iterator[str]:
    """The line and its mark; nothing where the line is wider than the terminal, since a cut line misleads."""
    before, rest = line[: finding.column - 1], line[finding.column - 1 :]
    if not rest.strip():
        return
    word = _WORD.match(rest)
    shown, lead = visible(mask(line)), len(visible(mask(before)))
    width = max(len(visible(word[0])) if word else 1, 1)
    number = f"{finding.line:>5} | "
    if len(number) + len(shown) > columns or shown[:lead] != visible(mask(before)):
        return
    yield paint(number, "dim") + shown
    yield (
        paint(f"{'':>5} | ", "dim")
        + " " * lead
        + paint("^" * width, "red" if finding.severity == "error" else "yellow")
    )
