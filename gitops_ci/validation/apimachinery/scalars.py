"""The scalar types of the Kubernetes API as Go's decoder reads them from JSON; every function says why it refuses.

Sources: sigs.k8s.io/json (strict decoding), k8s.io/apimachinery pkg/api/resource/quantity.go, pkg/util/intstr,
pkg/apis/meta/v1/time.go and micro_time.go, encoding/base64 (StdEncoding, which skips line ends).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_UP, Context, Decimal
from functools import lru_cache
from typing import Any

from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.go.base64 import is_base64

__all__ = ["SCALARS", "Refusal", "quantity", "type_name"]

# rule name, what is wrong
Refusal = tuple[str, str]

# Digits are not needed: `m`, `-` and `.` are zero.
_QUANTITY = lazy_pattern(
    r"(?P<sign>[+-]?)(?P<number>[0-9]*(?:\.[0-9]*)?)(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,18}))?"
)
_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(1000),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("MGTPE", 2)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}
# What is finer is rounded up to it, and a binary suffix leads no further (ParseQuantity).
_SMALLEST, _LARGEST = Decimal("1e-9"), Decimal((1 << 63) - 1)
_ESCAPED = frozenset("\t\n\v\f\r\u2028\u2029")
_EXACT = Context(prec=100)
_TIME = lazy_pattern(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{1,2}:[0-9]{2}:[0-9]{2})([.,][0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-4]):(?:[0-5][0-9]|60))"
)


def type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a string"
    return "null" if value is None else "a number"


def quantity(value: Any) -> Decimal | None:
    """A Kubernetes quantity as a number, None for what is none: `100m` is 0.1, `1Gi` is 1073741824."""
    if type(value) is str:
        return _quantity_of(value)
    return _quantity_of(str(value)) if type(value) in {int, float} else None


# Requests and limits are the same few words over and over.
@lru_cache(maxsize=4096)
def _quantity_of(text: str) -> Decimal | None:
    # Spaces around are skipped; a line end or a tab is an escape in the JSON that the decoder sees, and no space.
    matched = None if _ESCAPED.intersection(text) else _QUANTITY.fullmatch(text.strip())
    if matched is None or not matched[0]:
        return None
    number = Decimal(f"{matched['sign']}0{matched['number']}")
    if suffix := matched["suffix"]:
        number *= _SUFFIXES[suffix]
        if suffix[-1] == "i" and abs(number) > _LARGEST:
            return _LARGEST.copy_sign(number)
    elif matched["exponent"]:
        # Decimal would otherwise be asked for 10^18 digits.
        number = number.scaleb(max(-40, min(40, int(matched["exponent"]))))
    if number.as_tuple().exponent < -9 and abs(number) < _LARGEST:  # type: ignore[operator]  # a finite number
        return number.quantize(_SMALLEST, ROUND_UP, _EXACT)
    return number


def _string(value: Any) -> Refusal | None:
    return None if isinstance(value, str) else ("type", f"must be a string, is {type_name(value)}")


def _boolean(value: Any) -> Refusal | None:
    return None if isinstance(value, bool) else ("type", f"must be true or false, is {type_name(value)}")


def _number(value: Any) -> Refusal | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool)
    return None if sound else ("type", f"must be a number, is {type_name(value)}")


def _integer(value: Any, bits: int) -> Refusal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "type", f"must be an integer, is {type_name(value)}"
    if isinstance(value, float) and not value.is_integer():
        return "type", f"must be an integer, is {value}"
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        return "integer-range", f"{value} does not fit a {bits}-bit integer"
    return None


def _int32(value: Any) -> Refusal | None:
    return _integer(value, 32)


def _int64(value: Any) -> Refusal | None:
    return _integer(value, 64)


def _int_or_string(value: Any) -> Refusal | None:
    if isinstance(value, str):
        return None
    refused = _integer(value, 32)
    if refused and refused[0] == "type":
        return "type", f"must be an integer or a string, is {value if isinstance(value, float) else type_name(value)}"
    return refused


def _quantity(value: Any) -> Refusal | None:
    if isinstance(value, dict | list | bool):
        return "type", f"must be a quantity such as 500m or 1Gi, is {type_name(value)}"
    if quantity(value) is not None:
        return None
    return "quantity", f"'{value}' is not a quantity; written as 2, 0.5, 500m, 128Mi or 1G"


def _byte(value: Any) -> Refusal | None:
    if isinstance(value, list) and all(item is None or (type(item) is int and 0 <= item < 256) for item in value):
        return None  # a slice of bytes, each of them a number
    if not isinstance(value, str):
        return "type", f"must be a base64 string, is {type_name(value)}"
    return None if is_base64(value) else ("base64", "is not valid base64")


def _time(value: Any) -> Refusal | None:
    return _read_time(value, "2026-01-31T12:00:00Z")[1]


def _micro_time(value: Any) -> Refusal | None:
    example = "2026-01-31T12:00:00.000000Z"
    fraction, refusal = _read_time(value, example)
    if refusal or len(fraction) == 7:
        return refusal
    return "time", f"'{value}' needs six digits after the second; written as {example}"


def _read_time(value: Any, example: str) -> tuple[str, Refusal | None]:
    """The fraction of the second with its point, and why the value is not a time."""
    if not isinstance(value, str):
        return "", ("type", f"must be a time such as {example}, is {type_name(value)}")
    matched = _TIME.fullmatch(value)
    if matched and _is_date(matched[1]):
        return matched[2] or "", None
    return "", ("time", f"'{value}' is not a time; written as {example}")


def _is_date(text: str) -> bool:
    from datetime import datetime

    if text.startswith("0000"):
        text = f"2000{text[4:]}"  # a year to Go, and a leap year
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007  # only whether it exists
    except ValueError:
        return False
    return True


def _any(value: Any) -> Refusal | None:  # noqa: ARG001
    return None


SCALARS: Mapping[str, Callable[[Any], Refusal | None]] = {
    "string": _string,
    "boolean": _boolean,
    "number": _number,
    "integer": _int64,
    "int32": _int32,
    "int64": _int64,
    "int-or-string": _int_or_string,
    "quantity": _quantity,
    "byte": _byte,
    "time": _time,
    "micro-time": _micro_time,
    "any": _any,
}
