r"""Unified diffs of file changes: exact ones for programs, readable ones for people.

The format is that of `diff -u` and `git apply` (git-scm.com/docs/diff-format, POSIX diff "-u"): `a/` and `b/` before
the paths, `/dev/null` for a file that was not there, `\ No newline at end of file`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import groupby, takewhile

from gitops_ci.display import visible_lines
from gitops_ci.model import FileChange

__all__ = ["readable", "unified"]

_CONTEXT = 3
_FEW = 50
_LONG = 2000  # lines: difflib takes a second for them
# Nearest first; a line in the place of another before one that came or went.
_STEPS = ((1, 1), (0, 1), (1, 0), (1, 2), (2, 1), (2, 2), (0, 2), (2, 0), (3, 3))
_NO_NEWLINE = "\\ No newline at end of file\n"
_QUOTED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}

Opcode = tuple[str, int, int, int, int]


def unified(files: Iterable[FileChange]) -> str:
    """One diff of all files, byte for byte what `git apply` needs; empty where nothing changed."""
    return "".join("".join(_file(file)) for file in files)


def readable(files: Iterable[FileChange]) -> str:
    r"""The diff for a person: what cannot be seen is spelled out.

    A file with `\r\n` on every line says so once in its header and not on each line; any other `\r` is shown.
    """
    return "".join(_readable(file) for file in files)


def _readable(file: FileChange) -> str:
    crlf = _only_crlf(file.before) and _only_crlf(file.after)
    if crlf:
        file = FileChange(file.path, file.before.replace("\r\n", "\n"), file.after.replace("\r\n", "\n"))
    diff = "".join(_file(file))
    if crlf:
        diff = re.sub(r"\n", " (CRLF line ends)\n", diff, count=1)
    return visible_lines(diff)


def _only_crlf(text: str) -> bool:
    return "\n" in text and text.count("\n") == text.count("\r\n") == text.count("\r")


def _file(file: FileChange) -> Iterator[str]:
    before, after = _lines(file.before), _lines(file.after)
    hunks = list(_hunks(before, after))
    if not hunks:
        return
    yield f"--- {_name('a', file.path) if before else '/dev/null'}\n"
    yield f"+++ {_name('b', file.path) if after else '/dev/null'}\n"
    for hunk in hunks:
        yield from _hunk(hunk, before, after)


def _lines(text: str) -> list[str]:
    # Not splitlines(): for git only a line feed ends a line.
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _hunks(before: list[str], after: list[str]) -> Iterator[list[Opcode]]:
    """Groups of opcodes, each with its lines of context around it."""
    group: list[Opcode] = []
    for tag, a, b, c, d in _opcodes(before, after):
        if tag != "equal":
            group.append((tag, a, b, c, d))
        elif group and b - a > 2 * _CONTEXT:
            yield [*group, (tag, a, a + _CONTEXT, c, c + _CONTEXT)]
            group = [(tag, b - _CONTEXT, b, d - _CONTEXT, d)]
        elif group:
            group.append((tag, a, b, c, d))
        else:
            start = min(b - a, _CONTEXT)
            group = [(tag, b - start, b, d - start, d)]
    if group and group[-1][0] == "equal":
        tag, a, b, c, d = group.pop()
        end = min(b - a, _CONTEXT)
        group.append((tag, a, a + end, c, c + end))
    if any(tag != "equal" for tag, *_ in group):
        yield group


def _opcodes(before: list[str], after: list[str]) -> Iterator[Opcode]:
    """As difflib's. An edit touches few lines of a long file: line by line where that says enough, else with what is
    equal at both ends taken off first; of what is long even so the shortest diff would take minutes.
    """
    if len(before) == len(after) and sum(a != b for a, b in zip(before, after, strict=True)) <= _FEW:
        yield from _line_by_line(before, after)
        return
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    if head:
        yield "equal", 0, head, 0, head
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    middle = SequenceMatcher(None, old, new).get_opcodes() if max(len(old), len(new)) <= _LONG else _abreast(old, new)
    for tag, a, b, c, d in middle:
        yield tag, a + head, b + head, c + head, d + head
    if tail:
        yield "equal", len(before) - tail, len(before), len(after) - tail, len(after)


def _line_by_line(before: list[str], after: list[str]) -> Iterator[Opcode]:
    for same, group in groupby(range(len(before)), key=lambda line: before[line] == after[line]):
        lines = list(group)
        start, end = lines[0], lines[-1] + 1
        yield "equal" if same else "replace", start, end, start, end


def _abreast(before: list[str], after: list[str]) -> Iterator[Opcode]:
    """Both texts read side by side: right for any two, and short where lines were replaced, added or taken here and
    there, as edits do. Its time grows with the length alone.
    """
    a = c = 0
    while a < len(before) or c < len(after):
        b, d = a, c
        while b < len(before) and d < len(after) and before[b] == after[d]:
            b, d = b + 1, d + 1
        if b > a:
            yield "equal", a, b, c, d
            a, c = b, d
            continue
        while (b < len(before) or d < len(after)) and not _meet(before, after, b, d):
            taken, added = _step(before, after, b, d)
            b, d = b + taken, d + added
        yield "delete" if d == c else "insert" if b == a else "replace", a, b, c, d
        a, c = b, d


def _meet(before: list[str], after: list[str], a: int, c: int) -> bool:
    return a < len(before) and c < len(after) and before[a] == after[c]


def _step(before: list[str], after: list[str], a: int, c: int) -> tuple[int, int]:
    """How many lines to leave behind on either side so that the next ones are the same, else one on each."""
    for taken, added in _STEPS:
        if _meet(before, after, a + taken, c + added):
            return taken, added
    return min(1, len(before) - a), min(1, len(after) - c)


def _common(left: list[str], right: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _hunk(opcodes: list[Opcode], before: list[str], after: list[str]) -> Iterator[str]:
    first, last = opcodes[0], opcodes[-1]
    yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
    for tag, a, b, c, d in opcodes:
        if tag == "equal":
            yield from _marked(" ", before[a:b])
        else:
            yield from _marked("-", before[a:b])
            yield from _marked("+", after[c:d])


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n{_NO_NEWLINE}"


def _range(start: int, end: int) -> str:
    """Lines `[start, end)` from 0, as a hunk header counts them: an empty range names the line before it."""
    length = end - start
    first = start + 1 if length else start
    return f"{first}" if length == 1 else f"{first},{length}"


def _name(side: str, path: str) -> str:
    """The path as git writes it: in C's quotes where a character would end or confuse the line."""
    name = f"{side}/{path}"
    if any(c in _QUOTED or ord(c) < 0x20 or ord(c) == 0x7F for c in name):
        inner = "".join(_QUOTED.get(c) or (c if 0x20 <= ord(c) != 0x7F else f"\\{ord(c):03o}") for c in name)
        return f'"{inner}"'
    # A path that ends in a blank or has one could be cut by a reader; a tab after the name says where it ends.
    return f"{name}\t" if " " in name else name
