"""The gates of a promotion that need no request: each is open, waits, or is closed, with a reason. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from gitops_ci import tags
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.holds import refusal, stopping
from gitops_ci.flows.history.sites import familiar
from gitops_ci.flows.history.timeline import Timeline
from gitops_ci.flows.promote.candidates import Candidate
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Gate, Hold
from gitops_ci.moments import age as shown_age
from gitops_ci.moments import rfc3339

__all__ = ["Question", "age", "agreement", "hold", "set_gate", "skipped", "soak", "stage", "told", "worst"]

State = Literal["open", "waiting", "closed"]
_ORDER: tuple[State, ...] = ("open", "waiting", "closed")


@dataclass(frozen=True, slots=True)
class Question:
    """One image on its way to `environment`: what its sources have to give, and what the target has now."""

    environment: str
    image: ImageRef
    candidates: tuple[Candidate, ...]
    present: tuple[tuple[str | None, str | None], ...]
    now: int

    @property
    def candidate(self) -> Candidate:
        return self.candidates[0]

    @property
    def wanted(self) -> ImageRef:
        return self.image.with_version(tag=self.candidate.tag, digest=self.candidate.digest)

    def is_named(self, name: str) -> bool:
        """Whether the image has this name, in the target or in the sources."""
        return name in (self.image.name, self.candidate.name)

    @property
    def is_there(self) -> bool:
        """Whether the target has the version already."""
        if any(one.problem for one in self.candidates):
            return False
        tag, digest = self.candidate.tag, self.candidate.digest
        return all(
            (here == tag if tag and here else there == digest) and (not digest or not there or there == digest)
            for here, there in self.present
        )

    def gate(self, name: str, state: State = "open", reason: str = "", opens: int | None = None) -> Gate:
        return Gate(self.environment, (self.image.familiar,), name, state, reason, opens)


def stage(question: Question, sources: Sequence[str], usual: Sequence[str]) -> Gate:
    """Whether the sources are those that the environment is promoted from."""
    others = [name for name in sources if usual and name not in usual]
    if not others:
        return question.gate("stage")
    return question.gate(
        "stage", "closed", f"{question.environment} is promoted from {', '.join(usual)}, and not from {others[0]}"
    )


def agreement(question: Question) -> Gate:
    """Whether every source has one version, and all have the same one."""
    for one in question.candidates:
        if one.problem:
            return question.gate("source-agrees", "closed", one.problem)
    if len({one.version for one in question.candidates}) > 1:
        listed = ", ".join(f"{one.environment} has {one.version}" for one in question.candidates)
        return question.gate("source-agrees", "waiting", listed)
    digests = {one.digest for one in question.candidates if one.digest}
    if len(digests) > 1:
        return question.gate("source-agrees", "closed", f"the same tag is {' and '.join(sorted(digests))}")
    return question.gate("source-agrees")


def age(question: Question, source: Timeline, *, allow_downgrade: bool) -> Gate:
    """Whether the target has something newer: by the tags, else by the order in which the source had them."""
    wanted, order = question.candidate.version, source.versions(question.candidate.name)
    here = [tag or digest or "" for tag, digest in question.present]
    newer = list(dict.fromkeys(one for one in here if one != wanted and _is_older(wanted, one, order)))
    if allow_downgrade or not newer or len(newer) < len(set(here)):
        return question.gate("age")
    return question.gate("age", "closed", f"{question.environment} has {newer[0]}, which is newer than {wanted}")


def _is_older(one: str, other: str, order: Sequence[str]) -> bool:
    by_tag = tags.older(one, other)
    if by_tag is not None:
        return by_tag
    return one in order and other in order and order.index(one) < order.index(other)


def soak(question: Question, seconds: int) -> Gate:
    """Whether all places of every source had the version for long enough."""
    if not seconds:
        return question.gate("soak")
    short = [one for one in question.candidates if one.stayed(question.now) < seconds]
    if not short:
        return question.gate("soak")
    one = min(short, key=lambda found: found.stayed(question.now))
    if one.since is None:
        reason, opens = f"{one.environment} never had {one.version} in all places at once", None
    elif one.until is not None:
        reason, opens = f"{one.environment} had {one.version} for {shown_age(one.stayed(question.now))} only", None
    else:
        opens = max(found.since + seconds for found in short if found.since is not None)
        reason = f"{one.version} has been in {one.environment} for {shown_age(one.stayed(question.now))}"
    return question.gate("soak", "waiting", f"{reason}, and soaks for {shown_age(seconds)}", opens)


def hold(question: Question, found: Hold | None) -> Gate:
    """Whether a person stopped the image, or this version of it, in the target."""
    left = stopping(found, question.wanted, question.now) if found else None
    if left is None:
        return question.gate("hold")
    return question.gate("hold", "waiting", refusal(left, question.wanted), left.until)


def set_gate(
    environment: str, members: Sequence[str], questions: Sequence[Question], named: Collection[str] = ()
) -> Gate:
    """Whether all images of a set can go, in versions that belong together: of one tag, or of one source commit.

    `named` are the only images that a run is about; () for all.
    """
    images = tuple(familiar(name) for name in members)
    for name in members:
        if not any(question.is_named(name) for question in questions):
            is_left_out = bool(named) and name not in named
            reason = f"{familiar(name)} is not in {environment}, or not in the environment before"
            if is_left_out:
                reason = f"{familiar(name)} goes with it: name all images of the set, or none"
            return Gate(environment, images, "set", "waiting", reason)
    versions = {question.image.familiar: question.candidate for question in questions}
    commits = {one.source_commit for one in versions.values()}
    tagged = {one.version for one in versions.values()}
    if len(tagged) > 1 and (len(commits) > 1 or "" in commits):
        listed = ", ".join(f"{name} is at {one.version or 'several versions'}" for name, one in versions.items())
        return Gate(environment, images, "set", "waiting", f"no one tag and no one source commit: {listed}")
    return Gate(environment, images, "set", "open")


def skipped(gates: Iterable[Gate], names: Iterable[str]) -> Iterator[Gate]:
    """The gates; those that are skipped are open."""
    given = frozenset(names)
    for gate in gates:
        # Of this one the registry decides, which is not asked then.
        is_passed = gate.gate in given and (gate.state != "open" or gate.gate == "source-agrees")
        reason = f"skipped: {gate.reason or 'the registry is not asked'}"
        yield replace(gate, state="open", reason=reason, opens=None) if is_passed else gate


def worst(gates: Iterable[Gate]) -> State:
    """The state that decides: closed, else waiting, else open."""
    return max((gate.state for gate in gates), key=_ORDER.index, default="open")


def told(gate: Gate) -> str:
    """One line for a gate that is not open."""
    opens = f", opens {rfc3339(gate.opens)}" if gate.opens else ""
    does = "waits for" if gate.state == "waiting" else "is stopped by"
    return f"{gate.environment}: {', '.join(gate.images)} {does} {gate.gate}: {gate.reason}{opens}"
