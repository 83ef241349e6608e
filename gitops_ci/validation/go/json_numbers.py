"""Numbers of custom resources as the API server sees them: what JSON makes of them, their ranges, bounds and steps.

Source: k8s.io/kube-openapi pkg/validation/validate, numberValidator and IsValueValidAgainstRange.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["identity", "number_of", "number_tests"]

_INT64 = 1 << 63
# Beyond this rounding to 32 bits overflows.
_LARGEST_FLOAT32 = 3.4028235677973366e38
# The largest integer that every float below it can be, and how close to an integer a float counts as one.
_LARGEST_SAFE, _CLOSE = float((1 << 53) - 1), 1e-9
Test = Callable[[Any], str | None]


def number_of(value: Any) -> Any:
    """A value, a number as Go decodes it: 1.0 is written as 1, and what 64 bits do not hold is a float."""
    if type(value) is float and value.is_integer() and abs(value) < _INT64:
        return int(value)
    if type(value) is int and not -_INT64 <= value < _INT64:
        return float(value) if abs(value) < 1 << 1023 else float("inf")
    return value


def identity(value: Any) -> str:
    """A text that two values share when they are equal in JSON: 1 and 1.0 are, 1 and true are not."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else number_of(value)


def number_tests(schema: Mapping[str, Any], kinds: Sequence[str]) -> list[Test]:
    """Why a value breaks the range of its type, the bounds or the step of a schema."""
    kind = kinds[0] if len(kinds) == 1 else ""
    form = schema.get("format")
    bits = 32 if kind == "integer" and form == "int32" else 64
    bounds = {key: schema.get(key) for key in ("minimum", "maximum", "multipleOf")}
    given = {key: number_of(bound) for key, bound in bounds.items() if type(bound) in {int, float}}
    tests: list[Test] = []
    if kind == "integer":
        tests.append(lambda value: None if _holds(value, bits) else f"{value} does not fit an integer of {bits} bits")
        tests += [_unfit(key, bound) for key, bound in given.items() if not _holds(bound, bits)]
        given = {key: bound for key, bound in given.items() if _holds(bound, bits)}
    elif kind == "number" and form == "float":
        tests.append(lambda value: f"{value} is too large for a float" if abs(value) > _LARGEST_FLOAT32 else None)
    if "minimum" in given:
        tests.append(_least(given["minimum"], strict=schema.get("exclusiveMinimum") is True))
    if "maximum" in given:
        tests.append(_most(given["maximum"], strict=schema.get("exclusiveMaximum") is True))
    if "multipleOf" in given:
        tests.append(_step(given["multipleOf"]))
    return [_of_numbers(test) for test in tests]


def _of_numbers(test: Test) -> Test:
    return lambda value: test(number_of(value)) if type(value) in {int, float} else None


def _holds(value: Any, bits: int) -> bool:
    return type(value) is int and -(1 << (bits - 1)) <= value < 1 << (bits - 1)


def _unfit(key: str, bound: float) -> Test:
    """A bound that is not an integer itself lets no integer pass."""
    return lambda value: f"{value} is refused: the schema's {key} {bound} is not an integer of its format"


def _least(bound: float, *, strict: bool) -> Test:
    said = "greater than" if strict else "at least"

    def test(value: Any) -> str | None:
        least = _bound(bound, value)
        broken = least is not None and (value < least or (strict and value == least))
        return f"{value} must be {said} {bound}" if broken else None

    return test


def _most(bound: float, *, strict: bool) -> Test:
    said = "less than" if strict else "at most"

    def test(value: Any) -> str | None:
        most = _bound(bound, value)
        broken = most is not None and (value > most or (strict and value == most))
        return f"{value} must be {said} {bound}" if broken else None

    return test


def _bound(bound: float, value: Any) -> float | None:
    """The bound that counts for a value: an integer is compared with the integer part of it.

    None where it is beyond 64 bits: what Go makes of it depends on the processor.
    """
    if type(value) is not int:
        return float(bound)
    return int(bound) if -_INT64 <= bound < _INT64 else None


def _step(step: float) -> Test:
    def test(value: Any) -> str | None:
        whole = type(value) is int
        factor = int(step) if whole and abs(step) < _INT64 else step
        if factor <= 0:
            return f"{value} is refused: the schema's multipleOf {step} is not a step for it"
        fits = value % factor == 0 if whole else _is_whole(1 / factor * value if factor < 1 else value / factor)
        return None if fits else f"{value} must be a multiple of {step}"

    return test


def _is_whole(value: float) -> bool:
    """Whether Go's swag takes a float for an integer."""
    if not -_LARGEST_SAFE <= value <= _LARGEST_SAFE:
        return False
    whole = float(int(value))
    return value == whole or (whole != 0 and abs(value - whole) / (abs(value) + abs(whole)) < _CLOSE)
