"""Which of two tags is older, and which tags a build gets."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_ci.errors import UsageError
from gitops_ci.imageref import TAG
from gitops_ci.tags import STRATEGIES, BuildFacts, choose, kind_of, older, slug

COMMIT = "3fa9c1e0b5d2a7c64e8f1b90d3c2a1f0e9d8c7b6"


@pytest.mark.parametrize(
    ("candidate", "current", "expected"),
    [
        ("1.3.9", "1.4.0", True),
        ("1.4.0", "1.3.9", False),
        ("1.4.2", "1.4.2", False),
        ("1.10.0", "1.9.0", False),
        ("v1.3.9", "1.4.0", True),
        # as far as both go
        ("1.3.9", "1.4", True),
        ("1.4.2", "1.4", None),
        ("14.2", "15", True),
        # not released yet
        ("1.4.0-rc.1", "1.4.0", True),
        ("1.4.0", "1.4.0-rc.1", False),
        ("1.4.0-beta.3", "1.4.0-rc.1", True),
        ("1.4.0-rc.10", "1.4.0-rc.9", False),
        ("1.4.0-rc10", "1.4.0-rc9", False),
        ("1.4.0rc1", "1.4.0", True),
        ("1.4.0-rc", "1.4.0-rc.1", True),
        # variants
        ("1.4.2-alpine", "1.4.2", None),
        ("1.4.1-alpine", "1.4.2-slim", True),
        ("1.4.2-debian-12-r3", "1.4.2-debian-12-r10", True),
        ("1.4.2_b6", "1.4.2_b7", True),
        # git describe
        ("1.4.2", "1.4.2-5-gab12cd3", True),
        ("1.4.2-7-gab12cd3", "1.4.2-5-g9912cd3", False),
        # other numbers
        ("1.2.3.4", "1.2.3.5", True),
        ("41", "42", True),
        ("20261120", "20261121", True),
        ("2026-11-20", "2026-11-21", True),
        ("release-1.4.1", "release-1.4.2", True),
        # tags of one skeleton
        ("main-def5678-1700000000", "main-abc1234-1699999999", False),
        ("main-abc1234-1699999999", "main-def5678-1700000000", True),
        ("build-99", "build-100", True),
        ("dev-20260601143055-abc1234", "dev-20260602143055-def5678", True),
        ("prod-68f7180-20260820151134", "prod-1234567-20260821151134", True),
        ("v1.2.3-4-gab12cd3", "v1.2.3-5-g9912cd3", True),
        ("RELEASE.2024-01-05T22-17-24Z", "RELEASE.2024-02-01T00-00-00Z", True),
        ("20240101T120000Z-abc1234", "20240101T110000Z-abc1234", False),
        ("2024.5-abc1234", "2024.10-abc1234", True),
        ("ci_7-linux-arm64", "ci_12-linux-arm64", True),
        ("nightly-9", "nightly-10", True),
        # other skeletons, units and hashes
        ("main-abc1234-1699999999", "dev-abc1234-1700000000", None),
        ("main-abc1234-1699999999000", "main-abc1234-1700000000", None),
        ("main-abc1234-def5678-1", "main-def5678-abc1234-2", None),
        ("main-1234567", "main-7654321", None),
        ("build-99-x", "build-100", None),
        ("01-12-2023", "02-01-2024", None),
        ("feature-12-a", "feature-13-a", None),
        # no versions, or no common measure
        ("release-1.4.1", "1.4.2", None),
        ("20261121", "1.4.2", None),
        ("6801028", "7234567", None),
        ("main-ab12cd3", "main-ff12cd3", None),
        ("pr-12", "pr-13", None),
        ("latest", "1.0.0", None),
        ("", "1.0.0", None),
    ],
)
def test_older_compares_what_can_be_compared(candidate, current, expected):
    assert older(candidate, current) is expected


_LITERAL = st.sampled_from(["main", "build", "dev", "release", "RELEASE", "ci", "nightly", "prod", "x86"])
_SEPARATOR = st.sampled_from(["-", "_", "."])
_HASH = st.from_regex(r"[0-9a-f]{3}[a-f][0-9a-f]{3}", fullmatch=True)
_NUMBERS = {
    "counter": st.integers(0, 999_999).map(str),
    "seconds": st.integers(1_600_000_000, 1_999_999_999).map(str),
    "day": st.dates(date(2000, 1, 1)).map(lambda day: day.strftime("%Y%m%d")),
    "day with separators": st.dates(date(2000, 1, 1)).map(lambda day: day.strftime("%Y-%m-%d")),
    "moment": st.datetimes(datetime.fromisoformat("2000-01-01")).map(lambda at: at.strftime("%Y%m%dT%H%M%SZ")),
}


@st.composite
def schemes(draw):
    """Two tags of one scheme, and whether the first is the older one."""
    numbers = _NUMBERS[draw(st.sampled_from(sorted(_NUMBERS)))]
    one, other = draw(numbers), draw(numbers)
    width = max(len(one), len(other)) if one.isdigit() else 0
    parts = draw(st.permutations(["number", *draw(st.sampled_from([[], ["hash"]]))]))
    lead, end = draw(_LITERAL), draw(st.sampled_from(["", "arm", "slim"]))
    separators = draw(st.lists(_SEPARATOR, min_size=3, max_size=3))

    def tag(number):
        words = [lead, *(number if part == "number" else draw(_HASH) for part in parts), *([end] if end else [])]
        return "".join(word + separator for word, separator in zip(words, [*separators, ""], strict=False)).rstrip(
            "-_."
        )

    return tag(one), tag(other), one.rjust(width, "0") < other.rjust(width, "0"), one == other


@given(schemes())
def test_older_orders_the_tags_of_any_scheme(scheme):
    one, other, is_older, same = scheme
    if same:
        assert older(one, other) in {None, False}
    else:
        assert (older(one, other), older(other, one)) == (is_older, not is_older)


@given(st.from_regex(TAG, fullmatch=True), st.from_regex(TAG, fullmatch=True))
def test_older_never_holds_both_ways(one, other):
    assert not (older(one, other) and older(other, one))


@given(st.tuples(*[st.integers(0, 99)] * 3), st.tuples(*[st.integers(0, 99)] * 3))
def test_older_orders_versions_by_their_numbers(one, other):
    assert older("{}.{}.{}".format(*one), "{}.{}.{}".format(*other)) is (one < other)


def included(*strategies, existing=(), suffix="", **facts):
    return [c.tag for c in choose(strategies, BuildFacts(**facts), existing, suffix=suffix) if c.included]


def why(tag, *strategies, existing=(), **facts):
    (choice,) = [c for c in choose(strategies, BuildFacts(**facts), existing) if c.tag == tag]
    assert not choice.included
    return choice.why


def test_a_version_gets_its_series_and_latest():
    assert included(version="1.4.2") == ["1.4.2", "1.4", "1", "latest"]


def test_a_backport_takes_its_own_series_only():
    existing = ["1.3.8", "2.0.0", "1.4.0", "latest"]
    assert included(version="1.3.9", existing=existing) == ["1.3.9", "1.3"]
    assert why("latest", version="1.3.9", existing=existing) == "2.0.0 is newer"
    assert why("1", version="1.3.9", existing=existing) == "1.4.0 is newer"


def test_an_older_version_of_its_series_gets_only_its_own_tag():
    assert included(version="1.4.1", existing=["v1.4.2"]) == ["1.4.1"]


def test_the_same_version_again_gets_the_same_tags():
    assert included(version="1.4.2", existing=["1.4.2", "1.4.1", "1.4", "1", "latest"]) == [
        "1.4.2",
        "1.4",
        "1",
        "latest",
    ]


def test_existing_prereleases_hold_nothing_back():
    assert included(version="1.4.2", existing=["2.0.0-rc.1"]) == ["1.4.2", "1.4", "1", "latest"]


def test_zero_versions_get_no_zero_tag():
    assert included(version="0.4.2") == ["0.4.2", "0.4", "latest"]
    assert why("0", version="0.4.2") == "0.x versions promise nothing to each other"


def test_a_prerelease_gets_its_version_and_a_channel_when_asked():
    assert included(version="2.0.0-rc.1") == ["2.0.0-rc.1"]
    assert included("semver", "channel", version="2.0.0-rc.1", existing=["1.9.0"]) == ["2.0.0-rc.1", "rc"]
    assert why("rc", "channel", version="2.0.0-rc.1", existing=["2.0.0-rc.2"]) == "2.0.0-rc.2 is newer"


@pytest.mark.parametrize(
    ("version", "existing", "expected"),
    [
        ("2.0.0-rc10", ["2.0.0-rc9"], "newest rc"),
        ("2.0.0-rc9", ["2.0.0-rc10"], "2.0.0-rc10 is newer"),
        ("2.0.0-rc.10", ["2.0.0-rc9"], "newest rc"),
        ("2.0.0-rc99", ["2.0.0"], "2.0.0 is newer"),
        ("2.0.0-rc1", ["2.1.0", "1.9.0"], "2.1.0 is newer"),
        ("2.1.0-rc1", ["2.0.0"], "newest rc"),
        ("2.0.0-rc1", ["2.0.0-rcx1"], "newest rc"),
        ("2.0.0-rc1", ["3.0.0-alpha1"], "newest rc"),
        ("2.0.0-RC1", ["2.0.0-rc2"], "newest RC"),
        ("2.0.0-rc02", ["2.0.0-rc1"], "newest rc"),
        ("2.0.0-beta2", ["2.0.0-beta10", "2.0.0-beta9"], "2.0.0-beta10 is newer"),
    ],
)
def test_a_channel_moves_forward_only(version, existing, expected):
    """`rc10` counts as `rc.10`, as in a bump; a release ends the channel of its version."""
    [choice] = choose(("channel",), BuildFacts(version=version), existing)
    assert choice.tag == version.partition("-")[2].rstrip("0123456789.")
    assert (choice.why, choice.included) == (expected, expected.startswith("newest"))


def test_a_channel_belongs_to_its_own_newest_version():
    choices = choose(("channel",), BuildFacts(version="2.0.0-rc1"), ["2.0.0-rc10", "2.1.0"])
    assert [choice.newer for choice in choices] == ["2.0.0-rc10"]
    choices = choose(("channel",), BuildFacts(version="2.0.0-rc1"), ["2.1.0"])
    assert [choice.newer for choice in choices] == [""], "a release has no place in the channel"


def test_four_part_versions_are_not_made_three():
    assert included(version="1.2.3.4") == ["1.2.3.4"]
    assert included(version="0.2.1.0-rc1") == ["0.2.1.0-rc1"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"version": "1.4"}, "--tags raw=1.4"),
        ({"version": "57"}, "--tags raw=57"),
        ({"version": "latest"}, "--tags raw=latest"),
        ({"version": "abc"}, "--tags raw=abc"),
        ({"tag": "v1.4"}, "--tags tag"),
        ({"tag": "deploy-2026.1-hotfix"}, "--tags tag"),
    ],
)
def test_what_is_no_whole_version_is_not_released(facts, said):
    """`1.4` would be moved by 1.4.1: whoever means exactly that tag says so."""
    with pytest.raises(UsageError, match="version") as refused:
        included(commit=COMMIT, **facts)
    assert said in refused.value.hint
    assert included("sha", commit=COMMIT, **facts) == ["sha-3fa9c1e"]


def test_who_is_newer_is_named_by_its_tag():
    choices = choose(("semver",), BuildFacts(version="1.4.1"), ["v1.4.2_b7", "2.0.0"], suffix="")
    assert {choice.tag: choice.newer for choice in choices} == {
        "1.4.1": "", "1.4": "v1.4.2_b7", "1": "v1.4.2_b7", "latest": "2.0.0"
    }  # fmt: skip
    choices = choose(("semver",), BuildFacts(version="1.4.1"), ["1.4.2-alpine"], suffix="-alpine")
    assert {choice.newer for choice in choices} == {"", "1.4.2-alpine"}


def test_build_metadata_follows_an_underscore():
    assert included(version="1.4.2+b7") == ["1.4.2_b7", "1.4", "1", "latest"]
    assert included(version="1.4.1+b9", existing=["1.4.2_b7"]) == ["1.4.1_b9"]


def test_a_leading_v_goes_unless_asked_for():
    assert included(version="v1.4.2") == ["1.4.2", "1.4", "1", "latest"]
    assert included("semver=v", version="1.4.2") == ["v1.4.2", "v1.4", "v1", "latest"]


@pytest.mark.parametrize("tag", ["v1.4.2", "1.4.2", "shop/v1.4.2", "shop-v1.4.2", "release-1.4.2"])
def test_a_git_tag_tells_the_version(tag):
    assert included(tag=tag, commit=COMMIT)[0] == "1.4.2"


def test_a_git_tag_without_version_is_none():
    assert included(tag="nightly", commit=COMMIT) == ["sha-3fa9c1e"]


def test_unknown_registry_tags_move_nothing():
    assert included(version="1.4.2", existing=None) == ["1.4.2"]


def test_a_branch_build_gets_branch_and_commit():
    assert included(branch="main", commit=COMMIT) == ["main-3fa9c1e"]
    assert included(branch="feature/Cart#2", commit=COMMIT) == ["feature-Cart-2-3fa9c1e"]
    assert included("sha=12", branch="main", commit=COMMIT) == ["main-3fa9c1e0b5d2"]


def test_a_pull_request_gets_its_number_and_moves_nothing_that_floats():
    facts = {"branch": "cart", "commit": COMMIT, "pull_request": 12}
    assert included("sha", "pr", "branch", "raw=latest", "edge", is_default_branch=True, **facts) == [
        "pr-12-3fa9c1e",
        "pr-12",
    ]
    assert included(version="1.4.2", **facts) == ["1.4.2"]


def test_a_fork_gets_no_release():
    assert included("semver", "sha", version="1.4.2", pull_request=3, commit=COMMIT, trusted=False) == ["pr-3-3fa9c1e"]


def test_a_branch_called_like_a_version_does_not_take_its_tag():
    assert included("branch", branch="1.4", commit=COMMIT) == []
    assert included("branch", branch="latest", commit=COMMIT) == []
    assert included("branch", branch="main", commit=COMMIT) == ["main"]


def test_edge_belongs_to_the_default_branch():
    assert included("edge", branch="main", is_default_branch=True) == ["edge"]
    assert why("edge", "edge", branch="cart") == "cart is not the default branch"


def test_date_is_the_moment_of_the_build_in_utc():
    assert included("date", moment=1795219199.0) == ["20261120"]
    assert included("date=%Y.%m.%d-%H%M", moment=1795219199.0) == ["2026.11.20-2359"]


def test_the_most_exact_tag_comes_first():
    facts = {"version": "1.4.2", "branch": "main", "commit": COMMIT}
    assert included("branch", "sha", "semver", **facts) == ["1.4.2", "main-3fa9c1e", "main", "1.4", "1", "latest"]


def test_a_variant_has_its_own_series():
    tags = included(version="1.4.2", existing=["2.0.0", "1.4.1-alpine"], suffix="-alpine")
    assert tags == ["1.4.2-alpine", "1.4-alpine", "1-alpine", "latest-alpine"]


@pytest.mark.parametrize("strategy", ["semvar", "raw", "raw=a b", "raw=-x", "sha=x", "raw=" + "a" * 129])
def test_a_strategy_that_cannot_be_is_refused(strategy):
    with pytest.raises(UsageError):
        choose((strategy,), BuildFacts(version="1.0.0", commit=COMMIT), ())


@pytest.mark.parametrize(
    "strategy",
    [
        *("semver=minor", "semver={{major}}.{{minor}}", "semver=V", "auto=v", "channel=rc", "branch=main", "pr=12"),
        *("tag=v1", "sha=0", "sha=41", "sha=100", "sha=-1", "sha=7.0", "sha=\N{SUPERSCRIPT TWO}"),
    ],
)
@pytest.mark.parametrize("facts", [BuildFacts(), BuildFacts(version="1.0.0", branch="main", commit=COMMIT)])
def test_an_argument_that_means_nothing_is_refused(strategy, facts):
    """Also where the strategy has no tag for this build: it would have one in the next."""
    with pytest.raises(UsageError) as refused:
        choose((strategy,), facts, ())
    assert strategy in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("strategy", ["semver", "semver=v", "sha=1", "sha=40", "edge=next", "date=%Y"])
def test_an_argument_that_means_something_is_taken(strategy):
    facts = BuildFacts(version="1.0.0", branch="main", commit=COMMIT, moment=0.0, is_default_branch=True)
    assert choose((strategy,), facts, ())


def test_an_unknown_strategy_names_the_known_ones():
    with pytest.raises(UsageError) as refused:
        choose(("semvar",), BuildFacts(), ())
    assert all(name in refused.value.hint for name in STRATEGIES)


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("1.4.2", "release"),
        ("v1.4.2-rc.1", "release"),
        ("1.2.3.4", "release"),
        ("shop-1.4.2", "release"),
        ("1.4", "floating"),
        ("latest", "floating"),
        ("main", "floating"),
        ("main-3fa9c1e", "build"),
        ("3fa9c1e", "build"),
    ],
)
def test_a_written_tag_promises_what_it_looks_like(tag, kind):
    assert kind_of(tag) == kind


@given(st.text(max_size=300))
def test_every_branch_name_becomes_a_tag(name):
    assert TAG.fullmatch(slug(name))
    assert all(TAG.fullmatch(tag) for tag in included("branch", "sha", branch=name or "x", commit=COMMIT))
