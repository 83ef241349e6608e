"""The API server's rules, kind by kind: one change of a sound manifest each, and what the server says of it."""

from __future__ import annotations

import pytest

from tests.support.rule_tables import Change, changes, findings, sound, version_changes


def test_sound_manifests_have_no_findings() -> None:
    assert {kind: found for kind, manifest in sound().items() if (found := findings(manifest))} == {}


@pytest.mark.parametrize("kind", sorted(sound()))
def test_a_change_is_judged_as_the_server_does(kind: str) -> None:
    wrong = []
    for case in changes():
        if case.kind == kind:
            found = findings(case.manifest)
            if bool(found) != case.refused:
                wrong.append((case.line, [one.message for one in found]))
    assert wrong == []


@pytest.mark.parametrize("case", version_changes(), ids=lambda case: f"{case.version} {case.line}")
def test_a_rule_holds_from_a_version_on(case: Change) -> None:
    found = findings(case.manifest, case.version)
    assert bool(found) == case.refused, found


def test_every_kind_is_changed() -> None:
    assert len(changes()) > 500
    assert {case.kind for case in changes()} == set(sound())
