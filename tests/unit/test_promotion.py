"""Which version is promoted, and the gates that need no request: against simulated clocks and random histories."""

import itertools
import random
from dataclasses import replace

import pytest

from gitops_ci.configrepo import LogEntry
from gitops_ci.errors import UsageError
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.globs import Paths
from gitops_ci.flows.history.reader import EnvironmentPast
from gitops_ci.flows.history.scopes import Scope
from gitops_ci.flows.history.sites import Use
from gitops_ci.flows.history.timeline import Timeline
from gitops_ci.flows.promote.batches import batches, pairs
from gitops_ci.flows.promote.candidates import Candidate, Selection, candidate
from gitops_ci.flows.promote.gates import Question, age, agreement, set_gate, skipped, soak, worst
from gitops_ci.flows.promote.protection import soaks
from gitops_ci.imageref import ImageRef
from tests.support.effort import examples
from tests.unit.test_timeline import NAME, uses

IMAGE = ImageRef.parse(NAME)
HOUR = 3600


def commit_at(number, time, *, is_cut=False):
    return LogEntry(f"{number:040x}", (), time, "Ada", "Ada", "", (), is_cut)


def past(*states, environment="staging", since=0):
    """An environment with these (time, versions of its places) in its history."""
    timeline, before = Timeline(environment), ()
    for number, (time, versions) in enumerate(states):
        after = uses(*versions)
        timeline.apply(commit_at(number, time, is_cut=number == 0 and time == since), "", [(before, after)])
        before = after
    return EnvironmentPast(Scope(Environment(environment), "main", Paths()), timeline, {"a.yaml": before})


def chosen(history, now, soak=0, select="current", version=""):
    found = candidate(history, NAME, Selection(select, version, soak), now)
    return found.version, found.since


def question(one, present=("1.0.0",), now=10 * HOUR):
    return Question("production", IMAGE, (one,), tuple((tag, None) for tag in present), now)


def test_soaking_counts_from_when_every_place_has_the_version():
    history = past((0, ["1.0", "1.0"]), (HOUR, ["1.1", "1.0"]), (3 * HOUR, ["1.1", "1.1"]), (4 * HOUR, ["1.1", "1.1"]))
    assert chosen(history, 5 * HOUR) == ("1.1", 3 * HOUR)
    found = candidate(history, NAME, Selection(soak=2 * HOUR), 5 * HOUR - 1)
    gate = soak(question(found, now=5 * HOUR - 1), 2 * HOUR)
    assert (gate.state, gate.opens) == ("waiting", 5 * HOUR)
    assert soak(question(found, now=5 * HOUR), 2 * HOUR).state == "open"


def test_a_clock_that_goes_back_makes_no_version_older():
    history = past((0, ["1.0"]), (9 * HOUR, ["1.1"]), (2 * HOUR, ["1.2"]))
    assert chosen(history, 10 * HOUR) == ("1.2", 9 * HOUR)


def test_a_commit_from_the_future_does_not_soak():
    history = past((0, ["1.0"]), (99 * HOUR, ["1.1"]))
    found = candidate(history, NAME, Selection(soak=HOUR), 10 * HOUR)
    assert soak(question(found), HOUR).state == "waiting"


def test_what_was_there_before_the_history_has_soaked():
    history = past((5 * HOUR, ["1.0"]), since=5 * HOUR)
    found = candidate(history, NAME, Selection(soak=HOUR), 5 * HOUR + 1)
    assert soak(question(found, now=5 * HOUR + 1), HOUR).state == "open"


def test_the_newest_that_soaked_is_not_one_that_was_taken_back():
    states = [(0, ["1.0"]), (1 * HOUR, ["1.1"]), (6 * HOUR, ["1.2"]), (9 * HOUR, ["1.1"])]
    assert chosen(past(*states), 10 * HOUR, 4 * HOUR, "newest-soaked") == ("1.1", 1 * HOUR)
    assert chosen(past(*states[:3]), 7 * HOUR, 4 * HOUR, "newest-soaked") == ("1.1", 1 * HOUR)
    assert chosen(past(*states[:3]), 10 * HOUR, 4 * HOUR, "newest-soaked") == ("1.2", 6 * HOUR)


def test_a_version_by_name_may_be_one_of_several():
    history = past((0, ["1.0", "1.0"]), (HOUR, ["1.0", "1.1"]))
    assert candidate(history, NAME, Selection(), HOUR).problem.startswith(
        "staging has several versions: 1.0 in a.yaml:1"
    )
    found = candidate(history, NAME, Selection(version="1.1"), HOUR)
    assert (found.version, found.since) == ("1.1", None)
    assert soak(question(found), HOUR).state == "waiting"
    with pytest.raises(UsageError, match=r"never had 9\.9"):
        candidate(history, NAME, Selection(version="9.9"), HOUR)


@pytest.mark.parametrize("seed", range(examples(3, times=4)))
def test_every_promoted_version_soaked_and_was_not_taken_back(seed):
    """300 deployments at random, or 2,100, rollbacks among them, and a scheduled run a day."""
    dice = random.Random(seed)
    states, number, now = [(0, "1.0")], 0, 0
    while len(states) < examples(300, times=7):
        now += dice.randrange(HOUR // 2, 12 * HOUR)
        back = dice.random() < 0.15 and number > 0
        number += 0 if back else 1
        states.append((now, f"1.{max(0, number - dice.randrange(1, 4)) if back else number}"))
    promoted = {select: _year(states, select) for select in ("current", "newest-soaked")}
    assert promoted["newest-soaked"] >= promoted["current"] > 0


def _year(states, select):
    """How many versions scheduled runs promote; each is looked up in the plain list of states."""
    soaking, present, count = 4 * HOUR, "1.0", 0
    history, left, before = past(), list(states), []
    for run in range(10 * HOUR, states[-1][0] + 24 * HOUR, 24 * HOUR):
        while left and left[0][0] <= run:
            old = uses(before[-1][1]) if before else ()
            before.append(left.pop(0))
            history.timeline.apply(commit_at(len(before), before[-1][0]), "", [(old, uses(before[-1][1]))])
        found = candidate(history, NAME, Selection(select, "", soaking), run)
        asked = question(found, (present,), run)
        gates = [soak(asked, soaking), age(asked, history.timeline, allow_downgrade=False)]
        if worst(gates) == "open" and found.version != present:
            assert _longest(before, found.version, run) >= soaking
            assert not _is_taken_back(before, found.version)
            present, count = found.version, count + 1
    return count


def _longest(states, version, now):
    # A version that is written again, as by a rollback to the present one, goes on.
    begins = [(time, here) for at, (time, here) in enumerate(states) if not at or states[at - 1][1] != here]
    states, ends = begins, [*(time for time, _ in begins[1:]), now]
    return max(end - time for (time, here), end in zip(states, ends, strict=True) if here == version)


def _is_taken_back(states, version):
    """Whether something older replaced it, or what came after it, and it did not come again since."""
    number, taken = int(version.partition(".")[2]), False
    for (_, old), (_, new) in itertools.pairwise(states):
        if int(new.partition(".")[2]) < number <= int(old.partition(".")[2]):
            taken = True
        taken = taken and new != version
    return taken


def test_builds_that_come_faster_than_they_soak_are_never_promoted():
    states = [(number * 600, [f"1.{number}"]) for number in range(60)]
    for select in ("current", "newest-soaked"):
        found = candidate(past(*states), NAME, Selection(select, "", HOUR), 59 * 600)
        assert soak(question(found, now=59 * 600), HOUR).state == "waiting"


def test_of_builds_that_come_faster_one_an_hour_soaks_where_it_is_protected():
    """A build every ten minutes for a day; what is pushed stays an hour, and is promoted then."""
    history, present, promoted = past((0, ["1.0"])), "1.0", []
    timeline = history.timeline
    for number in range(1, 144):
        now = number * 600
        found = candidate(history, NAME, Selection(soak=HOUR), now)
        if soak(question(found, now=now), HOUR).state == "open" and found.version not in promoted:
            promoted.append(found.version)
        if soaks(timeline, IMAGE, HOUR, now) is None:
            timeline.apply(commit_at(number, now), "", [(uses(present), uses(f"1.{number}"))])
            present = f"1.{number}"
    assert 23 <= len(promoted) <= 24
    assert soaks(timeline, ImageRef.parse("ghcr.io/acme/other"), HOUR, now) is None


@pytest.mark.parametrize(
    ("wanted", "present", "order", "state"),
    [
        ("1.1.0", ["1.0.0"], [], "open"),
        ("1.0.0", ["1.1.0"], [], "closed"),
        ("1.1.0", ["1.0.0", "1.2.0"], [], "open"),
        ("1.1.0", ["1.0.0", "1.2.0", "1.2.0"], [], "open"),
        # Ids of commits have no order: that of the source counts.
        ("abcdef1", ["fedcba2"], ["abcdef1", "fedcba2"], "closed"),
        ("abcdef1", ["fedcba2"], ["fedcba2", "abcdef1"], "open"),
        ("abcdef1", ["fedcba2"], [], "open"),
    ],
)
def test_something_newer_closes_the_gate(wanted, present, order, state):
    timeline = past(*((number, [version]) for number, version in enumerate(order))).timeline
    asked = question(Candidate(NAME, "staging", wanted), present)
    assert age(asked, timeline, allow_downgrade=False).state == state
    assert age(asked, timeline, allow_downgrade=True).state == "open"


def test_sources_have_to_agree():
    eu, us = Candidate(NAME, "eu", "1.1"), Candidate(NAME, "us", "1.0")
    asked = Question("production", IMAGE, (eu, us), (("1.0", None),), 0)
    assert (agreement(asked).state, agreement(asked).reason) == ("waiting", "eu has 1.1, us has 1.0")
    digests = [Candidate(NAME, name, "1.1", f"sha256:{c * 64}") for name, c in (("eu", "a"), ("us", "b"))]
    assert agreement(Question("production", IMAGE, tuple(digests), (), 0)).state == "closed"


@pytest.mark.parametrize(
    ("versions", "state"),
    [
        ((("1.1", ""), ("1.1", "")), "open"),
        ((("1.1", ""), ("1.0", "")), "waiting"),
        ((("1.1", "c1"), ("7.3", "c1")), "open"),
        ((("1.1", "c1"), ("7.3", "c2")), "waiting"),
        ((("1.1", "c1"), ("7.3", "")), "waiting"),
        ((("1.1", ""),), "waiting"),
    ],
)
def test_a_set_has_one_tag_or_one_source_commit(versions, state):
    names = ("ghcr.io/acme/front", "ghcr.io/acme/back")
    asked = [
        Question("production", ImageRef.parse(name), (Candidate(name, "staging", tag, source_commit=commit),), (), 0)
        for name, (tag, commit) in zip(names, versions, strict=False)
    ]
    assert set_gate("production", names, asked).state == state


def test_an_image_of_a_set_that_is_named_alone_waits_and_says_why():
    asked = [question(Candidate(NAME, "staging", "1.1", since=0))]
    members = [NAME, "ghcr.io/acme/back"]
    assert "name all images of the set, or none" in set_gate("production", members, asked, {NAME}).reason
    assert "is not in production" in set_gate("production", members, asked, set(members)).reason
    assert "is not in production" in set_gate("production", members, asked).reason


def timeline(environment, *images):
    found = Timeline(environment)
    uses = [Use(ImageRef.parse(image).name, ImageRef.parse(image).tag, None, 1) for image in images]
    found.apply(LogEntry("c" * 40, (), 1, "Ada", "Ada", "Change"), "Change", [((), uses)])
    return found


def test_of_several_images_of_one_name_the_one_that_is_named_goes():
    source = timeline("staging", "eu.example/acme/shop:2", "us.example/acme/shop:1")
    target = timeline("production", "ghcr.io/acme/shop:1")
    both = ("eu.example/acme/shop", "us.example/acme/shop")
    (pair,), _ = pairs(target, [source], (), match_name=True, every=False)
    assert (pair.source, *pair.others) == both
    for name in both:
        (pair,), _ = pairs(target, [source], [ImageRef.parse(name)], match_name=True, every=False)
        assert (pair.source, pair.others) == (name, ())


def from_one(*names):
    """Questions about images of these registries that all come from one in ghcr.io."""
    one = Candidate(NAME, "staging", "1.1")
    targets = (ImageRef.parse(name) for name in names)
    return [Question("production", target, (one,), (("1.0", None),), 0) for target in targets]


def test_an_image_that_the_target_has_in_two_registries_goes_to_both():
    asked = from_one("eu.example/acme/shop", "us.example/acme/shop")
    assert [batch.questions for batch in batches(asked, (), together=False)] == [(asked[0],), (asked[1],)]
    (whole,) = batches(asked, (), together=True)
    assert (list(whole.questions), set_gate("production", whole.members, asked).state) == (asked, "open")


def test_a_set_is_named_as_the_source_or_as_the_target_has_its_images():
    for names in (["eu.example/acme/shop", "us.example/acme/shop"], [NAME, "us.example/acme/shop"]):
        asked = from_one("eu.example/acme/shop", "us.example/acme/shop")
        (whole,) = batches(asked, [names], together=False)
        assert list(whole.questions) == asked
        assert set_gate("production", whole.members, whole.questions).state == "open"


def test_an_image_in_sets_of_two_files_is_refused_unless_they_are_the_same():
    names = ["a.example/x", "a.example/y", "a.example/z"]
    asked = [question(Candidate(name, "staging", "1.1", since=0)) for name in names]
    asked = [replace(one, image=ImageRef.parse(name)) for one, name in zip(asked, names, strict=True)]
    found = [len(one.questions) for one in batches(asked, [names[:2], names[1::-1]], together=False)]
    assert found == [2, 1]
    with pytest.raises(UsageError, match=r"a\.example/y is in two sets .*\[a\.example/x, a\.example/y\] and \["):
        list(batches(asked, [names[:2], names[1:]], together=False))


def test_a_gate_that_is_skipped_is_open_and_says_so():
    waits = soak(question(Candidate(NAME, "staging", "1.1", since=None)), HOUR)
    (passed,) = skipped([waits], ["soak"])
    assert (passed.state, passed.reason.startswith("skipped: ")) == ("open", True)
    assert list(skipped([waits], ["age"])) == [waits]
