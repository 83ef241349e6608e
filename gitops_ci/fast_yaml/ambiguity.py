"""Whether a value of the fast reader is certainly go-yaml's: strings and numbers that the two may read otherwise.

The fast reader takes `yes`, `0755` and `1_000` for strings, where go-yaml reads a boolean and numbers. In quotes they
are strings to both, which the value does not tell: such a document is read anew, exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

__all__ = [
    "AMBIGUOUS",
    "HAS_NULL",
    "OTHER_NUMBER",
    "OTHER_WORDS",
    "UNAMBIGUOUS",
    "Answer",
    "certain_keys",
    "classify",
    "is_ambiguous",
]

# What a walk through a value answers: all is well; so it is, with a null somewhere; ask the exact reading.
Answer = Literal[0, 1, 2]
UNAMBIGUOUS: Literal[0] = 0
HAS_NULL: Literal[1] = 1
AMBIGUOUS: Literal[2] = 2

# YAML 1.2 reads `true`, `false` and null as go-yaml does.
OTHER_WORDS = frozenset(
    {*("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), *("n", "N", "no", "No", "NO", "off", "Off", "OFF")}
)
OTHER_NUMBER = re.compile(r"[-+]?(?:0[0-9_bBOX]|[0-9.eE+-]*_|0[xo][0-9a-fA-F]*_)").match
# Keys that were found certain: the same few hundred words stand in every document.
_certain_keys: set[Any] = set()
_MOST_KEYS = 4096


def is_ambiguous(value: Any) -> bool:
    """Whether a scalar may be another one to go-yaml."""
    kind = type(value)
    if kind is str:
        # Strings before ":" start with a digit, a sign, a dot or other punctuation; the words all come after.
        return OTHER_NUMBER(value) is not None if value < ":" else len(value) < 4 and value in OTHER_WORDS
    if kind is float:
        return not abs(value) < 1 << 53
    return kind is int and not -(1 << 63) <= value < 1 << 64


def certain_keys(mapping: dict[Any, Any]) -> bool:
    """Whether all keys are certainly go-yaml's."""
    return _certain_keys.issuperset(mapping) or all(map(_is_certain_key, mapping))


def _is_certain_key(key: Any) -> bool:
    if type(key) is not str or key == "<<" or is_ambiguous(key):
        return False
    if len(_certain_keys) < _MOST_KEYS:
        _certain_keys.add(key)
    return True


def classify(value: Any) -> Answer:
    """Whether a value is certainly go-yaml's, with all that is in it.

    Raises:
        RecursionError: it is deeper than anyone writes.
    """
    values: Iterable[Any] = (value,)
    if type(value) is dict:
        if not certain_keys(value):
            return AMBIGUOUS
        values = value.values()
    elif type(value) is list:
        values = value
    seen: Answer = UNAMBIGUOUS
    for item in values:
        kind = type(item)
        if item is None:
            seen = HAS_NULL
        elif kind is dict or kind is list:
            if found := classify(item):
                if found == AMBIGUOUS:
                    return AMBIGUOUS
                seen = HAS_NULL
        elif is_ambiguous(item):
            return AMBIGUOUS
    return seen
