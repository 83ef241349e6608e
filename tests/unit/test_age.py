"""Which image is the older one, by what images say of themselves."""

import pytest

from gitops_ci import plan
from gitops_ci.flows.image.age import CREATED, REVISION, AgeComparison, BuildMetadata, explain_older
from gitops_ci.imageref import ImageRef
from gitops_ci.registry.connection import Access

MONDAY, TUESDAY = "2026-11-16T10:00:00Z", "2026-11-17T10:00:00+01:00"
OLD, NEW = ImageRef.parse("ghcr.io/acme/shop:aaaaaaa"), ImageRef.parse("ghcr.io/acme/shop:bbbbbbb")


class Heard:
    def __init__(self):
        self.details = []

    def detail(self, message):
        self.details.append(message)


def labeled(created="", revision="", built=""):
    return BuildMetadata({key: value for key, value in ((CREATED, created), (REVISION, revision)) if value}, built)


@pytest.mark.parametrize(
    ("wanted", "present", "rule"),
    [
        (labeled(MONDAY), labeled(TUESDAY), f"label {CREATED}: 2026-11-16T10:00:00 and 2026-11-17T10:00:00"),
        (labeled(TUESDAY), labeled(MONDAY), ""),
        (labeled(MONDAY, "c1"), labeled(TUESDAY, "c1"), ""),
        (labeled(MONDAY, "c1"), labeled(TUESDAY, "c2"), f"label {CREATED}"),
        (labeled(MONDAY, built=TUESDAY), labeled(TUESDAY, built=MONDAY), f"label {CREATED}"),
        (labeled(MONDAY, built=MONDAY), labeled(MONDAY, built=TUESDAY), "date in its config"),
        (labeled(built=MONDAY), labeled(built=TUESDAY), "date in its config"),
        (labeled(built="1970-01-01T00:00:00Z"), labeled(built=TUESDAY), ""),
        (labeled("yesterday"), labeled(TUESDAY), ""),
        (labeled("2026-11-16"), labeled("2026-11-17T10:00:00.123456789Z"), f"label {CREATED}"),
        (labeled(MONDAY), labeled(), ""),
        (labeled(), labeled(), ""),
    ],
)
def test_the_label_goes_before_the_config_and_one_commit_has_one_age(wanted, present, rule):
    said = explain_older(wanted, present)
    assert said.startswith(f"by the {rule}") if rule else said == ""


def manifest(image):
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n    - image: {image}\n"


def planned(now, target, ages, **policy):
    return plan.make([("x.yaml", manifest(now))], [target], plan.BumpPolicy(**policy), is_older=ages)


def test_an_older_image_is_refused_with_the_rule_and_how_to_override_it():
    ages = AgeComparison(Access(), Heard(), {OLD: labeled(MONDAY), NEW: labeled(TUESDAY)})
    refused = planned(NEW, OLD, ages)
    assert refused.changes == ()
    assert refused.refused[0].reason == (
        f"refusing to downgrade ghcr.io/acme/shop from bbbbbbb to aaaaaaa, older by the label {CREATED}: "
        "2026-11-16T10:00:00 and 2026-11-17T10:00:00"
    )
    assert "--allow-downgrade" in refused.refused[0].hint
    assert planned(OLD, NEW, ages).changes
    assert planned(NEW, OLD, ages, allow_downgrade=True).changes


def test_nothing_is_asked_where_versions_compare_or_nothing_changes():
    def never(wanted, present):
        raise AssertionError(f"{wanted} and {present} were compared")

    one, two = ImageRef.parse("a/b:1.0.0"), ImageRef.parse("a/b:2.0.0")
    assert planned(one, two, never).changes
    assert planned(two, one, never).refused
    assert planned(OLD, OLD, never).unchanged
    assert planned("ghcr.io/acme/shop", OLD, never).changes
    assert planned(NEW, OLD, never, allow_downgrade=True).changes
    ages = AgeComparison(Access(), Heard())
    planned(one, two, ages)
    assert not ages.learn()


def test_a_registry_that_is_away_stops_nothing_and_is_said_in_verbose_only(closed_port):
    away = ImageRef.parse(f"127.0.0.1:{closed_port}/acme/shop:aaaaaaa")
    heard = Heard()
    ages = AgeComparison(Access(), heard)
    assert planned(away.with_version(tag="bbbbbbb", digest=None), away, ages).changes
    assert not ages.learn()
    assert len(heard.details) == 1
    assert "is not compared" in heard.details[0]
    assert not ages.learn(), "what is not to be had is asked for once"
    assert len(heard.details) == 1


def test_pairs_that_nothing_decides_are_told_once(closed_port):
    away = ImageRef.parse(f"127.0.0.1:{closed_port}/acme/shop:main-bbbbbb1")
    ages = AgeComparison(Access(), Heard(), {OLD: labeled(MONDAY), NEW: labeled(TUESDAY)})
    for now in ("main-aaaaaa1", "latest", "main-bbbbbb1.2"):
        assert planned(away.with_version(tag=now, digest=None), away, ages).changes
    assert planned(OLD, NEW, ages).changes
    ages.learn()
    assert [present.tag for _, present in ages.undecided()] == ["main-aaaaaa1"]
    assert ages.undecided() == []


@pytest.fixture
def closed_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]
