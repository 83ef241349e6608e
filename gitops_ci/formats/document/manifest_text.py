"""One text that formats look into: parsed once for all of them, with aliases resolved and YAML inside strings opened.

Offsets of nodes count in the source's own text; the spans of fields always count in the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from gitops_ci import charmap, yamltext
from gitops_ci.dataclass import dataclass
from gitops_ci.known_files import KPTFILE, KUSTOMIZATIONS
from gitops_ci.model import Anchor, Field, Role, Span, Spelling
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, YamlError, YamlFile

__all__ = ["Entry", "ManifestText"]

_NEWLINE = re.compile(r"\r\n|\n|\r")
# What a reader of merge keys writes out: a few lines can ask for millions.
_MOST_MERGED = 100_000


# Names of templates end so: helmfile, Ansible, Chezmoi. What is left is the name of what they make.
_TEMPLATE_SUFFIX = re.compile(r"\.(?:gotmpl|tmpl|tplt|j2|jinja2?)\Z")
# This one is JSON with comments, which is not YAML (containers.dev).
_YAML_FILES = frozenset({*KUSTOMIZATIONS, KPTFILE})
_JSON_WITH_COMMENTS = "devcontainer.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A pair of a mapping; `alias` is what led to the value when it is written elsewhere."""

    key: ScalarNode
    value: ScalarNode | MappingNode | SequenceNode
    alias: AliasNode | None = None


class ManifestText:
    """A file, or the text of a string inside one (`within` and `scalar` say which).

    `mentions` tells cheaply whether a string is worth a look: it holds the name of a wanted image.
    """

    def __init__(self, path: str, text: str, mentions: Callable[[str], bool] = lambda _: True) -> None:
        self.path = path
        self.text = text
        self.mentions = mentions
        self.within: ManifestText | None = None
        self.scalar: ScalarNode | None = None
        self._places: Sequence[int] = ()
        self.merged = 0
        self._entries: dict[int, dict[str, Entry]] = {}
        self._inside: dict[int, ManifestText | None] = {}

    @property
    def is_yaml(self) -> bool:
        """Whether the file's name promises YAML (or JSON, which is YAML)."""
        path = _TEMPLATE_SUFFIX.sub("", self.path)
        if path.endswith(_JSON_WITH_COMMENTS):
            return False
        if path.endswith((".yaml", ".yml", ".json")) or path.rpartition("/")[2] in _YAML_FILES:
            return True
        return self.path.endswith(".gotmpl")

    @property
    def is_template(self) -> bool:
        """Whether this is a template that no parser reads, as far as its name or its text tells."""
        if not self.is_yaml:
            return self.path.endswith(".tpl")
        return isinstance(self._result, YamlError) and ("{{" in self.text or "{%" in self.text)

    def inside(self, scalar: ScalarNode) -> ManifestText | None:
        """The text of a string as a source; None when its characters do not line up with its value."""
        if id(scalar) not in self._inside:
            places = charmap.offsets(self.text, scalar)
            child = None
            if places:
                child = ManifestText(self.path, scalar.value, self.mentions)
                child.within, child.scalar, child._places = self, scalar, places
            self._inside[id(scalar)] = child
        return self._inside[id(scalar)]

    # ------------------------------------------------------------------------------------------------ reading

    @cached_property
    def _result(self) -> YamlFile | YamlError:
        try:
            # A file may hold thousands of strings that look like YAML and are none.
            return yamltext.read(self.text, second_opinion=self.within is None)
        except YamlError as error:
            # A new one: the frames that an exception holds are a hundred times its size.
            return YamlError(error.reason, error.line, error.column)

    @property
    def yaml(self) -> YamlFile:
        """The parsed text.

        Raises:
            YamlError: it is not YAML; the reading is done once, the answer stays.
        """
        if isinstance(self._result, YamlError):
            raise self._result
        return self._result

    @property
    def documents(self) -> Sequence[Node | None]:
        """The roots of the documents; none where the file is not YAML."""
        return () if not self.is_yaml or isinstance(self._result, YamlError) else self._result.documents

    def entries(self, mapping: MappingNode) -> dict[str, Entry]:
        """The pairs by key, aliases followed and merge keys (`<<`) applied; the last of equal keys wins.

        Source of the merge rule: yaml.org/type/merge.html: own keys win, then the earlier of several merges.

        Raises:
            YamlError: merge keys repeat more than any file would.
        """
        known = self._entries.get(id(mapping))
        if known is not None:
            return known
        # Known before it is complete: an anchor that contains itself ends here.
        found = self._entries[id(mapping)] = {}
        merges: list[Node] = []
        for key, value in mapping.pairs:
            if not isinstance(key, ScalarNode):
                continue
            if key.value == "<<" and not key.style:
                merges += value.items if isinstance(value, SequenceNode) else [value]
            elif isinstance(value, AliasNode):
                found[key.value] = Entry(key, value.target, value)
            else:
                found[key.value] = Entry(key, value)
        for merge in merges:
            alias = merge if isinstance(merge, AliasNode) else None
            target = alias.target if alias else merge
            if isinstance(target, MappingNode):
                merged = self.entries(target)
                self.root.merged += len(merged)
                if self.root.merged > _MOST_MERGED:
                    raise YamlError(f"merge keys repeat more than {_MOST_MERGED} values", self.line(mapping.start))
                for name, entry in merged.items():
                    if name not in found:
                        found[name] = Entry(entry.key, entry.value, entry.alias or alias)
        return found

    # ----------------------------------------------------------------------------------------------- positions

    def span(self, start: int, end: int) -> Span:
        """Characters of this text as characters of the file."""
        first = self.outwards(start)
        last = first if start == end else self.outwards(end)
        return self.root.lines.span_of(first, last)

    def line(self, offset: int) -> int:
        """The line of the file that a character of this text is on."""
        return self.root.lines.position(self.outwards(offset))[0]

    @cached_property
    def lines(self) -> YamlFile:
        """What knows positions, even where the text cannot be parsed."""
        return self._result if isinstance(self._result, YamlFile) else YamlFile(self.text, ())

    @property
    def root(self) -> ManifestText:
        """The whole file."""
        return self if self.within is None else self.within.root

    def outwards(self, offset: int) -> int:
        """Where a character of this text is in the file."""
        if self.within is None:
            return offset
        if offset < len(self._places):
            return self.within.outwards(self._places[offset])
        # Behind the last character: before the closing quote, which the last escape may keep away from its start.
        quoted = self.scalar is not None and self.scalar.style in {"'", '"'}
        return self.within.outwards(self.scalar.end - 1 if self.scalar and quoted else self._places[-1] + 1)

    # -------------------------------------------------------------------------------------------------- fields

    def field(self, role: Role, entry: Entry) -> Field | None:
        """The field of a scalar value; None for a mapping or list, or where the characters cannot be told."""
        if not isinstance(entry.value, ScalarNode):
            return None
        field = self.scalar_field(role, entry.value)
        if field is None or entry.alias is None:
            return field
        return replace(field, anchor=self._anchor(entry.value, entry.alias))

    def part_field(self, role: Role, scalar: ScalarNode, start: int, end: int) -> Field | None:
        """The field of a part of a scalar's value; None where its characters do not stand for themselves."""
        inner = self.inside(scalar)
        if inner is None:
            return None
        return Field(role, inner.span(start, end), scalar.value[start:end], inner.spelling("raw"))

    def scalar_field(self, role: Role, scalar: ScalarNode) -> Field | None:
        if scalar.style in {"|", ">"}:
            inner = self.inside(scalar)
            if inner is None:
                return None
            value = scalar.value.strip()
            start = scalar.value.index(value)
            return Field(role, inner.span(start, start + len(value)), value, inner.spelling("raw"))
        # A value that is not there (`tag:`) needs the space that has to follow a colon.
        empty = scalar.start == scalar.end and self.text[scalar.start - 1 : scalar.start] == ":"
        span = self.span(scalar.start, scalar.end)
        return Field(role, span, scalar.value, self.spelling(scalar.style), key=" " if empty else "")

    def _anchor(self, value: Node, alias: AliasNode) -> Anchor:
        return Anchor(alias.name, self.line(value.start), self._users[id(alias.target)])

    @cached_property
    def _users(self) -> dict[int, tuple[int, ...]]:
        """The lines that use what an anchor stands for, by the node's identity."""
        lines: dict[int, set[int]] = {}
        for root in self.yaml.documents:
            for node in yamltext.walk(root):
                if isinstance(node, AliasNode):
                    lines.setdefault(id(node.target), set()).add(self.line(node.start))
        return {target: tuple(sorted(found)) for target, found in lines.items()}

    @cached_property
    def scalars(self) -> list[ScalarNode]:
        """Every scalar in the order written."""
        return [node for root in self.yaml.documents for node in yamltext.walk(root) if isinstance(node, ScalarNode)]

    @cached_property
    def _scalar_starts(self) -> list[int]:
        return [node.start for node in self.scalars]

    def scalar_before(self, offset: int) -> ScalarNode | None:
        """The last scalar that begins at or before a character."""
        at = bisect_right(self._scalar_starts, offset)
        return self.scalars[at - 1] if at else None

    def is_in_value(self, offset: int) -> bool:
        """Whether a character belongs to a scalar; of a text that cannot be parsed any may."""
        if not self.is_yaml or isinstance(self._result, YamlError):
            return True
        node = self.scalar_before(offset)
        return node is not None and offset < node.end

    def spelling(self, quote: str) -> Spelling:
        outer: list[str] = []
        source = self
        while source.within is not None and source.scalar is not None:
            outer.append(source.scalar.style)
            source = source.within
        return Spelling(quote, tuple(outer))

    def newline_after(self, offset: int) -> str:
        """How a line break is written behind a character that ends a line: as there, else as on the line before.

        In a block scalar its indentation belongs to it.
        """
        text, lines, at = self.root.text, self.root.lines, self.outwards(offset)
        found = _NEWLINE.match(text, at) or _NEWLINE.match(text, max(0, lines.line_start(at) - 1))
        newline = found[0] if found else "\n"
        if found and newline == "\n" and text.startswith("\r\n", found.start() - 1):
            newline = "\r\n"
        if self.within is None:
            return newline
        start = self.outwards(0)
        return newline + " " * (start - lines.line_start(start))
