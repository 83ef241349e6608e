"""Files split into documents as kubectl splits them, each read on its own so that a broken one hides no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from gitops_ci import yamltext
from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.manifests import go_yaml
from gitops_ci.validation.manifests.go_yaml_syntax import first_document, refuse_what_go_refuses
from gitops_ci.validation.manifests.unknown_values import UnknownValues, without_sops
from gitops_ci.validation.violation import Path, Violation, keys_of

__all__ = ["Document", "Piece", "split"]

_SEPARATOR = lazy_pattern(r"^---(?:[ \t]*(?:#[^\n]*)?\r?$|(?=[ \t]))", re.MULTILINE)
_BLANK = lazy_pattern(r"(?:[ \t]*(?:#[^\n]*|\r?)(?:\n|\Z))*")
_NOTHING_MORE = lazy_pattern(r"(?:(?:\.\.\.)?[ \t]*(?:#[^\n]*|\r?)(?:\n|\Z))*")
_DIRECTIVES = lazy_pattern(r"(?:(?:[ \t]*#|%)[^\n]*\n|[ \t\r]*\n)*")
_NEXT_OBJECT = lazy_pattern(r"\}\s*\{")
_SPACE = lazy_pattern(r"\s*")


class Piece:
    """One document's text; `line` is the number of lines before it in its file."""

    def __init__(self, text: str, line: int) -> None:
        self.text = text
        self.line = line

    @cached_property
    def file(self) -> yamltext.YamlFile:
        """The nodes. Raises YamlError."""
        return first_document(self.text)

    @property
    def root(self) -> yamltext.Node | None:
        return self.file.documents[0] if self.file.documents else None

    def load(self) -> go_yaml.Loaded:
        """The value as Kubernetes reads it. Raises YamlError, GoYamlError."""
        refuse_what_go_refuses(self.text, self.root)
        return go_yaml.load(self.root)

    def unread(self) -> int | None:
        """The line in the whole file of what follows the end of the document: no reader of Kubernetes looks at it."""
        end = self.file.end
        return None if _NOTHING_MORE.fullmatch(self.text, end) else self.position(end)[0]

    def start_line(self) -> int:
        """The line in the whole file where the document's value begins."""
        return self.position(self.root.start if self.root else 0)[0]

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column in the whole file of a character of this piece."""
        line, column = self.file.position(offset)
        return line + self.line, column


def split(text: str) -> Iterator[Piece]:
    """The documents of a file that hold more than comments, in order.

    A line that starts with `---` ends a document wherever it stands, and JSON objects may follow one another
    (k8s.io/apimachinery pkg/util/yaml, YAMLReader and YAMLOrJSONDecoder).
    """
    if text[:1] == "{" and _NEXT_OBJECT.search(text) and (stream := _json_stream(text)):
        yield from stream
        return
    start, line = 0, 0
    for match in (*_separators(text), None):
        end = match.start() if match else len(text)
        body = text[start:end]
        if match and "%" in body and _DIRECTIVES.fullmatch(body):
            continue  # directives belong to the document that the line begins
        if start and body.startswith(f"\n{yamltext.BOM}"):
            body, line = body[1:], line + 1  # files that were put together: each may begin with a mark
        if not _BLANK.fullmatch(body.removeprefix(yamltext.BOM)):
            yield Piece(body, line)
        line += body.count("\n")
        # `--- {a: 1}` holds the beginning of the document itself and stays with it.
        start = match.end() if match and not text.startswith((" ", "\t"), match.end()) else end


def _json_stream(text: str) -> list[Piece]:
    """JSON objects one after another; [] where anything else stands among them."""
    scan = json.JSONDecoder().raw_decode
    pieces: list[Piece] = []
    end = line = 0
    while (match := _SPACE.match(text, end)) and (at := match.end()) < len(text):
        line += text.count("\n", end, at)
        try:
            value, end = scan(text, at)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, dict):
            return []
        # Blanks before it keep the columns right.
        pieces.append(Piece(" " * (at - text.rfind("\n", 0, at) - 1) + text[at:end], line))
        line += text.count("\n", at, end)
    return pieces


def _separators(text: str) -> Iterator[re.Match[str]]:
    """The lines that end a document. To find dashes and look there is ten times as fast as to match at every line."""
    at = 0
    while True:
        if match := _SEPARATOR.match(text, at):
            yield match
        at = text.find("\n---", at) + 1
        if at == 0:
            return


class Document:
    """One Kubernetes object: a whole document, or an item of a List, in which case `prefix` leads to it.

    `unit` names what was rendered together with it, '' for what lies in a folder as it is applied. Of a rendered object
    `origin` is the document it was made of, or `template` the (path, text) that it came from. An object that SOPS
    encrypted is without SOPS' own mapping; `unknown` are its values that nobody can know
    here. `is_assumed`: it came from a chart that nobody installs with these values. `is_kustomized`: kustomize reads it
    before anybody else does. `is_partial`: other parts of its unit could not be rendered.
    """

    __slots__ = (
        *(
            "api_version",
            "group",
            "index",
            "is_assumed",
            "is_encrypted",
            "is_kustomized",
            "is_partial",
            "kind",
            "origin",
            "path",
            "piece",
            "prefix",
            "template",
        ),
        *("unit", "unknown", "value"),
    )

    def __init__(
        self,
        path: str,
        index: str,
        piece: Piece,
        value: dict[str, Any],
        prefix: tuple[str | int, ...] = (),
    ) -> None:
        self.path = path
        self.index = index
        self.piece = piece
        self.value = without_sops(value)
        self.is_encrypted = self.value is not value
        self.is_assumed = self.is_kustomized = self.is_partial = False
        self.unknown: UnknownValues | None = None
        self.prefix = prefix
        self.unit = ""
        self.origin: Document | None = None
        self.template: tuple[str, str] | None = None
        api_version, kind = value.get("apiVersion"), value.get("kind")
        self.api_version = api_version if type(api_version) is str else ""
        self.kind = kind if type(kind) is str else ""
        self.group = self.api_version.rpartition("/")[0]

    def rendered(
        self, unit: str, *, origin: Document | None = None, template: tuple[str, str] | None = None
    ) -> Document:
        """The same object, knowing what it was made of."""
        made = Document(self.path, self.index, self.piece, self.value, self.prefix)
        made.unit, made.origin, made.template = unit, origin, template
        made.is_assumed, made.is_partial = self.is_assumed, self.is_partial
        made.is_encrypted, made.unknown = self.is_encrypted, self.unknown
        return made

    def _metadata(self, key: str) -> str:
        metadata = self.value.get("metadata")
        return _text(metadata.get(key)) if isinstance(metadata, dict) else ""

    def annotation(self, key: str) -> str:
        metadata = self.value.get("metadata")
        found = metadata.get("annotations") if isinstance(metadata, dict) else None
        return _text(found.get(key)) if isinstance(found, dict) else ""

    @property
    def name(self) -> str:
        return self._metadata("name") or self._metadata("generateName")

    @property
    def full_name(self) -> str:
        """The name, '' where the server makes one."""
        return self._metadata("name")

    @property
    def namespace(self) -> str:
        return self._metadata("namespace")

    @property
    def resource(self) -> str:
        """`Kind/name`, as reports show it."""
        return f"{self.kind}/{self.name}" if self.name else self.kind

    def place(self, problem: Violation) -> tuple[str, int, int]:
        """Path, line and column in the files that people edit."""
        if self.origin is not None:
            return self.origin.path, *self.origin.locate(problem)
        if self.template is not None:
            return self.template[0], *_search(self.template[1], keys_of(problem.path))
        return (self.path, 1, 1) if self.unit else (self.path, *self.locate(problem))

    def locate(self, problem: Violation) -> tuple[int, int]:
        """Line and column of what a problem is about; what is not there lies at its parent."""
        if problem.offset is not None:
            return self.piece.position(problem.offset)
        offset = _offset(self.piece.root, (*self.prefix, *keys_of(problem.path)), at_key=problem.at == "key")
        return self.piece.position(offset)

    def scalar(self, path: Path) -> yamltext.ScalarNode | None:
        """The scalar as written, None for anything else."""
        node: yamltext.Node | None = self.piece.root
        for key in (*self.prefix, *keys_of(path)):
            found = _step(node, key)
            if found is None:
                return None
            node = found[1]
        return node if isinstance(node, yamltext.ScalarNode) else None


def _search(text: str, keys: tuple[str | int, ...]) -> tuple[int, int]:
    """The likely place of a field in a template: its last key that the text contains, else the top."""
    for key in reversed(keys):
        matched = re.search(rf"^[ \t-]*{re.escape(str(key))}:", text, re.MULTILINE) if isinstance(key, str) else None
        if matched:
            line = text.count("\n", 0, matched.end()) + 1
            return line, matched.end() - len(str(key)) - (text.rfind("\n", 0, matched.end()) + 1)
    return 1, 1


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _offset(root: yamltext.Node | None, keys: tuple[str | int, ...], *, at_key: bool) -> int:
    node = root
    start = key_start = root.start if root is not None else 0
    for key in keys:
        found = _step(node, key)
        if found is None:
            return key_start
        key_node, node = found
        start = node.start
        key_start = key_node.start if key_node is not None else node.start
    empty = isinstance(node, yamltext.ScalarNode) and node.start == node.end
    return key_start if at_key or empty else start


def _step(node: yamltext.Node | None, key: str | int) -> tuple[yamltext.Node | None, yamltext.Node] | None:
    """The (key node, value node) of one member; a merged-in pair counts, the last of duplicates wins."""
    target = node.target if isinstance(node, yamltext.AliasNode) else node
    if isinstance(target, yamltext.SequenceNode):
        inside = isinstance(key, int) and key < len(target.items)
        return (None, target.items[key]) if inside and isinstance(key, int) else None
    if not isinstance(target, yamltext.MappingNode):
        return None
    found = None
    for name, item in target.pairs:
        if isinstance(name, yamltext.ScalarNode) and name.value == "<<" and not name.style:
            merged = item.target if isinstance(item, yamltext.AliasNode) else item
            parts = merged.items if isinstance(merged, yamltext.SequenceNode) else [merged]
            found = next((hit for part in parts if (hit := _step(part, key))), found)
        elif go_yaml.key_text(name) == key:
            found = name, item
    return found
