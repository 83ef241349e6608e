"""Documents read by the fast reader, wherever its reading is certainly go-yaml's.

It reads YAML 1.2 at five times the speed. What the two may read otherwise (words, numbers, tags, anchors, merge keys,
directives) is looked for, and left to the exact reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gitops_ci.schemas.goyaml import WORDS, Loaded
from gitops_ci.yamltext import MOST_VALUES, fast_value

__all__ = ["load_fast"]

# The fast reader looks back to the first bracket at each that follows: 100,000 unclosed ones would take it a minute.
_MOST_OPENED = 2_000
# What YAML 1.2 reads otherwise than go-yaml, or another reader may not do alike: tags, anchors, directives, merge keys.
_DIFFERENT = re.compile(r"[ \[{,\n](?:!|&[\w-]|<<)|^[%!&]|\?[ \n]|[\[{][^\n\"']*\?|[\x85\u2028\u2029]")
_OTHER_WORDS = frozenset(word for word, value in WORDS.items() if isinstance(value, bool) and len(word) < 4)
_OTHER_NUMBER = re.compile(r"[-+]?(?:0[0-9_bBOX]|[0-9.eE+-]*_|0[xo][0-9a-fA-F]*_)")


def load_fast(text: str) -> Loaded | None:
    """As `load`, by the fast reader; None wherever its reading may not be go-yaml's.

    It is right where the value is accepted; one that is refused is read anew, exactly.
    """
    # Each of these tests is a fraction of the pattern's time, and most documents have none of the characters.
    suspicious = "!" in text or "&" in text or "<<" in text or "?" in text or text[:1] == "%" or not text.isascii()
    if suspicious and _DIFFERENT.search(text):
        return None
    if "\\/" in text:
        return None  # an escape of JSON that go-yaml does not know
    if len(text) > MOST_VALUES or text.count("{") > _MOST_OPENED or text.count("[") > _MOST_OPENED:
        return None  # the first for what the exact reader calls too large, which is at least as many characters
    try:
        value = fast_value(text)
        if type(value) is not dict:
            return None
        nulls = _nulls(value)
    except (ValueError, TypeError, NotImplementedError, RecursionError):
        return None
    return Loaded(value, has_null=nulls)


def _nulls(value: dict[Any, Any] | list[Any]) -> bool:
    """Whether there is a null in a collection.

    This sees every value of every document, so scalars are looked at in place: a call for each would double its time.

    Raises:
        ValueError: something in it may be read otherwise by go-yaml.
    """
    found = False
    values: Iterable[Any] = value
    if type(value) is dict:
        for key in value:
            if key not in _sound_keys:
                _key_is_sound(key)
        values = value.values()
    for item in values:
        kind = type(item)
        if kind is str:
            # Strings before ":" start with a digit, a sign, a dot or other punctuation; the words all come after.
            if item < ":":
                if _OTHER_NUMBER.match(item):
                    raise ValueError(item)
            elif len(item) < 4 and item in _OTHER_WORDS:
                raise ValueError(item)
        elif kind is dict or kind is list:
            if _nulls(item):
                found = True
        elif item is None:
            found = True
        elif kind is float:
            if not abs(item) < 1 << 53:
                raise ValueError(item)
        elif kind is int and not -(1 << 63) <= item < 1 << 64:
            raise ValueError(item)
    return found


# Keys that were found sound: the same few hundred words stand in every document.
_sound_keys: set[Any] = set()
_MOST_KEYS = 4096


def _key_is_sound(key: Any) -> None:
    if type(key) is not str or key == "<<" or (len(key) < 4 and key in _OTHER_WORDS):
        raise ValueError(key)
    if key < ":" and _OTHER_NUMBER.match(key):
        raise ValueError(key)
    if len(_sound_keys) < _MOST_KEYS:
        _sound_keys.add(key)
