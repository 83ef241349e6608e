"""Words for messages: the known name that a mistyped one was most likely meant to be."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean", "is_within_one_edit", "nearest", "nearest_field"]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be, None when no name is close."""
    import difflib

    names = sorted(known)
    lowered = name.lower().replace("-", "").replace("_", "")
    for candidate in names:
        if candidate.lower() in {lowered, f"{lowered}s"} or f"{candidate.lower()}s" == lowered:
            return candidate
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return found[0] if found else None


def is_within_one_edit(one: str, other: str) -> bool:
    """Whether two words differ by at most one letter: missing, added, exchanged with its neighbor, or another."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left, right = one[start:], other[start:]
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or left[1::-1] + left[2:] == right


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'shop'?`, or an empty text when no known name is close."""
    match = nearest(name, known)
    return f"Did you mean '{match}'?" if match else ""


def nearest_field(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown field: the name it was meant to be, or up to twelve that are allowed."""
    names = sorted(known)
    if len(near := [one for one in names if is_within_one_edit(name, one)]) > 1:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    if meant := did_you_mean(name, names):
        return meant
    if not names:
        return "No field is allowed here."
    more = len(names) - 12
    return f"Allowed here: {', '.join(names[:12])}{f' and {more} more' if more > 0 else ''}."
