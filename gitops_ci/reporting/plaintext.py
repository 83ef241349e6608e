r"""Foreign text for titles, commit messages and bodies, which hosts read for more than what they say.

A host takes `@name`, `#1`, `!1`, `GH-1`, `[skip ci]` and the like for orders wherever they stand, in a commit message
even between backticks (and a squash merge makes a commit message of a pull request's body). They are spelled out:
`\x40name`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from gitops_ci.display import shorten, visible

__all__ = ["address", "cut", "defused", "words"]

# What stands as it is besides letters, digits and pictures.
_IN_WORDS = frozenset(" ._/:+=,-")
_IN_ADDRESSES = frozenset("._/:+=,-~%&?;$")
_LONGEST_WORDS = 200
_LONGEST_ADDRESS = 1000

# Mentions; references to issues and requests of GitHub, GitLab, Gitea, Bitbucket and Azure DevOps.
_REFERENCE = re.compile(r"(?<![A-Za-z0-9])@(?=\w)|[#!](?=\d)|(?<=\bGH)-(?=\d)", re.IGNORECASE)
# docs.github.com "Skipping workflow runs", docs.gitlab.com "Skip a pipeline", learn.microsoft.com "Skip CI for a push".
_SKIP = re.compile(
    r"\[(?=(?:(?:skip|no)[ _-]?(?:ci|actions|pipelines?|azp|azurepipelines|build)"
    r"|(?:ci|actions|azp|azurepipelines|pipeline)[ _-]?skip)\])"
    r"|\*(?=\*\*NO_CI\*\*\*)|(?<=skip)-(?=checks:)",
    re.IGNORECASE,
)


def words(text: str) -> str:
    """Words for a title or a subject."""
    return _restricted(text, _LONGEST_WORDS, lambda c: c in _IN_WORDS or unicodedata.category(c) == "So")


def address(text: str) -> str:
    """One word for the value of a trailer: an image, a URL, a commit."""
    return _restricted(text, _LONGEST_ADDRESS, lambda c: c in _IN_ADDRESSES)


def defused(text: str) -> str:
    """`text` without mentions, references and orders to skip; nearly always the text itself."""
    return _SKIP.sub(_escape_found, _REFERENCE.sub(_escape_found, text))


def cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, with `…` where something was cut."""
    if len(text.encode()) <= limit:
        return text
    return text.encode()[: limit - len("…".encode())].decode(errors="ignore").rstrip() + "…"


def _restricted(text: str, longest: int, safe: Callable[[str], bool]) -> str:
    """`@`, `#` and `!` pass where they refer to nothing: `shop@sha256:…`, Bitbucket's `pipelines/home#!/results/1`."""
    kept = defused(visible(shorten(unicodedata.normalize("NFKC", text), longest)))
    return "".join(c if c.isalnum() or c in "@#!\\…" or safe(c) else _escape(c) for c in kept)


def _escape_found(found: re.Match[str]) -> str:
    return _escape(found[0])


def _escape(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 0x80 else character.encode("unicode_escape").decode("ascii")
