"""Whether a text is a regular expression of RE2 as Go reads it, which is what a CustomResourceDefinition may hold.

Source: Go's regexp/syntax, parse.go with the flags Perl; github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ["why_no_pattern"]

_MOST_REPEATS = 1000
_REPEAT = re.compile(r"\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}")
_GROUP = re.compile(r"\(\?P?<([^>]*)>")
_FLAGS = re.compile(r"\(\?(?:[imsU]*|[imsU]*-[imsU]+)[:)]")
_PROPERTY = re.compile(r"\\[pP](?:[CLMNPSZ]|\{\^?[A-Za-z_]+\})")
_HEX = re.compile(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})")
_OCTAL = re.compile(r"\\(?:0[0-7]{0,2}|[1-7][0-7]{1,2})")
_PERL_CLASSES = frozenset("dDsSwW")
_POSIX = re.compile(r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]")


class _NoPattern(ValueError):
    pass


@cache
def why_no_pattern(pattern: str) -> str | None:
    """What is wrong with a pattern, None when nothing is."""
    try:
        _Parser(pattern).parse()
    except _NoPattern as error:
        return f"'{pattern}' is not a regular expression of RE2: {error}"
    return None


class _Parser:
    """Reads a pattern from left to right. Of what is repeated it keeps how often at most: RE2 writes that out."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        # The alternatives that are open, outermost first: the repeats inside each so far.
        self._open = [1]
        # How often the atom before this place is repeated; 0 when there is none to repeat.
        self._atom = 0
        self._repeated = False

    def parse(self) -> None:
        while self._at < len(self._text):
            self._step(self._text[self._at])
        if len(self._open) > 1:
            raise _NoPattern("a ')' is missing")

    def _step(self, char: str) -> None:
        if char in "*+?":
            self._repeat(char, 1)
        elif char == "{" and (found := _REPEAT.match(self._text, self._at)):
            self._repeat(found[0], _times(found))
        elif char == "(":
            self._group()
        elif char == ")":
            self._close()
        elif char == "|":
            self._at, self._atom, self._repeated = self._at + 1, 0, False
        else:
            self._take({"[": self._class, "\\": self._escape}.get(char, self._literal)())

    def _take(self, end: int) -> None:
        self._at, self._atom, self._repeated = end, 1, False

    def _literal(self) -> int:
        return self._at + 1

    def _repeat(self, word: str, times: int) -> None:
        if not self._atom:
            raise _NoPattern(f"there is nothing before '{word}' to repeat")
        if self._repeated:
            raise _NoPattern(f"'{word}' repeats a repetition")
        self._atom *= max(times, 1)
        if times > 1 and self._atom > _MOST_REPEATS:
            raise _NoPattern(f"'{word}' repeats more than {_MOST_REPEATS} times")
        self._open[-1] = max(self._open[-1], self._atom)
        self._at += len(word)
        self._at += self._text.startswith("?", self._at)
        self._repeated = True

    def _group(self) -> None:
        text, at = self._text, self._at
        if not text.startswith("(?", at):
            self._at += 1
        elif named := _GROUP.match(text, at):
            if not re.fullmatch(r"[A-Za-z0-9_]+", named[1]):
                raise _NoPattern(f"'{named[1]}' is not a name of a group")
            self._at = named.end()
        elif flags := _FLAGS.match(text, at):
            self._at = flags.end()
            if flags[0].endswith(")"):
                self._repeated = False
                return  # flags hold from here on and are no group
        else:
            raise _NoPattern(f"'{text[at : at + 4]}' is not known; there is no look-around")
        self._open.append(1)
        self._atom, self._repeated = 0, False

    def _close(self) -> None:
        if len(self._open) == 1:
            raise _NoPattern("a ')' closes nothing")
        inside = self._open.pop()
        self._take(self._at + 1)
        self._atom = inside
        self._open[-1] = max(self._open[-1], inside)

    def _escape(self) -> int:
        following = self._text[self._at + 1 : self._at + 2]
        if following and following in "AbBz":
            return self._at + 2
        if following == "Q":
            end = self._text.find(r"\E", self._at)
            return len(self._text) if end < 0 else end + 2
        return self._class_escape() or self._character()

    def _class_escape(self) -> int:
        """Behind an escape that stands for several characters, 0 when here is none."""
        following = self._text[self._at + 1 : self._at + 2]
        if following in _PERL_CLASSES:
            return self._at + 2
        if following and following in "pP":
            if found := _PROPERTY.match(self._text, self._at):
                return found.end()
            raise _NoPattern(f"'{self._text[self._at : self._at + 3]}' is not a class of Unicode")
        return 0

    def _character(self) -> int:
        """Behind an escape that stands for one character."""
        following = self._text[self._at + 1 : self._at + 2]
        if not following:
            raise _NoPattern(r"it ends with '\'")
        if (found := _HEX.match(self._text, self._at)) and int(found[1] or found[2], 16) <= 0x10FFFF:
            return found.end()
        if found := _OCTAL.match(self._text, self._at):
            return found.end()
        if following in "afnrtv" or (following.isascii() and not following.isalnum()):
            return self._at + 2
        hint = "; there are no back references" if following.isdigit() else ""
        raise _NoPattern(rf"'\{following}' is not an escape{hint}")

    def _class(self) -> int:
        text = self._text
        self._at += 1 + text.startswith("[^", self._at)
        first = True
        while first or not text.startswith("]", self._at):
            if self._at >= len(text):
                raise _NoPattern("a ']' is missing")
            first = False
            self._at = self._member()
        return self._at + 1

    def _member(self) -> int:
        text, start = self._text, self._at
        if text.startswith("[:", start) and (end := text.find(":]", start + 2)) >= 0:
            if found := _POSIX.match(text, start):
                return found.end()
            raise _NoPattern(f"'{text[start : end + 2]}' is not a class of characters")
        if text[start] == "\\" and (end := self._class_escape()):
            return end
        self._at = self._one()
        low = text[start : self._at]
        if not text.startswith("-", self._at) or text.startswith("-]", self._at) or self._at + 1 >= len(text):
            return self._at
        self._at += 1
        begin = self._at
        self._at = self._one()
        high = text[begin : self._at]
        if _code(high) < _code(low):
            raise _NoPattern(f"'{low}-{high}' is not a range")
        return self._at

    def _one(self) -> int:
        return self._character() if self._text[self._at] == "\\" else self._at + 1


def _times(found: re.Match[str]) -> int:
    least, most = int(found[1]), int(found[3]) if found[3] else 0
    if max(least, most) > _MOST_REPEATS or (found[3] and most < least):
        raise _NoPattern(f"'{found[0]}' is not a number of repeats: at most {_MOST_REPEATS}, the smaller first")
    return max(least, most)


_NAMED = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


def _code(char: str) -> int:
    """The code point of a member of a class, as written."""
    if char[0] != "\\" or len(char) == 1:
        return ord(char[0])
    if char[1] == "x":
        return int(char[2:].strip("{}"), 16)
    if char[1].isdigit():
        return int(char[1:], 8)
    return _NAMED.get(char[1], ord(char[1]))
