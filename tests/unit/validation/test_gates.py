"""Each difference between releases is a named gate, and each gate is held by cases below and above its release."""

from __future__ import annotations

import ast

import pytest

from gitops_ci.validation.kubernetes_versions import VERSIONS
from scripts.gate_defaults import is_on
from tests.support import CHECKOUT
from tests.support.forced_gates import changes, gate_names
from tests.support.rule_tables import gate_cases
from tests.support.verdicts import recorded_versions

VERSIONED = """\
\tFoo: {
\t\t{Version: version.MustParse("1.30"), Default: false, PreRelease: featuregate.Alpha},
\t\t{Version: version.MustParse("1.32"), Default: true, PreRelease: featuregate.Beta},
\t},
"""


def test_every_gate_has_cases() -> None:
    held, names = {case.gate for case in gate_cases()}, set(gate_names())
    assert not (left := sorted(names - held)), f"add a line to tests/cases/validation/gates.txt for {left}"
    assert not (gone := sorted(held - names)), f"gitops_ci/validation/gates.py does not have {gone}"


@pytest.mark.parametrize("gate", sorted(gate_names()))
def test_a_gate_forced_open_or_shut_turns_a_case_red(gate: str) -> None:
    made = [change for change in changes() if change.gate == gate]
    assert {"always", "never"} <= {change.what for change in made}
    assert [f"{change.what}, {change.place}" for change in made if not change.red_cases()] == []


def test_gates_open_between_the_first_and_the_last_version() -> None:
    first, last = (int(version.partition(".")[2]) for version in (VERSIONS[0], VERSIONS[-1]))
    assert [name for name, gate in gate_names().items() if not first < gate.since <= last] == []


def test_a_gate_in_plain_words_has_a_source_or_a_server_on_both_sides() -> None:
    judged = {int(version.partition(".")[2]) for version in recorded_versions()}
    plain = {name: gate for name, gate in gate_names().items() if not gate.name.isalnum()}
    unsure = {name for name, gate in plain.items() if not gate.source and not {gate.since - 1, gate.since} <= judged}
    assert unsure == set()


@pytest.mark.parametrize(
    ("text", "minor", "expected"),
    [
        ("\tFoo: {Default: true, PreRelease: featuregate.Beta},\n", 30, True),
        ("\tFoo: {Default: false, PreRelease: featuregate.Alpha},\n", 30, False),
        ('\tBar featuregate.Feature = "Foo"\n\tgenericfeatures.Bar: {Default: true},\n', 30, True),
        (VERSIONED, 31, False),
        (VERSIONED, 32, True),
        (VERSIONED, 29, False),
        ("\tOther: {Default: true},\n", 30, False),
    ],
)
def test_the_default_of_a_feature_is_read_from_upstream(text: str, minor: int, expected: bool) -> None:
    assert is_on(text, "Foo", minor) is expected


def test_no_other_module_compares_versions() -> None:
    found = []
    for path in sorted((CHECKOUT / "gitops_ci").rglob("*.py")):
        text = path.read_text()
        if path.name == "gates.py" or "minor" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            names = {getattr(side, "attr", getattr(side, "id", "")) for side in sides}
            if names & {"minor", "_minor"}:
                found.append(f"{path.relative_to(CHECKOUT)}:{node.lineno}")
    assert found == []
