"""How hard the tests try that invent their inputs: a few examples by `make test`, their full number by `make soak`.

The few are the same in every run, so that a test which passes today passes next year. A soak draws new ones each time.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence

from hypothesis import HealthCheck, settings

__all__ = ["SOAKING", "STRIDE", "examples", "hosts_of", "load_profile"]

# Read once: a test's own environment has no such variable.
SOAKING = os.environ.get("TESTS_SOAK", "") == "true"
_FULL = 50  # times the few
# A test that ends a run at each of its steps takes every third by `make test`, or every ninth or 27th where one takes
# long, and each by `make soak`.
STRIDE = 1 if SOAKING else 3


def examples(few: int, times: int = _FULL) -> int:
    """How many examples, rounds or seeds a test tries that tries `few` by `make test`."""
    return few * times if SOAKING else few


def load_profile() -> None:
    """What hypothesis does where a test says nothing else. No limits of time: machines differ, and are busy."""
    profile = settings(
        max_examples=examples(100),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=not SOAKING,
        database=None,
        print_blob=SOAKING,
    )
    settings.register_profile("gitops-ci", profile)
    settings.load_profile("gitops-ci")


def hosts_of(test: str, first: str, others: Sequence[str]) -> set[str]:
    """The code hosts that a test of all hosts runs on: `first` and one other by `make test`, which the name decides."""
    return {first, *others} if SOAKING else {first, others[zlib.crc32(test.encode()) % len(others)]}
