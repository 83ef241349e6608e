"""Change characters of a text and prove that nothing else changed.

`spell` writes a value in the quoting of the place it goes to, `apply` splices, and `confirm` reads the result again
and compares two streams of YAML tokens: exactly the planned values may differ. YAML is never written out.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gitops_ci import charmap, yamltext
from gitops_ci.model import Edit, Spelling
from gitops_ci.yamltext import Alias, Mapping, Node, Scalar, YamlError, YamlFile

__all__ = ["apply", "confirm", "is_string", "nest", "spell"]

# What a YAML 1.1 or 1.2 reader takes for something other than a string. Sources: yaml.org/type (1.1 bool, int, float,
# null, timestamp, merge, value), YAML 1.2.2 §10.3.2, and go-yaml's resolve.go, which drops every `_` and then asks
# strconv with base 0. Wider than any single reader on purpose: a needless quote costs nothing.
_OTHER_TYPES = re.compile(
    r"""
      (?: y | n | yes | no | on | off | true | false | null | ~ | = | << )?
    | [-+]? (?: 0b[01]+ | 0o?[0-7]+ | 0x[0-9a-f]+ | [0-9]+ )
    | [-+]? (?: \.[0-9]+ | [0-9]+ (?: \.[0-9]* )? ) (?: e[-+]?[0-9]+ )?
    | [-+]? 0x [0-9a-f]* \.? [0-9a-f]* p [-+]? [0-9]+
    | [-+]? [0-9]+ (?: :[0-9]{1,2} )+ (?: \.[0-9]* )?
    | [-+]? \.? inf (?: inity )? | \.? nan
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: [t\ ].* )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
# The characters of tags, digests and references; anything else is quoted rather than reasoned about.
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./@+=:-]*[A-Za-z0-9_./@+=-])?")


def is_string(value: str) -> bool:
    """Whether every YAML 1.1 and 1.2 reader takes `value`, written plain, for a string."""
    return not (_OTHER_TYPES.fullmatch(value) or _OTHER_TYPES.fullmatch(value.replace("_", "")))


def spell(value: str, spelling: Spelling) -> str:
    """`value` as the text for a place of that spelling; plain turns double-quoted where a reader would mistype it."""
    match spelling.quote:
        case "raw":
            text = value
        case "'":
            text = "'" + value.replace("'", "''") + "'"
        case "" if _PLAIN.fullmatch(value) and is_string(value):
            text = value
        case _:
            text = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text


def nest(text: str, style: str, newline: str) -> str:
    """`text` as it is written inside a string of that style, where a block scalar writes line breaks as `newline`."""
    if style == "'":
        return text.replace("'", "''")
    if style == '"':
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return text.replace("\n", newline)


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with every edit made.

    Raises:
        ValueError: two edits overlap: a plan never asks for that.
    """
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=_place):
        if edit.span.start < at:
            raise ValueError(f"two edits at line {edit.span.line}")
        parts += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join([*parts, text[at:]])


def confirm(before: YamlFile, edits: Sequence[Edit], after: str) -> str:
    """'' when `after` holds exactly the planned values and is otherwise what `before` was, else what is wrong."""
    edits = sorted(edits, key=_place)
    try:
        result = yamltext.read(after)
    except YamlError as error:
        return f"the result would not be YAML: {error.reason}, line {error.line}"
    old = _outline(_foreseen(before, edits), [_place(edit) for edit in edits], edits)
    new = _outline(list(tokens(result)), _places_after(edits), edits)
    if old.outside != new.outside:
        return "the result would differ in more than the planned values"
    for edit, taken, given in zip(edits, old.inside, new.inside, strict=True):
        if not _as_planned(edit, taken, given):
            return f"line {edit.span.line} would not be read as {edit.new!r}"
    return ""


@dataclass(frozen=True, slots=True)
class Token:
    """A scalar, an alias, or the beginning or end of a document, mapping or sequence; only leaves have characters."""

    kind: str
    start: int = -1
    end: int = -1
    value: str = ""
    style: str = ""
    tag: str | None = None
    anchor: str | None = None

    @property
    def seen(self) -> tuple[str, str, str, str | None, str | None]:
        return self.kind, self.value, self.style, self.tag, self.anchor


def tokens(file: YamlFile) -> Iterator[Token]:
    """The file as a flat stream, without recursion."""
    for root in file.documents:
        yield Token("document")
        stack: list[Node | Token] = [root] if root is not None else []
        while stack:
            node = stack.pop()
            if isinstance(node, Token):
                yield node
            elif isinstance(node, Scalar):
                yield Token("scalar", node.start, node.end, node.value, node.style, node.tag, node.anchor)
            elif isinstance(node, Alias):
                yield Token("alias", node.start, node.end, node.name)
            else:
                style = "flow" if node.flow else "block"
                yield Token(type(node).__name__, style=style, tag=node.tag, anchor=node.anchor)
                stack.append(Token("end"))
                if isinstance(node, Mapping):
                    stack.extend(part for pair in reversed(node.pairs) for part in (pair[1], pair[0]))
                else:
                    stack.extend(reversed(node.items))


@dataclass(frozen=True, slots=True)
class _Outline:
    """What lies outside every edit, with a mark where an edit writes something, and per edit the tokens inside it."""

    outside: list[object]
    inside: list[list[Token]]


def _outline(stream: Sequence[Token], places: Sequence[tuple[int, int]], edits: Sequence[Edit]) -> _Outline:
    starts = [start for start, _ in places]
    leaves = iter([*[token.start for token in stream if token.start >= 0][1:], sys.maxsize])
    outside: list[object] = []
    inside: list[list[Token]] = [[] for _ in places]
    marked: set[int] = set()

    def mark(number: int) -> None:
        if number not in marked and _reads(edits[number]):
            marked.add(number)
            outside.append(number)

    for token in stream:
        if token.start < 0:
            outside.append(token.seen)
            continue
        number = bisect_right(starts, token.start) - 1
        if number >= 0 and token.end <= places[number][1]:
            inside[number].append(token)
            mark(number)
        else:
            outside.append(token.seen)
        # An insertion belongs to the collection of the leaf before it: its mark precedes that collection's end.
        for number in range(bisect_left(starts, token.end), bisect_left(starts, next(leaves))):
            if places[number][0] == places[number][1]:
                mark(number)
    return _Outline(outside, inside)


def _reads(edit: Edit) -> tuple[str, ...]:
    if edit.inner is not None:
        return ()
    return (edit.new,) if edit.reads is None else edit.reads


def _as_planned(edit: Edit, taken: Sequence[Token], given: Sequence[Token]) -> bool:
    if edit.inner is not None:
        return not taken and not given
    if not all(token.kind == "scalar" and (token.style or token.tag or is_string(token.value)) for token in given):
        return False
    if edit.reads is None and taken and (taken[0].tag, taken[0].anchor) != (given[0].tag, given[0].anchor):
        return False
    return tuple(token.value for token in given) == _reads(edit)


def _place(edit: Edit) -> tuple[int, int]:
    return edit.span.start, edit.span.end


def _places_after(edits: Sequence[Edit]) -> list[tuple[int, int]]:
    places, shift = [], 0
    for edit in edits:
        start = edit.span.start + shift
        places.append((start, start + len(edit.text)))
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return places


def _foreseen(file: YamlFile, edits: Sequence[Edit]) -> list[Token]:
    """The tokens of a file, with the values that strings will have after the edits inside them."""
    inner = [edit for edit in edits if edit.inner is not None]
    stream = list(tokens(file))
    if not inner:
        return stream
    for at, token in enumerate(stream):
        within = [e for e in inner if token.start < e.span.start and e.span.end < token.end] if token.start >= 0 else []
        if within:
            stream[at] = replace(token, value=_edited_string(file.text, token, within))
    return stream


def _edited_string(text: str, token: Token, edits: Sequence[Edit]) -> str:
    scalar = Scalar(token.start, token.end, token.value, token.style)
    places = charmap.offsets(text, scalar)
    if places is None:
        return ""
    value = token.value
    for edit in reversed(edits):
        start, end = bisect_left(places, edit.span.start), bisect_left(places, edit.span.end)
        value = value[:start] + (edit.inner or "") + value[end:]
    return value
