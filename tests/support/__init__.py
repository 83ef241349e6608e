"""What every test may use: where things lie, and what happens when a part is missing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["CHECKOUT", "UNDER_CI", "dev_tool", "missing", "shared"]

CHECKOUT = Path(__file__).resolve().parents[2]
# Read once: a test's own environment has no CI variables.
UNDER_CI = os.environ.get("CI", "") == "true"


def missing(reason: str) -> NoReturn:
    """A part that this test needs is not here: skip, and under CI=true fail, since there it must be."""
    if UNDER_CI:
        pytest.fail(f"missing under CI=true: {reason}", pytrace=False)
    pytest.skip(reason)


def shared(*parts: str) -> Path:
    """A file or folder of the data that lies beside the checkout (real repositories, official API descriptions)."""
    found = CHECKOUT.parent.joinpath("shared", *parts)
    if not found.exists():
        missing(f"../shared/{'/'.join(parts)} is not beside the checkout")
    return found


def dev_tool(name: str) -> str:
    """The path of a program that is a development dependency: beside this Python, or on PATH."""
    here = Path(sys.executable).parent
    found = shutil.which(name, path=f"{here}{os.pathsep}{os.environ['PATH']}")
    return found or missing(f"{name} is not installed: it is a development dependency")
