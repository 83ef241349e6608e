"""What Go makes of null: a field is absent, an item and an entry of a map are the zero value of their type."""

from __future__ import annotations

from typing import Any

__all__ = ["without_nulls"]

# Maps of strings and of quantities: their entries stay, as '' and 0.
# A dot marks a field of the object itself: `parameters` of a StorageClass is a map, that of an IngressClass is none.
_STRINGS = frozenset(
    {"labels", "annotations", "matchLabels", "nodeSelector", ".data", ".stringData", ".binaryData", ".parameters"}
)
_QUANTITIES = frozenset(
    {
        *("limits", "requests", "hard", "capacity", "min", "max", "default", "defaultRequest", "maxLimitRequestRatio"),
        *("counters", "attributes"),  # of devices: of an entry that is null nothing is set, as of 0
    }
)


def without_nulls(value: Any, key: str = "") -> Any:
    """A copy in which no null is left."""
    if isinstance(value, dict):
        if key in _STRINGS or (
            key == "selector" and all(item is None or isinstance(item, str) for item in value.values())
        ):
            return {name: "" if item is None else item for name, item in value.items()}
        if key in _QUANTITIES:
            return {name: 0 if item is None else item for name, item in value.items()}
        if key == "properties":
            return {name: {} if item is None else without_nulls(item, "[]") for name, item in value.items()}
        above = "" if key else "."
        return {name: without_nulls(item, above + name) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        zero: Any = {} if not any(isinstance(item, str) for item in value) else ""
        return [zero if item is None else without_nulls(item, "[]") for item in value]
    return value
