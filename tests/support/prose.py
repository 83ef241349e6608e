"""Sentences of documents and help texts, without code, tables and headings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import click

from tests.support.sources import written_name

__all__ = ["BANNED", "banned_in", "british_in", "sentences", "sentences_of_help", "texts_for_users"]

_BLOCK = re.compile(r"^ *(`{3,}).*?^ *\1$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_CODE = re.compile(r"`[^`]*`")
_TOLD = {"hint", "remedy", "help", "reason"}
_END = re.compile(r"(?<=[.!?:;])[\"')*]*\s+(?=[\"'(*]*(?:[A-Z0-9`]|gitops-ci\b))")
# Words that read like a translation, and what to write instead.
BANNED = {
    r"\banew\b": "again",
    r"\bbesides\b": "also",
    r"\bin earnest\b": "in production",
    r"\ball the same\b": "anyway",
    r"\bbears?\b": "has",
    r"\bis told\b": "is reported",
    r"\bare told\b": "are reported",
    r"\bon the way\b": "(name it: progress messages)",
    r"\bleft so\b": "unchanged",
    r"\balready so\b": "already up to date",
    r"\bthe whole journey\b": "the whole workflow",
    r"\bwhat holds\b": "the values that apply",
    r"\bdoes not show here\b": "cannot tell",
    r"\bshall\b": "must",
    r"\bbut for the\b": "except the",
    r"\bso long for\b": "how long",
    r"\bstands? (?:in|above|below|behind|beside|before|there)\b": "is in, precedes, follows",
    r"\bstands? for\b(?! the built image)": "is, matches, replaces",
    r"\bwhoever\b": "anybody who, any author",
    r"\b(?:goes|go) before (?:it|both|the)\b": "overrides",
    r"\b(?:is|are) the usual one\b": "the default is",
    r"\b(?:one|a \w+) a line\b": "one per line",
    r"\b(?:the same|this) holds\b": "also applies",
    r"\bholds in addition\b": "applies in addition",
    r"\bhas to have\b": "needs",
    r"\b(?:lies|lay) (?:in|at|there|beside|below|behind|outside)\b": "is in",
    r"\bleads around\b": "bypasses",
    r"\b(?:does|do) not tell\b": "does not show",
    r"\bthat decides\b": "(name what is compared)",
    r"\bwhat is meant\b|\b(?:is|are) meant\b": "is selected",
    r"\bnobody (?:knows|can tell)\b": "gitops-ci cannot find out",
    r"\b(?:lies|lay) outside\b|\bas (?:it|they) lies?\b": "is outside, as it is",
    r"\bcode from outside\b|\bcomes from outside\b": "untrusted code",
    r"\bthereof\b|\bherein\b|\bwhereby\b": "(a plain sentence)",
}
# The spelling is American, as the names of the field are: `color`, `normalize`. Other programs use names in capitals.
_BRITISH = re.compile(
    r"""\b(?:re|un|non|dis)?(?:
        [Bb]ehaviour | [Cc]olour | [Ff]avour | [Ff]lavour | [Hh]onour | [Nn]eighbour
      | [Aa]rtefact | [Cc]atalogue | [Cc]entre[sd]?\b | [Dd]efence | [Ll]icence | [Jj]udgement | [Ff]ulfil\b
      | (?:[Cc]ancel|[Ll]abel|[Mm]odel|[Tt]ravel|[Mm]arshal)l(?:ed|ing)\b | (?:[Ll]earn|(?:[Mm]is)?[Ss]pel)t\b
      | (?:[Aa]naly|[Aa]uthori|[Cc]apitali|[Cc]ategori|[Cc]ustomi|[Ff]inali|[Gg]enerali|[Ii]nitiali|[Mm]inimi|[Nn]ormali
        |[Oo]ptimi|[Oo]rgani|[Pp]rioriti|[Rr]ecogni|[Ss]aniti|[Ss]eriali|[Ss]peciali|[Ss]tandardi|[Ss]ummari|[Ss]ynchroni)
        s(?:e|ed|es|er|ers|ing|ation|ations)\b
    )""",
    re.VERBOSE,
)


def sentences(text: str) -> Iterator[str]:
    """Every sentence of a Markdown text, one line each; code in a line counts as one word."""
    text = _COMMENT.sub("", _BLOCK.sub("\n\n", text))
    paragraph: list[str] = []
    for line in [*text.splitlines(), ""]:
        bare = line.strip()
        starts = re.match(r"(?:[-*+]|\d+\.)\s+", bare)
        if not bare or bare.startswith(("#", "|", ">")) or starts:
            yield from _split(" ".join(paragraph))
            paragraph = []
        if bare and not bare.startswith(("#", "|", ">")):
            paragraph.append(bare[starts.end() :] if starts else bare)


def sentences_of_help(command: click.Command) -> Iterator[str]:
    """The sentences of a command's help, and of its options' helps."""
    yield from _split(" ".join((command.help or "").replace("\b", " ").split()))
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            yield from _split(" ".join(option.help.split()))


def _split(text: str) -> Iterator[str]:
    plain = _LINK.sub(r"\1", text)
    plain = _CODE.sub("CODE", plain).replace("**", "")
    yield from (one.strip() for one in _END.split(plain) if one.strip())


def banned_in(text: str) -> list[str]:
    """The banned phrasings of a text, each with what to write instead."""
    plain = _CODE.sub("", _BLOCK.sub("", text))
    return [
        f"'{found[0]}': write {instead}"
        for pattern, instead in BANNED.items()
        for found in re.finditer(pattern, plain, re.IGNORECASE)
    ]


def british_in(text: str) -> list[str]:
    """The British spellings of a text, outside of blocks and words of code. Scripts know the option `--any-flavour`."""
    text = _CODE.sub("", _BLOCK.sub("", text)).replace("any-flavour", "").replace("any_flavour", "")
    return [found[0] for found in _BRITISH.finditer(text)]


def texts_for_users(source: str) -> Iterator[str]:
    """The texts of a module that a user reads: errors, hints, helps and log lines, with `X` for values."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = written_name(node.func)
        if name.endswith(("Error", "warn", ".step", ".note", ".detail")):
            yield from (text for one in node.args if (text := _text(one)))
        yield from (text for one in node.keywords if one.arg in _TOLD and (text := _text(one.value)))


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(one) or "X" for one in node.values)
    if isinstance(node, ast.IfExp):
        return f"{_text(node.body)} {_text(node.orelse)}"
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    return ""
