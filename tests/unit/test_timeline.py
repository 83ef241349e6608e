"""A timeline against a model: what is on the stack, what a rollback is, and what the version before is."""

import random

import pytest

from gitops_ci.configrepo import LogEntry
from gitops_ci.errors import FindingsError
from gitops_ci.flows.history.sites import Use
from gitops_ci.flows.history.timeline import Timeline
from gitops_ci.flows.rollback.target import choose
from gitops_ci.flows.trailers import digests_in, pull_request_in, reverted_in, trailers
from gitops_ci.moments import age, duration, moment, rfc3339
from tests.support.effort import examples

NAME = "ghcr.io/acme/shop"


def entry(number: int, *, message: str = "", is_cut: bool = False) -> LogEntry:
    return LogEntry(f"{number:040x}", (), 1000 + 60 * number, "Ada", "Ada", message, (), is_cut)


def uses(*versions: str) -> tuple[Use, ...]:
    return tuple(Use(NAME, version, None, line) for line, version in enumerate(versions, 1))


def walked(*states: tuple[str, ...], is_cut: bool = False) -> Timeline:
    """A timeline of one file with these versions after each commit."""
    timeline, before = Timeline("production"), ()
    for number, state in enumerate(states):
        after = uses(*state)
        timeline.apply(entry(number, is_cut=is_cut and number == 0), "", [(before, after)])
        before = after
    return timeline


def kinds(timeline: Timeline) -> list[tuple[str | None, str | None, str]]:
    return [(d.old, d.new, d.kind) for d in timeline.deployments]


def previous(timeline: Timeline) -> str | None:
    try:
        return choose(timeline, NAME, "", []).version.name
    except FindingsError:
        return None


class Model:
    """The stack as the documentation describes it: a new version is pushed, a rollback pops down to its version."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.first: dict[str, int] = {}

    def to(self, version: str) -> str:
        present = self.stack[-1] if self.stack else None
        known = version in self.first
        kind = "add" if present is None else "deploy"
        if known and present is not None:
            kind = "rollback" if self.first[version] < self.first[present] else "redeploy"
        self.first.setdefault(version, len(self.first))
        if kind == "rollback":
            self.stack = [one for one in self.stack if self.first[one] < self.first[version]]
        if version in self.stack:
            self.stack = self.stack[: self.stack.index(version)]
        self.stack.append(version)
        return kind

    @property
    def previous(self) -> str | None:
        return self.stack[-2] if len(self.stack) > 1 else None


@pytest.mark.parametrize("seed", range(examples(200)))
def test_random_histories_agree_with_the_model(seed: int) -> None:
    chosen = random.Random(seed)
    model, states, expected = Model(), list[tuple[str, ...]](), list[str]()
    present = ""
    for _ in range(chosen.randint(2, 30)):
        known = [v for v in model.first if v != present]
        version = chosen.choice(known) if known and chosen.random() < 0.4 else f"1.{len(model.first)}.0"
        expected.append(model.to(version))
        states.append((version,) * chosen.randint(1, 3))
        present = version
    timeline = walked(*states)
    moved = [d for d in timeline.deployments if d.old != d.new]
    assert [d.kind for d in moved] == expected
    assert [one.name for one in timeline.stack(NAME)] == model.stack
    assert previous(timeline) == model.previous


def test_the_version_before_is_never_one_that_was_taken_back() -> None:
    assert previous(walked(("a",), ("b",), ("a",), ("c",))) == "a"
    assert previous(walked(("a",), ("b",), ("c",), ("b",))) == "a"
    assert previous(walked(("a",), ("b",), ("a",))) is None


def test_the_way_forward_again_is_no_rollback() -> None:
    assert [kind for *_, kind in kinds(walked(("a",), ("b",), ("a",), ("b",)))] == [
        "add", "deploy", "rollback", "redeploy",
    ]  # fmt: skip


def test_a_canary_is_counted_by_version_and_not_by_place() -> None:
    assert kinds(walked(("a", "a"), ("a", "b"), ("a", "a"))) == [
        (None, "a", "add"), ("a", "b", "deploy"), ("b", "a", "rollback"),
    ]  # fmt: skip


def test_places_that_stay_count_as_before() -> None:
    stays, old, new = uses("a", "a", "b")
    timeline = Timeline("production")
    timeline.apply(entry(0), "", [((), (stays, old))])
    timeline.apply(entry(1), "", [((stays, old), (stays, new))])
    assert kinds(timeline) == [(None, "a", "add"), ("a", "b", "deploy")]
    assert timeline.counts(NAME) == {("a", None): 1, ("b", None): 1}
    timeline.apply(entry(2), "", [((stays, new), (stays,))])
    assert timeline.counts(NAME) == {("a", None): 1}


def test_what_was_there_when_the_history_begins_is_known_and_no_deployment() -> None:
    timeline = walked(("a", "b"), ("b", "b"), is_cut=True)
    assert [kind for *_, kind in kinds(timeline)] == ["redeploy"]
    assert timeline.known(NAME, "a") is not None


def test_an_image_that_is_removed_and_added_again() -> None:
    assert [kind for *_, kind in kinds(walked(("a",), (), ("b",)))] == ["add", "remove", "add"]


def test_rollback_tells_when_the_bad_version_came() -> None:
    timeline = walked(("a",), ("b",), ("b",), ("a",))
    assert timeline.deployments[-1].restores == timeline.deployments[1].time


# Messages, moments.


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Merge pull request #12 from acme/x", "#12"),
        ("staging: shop 1.5.0 (#7)", "#7"),
        ("Merge branch 'x'\n\nSee merge request acme/config!5", "!5"),
        ("Merged in x (pull request #3)", "#3"),
        ("Merged PR 42: staging", "#42"),
        ("Pull request #9: x", "#9"),
        ("Fix (see #7) of the thing", ""),
    ],
)
def test_the_pull_request_of_a_merge(message: str, expected: str) -> None:
    assert pull_request_in(message) == expected


def test_trailers_are_those_of_the_last_paragraph() -> None:
    message = f"Title\n\nImage: no\n\nImage: {NAME}:1\nImage-Digest: sha256:{'a' * 64}\n"
    assert list(trailers(message)) == [("Image", f"{NAME}:1"), ("Image-Digest", f"sha256:{'a' * 64}")]
    assert digests_in(message) == {(NAME, "1"): f"sha256:{'a' * 64}"}


def test_a_revert_names_what_it_undoes() -> None:
    assert reverted_in("Revert x\n\nThis reverts commit 4f2a9c1d, reversing\nchanges made to 1.\n") == {"4f2a9c1d"}
    assert reverted_in("This reverts our policy") == frozenset()


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800)])
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == seconds


def test_moments_in_every_zone_and_at_the_end_of_a_day() -> None:
    assert rfc3339(moment("2026-12-24T18:00:00+01:00")) == "2026-12-24T17:00:00Z"
    assert rfc3339(moment("2026-12-24", ends=True)) == "2026-12-24T23:59:59Z"
    assert [age(one) for one in (5, 61, 7200, 90_000, -1)] == ["5 s", "1 min", "2 h", "1 d", "0 s"]
