from __future__ import annotations

import pytest

from gitops_ci.quantities import bytes_of, seconds_of, whole_number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60), ("90s", 90), ("1.5m", 90), ("1m30s", 90), ("1m30", 90), ("2h", 7200), ("1h1s", 3601)]
    + [(text, None) for text in ("", "0", "0s", "-1", "1x", "s", "1s1m", "1 s", "inf", "nan", "1e3", "9" * 30, "１")],
)
def test_durations(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("1024", 1024), ("2GiB", 2 << 30), ("2Gi", 2 << 30), ("64 MiB", 64 << 20), ("1.5kib", 1536), ("2GB", 2 * 10**9)]
    + [("1T", 10**12), ("5b", 5)]
    + [(text, None) for text in ("", "0", "0GiB", "-1", "GiB", "1PiB", "2 G i B", "0x10", "9" * 30)],
)
def test_sizes(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("9" * 24, 10**24 - 1)]
    + [(text, None) for text in ("", "-1", "+1", "1.0", "1_0", " 1", "²", "１", "٣", "9" * 25, "9" * 5000)],
)
def test_whole_numbers(text, number):
    assert whole_number(text) == number
