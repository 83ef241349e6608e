"""Documents read by the fast reader, wherever its reading is certainly go-yaml's.

It reads YAML 1.2 at five times the speed. What the two may read otherwise is looked for, and left to the exact reading:
tags, anchors, merge keys and directives here, words and numbers by ambiguity.py.
"""

from __future__ import annotations

from typing import Any

from gitops_ci.lazy import lazy_pattern
from gitops_ci.yamltext import MOST_VALUES, fast_value

__all__ = ["load_fast"]

# The fast reader looks back to the first bracket at each that follows: 100,000 unclosed ones would take it a minute.
_MOST_OPENED = 2_000
# What YAML 1.2 reads otherwise than go-yaml, or another reader may not do alike: tags, anchors, directives, merge keys.
_DIFFERENT = lazy_pattern(r"[ \[{,\n](?:!|&[\w-]|<<)|^[%!&]|\?[ \n]|[\[{][^\n\"'\[{]*\?|[\x85\u2028\u2029]|\n\ufeff")


def load_fast(text: str) -> dict[Any, Any] | None:
    """The mapping that a document is; None for anything else, and where the text may say another thing to go-yaml.

    The value is right where it is certain, and accepted; any other one is read anew, exactly.
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
    except (ValueError, TypeError, NotImplementedError, RecursionError):
        return None
    return value if type(value) is dict else None
