"""What of a tag is its flavor, and what only says which build it is."""

import pytest

from gitops_ci.plan.flavors import Flavor, flavor_of


@pytest.mark.parametrize(
    ("tag", "prefix", "suffix"),
    [
        ("1.4.1", "", ""),
        ("v1.4", "", ""),
        ("22", "", ""),
        ("3.12-slim", "", "slim"),
        ("3.12-slim-bookworm", "", "slim bookworm"),
        ("22-alpine", "", "alpine"),
        ("22-alpine3.19", "", "alpine"),
        ("1.0.0-arm64", "", "arm"),
        ("1.0.0-amd64", "", "amd"),
        ("1.0.0-x86_64", "", "amd"),
        ("17-jre", "", "jre"),
        ("1.0.0_fips", "", "fips"),
        ("8.0.36-debian", "", "debian"),
        ("1.0.0-rc.1-alpine", "", "alpine"),
        ("1.0.0-ALPINE", "", "alpine"),
        ("1.0.0-rc1", "", ""),
        ("1.0.0-SNAPSHOT", "", ""),
        ("1.0.0.Final", "", ""),
        ("api-1.0.0", "api", ""),
        ("web-admin-v1.0.0", "web admin", ""),
        ("api-1.0.0-alpine", "api", "alpine"),
        ("main-1.4.1", "", ""),
    ],
)
def test_words_beside_a_version_are_its_flavor(tag, prefix, suffix):
    assert flavor_of(tag) == Flavor(tuple(prefix.split()), tuple(suffix.split()))


@pytest.mark.parametrize(
    "tag",
    [
        None, "", "latest", "stable-alpine", "main", "main-3fa9c1e", "feat-x-3fa9c1e", "3fa9c1e", "1234567", "pr-12",
        "build-100", "main-abc1234-1700000000", "20260101-main", "1.4.1-42", "1.4.1-20260101", "1.4.1-abc1234",
        "1.4.1-5-gabc1234", "1.4.1-feature-cart", "1.4.1-cart.3", "1.4.1-main-3fa9c1e", "1.0.0-rc.1",
        "1.0.0-build7", "8.0.36-debian-12-r3",
        "RELEASE.2024-02-01T00-00-00Z",
    ],
)  # fmt: skip
def test_a_build_of_a_branch_or_commit_has_no_flavor(tag):
    assert flavor_of(tag) is None
