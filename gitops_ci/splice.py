"""Change characters of a text and prove that nothing else changed.

`spell` writes a value in the quoting of the place it goes to, `apply` splices, and `confirm` reads the result again
and compares two streams of YAML tokens: exactly the planned values may differ. YAML is never written out.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from gitops_ci import charmap, yamltext
from gitops_ci.dataclass import dataclass
from gitops_ci.model import Edit, Spelling
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, YamlError, YamlFile

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
_PLAIN = re.compile(r"(?:--?(?=[A-Za-z]))?[A-Za-z0-9_./](?:[A-Za-z0-9_./@+=:-]*[A-Za-z0-9_./@+=-])?")


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
    new = _outline(tokens(result), _places_after(edits), edits)
    if old.outside != new.outside:
        return "the result would differ in more than the planned values"
    for edit, taken, given in zip(edits, old.inside, new.inside, strict=True):
        if not _as_planned(edit, taken, given):
            return f"line {edit.span.line} would not be read as {edit.new!r}"
    return ""


# Kind, value, style, tag and anchor: what a reader sees of a scalar, an alias, or the beginning or end of a document,
# mapping or sequence. Plain tuples, because there is one for every value of a file.
Seen = tuple[str, str, str, str | None, str | None]
Token = tuple[Seen, int, int]
_DOCUMENT: Token = (("document", "", "", None, None), -1, -1)
_END: Token = (("end", "", "", None, None), -1, -1)


def tokens(file: YamlFile) -> Iterator[Token]:
    """The file as a flat stream of what a reader sees, with the characters of each leaf (-1 for what has none)."""
    for root in file.documents:
        yield _DOCUMENT
        stack: list[Node | Token] = [root] if root is not None else []
        while stack:
            node = stack.pop()
            if isinstance(node, ScalarNode):
                yield ("scalar", node.value, node.style, node.tag, node.anchor), node.start, node.end
            elif isinstance(node, tuple):
                yield node
            elif isinstance(node, AliasNode):
                yield ("alias", node.name, "", None, None), node.start, node.end
            else:
                yield (type(node).__name__, "", "flow" if node.flow else "block", node.tag, node.anchor), -1, -1
                stack.append(_END)
                if isinstance(node, MappingNode):
                    stack.extend(part for pair in reversed(node.pairs) for part in (pair[1], pair[0]))
                else:
                    stack.extend(reversed(node.items))


@dataclass(frozen=True, slots=True)
class _Outline:
    """What lies outside every edit, with a mark where an edit writes something, and per edit what lies inside it."""

    outside: list[Seen | int]
    inside: list[list[Seen]]


def _outline(stream: Iterable[Token], places: Sequence[tuple[int, int]], edits: Sequence[Edit]) -> _Outline:
    outside: list[Seen | int] = []
    inside: list[list[Seen]] = [[] for _ in places]
    number = behind_leaf = 0
    for seen, start, end in stream:
        if start < 0 or number == len(places):
            outside.append(seen)
            continue
        while number < len(places) and places[number][1] <= start and not _holds(places[number], start, end):
            # An insertion stands right behind the leaf before it: in that leaf's collection, not behind its end.
            if not inside[number] and _reads(edits[number]):
                outside.insert(behind_leaf, number)
                behind_leaf += 1
            number += 1
        if number < len(places) and _holds(places[number], start, end):
            if not inside[number] and _reads(edits[number]):
                outside.append(number)
            inside[number].append(seen)
        else:
            outside.append(seen)
        behind_leaf = len(outside)
    for rest in range(number, len(places)):
        if not inside[rest] and _reads(edits[rest]):
            outside.insert(behind_leaf, rest)
            behind_leaf += 1
    return _Outline(outside, inside)


def _holds(place: tuple[int, int], start: int, end: int) -> bool:
    return place[0] <= start and end <= place[1]


def _reads(edit: Edit) -> tuple[str, ...]:
    if edit.inner is not None:
        return ()
    return (edit.new,) if edit.reads is None else edit.reads


def _as_planned(edit: Edit, taken: Sequence[Seen], given: Sequence[Seen]) -> bool:
    if edit.inner is not None:
        return not taken and not given
    for kind, value, style, tag, _ in given:
        if kind != "scalar" or not (style or tag or is_string(value)):
            return False
    if edit.reads is None and taken and taken[0][3:] != given[0][3:]:
        return False
    return tuple(value for _, value, *_ in given) == _reads(edit)


def _place(edit: Edit) -> tuple[int, int]:
    return edit.span.start, edit.span.end


def _places_after(edits: Sequence[Edit]) -> list[tuple[int, int]]:
    places, shift = [], 0
    for edit in edits:
        start = edit.span.start + shift
        places.append((start, start + len(edit.text)))
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return places


def _foreseen(file: YamlFile, edits: Sequence[Edit]) -> Iterator[Token]:
    """The tokens of a file, with the values that strings will have after the edits inside them."""
    inner = [edit for edit in edits if edit.inner is not None]
    starts = [edit.span.start for edit in inner]
    for token in tokens(file):
        seen, start, end = token
        first = bisect_left(starts, start) if start >= 0 else len(inner)
        within = inner[first : bisect_left(starts, end)] if first < len(inner) else []
        if within:
            value = _edited_string(file.text, ScalarNode(start, end, seen[1], seen[2]), within)
            yield (seen[0], value, *seen[2:]), start, end
        else:
            yield token


def _edited_string(text: str, scalar: ScalarNode, edits: Sequence[Edit]) -> str:
    places = charmap.offsets(text, scalar)
    if places is None:
        return ""
    parts, at = [], 0
    for edit in edits:
        start = bisect_left(places, edit.span.start)
        parts += [scalar.value[at:start], edit.inner or ""]
        at = bisect_left(places, edit.span.end, lo=start)
    return "".join([*parts, scalar.value[at:]])
