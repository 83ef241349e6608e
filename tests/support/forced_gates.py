"""What the cases of gates.txt notice when a gate holds for every version, or for none."""

from __future__ import annotations

import pytest

from gitops_ci.validation import gates
from gitops_ci.validation.apiserver import dropped_fields
from gitops_ci.validation.gates import Gate
from tests.support.rule_tables import findings, gate_cases

__all__ = ["gate_names", "red_cases"]


def gate_names() -> dict[str, Gate]:
    return {name: value for name, value in vars(gates).items() if isinstance(value, Gate)}


def red_cases(name: str, *, forced: bool) -> list[str]:
    """`VERSION LINE` of each case of a gate that fails when the gate is forced."""
    forced_gate = gate_names()[name]

    def is_on(self: Gate, minor: int) -> bool:
        return forced if self is forced_gate else minor >= self.since

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gate, "is_on", is_on)
        dropped_fields._paths.cache_clear()
        red = [
            f"{case.version} {case.line}"
            for case in gate_cases()
            if case.gate == name and bool(findings(case.manifest, case.version)) != case.refused
        ]
    dropped_fields._paths.cache_clear()
    return red
