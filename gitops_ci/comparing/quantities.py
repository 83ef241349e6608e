"""Quantities of Kubernetes as numbers (apimachinery pkg/api/resource)."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

__all__ = ["quantity"]

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?)(?P<unit>[numkMGTPE]|[KMGTPE]i)?"
)
_UNITS = {"": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)}
_UNITS |= {unit: Fraction(10 ** (3 * at + 3)) for at, unit in enumerate("kMGTPE")}
_UNITS |= {f"{unit}i": Fraction(1024 ** (at + 1)) for at, unit in enumerate("KMGTPE")}


def quantity(value: Any) -> Fraction | None:
    """The number that a quantity stands for; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or len(str(value)) > 40:
        return None
    found = _QUANTITY.fullmatch(str(value))
    return Fraction(found["number"]) * _UNITS[found["unit"] or ""] if found else None
