"""What the cases of gates.txt notice when one place of the rules takes a gate for open, or for shut, everywhere."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apiserver import dropped_fields
from gitops_ci.validation.gates import Gate
from tests.support import CHECKOUT
from tests.support.rule_tables import GateCase, findings, gate_cases

__all__ = ["Change", "changes", "gate_names"]

_FOLDER = CHECKOUT / "gitops_ci" / "validation"
_ON = Field.on.__code__


@dataclass(frozen=True)
class Change:
    """One wrong answer to the question whether a gate is on, or one field that is never dropped."""

    gate: str
    what: str
    place: str
    apply: Callable[[pytest.MonkeyPatch], None]

    def red_cases(self) -> list[str]:
        """`VERSION LINE` of each case of the gate that fails with the change."""
        with _changed(self.apply):
            return [f"{case.version} {case.line}" for case in _cases_of(self.gate) if _is_red(case)]


def gate_names() -> dict[str, Gate]:
    return {name: value for name, value in vars(gates).items() if isinstance(value, Gate)}


@cache
def changes() -> tuple[Change, ...]:
    """Every change of every gate: forced in each place of the rules, and each path that is dropped without it."""
    return (*_forced(), *_kept())


def _forced() -> Iterator[Change]:
    for name, place, code in _uses():
        for always in (True, False):
            what = "always" if always else "never"
            yield Change(name, what, place, _answer(gate_names()[name], code, always=always))


def _uses() -> Iterator[tuple[str, str, tuple[str, int] | None]]:
    """(gate, place, file and line) of each question; the table of dropped fields asks for all gates in it in one."""
    for gate in (*dropped_fields._IN_KINDS, *dropped_fields._IN_PODS):
        yield _name_of(gate), "apiserver/dropped_fields.py", (dropped_fields.__file__, 0)
    for path in sorted(_FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (name := _asked(node)):
                line = node.func.end_lineno or node.lineno
                yield name, f"{path.relative_to(_FOLDER)}:{line}", (str(path), line)


def _asked(call: ast.Call) -> str:
    """The name of the gate in `field.on(gates.NAME)` and `gates.NAME.is_on(minor)`."""
    assert isinstance(call.func, ast.Attribute)
    gate = call.func.value if call.func.attr == "is_on" else call.args[0] if call.func.attr == "on" and call.args else 0
    return gate.attr if isinstance(gate, ast.Attribute) and gate.attr in gate_names() else ""


def _answer(gate: Gate, code: tuple[str, int] | None, *, always: bool) -> Callable[[pytest.MonkeyPatch], None]:
    def is_on(self: Gate, minor: int) -> bool:
        frame = sys._getframe(1)
        if frame.f_code is _ON and frame.f_back is not None:
            frame = frame.f_back
        here = frame.f_code.co_filename, frame.f_lineno
        # Line 0 is any line of a file.
        forced = self is gate and (here == code or (here[0], 0) == code)
        return always if forced else minor >= self.since

    return lambda patch: patch.setattr(Gate, "is_on", is_on)


def _kept() -> Iterator[Change]:
    """Each path of the table of dropped fields, left out of it."""
    for gate, kinds in dropped_fields._IN_KINDS.items():
        for kind, paths in kinds.items():
            for path in paths:
                left = {kind: tuple(other for other in paths if other != path)}
                yield _without("_IN_KINDS", gate, f"{kind} {path}", {**kinds, **left})
    for gate, paths in dropped_fields._IN_PODS.items():
        for path in paths:
            yield _without("_IN_PODS", gate, path, tuple(other for other in paths if other != path))


def _without(table: str, gate: Gate, path: str, left: Any) -> Change:
    rows: Mapping[Gate, Any] = getattr(dropped_fields, table)

    def apply(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(dropped_fields, table, {**rows, gate: left})

    return Change(_name_of(gate), f"{path} is not dropped", "apiserver/dropped_fields.py", apply)


def _name_of(gate: Gate) -> str:
    return next(name for name, other in gate_names().items() if other is gate)


@contextmanager
def _changed(apply: Callable[[pytest.MonkeyPatch], None]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        apply(patch)
        dropped_fields._paths.cache_clear()
        yield
    dropped_fields._paths.cache_clear()


def _is_red(case: GateCase) -> bool:
    return bool(findings(case.manifest, case.version)) != case.refused


@cache
def _cases_of(gate: str) -> tuple[GateCase, ...]:
    return tuple(case for case in gate_cases() if case.gate == gate)
