"""Whether a text may have syntax that the fast reader reads otherwise than go-yaml.

These are tags, anchors, merge keys, explicit keys, directives, and a `?` inside of brackets. Nearly every definition of
a custom resource has their characters, where they are text: in a description, a pattern, a path or a rule. Most places
show that by what is before them in their line. For the others the value that was read is asked: a character that stands
in its strings as often as in the text is syntax nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gitops_ci.lazy import lazy_pattern

if TYPE_CHECKING:
    import re

__all__ = ["is_all_text", "is_different", "may_be_different"]

_SHARED = lazy_pattern(r"&[\w-]|<<")
_TAG_OR_KEY = lazy_pattern(r"!|\?(?=\s|$)")
_OPENED = lazy_pattern(r"\[(?!\])|\{(?!\})")
_IN_QUOTES = lazy_pattern(r"""([\[{,]|:\s)\s*(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')(?=[ \t]*[:,\]}\n])""")
_ESCAPED = lazy_pattern(r"\\(?:x|u00|U000000)(?:21|3[fF]|5[bBdD]|7[bBdD])")  # one of !?[]{}
# Lines end with these in YAML 1.1 alone; a mark that begins a line is a character to go-yaml.
_ODD = lazy_pattern("[\x85\u2028\u2029]|\n\ufeff")
_INDICATORS = frozenset(":?-\"']}")


def is_different(text: str) -> bool:
    """Whether a text may have a directive, an anchor or a merge key, or lines end where only one reader ends them."""
    if text[:1] == "%":
        return True
    if not text.isascii() and _ODD.search(text):
        return True
    return ("&" in text or "<<" in text) and _may_begin_value(_SHARED, text)


def may_be_different(text: str) -> bool:
    """Whether a text may have a tag, an explicit key, a `?` in brackets or an escape of JSON: ask `is_all_text`."""
    if "\\/" in text:
        return True
    if "?" in text and ("[" in text or "{" in text) and _may_begin_value(_OPENED, text):
        return True
    return ("!" in text or "?" in text) and _may_begin_value(_TAG_OR_KEY, text)


def is_all_text(text: str, value: Any) -> bool:
    """Whether a text certainly has no tag, explicit key or escape of JSON, and no `?` in brackets but in quotes."""
    if "\\" in text and _ESCAPED.search(text):
        return False  # a string may hold the character from there
    strings = "\n".join(_strings(value))
    if any(text.count(one) != strings.count(one) for one in "!?"):
        return False
    # JSON has an escape that go-yaml does not know. No escape of a string has as many backslashes in the value.
    if "\\/" in text and text.count("\\") != strings.count("\\"):
        return False
    if all(_opened(text, *pair) == _opened(strings, *pair) for pair in ("[]", "{}")):
        return True
    return "?" not in _IN_QUOTES.sub(r"\1''", text)


def _may_begin_value(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a match may not be in the middle of a scalar: nothing is before it in its line, or an indicator is."""
    for found in pattern.finditer(text):
        at = found.start()
        before = at - 1
        while before >= 0 and text[before] in " \t":
            before -= 1
        if before < 0 or text[before] in "\r\n,[{":
            return True
        is_beside = before == at - 1
        if text[before] in _INDICATORS and (not is_beside or text[before - 1 : at] in {'":', "':"}):
            return True
    return False


def _opened(text: str, opening: str, closing: str) -> int:
    """How many opening brackets do not close at once."""
    return text.count(opening) - text.count(opening + closing)


def _strings(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        item = stack.pop()
        if type(item) is str:
            yield item
        elif type(item) is dict:
            stack += item
            stack += item.values()
        elif type(item) is list:
            stack += item
