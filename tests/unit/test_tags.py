"""Which of two tags is older, and which tags a build gets."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_ci.errors import UsageError
from gitops_ci.imageref import TAG
from gitops_ci.tags import STRATEGIES, BuildFacts, GitTagRule, choose, kind_of, older, slug

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


@given(st.from_regex(TAG.pattern, fullmatch=True), st.from_regex(TAG.pattern, fullmatch=True))
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
    assert why("0", version="0.4.2") == "0.x versions may be incompatible"


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
    assert included(version="1.2.3.4") == ["1.2.3.4", "1.2", "1", "latest"]
    assert included(version="0.2.1.0-rc1") == ["0.2.1.0-rc1"]
    assert included(version="0.2.1.0") == ["0.2.1.0", "0.2", "latest"]
    assert why("1", version="1.2.3.4", existing=["1.2.3.10"]) == "1.2.3.10 is newer"


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
        *("branch=", "pr=", "tag=", "date=", "edge=", "semver=", "channel=", "sha="),
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


# ----------------------------------------------------------------------------------------------------- schemes


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2024.01.15", ["2024.01.15", "2024.01", "2024", "latest"]),
        ("2024.1.0", ["2024.1.0", "2024.1", "2024", "latest"]),
        ("2024.01.15.2", ["2024.01.15.2", "2024.01", "2024", "latest"]),
        ("2026.11.30+b7", ["2026.11.30_b7", "2026.11", "2026", "latest"]),
        ("2024.01.15-rc.1", ["2024.01.15-rc.1"]),
    ],
)
def test_a_calendar_version_has_series_of_its_own(version, expected):
    assert included(version=version) == expected


def test_calendar_versions_move_forward_only():
    assert included(version="2024.02.01", existing=["2024.01.15", "2024.01"])[1:] == ["2024.02", "2024", "latest"]
    assert why("latest", version="2024.02.01", existing=["2024.10.01"]) == "2024.10.01 is newer"
    assert included("channel", version="2024.02.01-rc.2", existing=["2024.02.01-rc.1"]) == ["rc"]


@pytest.mark.parametrize("month", range(1, 13))
def test_a_tag_of_the_date_strategy_never_holds_latest_back(month):
    day = f"2026.{month}.30" if month > 9 else f"2026.{month:02}.30"
    assert included(version="1.5.0", existing=[day, "1.4.2"]) == ["1.5.0", "1.5", "1", "latest"]


def test_versions_of_other_schemes_are_named_for_those_who_can_look():
    [latest] = [c for c in choose((), BuildFacts(version="1.5.0"), ["2026.11.30", "2026.11.29", "1.4.2", "1.2.3.4"])
                if c.tag == "latest"]  # fmt: skip
    assert set(latest.rivals) == {"2026.11.30", "1.2.3.4"}
    assert latest.before == "1.4.2"


@pytest.mark.parametrize("version", ["1.2.3.post1", "1.2.3.Final", "1.2.3.4.5", "01.2.3", "1.02.3"])
def test_a_version_of_no_scheme_gets_its_tag_and_a_reason_for_the_rest(version):
    assert included(version=version) == [version]
    assert "scheme" in why("latest", version=version)


# ------------------------------------------------------------------------------------------- branches and dates


@pytest.mark.parametrize(
    "branch",
    ["PROJ-123-add-cart", "feature/42-cart", "issue-42", "42-cart", "release/1.4", "gh-readonly-queue/main/pr-12-3fa9",
     "dependabot/npm_and_yarn/lodash-4.17.21", "v2-rewrite", "2024-refactor"],
)  # fmt: skip
def test_a_number_in_a_branch_is_no_version(branch):
    assert included("branch", branch=branch) == [slug(branch)]


@pytest.mark.parametrize("branch", ["1", "1.4", "v1", "v1.4", "1.4.2", "v1.4.2", "1.4.2-rc.1", "V2", "latest"])
def test_a_branch_takes_no_tag_of_the_releases(branch):
    assert included("branch", branch=branch) == []


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_date_depends_on_no_time_zone(zone, monkeypatch):
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    assert included("date=%s", moment=1700000000.0) == ["1700000000"]
    assert included("date=%Y%m%d%H", moment=1700000000.0) == ["2023111422"]
    assert included("raw={timestamp}-{date:%H%M}", moment=1700000000.0) == ["1700000000-2213"]


# --------------------------------------------------------------------------------------------------- templates

WHOLE = {"branch": "feature/Cart", "commit": COMMIT, "moment": 1795219199.0, "run": "57", "version": "1.4.2+b7"}


@pytest.mark.parametrize(
    ("template", "tag", "kind"),
    [
        ("{branch}-{short_sha:12}-{date:%Y%m%d}", "feature-Cart-3fa9c1e0b5d2-20261120", "build"),
        ("{branch}-{sha}-{timestamp}", f"feature-Cart-{COMMIT}-1795219199", "build"),
        ("sha-{short_sha}", "sha-3fa9c1e", "build"),
        ("{version}", "1.4.2_b7", "release"),
        ("v{version}", "v1.4.2_b7", "release"),
        ("{version}-{short_sha}", "1.4.2_b7-3fa9c1e", "build"),
        ("build-{run}", "build-57", "build"),
        ("next-{branch}", "next-feature-Cart", "floating"),
    ],
)
def test_a_template_is_filled_in(template, tag, kind):
    [choice] = choose((f"raw={template}",), BuildFacts(**WHOLE), ())
    assert (choice.tag, choice.kind, choice.included) == (tag, kind, True)
    assert choice.by_commit is (kind == "floating")


def test_a_template_of_a_pull_request_and_of_a_git_tag():
    assert included("raw=pr-{pr}-{short_sha}", pull_request=12, commit=COMMIT) == ["pr-12-3fa9c1e"]
    assert included("raw={branch}", pull_request=12, branch="cart") == []
    assert included("raw={tag}", tag="shop/v1.4.2") == ["shop-v1.4.2"]


@pytest.mark.parametrize("field", ["branch", "sha", "short_sha", "timestamp", "date", "version", "tag", "pr", "run"])
def test_a_template_without_a_value_gives_no_tag(field):
    assert included("raw=x-{%s}" % field) == []  # noqa: UP031


@pytest.mark.parametrize(
    "template", ["{brunch}", "{}", "{branch", "branch}", "{branch:3}", "{short_sha:0}", "{short_sha:41}", "{{branch}}",
                 "{sha:7}", "{run!r}", "{branch.real}", "{short_sha:x}"]
)  # fmt: skip
@pytest.mark.parametrize("facts", [{}, WHOLE])
def test_a_template_that_cannot_be_is_refused(template, facts):
    with pytest.raises(UsageError) as refused:
        choose((f"raw={template}",), BuildFacts(**facts), ())
    assert refused.value.hint


# ------------------------------------------------------------------------------------ Git tags of several components


def versions(tag, **rule):
    return included("semver", tag=tag, tag_rule=GitTagRule(**rule))[:1]


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("shop/v1.2.3", "1.2.3"),
        ("shop-1.2.3", "1.2.3"),
        ("services/shop/v2.0.0-rc.1", "2.0.0-rc.1"),
        ("@acme/shop@1.2.3", "1.2.3"),
        ("shop-2.0-v1.2.3", "1.2.3"),
        ("shop@v1.2.3", "1.2.3"),
        ("v2024.01.15", "2024.01.15"),
    ],
)
def test_a_prefix_before_the_version_goes(tag, version):
    assert versions(tag) == [version]


@pytest.mark.parametrize(
    ("rule", "tag", "version"),
    [
        ({"prefix": "shop/"}, "shop/v1.2.3", ["1.2.3"]),
        ({"prefix": "shop/"}, "worker/v9.0.0", []),
        ({"prefix": "shop/"}, "v9.0.0", []),
        ({"prefix": "shop-2.0-"}, "shop-2.0-v1.2.3", ["1.2.3"]),
        ({"prefix": "@acme/shop@"}, "@acme/shop@1.2.3", ["1.2.3"]),
        ({"pattern": "shop-(.+)"}, "shop-v1.2.3", ["1.2.3"]),
        ({"pattern": "shop-(.+)"}, "workshop-v1.2.3", []),
        ({"pattern": r"v\d+\.\d+\.\d+"}, "v1.2.3", ["1.2.3"]),
        ({"pattern": r"v\d+\.\d+\.\d+"}, "v1.2.3-rc.1", []),
    ],
)
def test_a_rule_for_git_tags(rule, tag, version):
    assert versions(tag, **rule) == version


def test_versions_of_a_component_are_those_of_its_prefix():
    there = ["v9.0.0", "shop/v1.2.0", "shop/v2.0.0", "worker/v3.0.0", "shop/next"]
    assert GitTagRule().versions_in(there, "shop/v1.3.0") == ("1.2.0", "2.0.0")
    assert GitTagRule().versions_in(there, "v1.0.0") == ("9.0.0",)
    assert GitTagRule(prefix="worker/").versions_in(there, None) == ("3.0.0",)


@pytest.mark.parametrize(
    ("tag", "image", "fits"),
    [
        ("v1.2.3", "acme/shop", True),
        ("release-1.2.3", "acme/shop", True),
        ("shop/v1.2.3", "acme/shop", True),
        ("services/shop/v1.2.3", "acme/shop", True),
        ("@acme/shop@1.2.3", "acme/shop", True),
        ("api-1.2.3", "acme/shop-api", True),
        ("nightly", "acme/shop", True),
        ("worker/v9.0.0", "acme/shop", False),
        ("@acme/worker@9.0.0", "acme/shop", False),
        ("shop-worker-9.0.0", "acme/shop", False),
        ("workshop/v9.0.0", "acme/shop", False),
    ],
)
def test_a_tag_of_another_component_is_refused(tag, image, fits):
    if fits:
        GitTagRule().check_component(tag, image)
        return
    with pytest.raises(UsageError, match=tag) as refused:
        GitTagRule().check_component(tag, image)
    assert "--tag-prefix" in refused.value.hint
    GitTagRule(prefix=tag).check_component(tag, image)


@pytest.mark.parametrize("rule", [{"prefix": "a", "pattern": "b"}, {"pattern": "("}])
def test_a_rule_that_cannot_be_is_refused(rule):
    with pytest.raises(UsageError):
        GitTagRule(**rule).check()
