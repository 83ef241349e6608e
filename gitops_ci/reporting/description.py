"""Whose words a pull request's title and description are: this tool's stand in a block that it marks.

What people write around the block is theirs, and so is the whole description once the block is gone. A title is a
person's when it is not the one that was written with the block. Marks are link definitions without a link, which no
renderer shows and every host keeps.
"""

from __future__ import annotations

import hashlib
import re

from gitops_ci.model import RETIRED
from gitops_ci.reporting.proposal_facts import is_written_by_us

__all__ = ["FRAME", "framed", "is_our_title", "ours_in", "outside", "rewritten", "without_note"]

_END = "[//]: # (gitops-ci:end)"
# A host that cut the text has no end of it.
_BLOCK = re.compile(
    r"\[//\]: # \(gitops-ci:begin (?P<title>[0-9a-f]{10})\)\r?\n(?P<ours>.*?)(?:\[//\]: # \(gitops-ci:end\)|\Z)",
    re.DOTALL,
)
_TITLE_KEPT = 200  # characters that no host cuts off
FRAME = 80  # more characters than the marks take


def framed(title: str, body: str) -> str:
    """A description as a new pull request gets it, under this title."""
    return f"[//]: # (gitops-ci:begin {_digest(title)})\n\n{body.strip()}\n\n{_END}\n"


def ours_in(description: str) -> str | None:
    """The words of this tool in a description; None where a person took them out."""
    if found := _BLOCK.search(description):
        return found["ours"].strip()
    # Earlier releases marked nothing.
    return without_note(description) if is_written_by_us(description) else None


def rewritten(description: str, title: str, body: str) -> str:
    """A description with new words of this tool in the place of the old ones."""
    new = framed(title, body)
    if _BLOCK.search(description):
        return without_note(_BLOCK.sub(lambda _: new.rstrip(), description, count=1))
    return new if ours_in(description) is not None else without_note(description)


def is_our_title(title: str, description: str) -> bool:
    """Whether a title is still the one that came with the description."""
    found = _BLOCK.search(description)
    return found["title"] == _digest(title) if found else is_written_by_us(description)


def outside(description: str) -> str:
    """What people wrote around the words of this tool."""
    return _BLOCK.sub("", description).strip() if ours_in(description) != description else ""


def without_note(description: str) -> str:
    """A description without the note that this tool closed the pull request: it is open again."""
    return description.replace(RETIRED, "").rstrip() + "\n" if RETIRED in description else description


def _digest(title: str) -> str:
    return hashlib.sha256(" ".join(title.split())[:_TITLE_KEPT].encode()).hexdigest()[:10]
