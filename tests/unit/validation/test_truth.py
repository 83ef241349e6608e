"""Agreement with real API servers: the recorded verdicts of tests/data/apiserver.

Findings of yaml/, schema/ and api/ mean "an API server refuses this" and nothing else: no manifest that the
server takes may have one, and none of those that it refuses may be without.
"""

from __future__ import annotations

from functools import cache

import pytest

from gitops_ci.model import Finding
from gitops_ci.validation import Checks, check
from gitops_ci.validation.kubernetes_versions import DEFAULT_VERSION
from tests.support.effort import STRIDE
from tests.support.verdicts import Case, manifests, recorded, recorded_versions

REFUSING = ("yaml/", "schema/", "api/")


@cache
def cases(version: str) -> list[Case]:
    return [case for case in recorded(version) if case.manifest.scope == "file"]


def chosen(version: str) -> list[Case]:
    """What the server of a version judges otherwise than that of the default version, and every third of the rest."""
    if version == DEFAULT_VERSION:
        return cases(version)
    usual = {case.manifest.id: case.accepted for case in cases(DEFAULT_VERSION)}
    alike = [case for case in cases(version) if case.accepted == usual[case.manifest.id]]
    return [case for case in cases(version) if case.accepted != usual[case.manifest.id]] + alike[::STRIDE]


def refusals(case: Case, version: str) -> list[Finding]:
    checks = Checks(kubernetes_versions=(version,))
    findings = check([(f"{case.manifest.id}.yaml", case.manifest.text)], checks).findings
    return [found for found in findings if found.severity == "error" and found.rule.startswith(REFUSING)]


def test_the_default_version_has_recorded_verdicts() -> None:
    missing = f"no verdicts of {DEFAULT_VERSION}: tests/data/apiserver/README.md describes how to record them"
    assert DEFAULT_VERSION in recorded_versions(), missing


@pytest.mark.soak
@pytest.mark.parametrize("version", recorded_versions())
def test_no_manifest_that_the_server_accepts_is_refused(version: str) -> None:
    assert sum(case.accepted for case in cases(version)) > 500
    accepted = [case for case in chosen(version) if case.accepted]
    assert {case.manifest.id: found for case in accepted if (found := refusals(case, version))} == {}


@pytest.mark.soak
@pytest.mark.parametrize("version", recorded_versions())
def test_every_manifest_that_the_server_refuses_without_cel_is_refused(version: str) -> None:
    assert sum(not case.accepted and case.manifest.needs != "cel" for case in cases(version)) > 750
    refused = [case for case in chosen(version) if not case.accepted and case.manifest.needs != "cel"]
    assert {case.manifest.id: case.message for case in refused if not refusals(case, version)} == {}


def test_every_refusal_has_a_place_in_the_file() -> None:
    for case in cases(DEFAULT_VERSION)[::5]:
        lines = case.manifest.text.split("\n")
        for found in refusals(case, DEFAULT_VERSION):
            assert 1 <= found.line <= len(lines), (case.manifest.id, found)
            assert 1 <= found.column <= len(lines[found.line - 1]) + 1, (case.manifest.id, found)


@pytest.mark.parametrize("version", ["1.27", "1.31", "1.33"])
def test_the_sound_base_manifests_are_sound_in_versions_without_verdicts(version: str) -> None:
    bases = [case for case in cases(DEFAULT_VERSION) if case.manifest.family == "base"]
    assert len(bases) == 40
    # What uses a feature that older servers do not have: the manifest, and the first version that takes it.
    newer = {"base.pod-proxy": 29}
    minor = int(version.partition(".")[2])
    for case in bases:
        found = [one for one in refusals(case, version) if one.rule not in {"api/not-served", "schema/unknown-field"}]
        assert bool(found) == (newer.get(case.manifest.id, 0) > minor), (case.manifest.id, found)


def test_manifests_are_stored_once_and_by_family() -> None:
    names = [one.id for one in manifests()]
    assert len(names) == len(set(names)) > 1300
