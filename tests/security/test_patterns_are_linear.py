"""No regular expression of the program takes more than linear time, whatever text it meets.

Every pattern of the package is found and tried on repetitions of its own parts and of what files of strangers may hold:
blank lines, blanks, brackets. 16 times the text may take 16 times as long; a quadratic pattern takes 256 times as long.
What is compared is the processor time of one process with itself, and only where it is more than noise.
"""

from __future__ import annotations

import ast
import collections
import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import gitops_ci
from gitops_ci.lazy import LazyPattern
from tests.support.effort import SOAKING
from tests.support.sources import written_name

PACKAGE = Path(gitops_ci.__file__).parent
SMALL, GROWTH = 300, 32 if SOAKING else 16
NOISE = 0.002  # seconds of processor time: a linear pattern needs a tenth of it for so little text
TOO_LONG = 0.2  # seconds for 300 characters
ALLOWED = 3 * GROWTH
# First a little text: a pattern that is worse than quadratic would not come back from more. Three characters more take
# an exponential one eight times as long, and half as many more one of the fifth power.
SIZES = (*range(16, 40, 3), 40, 60, 90, 135, 200, SMALL)


Pattern = re.Pattern[str] | re.Pattern[bytes]


# Where a pattern begins to look: `match` and `fullmatch` at one place, everything else at every place.
ANYWHERE = {"search", "findall", "finditer", "sub", "subn", "split"}
METHODS = {*ANYWHERE, "match", "fullmatch"}
IN_PLACE = {f"re.{method}" for method in METHODS}
# Only what says `re` can make a pattern. The rest is read when a test runs: every worker collects this file.
FILES = [
    name
    for path in sorted(PACKAGE.rglob("*.py"))
    if re.search(r"^import re$|lazy_pattern", path.read_text(), re.MULTILINE)
    and (name := str(path.relative_to(PACKAGE)))
]


class Found(NamedTuple):
    """A pattern, what it is called, and how the program uses it."""

    name: str
    pattern: Pattern
    methods: set[str]


@dataclass
class Source:
    """What the text of the package says: calls on names, by module and name, and patterns that stand in a call.

    Under the module "" are the calls of any module.
    """

    used: dict[tuple[str, str], set[str]] = field(default_factory=lambda: collections.defaultdict(set))
    written: dict[str, list[tuple[str, Pattern, str]]] = field(default_factory=lambda: collections.defaultdict(list))

    def read(self, path: Path) -> None:
        file = str(path.relative_to(PACKAGE))
        module = file.removesuffix(".py").replace("/", ".")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                on = node.value
                name = on.id if isinstance(on, ast.Name) else on.attr if isinstance(on, ast.Attribute) else ""
                self.used[module, name].add(node.attr)
                self.used["", name].add(node.attr)
            elif isinstance(node, ast.Call) and (call := written_name(node.func)) in IN_PLACE and node.args:
                given = node.args[0]
                if isinstance(given, ast.Constant):
                    arguments = (*node.args, *(keyword.value for keyword in node.keywords))
                    flags = next((text for text in map(ast.unparse, arguments) if "re." in text), "0")
                    pattern = re.compile(given.value, eval(flags, {"re": re}))
                    self.written[file].append((f"{call}({given.value})", pattern, call.removeprefix("re.")))

    def methods(self, module: str, name: str) -> set[str]:
        """How the program uses a pattern of this name: in its module, or in others where that one does not use it."""
        if module.startswith("validation.lint.fields"):
            module, name = "validation.lint.field_tables", "pattern"
        return self.used.get((module, name)) or self.used.get(("", name)) or set()


@cache
def _patterns() -> dict[str, list[Found]]:
    """Every pattern of the package, once, at the first file that makes it, with all its uses."""
    source = Source()
    for path in sorted(PACKAGE.rglob("*.py")):
        source.read(path)
    places: dict[Pattern, list[tuple[str, str, set[str]]]] = collections.defaultdict(list)
    for file, written in source.written.items():
        for call, pattern, method in written:
            places[pattern].append((file, call, {method}))
    for module in _modules():
        inner = module.__name__.removeprefix("gitops_ci.")
        file = str(Path(str(module.__file__)).relative_to(PACKAGE))
        for name, pattern in _compiled(module):
            places[pattern].append((file, name, source.methods(inner, name.partition("[")[0])))
    found = collections.defaultdict(list)
    for pattern, places_of in places.items():
        file, name, _ = next((one for one in places_of if one[0] in FILES), places_of[0])
        found[file].append(Found(name, pattern, _searched(set().union(*(methods for _, _, methods in places_of)))))
    return found


def _searched(methods: set[str]) -> set[str]:
    """What to try: one of the methods that look everywhere is as good as another."""
    return ({"search"} if methods & ANYWHERE else set()) | (methods - ANYWHERE) or {"search", "fullmatch"}


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(gitops_ci.__path__, "gitops_ci."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def _compiled(module: ModuleType) -> Iterator[tuple[str, Pattern]]:
    for name, value in vars(module).items():
        several = value if isinstance(value, tuple | list) else value.values() if isinstance(value, dict) else ()
        for number, one in enumerate((value, *several)):
            for pattern in one if isinstance(one, tuple) else (one,):
                if isinstance(pattern, re.Pattern | LazyPattern):
                    yield f"{name}{f'[{number}]' * bool(number)}", re.compile(pattern.pattern, pattern.flags)


# What is repeated, whatever the pattern is.
COMMON = (
    "\n", "\r\n", " ", "\n ", "a", "0", "a ", "a\n", "a.", "a-", "_", "/", "a/", ":", "[", "{", "(", "{}", "${a",
    "<a", "'", '"', "\\", "`", "# \n", "# \r\n", 'a="', "a@", "*", "- ", "a: ", "---\n", "%a", "é",
)  # fmt: skip


def _own_parts(pattern: Pattern) -> list[str]:
    """Texts that the parts of a pattern match: what makes it try again and again."""
    from re import _parser  # type: ignore[attr-defined]

    def one(items: object) -> str:
        return "".join(map(sample, items))  # type: ignore[call-overload]

    def sample(item: tuple[object, ...]) -> str:
        name, value = str(item[0]), item[1]
        if name == "LITERAL":
            return chr(value)  # type: ignore[arg-type]
        if name == "IN":
            return next((c for c in "a0A -_.\n\t,;:/" if re.fullmatch(_char(value), c)), "a")
        if name in {"ANY", "NOT_LITERAL"}:
            return "x"
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            return one(value[2]) * max(1, min(value[0], 3))  # type: ignore[index]
        if name == "SUBPATTERN":
            return one(value[3])  # type: ignore[index]
        if name == "BRANCH":
            return one(value[1][0])  # type: ignore[index]
        return ""

    def _char(members: object) -> str:
        written = ""
        for kind, value in members:  # type: ignore[attr-defined]
            name = str(kind)
            if name == "NEGATE":
                written = "^" + written
            elif name == "LITERAL":
                written += re.escape(chr(value))
            elif name == "RANGE":
                written += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
            elif name == "CATEGORY":
                written += {"SPACE": r"\s", "DIGIT": r"\d", "WORD": r"\w"}.get(str(value).rpartition("_")[2], r"\w")
        return f"[{written}]"

    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    top = list(
        _parser.parse(
            text, pattern.flags & ~re.UNICODE & ~re.LOCALE if isinstance(pattern.pattern, str) else pattern.flags
        )
    )
    pieces = [sample(item) for item in top]
    runs = {"".join(pieces[i:j]) for i, j in itertools.combinations(range(len(pieces) + 1), 2)}
    alternatives = {one(branch) for item in top if str(item[0]) == "BRANCH" for branch in item[1][1]}
    nested = set()
    for item in _walk(top):
        if str(item[0]) in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            nested.add(one(item[1][2]))
        if str(item[0]) == "BRANCH":
            nested |= {one(branch) for branch in item[1][1]}
    return sorted({*runs, *alternatives, *nested} - {""}, key=lambda t: (len(t), t))[:30]


def _walk(items: object) -> Iterator[tuple[object, ...]]:
    for item in items:  # type: ignore[attr-defined]
        yield item
        name, value = str(item[0]), item[1]
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            yield from _walk(value[2])
        elif name == "SUBPATTERN":
            yield from _walk(value[3])
        elif name == "BRANCH":
            for branch in value[1]:
                yield from _walk(branch)


def _seconds(pattern: Pattern, methods: Collection[str], text: str) -> float:
    given = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "replace")
    started = time.process_time()
    for method in methods:
        collections.deque(pattern.finditer(given), 0) if method in ANYWHERE else getattr(pattern, method)(given)
    return time.process_time() - started


def _is_linear(pattern: Pattern, methods: Collection[str], before: str, piece: str, after: str) -> bool:
    def seconds(size: int) -> float:
        return _seconds(pattern, methods, before + piece * (size // len(piece) + 1) + after)

    if any(seconds(size) > TOO_LONG for size in SIZES):
        return False
    long = seconds(SMALL * GROWTH)
    if long < NOISE:
        return True
    short = min(seconds(SMALL) for _ in range(3))
    long = min(long, *(seconds(SMALL * GROWTH) for _ in range(2)))
    return long < NOISE or long < ALLOWED * short


@pytest.mark.soak
@pytest.mark.parametrize("file", FILES)
def test_patterns_are_linear(file: str) -> None:
    slow = []
    for name, pattern, methods in _patterns().get(file, ()):
        own = _own_parts(pattern)
        for piece in dict.fromkeys((*COMMON, *own)):
            for before, after in (("", "\0"), *((start, "\0") for start in own[:2])):
                if not _is_linear(pattern, methods, before, piece, after):
                    slow.append((name, before, piece, after))
                    break
    assert not slow


def test_no_pattern_is_left_out() -> None:
    assert set(_patterns()) <= set(FILES)


def test_the_test_finds_quadratic_patterns() -> None:
    everywhere = {"search", "fullmatch"}
    assert not _is_linear(re.compile(r"^\s*[{,]", re.MULTILINE), everywhere, "", "\n", "")
    assert not _is_linear(re.compile(r"(?:a+)+b"), everywhere, "", "a", "")
    assert _is_linear(re.compile(r"^[ \t]*[{,]", re.MULTILINE), everywhere, "", "\n", "")
