"""YAML nodes read as Kubernetes reads them: the values that sigs.k8s.io/yaml (go-yaml v2, YAML 1.1) makes of a text.

Source: sigs.k8s.io/yaml goyaml.v2 resolve.go and decode.go, and yaml.go for what becomes of keys and numbers in JSON.
Where they differ from YAML 1.2: `yes`, `on`, `y` and their kin are booleans, `0755` is octal, `1_000` a number, `1:20`
and dates stay strings, `<<` merges at the place where it stands.
"""

from __future__ import annotations

import math
import re
import struct
from decimal import Decimal
from typing import Any

from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.go.base64 import is_base64
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, SequenceNode

__all__ = ["WORDS", "GoYamlError", "Loaded", "key_text", "load", "scalar_value"]

WORDS: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_FLOAT = lazy_pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DOT_FLOAT = lazy_pattern(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_INTEGER = lazy_pattern(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_SURROGATE = lazy_pattern("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"
_KINDS: dict[str, type] = {"bool": bool, "int": int, "float": float, "null": type(None), "timestamp": str}
_RESOLVABLE = frozenset(f"{_TAG}{name}" for name in _KINDS)
_TIMESTAMP = lazy_pattern(r"\d{4}-\d\d?-\d\d?(?:[Tt ]\d\d?:\d\d?:\d\d?(?:\.\d*)?(?:Z|[+-]\d\d:\d\d)?)?")


class GoYamlError(ValueError):
    """A document that Kubernetes cannot read although it is YAML; `offset` is where."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class Loaded:
    """A value made of dict, list, str, int, float, bool and None; `duplicates` are (key, offset) of keys set twice.

    `overriding` are the offsets of those where kustomize (kyaml) and sigs.k8s.io/yaml take one value, and only a strict
    reader refuses them: a key below `<<`, and the maps of one `<<`. Where `<<` comes after the key, kubectl and Argo CD
    take the merged value and kustomize the key's.
    """

    __slots__ = ("duplicates", "has_null", "overriding", "value")

    def __init__(self, value: Any = None, *, has_null: bool = False) -> None:
        self.value = value
        self.duplicates: list[tuple[str, int]] = []
        self.overriding: set[int] = set()
        self.has_null = has_null


def load(root: Node | None) -> Loaded:
    """The value of a document.

    Raises:
        GoYamlError: null or a collection as a key, a number that JSON does not have, an anchor inside itself, or an
            alias bomb.
    """
    loaded = Loaded()
    loaded.value = _Reader(loaded).read(root) if root is not None else None
    return loaded


class _Reader:
    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._done: dict[int, tuple[Any, int]] = {}
        self._open: set[int] = set()
        self._nodes = 1
        self._aliased = 0

    def read(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            self._nodes += 1
            value = scalar_value(node)
            if value is None:
                self._loaded.has_null = True
            return value
        if isinstance(node, AliasNode):
            return self._alias(node)
        if not node.anchor:
            return self._collection(node)
        self._open.add(id(node))
        before = self._nodes
        value = self._collection(node)
        self._open.discard(id(node))
        self._done[id(node)] = value, self._nodes - before
        return value

    def _alias(self, node: AliasNode) -> Any:
        if id(node.target) in self._open:
            raise GoYamlError(f"anchor '{node.name}' contains itself", node.start)
        if isinstance(node.target, ScalarNode):
            value, size = self.read(node.target), 0
            self._aliased += 1
        else:
            value, size = self._done[id(node.target)]
        self._nodes += size + 1
        self._aliased += size
        if _is_bomb(self._nodes, self._aliased):
            raise GoYamlError("excessive aliasing: nearly all of its values come from aliases", node.start)
        return value

    def _collection(self, node: MappingNode | SequenceNode) -> Any:
        self._nodes += 1
        if isinstance(node, SequenceNode):
            return [self.read(item) for item in node.items]
        made: dict[str, Any] = {}
        self._fill(made, node)
        return made

    def _fill(self, made: dict[str, Any], node: MappingNode) -> None:
        merged: set[str] = set()
        # To go-yaml `1` and `"1"` are two keys; in JSON they are one, and either may win.
        others: dict[str, set[type]] = {}
        for key, item in node.pairs:
            if _is_merge(key):
                self._merge(made, item, merged)
                continue
            self._nodes += 1
            name, kind = _key(key)
            if name in merged:
                merged.discard(name)
                del made[name]
                if kind is str:
                    self._override(name, key.start)
            elif name in made and (kind in others[name] if name in others else kind is str):
                self._loaded.duplicates.append((name, key.start))
            if kind is not str or name in others:
                others.setdefault(name, {str} if name in made else set()).add(kind)
            made[name] = self.read(item)

    def _merge(self, made: dict[str, Any], item: Node, merged: set[str]) -> None:
        # The first map of a list wins, so the last one is written first.
        found: dict[str, Any] = {}
        parts = item.items if isinstance(item, SequenceNode) else [item]
        for part in reversed(parts):
            if not isinstance(part.target if isinstance(part, AliasNode) else part, MappingNode):
                raise GoYamlError("map merge requires map or sequence of maps as the value", item.start)
            own = self.read(part)
            for name in sorted(own.keys() & found.keys()):
                self._override(name, part.start)
            found.update(own)
        self._loaded.duplicates += ((name, item.start) for name in found if name in made)
        merged.update(found.keys() - made.keys())
        made.update(found)

    def _override(self, name: str, offset: int) -> None:
        self._loaded.duplicates.append((name, offset))
        self._loaded.overriding.add(offset)


def _is_bomb(nodes: int, aliased: int) -> bool:
    """Whether go-yaml calls it excessive aliasing (decode.go, allowedAliasRatio)."""
    if aliased <= 100 or nodes <= 1000:
        return False
    return aliased / nodes > max(0.10, 0.99 - 0.89 * max(0, nodes - 400_000) / 3_600_000)


def _is_merge(key: Node) -> bool:
    if not isinstance(key, ScalarNode) or key.value != "<<":
        return False
    return not key.style if key.tag is None else key.tag in {"!", f"{_TAG}merge"}


def key_text(key: Node) -> str:
    """A mapping's key as the JSON document has it: `on` is `true`, `1` is `1`.

    Raises:
        GoYamlError: null, a list or a mapping.
    """
    return _key(key)[0]


def _key(key: Node) -> tuple[str, type]:
    """A key's text, and the type that it was."""
    target = key.target if isinstance(key, AliasNode) else key
    if not isinstance(target, ScalarNode):
        looks_like_template = isinstance(target, MappingNode) and target.flow
        hint = " (a template's {{ }} that was not rendered?)" if looks_like_template else ""
        raise GoYamlError(f"a {type(target).__name__.lower()} cannot be a key{hint}", key.start)
    value = _decoded(target)
    kind = type(value)
    if kind is str:
        return value, str
    if value is None:
        raise GoYamlError("null cannot be a key", key.start)
    if kind is bool:
        return "true" if value else "false", bool
    if kind is float:
        return _float_text(value), float
    if value >= 1 << 63:
        raise GoYamlError(f"{value} is too large a number for a key", key.start)
    return repr(value), int


def _float_text(value: float) -> str:
    """A float as a key: the fewest digits that single precision needs (yaml.go, FormatFloat 'g' of 32 bits)."""
    single = _single(value)
    if not math.isfinite(single):
        return ".nan" if math.isnan(single) else ".inf" if single > 0 else "-.inf"
    text = next(text for digits in range(9) if _single(float(text := f"{single:.{digits}e}")) == single)
    return text if not -4 <= int(text.partition("e")[2]) < 6 else f"{Decimal(text):f}"


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def scalar_value(node: ScalarNode) -> Any:
    """A scalar's value.

    Raises:
        GoYamlError: infinity, not-a-number, or a value that is not what its tag says.
    """
    value = _decoded(node)
    return _json_number(value, node) if isinstance(value, float) else value


def _decoded(node: ScalarNode) -> Any:
    tag = node.tag
    text = node.value
    if node.style == '"' and not text.isascii() and _SURROGATE.search(text):
        raise GoYamlError("invalid Unicode character escape code", node.start)
    if tag is None:
        return text if node.style else _resolve(text)
    if tag == f"{_TAG}binary":
        return _binary(node)
    return _tagged(node, tag) if tag in _RESOLVABLE else text


def _resolve(text: str) -> Any:
    """A plain scalar's value; floats unrounded."""
    first = text[:1]
    if text in WORDS:
        return WORDS[text]
    if first == ".":
        return _float(text) if _DOT_FLOAT.fullmatch(text) else text
    if first not in "+-0123456789" or not first:
        return text
    plain = text.replace("_", "")
    if matched := _INTEGER.fullmatch(plain):
        number = _integer(matched)
        if number is not None:
            return number
    if _FLOAT.fullmatch(plain):
        made = _float(plain)
        return text if isinstance(made, str) else made
    return text


def _integer(matched: re.Match[str]) -> int | None:
    for group, base in (("hex", 16), ("bin", 2), ("oct", 8), ("dec", 10)):
        if (digits := matched[group]) is not None:
            if len(digits) > 64:
                return None
            number = int(digits, base)
            if matched["sign"] == "-":
                return -number if number <= 1 << 63 else None
            return number if number < 1 << (63 if matched["sign"] else 64) else None
    return None


def _float(text: str) -> float | str:
    number = float(text)
    # strconv.ParseFloat calls 1E400 out of range, and the resolver then leaves it a string.
    return text if math.isinf(number) else number


def _tagged(node: ScalarNode, tag: str) -> Any:
    value = _resolve(node.value)
    name = tag.removeprefix(_TAG)
    kind = type(value)
    if name == "float" and kind is int and value < 1 << 63:
        return float(value)
    if _KINDS[name] is not kind or (name == "timestamp" and not _TIMESTAMP.fullmatch(value)):
        raise GoYamlError(f"cannot decode '{node.value}' as a !!{name}", node.start)
    return value


def _binary(node: ScalarNode) -> str:
    if not is_base64(node.value):
        raise GoYamlError("!!binary value contains invalid base64 data", node.start)
    import base64

    return base64.b64decode(node.value).decode("utf-8", "replace")


def _json_number(value: float, node: ScalarNode) -> int | float:
    if not math.isfinite(value):
        raise GoYamlError(f"'{node.value}' is a number that JSON does not have", node.start)
    # encoding/json writes whole numbers below 1e21 without an exponent, and they read back as integers.
    return int(Decimal(repr(value))) if value.is_integer() and abs(value) < 1e21 else value
