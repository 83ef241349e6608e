r"""Text that others wrote (paths, tags, YAML values, messages), made safe to show.

What cannot be seen is spelled out (`\n`, `\x1b`, `\u202e`): text that hides something or moves the cursor is shown
for what it is.
"""

from __future__ import annotations

import re

from gitops_ci.lazy import lazy_pattern
from gitops_ci.secret import MASK, mask, mask_foreign

__all__ = ["log_line", "quoted", "quoted_end", "short_digests", "shorten", "visible", "visible_lines"]

# Characters that str.isprintable() passes and that leave no mark all the same (Unicode's Default_Ignorable_Code_Point
# and the blank Braille pattern). The selectors U+FE0E and U+FE0F belong to emoji and stay.
_UNSEEN = lazy_pattern(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)

# What a CI system obeys in a log. GitHub's runner: `::name …::` at the start of a line after any white space, and
# `##[name …]` anywhere (actions/runner, src/Runner.Common/ActionCommand.cs); Azure Pipelines `##vso[…]` and TeamCity
# `##teamcity[…]` anywhere.
_COMMAND = lazy_pattern(r"\s*::.*?::")
_COMMAND_ANYWHERE = lazy_pattern(r"#(?=#(?:vso|teamcity)?\[)", re.IGNORECASE)

# More characters than any message quotes. A secret that this cut divides is one that another program cut.
_LARGEST = 100_000

_DIGEST = lazy_pattern(r"\b(sha(?:256|512):[0-9a-f]{12})[0-9a-f]{52,}")


def visible(text: str) -> str:
    """`text` as one line in which every character leaves a mark."""
    if text.isprintable() and (text.isascii() or not _UNSEEN.search(text)):
        return text
    return "".join(_spelled(c) if not c.isprintable() or _UNSEEN.match(c) else c for c in text)


def visible_lines(text: str) -> str:
    """As `visible`, with line feeds and tabs left as they are."""
    return "\n".join("\t".join(visible(part) for part in line.split("\t")) for line in text.split("\n"))


def log_line(line: str) -> str:
    """One line that no CI system reads as a command; nearly always the line itself."""
    if "::" in line and _COMMAND.match(line):
        line = line.replace("::", r"\x3a:", 1)
    return _COMMAND_ANYWHERE.sub(r"\\x23", line) if "##" in line else line


def shorten(text: str, longest: int) -> str:
    """At most `longest` characters, the last one `…` where something was cut; secrets are masked before that."""
    text = mask(text)
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    # A mask is not cut: what is left of it would be no mask.
    at = text.rfind(MASK, 0, longest + 1)
    return f"{kept[:at] if 0 <= at < longest - 1 < at + len(MASK) else kept}…"


def quoted(text: str, longest: int = 300) -> str:
    """The words of another program or host on one line: secrets masked, what cannot be seen spelled out, then cut."""
    return shorten(visible(" ".join(mask_foreign(text[:_LARGEST]).split())), longest)


def quoted_end(text: str, lines: int) -> str:
    """The last lines of another program's words, masked as `quoted` does it."""
    return "\n".join(mask_foreign(text[-_LARGEST:]).strip().splitlines()[-lines:])


def short_digests(text: str) -> str:
    """Digests cut to twelve digits, as registries and git show them."""
    return _DIGEST.sub(r"\1", text)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
