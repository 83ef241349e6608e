"""JSON and YAML inside of a text, such as a ConfigMap's `config.json`, compared by value.

A key that ends in `.json`, `.yaml` or `.yml` says what its text is. Elsewhere a text that begins with a brace or a
bracket may be JSON. What is not read without doubt is compared by its lines: tags, aliases, templates, keys twice.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from gitops_ci.comparing.differences import differences
from gitops_ci.model.rendered import PathChange
from gitops_ci.yaml_view import WrittenNumber
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode, YamlError, read

__all__ = ["changes_inside"]

_LONGEST = {"json": 4 << 20, "yaml": 256 << 10}  # characters: longer texts are compared by their lines
_KEY = re.compile(r"\.(?P<form>json|ya?ml)\]?$", re.IGNORECASE)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"[-+]?\.?[0-9].*")


class _Unclear(ValueError):
    """A text that another reader may read as something else."""


def changes_inside(path: str, old: Any, new: Any) -> tuple[PathChange, ...] | None:
    """What differs in two texts at a path; None where they are not both JSON, or not both YAML."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return None
    form = _form(path, old, new)
    if form is None or max(len(old), len(new)) > _LONGEST[form]:
        return None
    return _changes(form, old, new)


@lru_cache(maxsize=64)  # many objects may hold the same text
def _changes(form: str, old: str, new: str) -> tuple[PathChange, ...] | None:
    load = _json if form == "json" else _yaml
    try:
        before, after = load(old), load(new)
    except (ValueError, RecursionError):
        return None
    is_structure = type(before) is type(after) and isinstance(before, (dict, list))
    return tuple(differences(before, after)) if is_structure else None


def _form(path: str, old: str, new: str) -> str | None:
    if found := _KEY.search(path):
        return "json" if found["form"].lower() == "json" else "yaml"
    return "json" if all(text.lstrip()[:1] in {"{", "["} for text in (old, new)) else None


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique, parse_float=WrittenNumber, parse_constant=_refuse)


def _refuse(text: str) -> Any:
    raise _Unclear(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unclear("a key is there twice")
    return found


def _yaml(text: str) -> Any:
    """The value of the one document, or a list of all."""
    try:
        roots = read(text, second_opinion=False).documents
    except YamlError as error:
        raise _Unclear(error.reason) from error
    values = [_value(root) for root in roots if root is not None]
    return values[0] if len(values) == 1 else values


def _value(node: Node) -> Any:
    if isinstance(node, ScalarNode) and not node.tag:
        return node.value if node.style else _plain(node.value)
    if isinstance(node, SequenceNode) and not node.tag:
        return [_value(one) for one in node.items]
    if isinstance(node, MappingNode) and not node.tag:
        return _unique([(_key(name), _value(value)) for name, value in node.pairs])
    raise _Unclear("a tag or an alias")


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode) or node.tag or node.value == "<<":
        raise _Unclear("a key that is not text")
    return node.value


def _plain(text: str) -> Any:
    """A scalar without quotes. Numbers but plain integers stay as they are written: 1.10 is no 1.1 to everybody."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return WrittenNumber(text) if _NUMBER.fullmatch(text) else text
