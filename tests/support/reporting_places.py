"""The places of the API server rules that report something, and which of them the cases reach."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from gitops_ci.model import Finding
from gitops_ci.validation.apimachinery.field import Field
from tests.support import CHECKOUT
from tests.support.rule_tables import VERSION, Case, GateCase, cases, findings, gate_cases

__all__ = ["findings_of", "reached_places", "reporting_places"]

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


_reached: set[Place] = set()


@cache
def findings_of(case: Case | GateCase) -> tuple[Finding, ...]:
    """The findings of a case, judged once; the places that report them are noted."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _REPORTING:
            patch.setattr(Field, name, _noticed(getattr(Field, name), _reached))
        return findings(case.manifest, case.version if isinstance(case, GateCase) else VERSION)


def reached_places() -> set[Place]:
    """The places that report something in at least one case."""
    for case in (*cases(), *gate_cases()):
        findings_of(case)
    return _reached


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
