"""The API server's rules, kind by kind: one change of a valid manifest each, and what the server reports for it."""

from __future__ import annotations

import re

import pytest

from gitops_ci.model import Finding
from tests.support.reporting_places import findings_of, reached_places, reporting_places
from tests.support.rule_tables import FOLDER, GateCase, cases, findings, gate_cases, sound


def test_valid_manifests_have_no_findings() -> None:
    assert {kind: found for kind, manifest in sound().items() if (found := findings(manifest))} == {}


@pytest.mark.parametrize("kind", sorted(sound()))
def test_a_change_has_the_findings_of_its_case(kind: str) -> None:
    wrong = []
    for case in cases():
        if case.kind == kind:
            found = findings_of(case)
            reported = list(dict.fromkeys(f"{one.rule} {one.field}".strip() for one in found))
            if reported != list(case.expected):
                wrong.append(f"{case.place}: {case.change}\n  expected {list(case.expected)}\n  reported {reported}")
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def _lacking(finding: Finding) -> str:
    """The field that a finding says is missing or empty."""
    found = re.fullmatch(r"(?:.*: )?(?:required field )?'(\w+)' is (?:missing|required)", finding.message)
    return f"{finding.field}.{found[1]}" if found else finding.field


def test_a_missing_or_empty_field_is_reported_once() -> None:
    wrong = []
    for case in cases():
        if any(one.startswith("schema/required") for one in case.expected):
            found = findings_of(case)
            lacking = {_lacking(one) for one in found if one.rule == "schema/required"}
            repeated = [one for one in found if _lacking(one) in lacking and one.rule != "schema/required"]
            wrong += [f"{case.place}: {case.change}: {one.rule} {one.message}" for one in repeated]
    assert wrong == []


@pytest.mark.parametrize("case", gate_cases(), ids=lambda case: f"{case.version} {case.line}")
def test_a_rule_holds_from_a_version_on(case: GateCase) -> None:
    found = findings_of(case)
    assert bool(found) == case.refused, found


def test_every_kind_has_cases() -> None:
    assert len(cases()) > 2000
    assert {case.kind for case in cases()} == set(sound())


def test_a_manifest_lies_in_the_folder_of_its_group_and_kind() -> None:
    for kind, manifest in sound().items():
        group = manifest["apiVersion"].rpartition("/")[0] or "core"
        assert manifest["kind"] == kind
        assert (FOLDER / group / kind / "valid.yaml").is_file()


def test_every_place_that_reports_is_reached_by_a_case() -> None:
    places, reached = reporting_places(), reached_places()
    assert len(places) > 900
    assert {f"{path}:{line}": text for (path, line), text in places.items() if (path, line) not in reached} == {}
