"""No regular expression of the program takes more than linear time, whatever text it meets.

Every pattern of the package is found and tried on repetitions of its own parts and of what files of strangers may hold:
blank lines, blanks, brackets. Eight times the text may take eight times as long; a quadratic pattern takes 64 times as
long. What is compared is the processor time of one process with itself, and only where it is more than noise.
"""

from __future__ import annotations

import ast
import collections
import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gitops_ci

PACKAGE = Path(gitops_ci.__file__).parent
SMALL, GROWTH = 300, 8
NOISE = 0.02  # seconds of processor time: a linear pattern needs a hundredth of it for so little text
TOO_LONG = 0.2  # seconds for 300 characters
ALLOWED = 3 * GROWTH


Pattern = re.Pattern[str] | re.Pattern[bytes]


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(gitops_ci.__path__, "gitops_ci."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def _compiled() -> Iterator[tuple[str, Pattern]]:
    for module in _modules():
        for name, value in vars(module).items():
            several = value if isinstance(value, tuple | list) else value.values() if isinstance(value, dict) else ()
            for number, one in enumerate((value, *several)):
                inner = one if isinstance(one, tuple) else (one,)
                for pattern in inner:
                    if isinstance(pattern, re.Pattern):
                        yield (
                            f"{module.__name__.removeprefix('gitops_ci.')}.{name}{f'[{number}]' * bool(number)}",
                            pattern,
                        )


TREES = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
# Where a pattern begins to look: `match` and `fullmatch` at one place, everything else at every place.
ANYWHERE = {"search", "findall", "finditer", "sub", "subn", "split"}
IN_PLACE = {f"re.{method}" for method in (*ANYWHERE, "match", "fullmatch")}


def _used() -> dict[tuple[str, str], set[str]]:
    """The methods that are called on a name, by module and name; under the module "" what any module calls."""
    used = collections.defaultdict(set)
    for path, tree in TREES.items():
        module = str(path.relative_to(PACKAGE).with_suffix("")).replace("/", ".")
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in {*ANYWHERE, "match", "fullmatch"}:
                on = node.value
                name = on.id if isinstance(on, ast.Name) else on.attr if isinstance(on, ast.Attribute) else ""
                used[module, name].add(node.attr)
                used["", name].add(node.attr)
    return used


USED = _used()


def _methods(module: str, name: str) -> set[str]:
    """How the program uses a pattern of this name: in its module, or in others where that one does not use it."""
    return USED.get((module, name)) or USED.get(("", name)) or set()


def _written_in_place() -> Iterator[tuple[str, Pattern]]:
    """`re.search(r"…", text)` and the like."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in IN_PLACE and node.args:
                given = node.args[0]
                if isinstance(given, ast.Constant):
                    flags = next(
                        (
                            ast.unparse(a)
                            for a in (*node.args, *(k.value for k in node.keywords))
                            if "re." in ast.unparse(a)
                        ),
                        "0",
                    )
                    yield (
                        f"{path.relative_to(PACKAGE)}: {ast.unparse(node.func)}({given.value})",
                        re.compile(given.value, eval(flags, {"re": re})),
                    )


PATTERNS = {pattern: name for name, pattern in (*_written_in_place(), *_compiled())}


def _uses(name: str) -> set[str]:
    module, _, last = name.partition("[")[0].rpartition(".")
    if ": re." in name:
        methods = {name.partition(": re.")[2].partition("(")[0]}
    elif module.startswith("validation.lint.fields"):
        methods = _methods("validation.lint.field_tables", "pattern")
    else:
        methods = _methods(module, last)
    return ({"search"} if methods & ANYWHERE else set()) | (methods - ANYWHERE) or {"search", "fullmatch"}


USES: dict[Pattern, set[str]] = collections.defaultdict(lambda: {"search", "fullmatch"})
USES |= {pattern: _uses(name) for pattern, name in PATTERNS.items()}

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


def _seconds(pattern: Pattern, text: str) -> float:
    given = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "replace")
    started = time.process_time()
    for method in USES[pattern]:
        collections.deque(pattern.finditer(given), 0) if method in ANYWHERE else getattr(pattern, method)(given)
    return time.process_time() - started


def _is_linear(pattern: Pattern, before: str, piece: str, after: str) -> bool:
    def text(size: int) -> str:
        return before + piece * (size // len(piece) + 1) + after

    # First a little text: a pattern that is worse than quadratic would not come back from more.
    for size in (*range(16, 40, 3), *range(40, SMALL, 15), SMALL):
        if _seconds(pattern, text(size)) > TOO_LONG:
            return False
    long = _seconds(pattern, text(SMALL * GROWTH))
    if long < NOISE:
        return True
    short = min(_seconds(pattern, text(SMALL)) for _ in range(3))
    long = min(long, *(_seconds(pattern, text(SMALL * GROWTH)) for _ in range(2)))
    return long < NOISE or long < ALLOWED * short


@pytest.mark.parametrize("pattern", [pytest.param(p, id=n) for p, n in PATTERNS.items()])
def test_pattern_is_linear(pattern: Pattern) -> None:
    own = _own_parts(pattern)
    slow = []
    for piece in dict.fromkeys((*COMMON, *own)):
        for before, after in (("", "\0"), *((start, "\0") for start in own[:2])):
            if not _is_linear(pattern, before, piece, after):
                slow.append((before, piece, after))
                break
    assert not slow


def test_the_test_finds_quadratic_patterns() -> None:
    assert not _is_linear(re.compile(r"^\s*[{,]", re.MULTILINE), "", "\n", "")
    assert not _is_linear(re.compile(r"(?:a+)+b"), "", "a", "")
    assert _is_linear(re.compile(r"^[ \t]*[{,]", re.MULTILINE), "", "\n", "")
