"""Hints: the nearest valid name for one that is not."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest", "nearest_field"]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be."""
    import difflib

    names = sorted(known)
    lowered = name.lower().replace("-", "").replace("_", "")
    for candidate in names:
        if candidate.lower() in {lowered, f"{lowered}s"} or f"{candidate.lower()}s" == lowered:
            return candidate
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return found[0] if found else None


def nearest_field(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    if match := nearest(name, names):
        return f"Did you mean '{match}'?"
    if not names:
        return "No field is allowed here."
    listed = ", ".join(names[:12])
    return f"Allowed here: {listed}{', ...' if len(names) > 12 else ''}."
