"""YAML documents as plain values, with the line that each begins in. A file is parsed once for all units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.fast_yaml.ambiguity import AMBIGUOUS, classify
from gitops_ci.fast_yaml.reader import load_fast
from gitops_ci.lazy import lazy_pattern
from gitops_ci.yamltext import LARGEST, AliasNode, MappingNode, Node, ScalarNode, YamlError, deepest_flow, read

__all__ = ["Document", "dig", "is_encrypted", "items", "load", "load_any", "text_of"]

_MOST_NODES = 500_000  # aliases can repeat a value: beyond this a text is hostile
# A document begins at a line of three dashes. What else may end one, a mark, or a lone return, is read exactly.
_SEPARATOR = lazy_pattern(r"^---[ \t]*$", re.MULTILINE)
_ODD_SEPARATOR = lazy_pattern(r"^(?:---(?![ \t]*$)|\.\.\.|%)|\ufeff|\r", re.MULTILINE)
_CONTENT = lazy_pattern(r"^[ \t]*[^\s#]", re.MULTILINE)
# Together no more than the levels that the exact reader takes.
_DEEP = lazy_pattern(r"^[ \t?-]{100}", re.MULTILINE)
_DEEPEST_FLOW = 100
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"), False),
}


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file, or of a unit's output; `path` and `line` say where it is written."""

    path: str
    line: int
    value: dict[str, Any]

    @property
    def kind(self) -> str:
        return text_of(self.value.get("kind"))

    @property
    def group(self) -> str:
        return text_of(self.value.get("apiVersion")).rpartition("/")[0]

    @property
    def name(self) -> str:
        return text_of(dig(self.value, "metadata", "name"))

    @property
    def namespace(self) -> str:
        return text_of(dig(self.value, "metadata", "namespace"))


def is_encrypted(one: Document) -> bool:
    """Whether SOPS encrypted an object."""
    return isinstance(mark := one.value.get("sops"), dict) and ("mac" in mark or "lastmodified" in mark)


def load(path: str, text: str) -> tuple[Document, ...]:
    """The mappings of a text; the items of a List are objects of their own.

    Raises:
        YamlError: the text is not YAML, or too large.
    """
    if len(text) > LARGEST or _ODD_SEPARATOR.search(text):
        return _load_exactly(path, text)
    found: list[Document] = []
    before = 0
    try:
        for piece in _SEPARATOR.split(text):
            found += _load_piece(path, piece, before)
            before += piece.count("\n")
    except YamlError:
        return _load_exactly(path, text)
    return tuple(found)


def _load_piece(path: str, text: str, before: int) -> Iterable[Document]:
    """The objects of one document, which has so many lines before it."""
    begun = _CONTENT.search(text)
    if begun is None:
        return ()
    value = _fast_value(text)
    if value is None:
        return [Document(path, before + one.line, one.value) for one in _load_exactly(path, text)]
    line = before + text.count("\n", 0, begun.start()) + 1
    return [Document(path, line, one) for one in _objects(value)]


def _fast_value(text: str) -> dict[Any, Any] | None:
    """The value of a mapping, at a quarter of the time; None where the fast reader may read something otherwise."""
    if _DEEP.search(text) or deepest_flow(text) > _DEEPEST_FLOW:
        return None
    try:
        value = load_fast(text)
        return None if value is None or classify(value) == AMBIGUOUS else value
    except RecursionError:
        return None


def _load_exactly(path: str, text: str) -> tuple[Document, ...]:
    file = read(text)
    found: list[Document] = []
    budget = [_MOST_NODES]
    for root in file.documents:
        if isinstance(root, MappingNode):
            value = _value(root, budget)
            line = file.position(root.start)[0]
            found += [Document(path, line, one) for one in _objects(value)]
    return tuple(found)


def _objects(value: dict[str, Any]) -> list[dict[str, Any]]:
    inside = value.get("items")
    if text_of(value.get("kind")).endswith("List") and isinstance(inside, list):
        return [one for one in inside if isinstance(one, dict)]
    return [value]


def _value(node: Node, budget: list[int]) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise YamlError(f"more than {_MOST_NODES} values once its aliases are followed", 1)
    if isinstance(node, AliasNode):
        return _value(node.target, budget)
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, MappingNode):
        return _mapping(node, budget)
    return [_value(item, budget) for item in node.items]


def _mapping(node: MappingNode, budget: list[int]) -> dict[str, Any]:
    own: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.pairs:
        name = key.target if isinstance(key, AliasNode) else key
        if not isinstance(name, ScalarNode):
            continue
        if name.value == "<<" and not name.style:
            inside = _value(value, budget)
            for one in inside if isinstance(inside, list) else [inside]:
                if isinstance(one, dict):
                    merged = {**one, **merged}
        else:
            own[name.value] = _value(value, budget)
    return {**merged, **own}


def _scalar(node: ScalarNode) -> Any:
    """As go-yaml reads it, which reads YAML 1.1; a date is a text, as it is in JSON."""
    text = node.value
    if node.style or (node.tag and node.tag.endswith(("str", "!"))):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return text


def _integer(text: str) -> int | str:
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text.lstrip("+"))
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xbo"
    try:
        return int(sign + (f"0o{digits[1:]}" if octal else digits), 0)
    except ValueError:
        return text


def dig(value: Any, *keys: str) -> Any:
    """The value below keys, None where there is none."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def items(value: Any, *keys: str) -> list[Any]:
    """The list below keys, an empty one where there is none."""
    found = dig(value, *keys)
    return found if isinstance(found, list) else []


def text_of(value: Any) -> str:
    """A scalar as a text field of Kubernetes takes it, '' for what is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def load_any(text: str) -> Any:
    """The value of the first document, whatever it is.

    Raises:
        YamlError: the text is not YAML, or too large.
    """
    roots = read(text).documents
    return _value(roots[0], [_MOST_NODES]) if roots and roots[0] is not None else None
