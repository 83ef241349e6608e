"""Documents read by the fast reader, wherever its reading is certainly go-yaml's.

It reads YAML 1.2 at five times the speed. What the two may read otherwise is looked for, and left to the exact reading:
tags, anchors, merge keys and explicit keys by different_syntax.py, words and numbers by ambiguity.py.
"""

from __future__ import annotations

from typing import Any

from gitops_ci.fast_yaml.different_syntax import is_all_text, is_different, may_be_different
from gitops_ci.yamltext import LARGEST, MOST_VALUES, fast_value

__all__ = ["load_fast"]

# The fast reader looks back to the first bracket at each that follows: 100,000 unclosed ones would take it a minute.
_MOST_OPENED = 2_000


def load_fast(text: str) -> dict[Any, Any] | None:
    """The mapping that a document is; None for anything else, and where the text may say another thing to go-yaml.

    The value is right where it is certain, and accepted; any other one is read anew, exactly.
    """
    if is_different(text):
        return None
    if len(text) > MOST_VALUES and (len(text) > LARGEST or _most_values(text) > MOST_VALUES):
        return None  # what the exact reader calls too large
    if text.count("{") > _MOST_OPENED or text.count("[") > _MOST_OPENED:
        return None
    try:
        value = fast_value(text)
    except (ValueError, TypeError, NotImplementedError, RecursionError):
        return None
    if type(value) is not dict or (may_be_different(text) and not is_all_text(text, value)):
        return None
    return value


def _most_values(text: str) -> int:
    """No fewer than the exact reader counts: a mapping or list counts as two, a scalar as one.

    A pair has a colon, which stands for its key, its value and the mapping that may begin with it. An item has a dash
    or a comma.
    """
    dashes = sum(map(text.count, ("- ", "-\n", "-\t", "-\r")))
    in_brackets = sum(map(text.count, ",[{"))
    return 8 + 4 * (text.count(":") + in_brackets) + 3 * dashes
