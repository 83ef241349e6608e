"""The places of the API server rules that report something, and which of them the cases reach."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any

import pytest

from gitops_ci.validation.apimachinery.field import Field
from tests.support import CHECKOUT
from tests.support.rule_tables import cases, findings, gate_cases

__all__ = ["reached_places", "reporting_places"]

Place = tuple[str, int]
"""A file below gitops_ci/validation, and the line on which a call starts."""

_FOLDER = CHECKOUT / "gitops_ci" / "validation"
_ROOMS = ("apiserver", "apimachinery")
_REPORTING = ("at_least", "bad", "bad_key", "fits", "missing", "one_of", "unchecked", "within")


def reporting_places() -> dict[Place, str]:
    """Each call of a method of Field that reports, with its text."""
    found = {}
    for path in sorted(file for room in _ROOMS for file in (_FOLDER / room).rglob("*.py") if file.name != "field.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _REPORTING:
                # A frame stands on the line of the method's name, not on the one where the expression starts.
                line = node.func.end_lineno or node.lineno
                found[str(path.relative_to(_FOLDER)), line] = " ".join(
                    (ast.get_source_segment(text, node) or "").split()
                )
    return found


def reached_places() -> set[Place]:
    """The places that report something in at least one case."""
    reached: set[Place] = set()
    with pytest.MonkeyPatch.context() as patch:
        for name in _REPORTING:
            patch.setattr(Field, name, _noticed(getattr(Field, name), reached))
        for case in cases():
            findings(case.manifest)
        for gated in gate_cases():
            findings(gated.manifest, gated.version)
    return reached


def _noticed(method: Callable[..., None], reached: set[Place]) -> Callable[..., None]:
    def call(self: Field, *arguments: Any, **more: Any) -> None:
        before = len(self.out)
        method(self, *arguments, **more)
        if len(self.out) > before:
            frame = sys._getframe(1)
            path = frame.f_code.co_filename
            if path.startswith(f"{_FOLDER}/"):
                reached.add((path.removeprefix(f"{_FOLDER}/"), frame.f_lineno))

    return call
