"""Values that are secret: read from the object, hidden before anything is compared, shown or written.

Whether an object is a Secret is decided from the object itself (argoproj/argo-cd#29089). Hidden are `data` and
`stringData` in whatever spelling (databus23/helm-diff#425), and the copy that kubectl keeps in an annotation (#390).
Neither a length nor a hash is shown: short values can be guessed from both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from gitops_ci.quantities import whole_number

__all__ = ["FOLDED", "Hidden", "hide", "hide_at", "without_hidden"]

_DATA = frozenset({"data", "stringdata"})
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SOPS = re.compile(r"ENC\[AES256_GCM,")
_CHECKSUM = re.compile(r"(?=.*secret)(?=.*(?:checksum|hash)).*", re.IGNORECASE)
# What is hidden and is noise where it changes: another text with each run, or a hash of a secret's values.
FOLDED = frozenset({"encrypted", "checksum", "hash"})


class Hidden:
    """A value that can be compared and not be shown. `word` says what it is."""

    __slots__ = ("_value", "word")

    def __init__(self, value: Any, word: str = "secret") -> None:
        self._value = value
        self.word = word

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and bool(other._value == self._value)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a hidden value is not written anywhere")


def hide(
    value: Mapping[str, Any], hashed: Collection[str] = (), masks: Collection[re.Pattern[str]] = ()
) -> dict[str, Any]:
    """An object with its secret values hidden.

    `hashed` are names of Secrets that end in a hash of their values, `masks` match `Kind.path.of.value` of others.
    """
    shown = dict(value)
    if _is_secret(value):
        for key in value:
            if key.casefold() in _DATA:
                shown[key] = _hidden_entries(value[key])
    shown = {key: _without_ciphers(one) for key, one in shown.items()}
    if hashed:
        shown = {key: _without_hashes(one, frozenset(hashed)) for key, one in shown.items()}
    _hide_applied(shown)
    if masks:
        kind = str(value.get("kind", ""))
        shown = {key: _masked(one, f"{kind}.{key}", masks) for key, one in shown.items()}
    return shown


def _is_secret(value: Mapping[str, Any]) -> bool:
    return str(value.get("kind", "")).casefold() == "secret"


def _hidden_entries(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: Hidden(one) for key, one in value.items()}
    return None if value is None else Hidden(value)


def _without_ciphers(value: Any) -> Any:
    """Whatever SOPS or Sealed Secrets wrote is another text with each run: it is not a value to read."""
    if isinstance(value, str):
        return Hidden(value, "encrypted") if _SOPS.match(value) else value
    if isinstance(value, dict):
        if isinstance(sealed := value.get("encryptedData"), dict):
            value = {**value, "encryptedData": {key: Hidden(one, "encrypted") for key, one in sealed.items()}}
        return {
            key: Hidden(one, "checksum")
            if isinstance(one, str) and _CHECKSUM.fullmatch(str(key))
            else _without_ciphers(one)
            for key, one in value.items()
        }
    return [_without_ciphers(one) for one in value] if isinstance(value, list) else value


def _without_hashes(value: Any, hashed: frozenset[str]) -> Any:
    if isinstance(value, str):
        return Hidden(value, "hash") if value in hashed else value
    if isinstance(value, dict):
        return {key: _without_hashes(one, hashed) for key, one in value.items()}
    return [_without_hashes(one, hashed) for one in value] if isinstance(value, list) else value


def _hide_applied(shown: dict[str, Any]) -> None:
    metadata = shown.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(metadata, dict) and isinstance(annotations, dict) and _APPLIED in annotations:
        hidden = {**annotations, _APPLIED: Hidden(annotations[_APPLIED])}
        shown["metadata"] = {**metadata, "annotations": hidden}


def _masked(value: Any, path: str, masks: Collection[re.Pattern[str]]) -> Any:
    if any(mask.fullmatch(path) for mask in masks):
        return value if isinstance(value, Hidden) else Hidden(value)
    if isinstance(value, dict):
        return {key: _masked(one, f"{path}.{key}", masks) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, f"{path}[{number}]", masks) for number, one in enumerate(value)]
    return value


def hide_at(value: Any, pointers: Iterable[str | None], word: str) -> Any:
    """A value with those that JSON pointers name hidden."""
    for told in pointers:
        if told is not None:
            parts = [part.replace("~1", "/").replace("~0", "~") for part in told.split("/")[1:]]
            value = _hidden_below(value, parts, word)
    return value


def _hidden_below(value: Any, parts: Sequence[str], word: str) -> Any:
    if not parts:
        return value if isinstance(value, Hidden) else Hidden(value, word)
    if isinstance(value, dict) and parts[0] in value:
        return {**value, parts[0]: _hidden_below(value[parts[0]], parts[1:], word)}
    at = whole_number(parts[0])
    if isinstance(value, list) and at is not None and at < len(value):
        return [*value[:at], _hidden_below(value[at], parts[1:], word), *value[at + 1 :]]
    return value


def without_hidden(before: Any, after: Any) -> tuple[Any, Any]:
    """Both sides with words in the place of what is hidden. That a hidden value changed shows; nothing else does."""
    if isinstance(before, Hidden) and isinstance(after, Hidden):
        return f"({before.word})", f"({after.word})" if before == after else f"({after.word}, changed)"
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = {key: without_hidden(one, after.get(key)) for key, one in before.items()}
        new = {key: pairs[key][1] if key in pairs else _worded(one) for key, one in after.items()}
        return {key: pair[0] for key, pair in pairs.items()}, new
    if isinstance(before, list) and isinstance(after, list):
        rows = [without_hidden(old, new) for old, new in zip(before, after, strict=False)]
        rest = len(rows)
        return (
            [*(row[0] for row in rows), *map(_worded, before[rest:])],
            [*(row[1] for row in rows), *map(_worded, after[rest:])],
        )
    return _worded(before), _worded(after)


def _worded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _worded(one) for key, one in value.items()}
    if isinstance(value, list):
        return list(map(_worded, value))
    return f"({value.word})" if isinstance(value, Hidden) else value
