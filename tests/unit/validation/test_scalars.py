"""The scalar types of the API, as Go's decoders take them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gitops_ci.validation.apimachinery.scalars import SCALARS, quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("100m", "0.1"), ("1Gi", "1073741824"), ("1e3", "1000"), ("2E", "2e18"), ("-1.5k", "-1500"), (" 5 ", "5")),
        # No digits are zero; what is finer than a nanounit is rounded up to one; a binary one has a largest.
        *(("m", "0"), ("-", "0"), (".5n", "1e-9"), ("-1.25n", "-2e-9"), ("1e-100", "1e-9")),
        *(("9Ei", "9223372036854775807"), ("-10Ei", "-9223372036854775807"), ("9E", "9e18")),
    ],
)
def test_quantities_have_the_value_that_the_server_gives_them(text: str, number: str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["", " ", "1Gi\n", "\t1Gi", "1 Gi", "1ki", "1.5.2", "1e1.5", "0x1", "1Zi", "--1", "1K", "\u0661"]
)
def test_what_is_no_quantity(text: str) -> None:
    assert quantity(text) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("time", "2026-01-31T12:00:00Z"), ("time", "2026-01-31T1:00:00,5+24:00"), ("time", "0000-02-29T00:00:00Z")),
        *(("micro-time", "2026-01-31T12:00:00.000000Z"), ("micro-time", "2026-01-31T1:00:00,123456-01:00")),
        *(("byte", "aGk="), ("byte", "aG\nk="), ("byte", ""), ("byte", []), ("byte", [0, 255, None])),
        *(("int32", 2.0), ("int-or-string", ""), ("int-or-string", -5), ("quantity", 0.5)),
    ],
)
def test_what_the_decoder_takes(kind: str, value: Any) -> None:
    assert SCALARS[kind](value) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("time", "2026-02-30T00:00:00Z"), ("time", "2026-01-01"), ("time", "2026-01-01t00:00:00Z"), ("time", 1)),
        *(
            ("time", "2026-01-01T24:00:00Z"),
            ("time", "2026-01-01T00:00:00+25:00"),
            ("micro-time", "2026-01-01T00:00:00Z"),
        ),
        *(("byte", "aGk"), ("byte", "aG k="), ("byte", [256]), ("byte", ["a"]), ("byte", [True]), ("byte", {})),
        *(("int32", 1.5), ("int32", 1 << 31), ("int64", 1 << 63), ("int-or-string", 1.5), ("int-or-string", 1 << 31)),
        *(("quantity", True), ("quantity", {}), ("boolean", 1), ("string", 1), ("number", True)),
    ],
)
def test_what_the_decoder_refuses(kind: str, value: Any) -> None:
    assert SCALARS[kind](value) is not None
