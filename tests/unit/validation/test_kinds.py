"""One row a kind: complete, resolvable, and honest about kinds without rules."""

from __future__ import annotations

import pytest

from gitops_ci.validation.apimachinery.object_meta import NAME_FORMATS
from gitops_ci.validation.apiserver import rules_of
from gitops_ci.validation.kinds import KINDS
from gitops_ci.validation.kubernetes_versions import VERSIONS
from gitops_ci.validation.openapi.bundle import Bundle


def served() -> set[tuple[str, str]]:
    names = (key.split(" ") for version in VERSIONS for key in Bundle.load(version).kinds)
    return {(api_version.rpartition("/")[0], kind) for api_version, kind in names}


def test_every_kind_that_a_bundled_version_serves_has_a_row_and_no_other_has():
    assert not (left := sorted(served() - KINDS.keys())), f"add a row to gitops_ci/validation/kinds.py for {left}"
    assert not (gone := sorted(KINDS.keys() - served())), f"no bundled version serves {gone}: remove the row"


@pytest.mark.parametrize("key", KINDS, ids="/".join)
def test_a_row_names_rules_that_are_there_or_says_why_there_are_none(key):
    row = KINDS[key]
    assert bool(row.rules) != bool(row.no_rules)
    assert row.name in NAME_FORMATS
    found = rules_of(f"{key[0]}/v1" if key[0] else "v1", key[1])
    assert len(found) == len(row.rules)
    assert all(callable(rule) for rule in found)


def test_a_custom_kind_of_the_same_name_has_no_row():
    assert rules_of("acme.example/v1", "Deployment") == ()
