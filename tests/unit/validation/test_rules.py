"""The API server's rules, kind by kind: one change of a sound manifest each, and what the server says of it."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_ci.model import Finding
from gitops_ci.validation import Checks, check

HERE = Path(__file__).with_name("rules")
CHECKS = Checks(kubernetes_versions=("1.36",), rules=("yaml/*", "schema/*", "api/*"))


@cache
def sound() -> dict[str, Any]:
    files = sorted(HERE.glob("sound*.yaml"))
    return {one["kind"]: one for file in files for one in yaml.safe_load_all(file.read_text())}


def findings(manifest: dict[str, Any], checks: Checks = CHECKS) -> tuple[Finding, ...]:
    report = check([("a.yaml", yaml.safe_dump(manifest))], checks)
    assert report.skipped == ()
    return report.findings


def changed(manifest: dict[str, Any], change: str) -> dict[str, Any]:
    """The manifest with `path value` of each part of a change; a part without a value removes what is there."""
    result = copy.deepcopy(manifest)
    for part in change.split(";;"):
        path, _, value = part.strip().partition(" ")
        place: Any = result
        *above, last = path.split(".")
        for name in above:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        if isinstance(place, list):
            place[len(place) if last == "+" else int(last) :] = [yaml.safe_load(value)]
        elif value:
            place[last] = yaml.safe_load(value)
        else:
            del place[last]
    return result


def cases() -> list[str]:
    lines = [line for file in sorted(HERE.glob("changed*.txt")) for line in file.read_text().splitlines()]
    return [line for line in lines if not line.startswith("#")]


def test_sound_manifests_have_no_findings() -> None:
    assert {kind: found for kind, manifest in sound().items() if (found := findings(manifest))} == {}


@pytest.mark.parametrize("kind", sorted(sound()))
def test_a_change_is_judged_as_the_server_does(kind: str) -> None:
    wrong = []
    for case in cases():
        verdict, its_kind, change = case.split(maxsplit=2)
        if its_kind == kind:
            found = findings(changed(sound()[kind], change))
            if bool(found) != (verdict == "refused"):
                wrong.append((case, [one.message for one in found]))
    assert wrong == []


def cases_of_versions() -> list[str]:
    lines = (HERE / "versions.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("case", cases_of_versions())
def test_a_rule_holds_from_a_version_on(case: str) -> None:
    *expected, kind, change = case.split(maxsplit=5)
    for verdict, version in (expected[:2], expected[2:]):
        checks = Checks(kubernetes_versions=(version,), rules=CHECKS.rules)
        found = findings(changed(sound()[kind], change), checks)
        assert bool(found) == (verdict == "refused"), (version, found)


def test_every_kind_is_changed() -> None:
    assert len(cases()) > 500
    assert {case.split()[1] for case in cases()} == set(sound())
