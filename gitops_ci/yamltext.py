"""YAML as text with positions: read it into nodes that know their characters. The one importer of YAML libraries.

Nothing here ever writes YAML out. A node's `start` and `end` are offsets into the text as given, so that an edit is
a splice and every other character stays.

Events come from libyaml through PyYAML (about 8 MB/s). What libyaml refuses although YAML 1.2 allows it, and
machines without libyaml, are read by ruamel.yaml's pure parser: its events have the same shape.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from gitops_ci.lazy import lazy_pattern

if TYPE_CHECKING:
    from gitops_ci.model import Span

__all__ = [
    "BOM",
    "MOST_VALUES",
    "AliasNode",
    "MappingNode",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "YamlError",
    "YamlFile",
    "deepest_flow",
    "fast_value",
    "read",
    "read_first",
    "walk",
]

BOM = "\ufeff"
# Beyond these a file is hostile or a mistake: no manifest comes near (a CRD nests about 40 deep, etcd takes 1.5 MiB).
DEEPEST = 200
LARGEST = 8 * 1024 * 1024
MOST_VALUES = 250_000
_TOO_DEEP = f"nested deeper than {DEEPEST} levels"


class YamlError(ValueError):
    """A text that cannot be read as YAML, with the 1-based line and column of the trouble, and its offset if known."""

    def __init__(self, reason: str, line: int, column: int = 0, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column
        self.offset = offset


class _Refused(YamlError):
    """A library does not read this text. Another library may read it."""


# The nodes are written out: made by `dataclass`, they would take two milliseconds of every run's start.
class ScalarNode:
    """A scalar; `value` is its text after unquoting and folding, `style` one of `'' ' " | >`."""

    __slots__ = ("anchor", "end", "start", "style", "tag", "value")

    def __init__(
        self, start: int, end: int, value: str, style: str, tag: str | None = None, anchor: str | None = None
    ) -> None:
        self.start = start
        self.end = end
        self.value = value
        self.style = style
        self.tag = tag
        self.anchor = anchor


class MappingNode:
    """A mapping; `pairs` in the order written, duplicates included."""

    __slots__ = ("anchor", "end", "flow", "pairs", "start", "tag")

    def __init__(self, start: int, end: int, flow: bool, tag: str | None = None, anchor: str | None = None) -> None:
        self.start = start
        self.end = end
        self.flow = flow
        self.tag = tag
        self.anchor = anchor
        self.pairs: list[tuple[Node, Node]] = []

    def get(self, key: str) -> Node | None:
        """The value of the last pair with this key, aliases followed, merge keys not."""
        found = None
        for name, value in self.pairs:
            if isinstance(name, ScalarNode) and name.value == key:
                found = value
        return found.target if isinstance(found, AliasNode) else found

    def scalar(self, key: str) -> ScalarNode | None:
        found = self.get(key)
        return found if isinstance(found, ScalarNode) else None

    def text(self, key: str) -> str:
        """The value of a scalar under `key`, or ''."""
        found = self.scalar(key)
        return found.value if found else ""


class SequenceNode:
    """A sequence."""

    __slots__ = ("anchor", "end", "flow", "items", "start", "tag")

    def __init__(self, start: int, end: int, flow: bool, tag: str | None = None, anchor: str | None = None) -> None:
        self.start = start
        self.end = end
        self.flow = flow
        self.tag = tag
        self.anchor = anchor
        self.items: list[Node] = []


class AliasNode:
    """`*name`, and the node that it stands for."""

    __slots__ = ("end", "name", "start", "target")

    def __init__(self, start: int, end: int, name: str, target: ScalarNode | MappingNode | SequenceNode) -> None:
        self.start = start
        self.end = end
        self.name = name
        self.target = target


Node = ScalarNode | MappingNode | SequenceNode | AliasNode


class YamlFile:
    """A text and the roots of its documents; an empty document has the root None. `end` is where the last one ends."""

    def __init__(self, text: str, documents: tuple[Node | None, ...], end: int | None = None) -> None:
        self.text = text
        self.documents = documents
        self.end = len(text) if end is None else end

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of a character."""
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        return line, offset - start + 1 - (line == 1 and self.text.startswith(BOM))

    def line_start(self, offset: int) -> int:
        """Where the line of a character begins."""
        return self._line_starts[bisect_right(self._line_starts, offset) - 1]

    def span(self, node: Node) -> Span:
        return self.span_of(node.start, node.end)

    def span_of(self, start: int, end: int) -> Span:
        from gitops_ci.model import Span

        line, column = self.position(start)
        return Span(start, end, line, column)


def read(text: str, *, second_opinion: bool = True) -> YamlFile:
    """Read every document of a text; what libyaml refuses is given to ruamel.yaml unless that would happen too often.

    Raises:
        YamlError: the text is not YAML, too large, too deep, or refers to an anchor that is not there.
    """
    if len(text) > LARGEST:
        raise YamlError(f"larger than {LARGEST // (1024 * 1024)} MiB", 1)
    try:
        documents = _build(_libyaml_events(text), text)
    except _Refused as error:
        if not second_opinion:
            raise
        documents = _second_opinion(text, error)
    return YamlFile(text, documents)


def read_first(text: str) -> YamlFile:
    """Read the first document alone, by libyaml alone; what comes after it is not looked at.

    Raises:
        YamlError: as `read`.
    """
    if len(text) > LARGEST:
        raise YamlError(f"larger than {LARGEST // (1024 * 1024)} MiB", 1)
    end = len(text)

    def first_document() -> Iterator[Any]:
        nonlocal end
        for event in _libyaml_events(text):
            yield event
            if type(event).__name__ == "DocumentEndEvent":
                end = event.end_mark.index + text.startswith(BOM)
                return

    documents = _build(first_document(), text)
    return YamlFile(text, documents, end)


def fast_value(text: str) -> Any:
    """The value of one document by a reader that is ten times as fast as `read`, and knows no positions.

    It reads YAML 1.2: whoever wants another reading asks again with `read` wherever the two may differ.

    Raises:
        NotImplementedError: no such reader is installed.
        ValueError, TypeError: it does not read this text, which need not mean that it is wrong.
    """
    return _fast_reader()(text)


@cache
def _fast_reader() -> Callable[[str], Any]:
    try:
        from oryaml import loads
    except ImportError:
        return _no_reader
    return loads


def _no_reader(text: str) -> Any:
    del text
    raise NotImplementedError


def walk(node: Node | None) -> Iterator[Node]:
    """Every node below and including `node`, in the order written; aliases are not followed."""
    stack = [node] if node is not None else []
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, MappingNode):
            stack.extend(part for pair in reversed(current.pairs) for part in (pair[1], pair[0]))
        elif isinstance(current, SequenceNode):
            stack.extend(reversed(current.items))


def _second_opinion(text: str, first: _Refused) -> tuple[Node | None, ...]:
    # libyaml reads YAML 1.1 and a little less; its complaint is the one to report when ruamel.yaml refuses too.
    # ruamel.yaml reads 0.25 MB/s and recurses into nested flow: a large or deep file gets no second reading.
    if len(text) > 200_000 or deepest_flow(text) > DEEPEST // 4:
        raise first
    try:
        return _build(_ruamel_events(text), text)
    except _Refused:
        raise first from None


def deepest_flow(text: str) -> int:
    """An upper bound of flow nesting: brackets in strings and comments are counted as well."""
    depth = deepest = 0
    for match in re.finditer(r"[\[\]{}]", text):
        depth += 1 if match[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


# What YAML 1.2's production c-printable leaves out. Written as all that it has, the class takes 8 ms to compile.
_UNPRINTABLE = lazy_pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# A reader looks so far ahead in a line for the end of a key, and so can meet its own limit of depth before ours.
_LOOKAHEAD = 1024


def _refusal(error: Exception, text: str) -> _Refused:
    """The refusal of a library, in our words where libraries differ: each has other limits and other messages."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _unreadable(error, text)
    if deepest_flow(text[mark.index - min(mark.column, _LOOKAHEAD) : mark.index]) > DEEPEST:
        return _Refused(_TOO_DEEP, mark.line + 1)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    context = getattr(error, "context", None)
    reason = f"{problem} ({context})" if context else str(problem)
    return _Refused(reason, mark.line + 1, mark.column + 1, mark.index)


def _unreadable(error: Exception, text: str) -> _Refused:
    if found := _UNPRINTABLE.search(text):
        line, column = YamlFile(text, ()).position(found.start())
        reason = f"the character U+{ord(found[0]):04X} is not allowed in YAML"
        return _Refused(reason, line, column, found.start())
    if isinstance(error, RecursionError):
        return _Refused(_TOO_DEEP, 1)
    return _Refused(str(error).partition("\n")[0], 1)


def _libyaml_events(text: str) -> Iterator[Any]:
    import yaml

    if not yaml.__with_libyaml__:
        yield from _ruamel_events(text)
        return
    try:
        # libyaml does not count a byte order mark in its offsets; `_build` adds it back.
        parser = yaml.cyaml.CParser(text.removeprefix(BOM))  # type: ignore[attr-defined]
        while (event := parser.get_event()) is not None:
            yield event
    except (yaml.YAMLError, UnicodeEncodeError) as error:  # the last: a lone surrogate, out of an escape of a string
        raise _refusal(error, text) from None


def _ruamel_events(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        yield from YAML(typ="safe", pure=True).parse(text.removeprefix(BOM))
    except (YAMLError, ValueError, AssertionError, RecursionError) as error:  # AssertionError: a strange %YAML
        raise _refusal(error, text) from None


def _build(events: Iterator[Any], text: str) -> tuple[Node | None, ...]:
    """Nodes from events, without recursion: depth costs memory in a list, never the interpreter's stack."""
    shift = 1 if text.startswith(BOM) else 0
    documents: list[Node | None] = []
    anchors: dict[str, ScalarNode | MappingNode | SequenceNode] = {}
    stack: list[MappingNode | SequenceNode] = []
    keys: list[Node | None] = []
    root: Node | None = None

    def place(node: Node) -> None:
        nonlocal root
        if not stack:
            root = node
        elif isinstance(parent := stack[-1], SequenceNode):
            parent.items.append(node)
        elif (key := keys[-1]) is None:
            keys[-1] = node
        else:
            parent.pairs.append((key, node))
            keys[-1] = None

    for values, event in enumerate(events):
        kind = type(event).__name__
        if values > MOST_VALUES:
            raise YamlError(f"more than {MOST_VALUES} values", event.start_mark.line + 1)
        if kind == "ScalarEvent":
            start, end = event.start_mark.index + shift, event.end_mark.index + shift
            if event.anchor or event.tag:
                start = _after_properties(text, start, end)
            tag = str(event.tag) if event.tag else None
            scalar = ScalarNode(start, end, event.value, event.style or "", tag, event.anchor)
            if event.anchor:
                anchors[event.anchor] = scalar
            place(scalar)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            if len(stack) >= DEEPEST:
                raise YamlError(_TOO_DEEP, event.start_mark.line + 1)
            start = event.start_mark.index + shift
            if event.anchor or event.tag:
                start = _after_properties(text, start, len(text))
            make = MappingNode if kind == "MappingStartEvent" else SequenceNode
            tag = str(event.tag) if event.tag else None
            collection = make(start, start, bool(event.flow_style), tag, event.anchor)
            if event.anchor:
                anchors[event.anchor] = collection
            place(collection)
            stack.append(collection)
            keys.append(None)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            stack.pop().end = event.end_mark.index + shift
            keys.pop()
        elif kind == "AliasEvent":
            target = anchors.get(event.anchor)
            if target is None:
                raise YamlError(f"alias *{event.anchor} has no anchor before it", event.start_mark.line + 1)
            place(AliasNode(event.start_mark.index + shift, event.end_mark.index + shift, event.anchor, target))
        elif kind == "DocumentStartEvent":
            root = None
            anchors.clear()
        elif kind == "DocumentEndEvent":
            documents.append(root)
    return tuple(documents)


_PROPERTIES = lazy_pattern(r"(?:[&!]\S*(?:\s+|\s+#[^\r\n]*|$))+")


def _after_properties(text: str, start: int, end: int) -> int:
    """Where the value begins: an event's start mark lies before `&anchor` and `!tag`."""
    matched = _PROPERTIES.match(text, start, end)
    return matched.end() if matched else start
