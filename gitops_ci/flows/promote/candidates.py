"""Which version of an image an environment has to give, and for how long all of its places have had it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.history.reader import EnvironmentPast
from gitops_ci.flows.history.sites import familiar
from gitops_ci.flows.history.timeline import Period, Timeline

__all__ = ["Candidate", "Select", "Selection", "candidate", "candidate_in"]

Select = Literal["current", "newest-soaked"]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Selection:
    """Which version is meant: one by name, else the present one or the newest that stayed for `soak` seconds."""

    select: Select = "current"
    version: str = ""
    soak: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """The version of an image in an environment that may be promoted; `name` is the image's normalized name.

    All places had it from `since` on, to `until` or to now; None where they never did at once. `since` 0 is before the
    history that was read. `commit` brought it, `ended` is the one that replaced it in a place. `problem` says why there
    is not a single version.
    """

    name: str
    environment: str
    tag: str | None = None
    digest: str | None = None
    commit: str = ""
    ended: str = ""
    since: int | None = None
    until: int | None = None
    source_commit: str = ""
    problem: str = ""

    @property
    def version(self) -> str:
        return self.tag or self.digest or ""

    def stayed(self, now: int) -> int:
        """For how many seconds all places had it."""
        if self.since is None:
            return 0
        return max(0, (now if self.until is None else self.until) - self.since)


def candidate(past: EnvironmentPast, name: str, selection: Selection, now: int) -> Candidate:
    """The version that an environment has to give of an image that it has.

    Raises:
        UsageError: it never had the version that is asked for.
    """
    timeline = past.timeline
    if selection.version:
        return _named(timeline, name, selection.version, now)
    found = candidate_in(timeline, name, selection, now)
    return found or Candidate(name, timeline.environment, problem=_several(past, name))


def candidate_in(timeline: Timeline, name: str, selection: Selection, now: int) -> Candidate | None:
    """As `candidate`, of a timeline alone; None where its places have several versions."""
    spans = list(_spans(timeline.periods(name), now))
    if selection.select == "newest-soaked":
        kept = {one.name for one in timeline.stack(name)}
        for span in reversed(spans):
            if span.period.name in kept and span.stayed(now) >= selection.soak:
                return _of(timeline, name, span)
    return _of(timeline, name, spans[-1]) if spans[-1].period.name else None


def _named(timeline: Timeline, name: str, version: str, now: int) -> Candidate:
    known = timeline.known(name, version)
    if known is None:
        had = ", ".join(timeline.versions(name)[: -_SHOWN - 1 : -1])
        raise UsageError(f"{familiar(name)} in {timeline.environment} never had {version}", hint=f"It had {had}.")
    for span in reversed(list(_spans(timeline.periods(name), now))):
        if span.period.name == known.name:
            return _of(timeline, name, span)
    return _of(timeline, name, _Span(None, None, Period(known.time, known.tag, known.digest)))


@dataclass(frozen=True, slots=True)
class _Span:
    """A period in time: without `start` the version was never in all places, without `end` it is there now."""

    start: int | None
    end: int | None
    period: Period
    ended: str = ""

    def stayed(self, now: int) -> int:
        return 0 if self.start is None else (now if self.end is None else self.end) - self.start


def _spans(periods: Sequence[Period], now: int) -> Iterator[_Span]:
    """Each period with its start and end. A clock that went back between two commits makes none of them longer."""
    starts, latest = [], 0
    for period in periods:
        latest = max(latest, period.time) if period.time <= now else latest
        starts.append(max(latest, period.time) if period.time else 0)
    for number, period in enumerate(periods[:-1], start=1):
        yield _Span(starts[number - 1], starts[number], period, periods[number].commit)
    for period in periods[-1:]:
        yield _Span(starts[-1], None, period)


def _of(timeline: Timeline, name: str, span: _Span) -> Candidate:
    period = span.period
    known = timeline.known(name, period.name)
    shown, brought = familiar(name), known.commit if known else ""
    source = next((d.source_commit for d in timeline.deployments if d.commit == brought and d.image == shown), "")
    digest = period.digest or (known.digest if known else None)
    return Candidate(
        name, timeline.environment, period.tag, digest, brought, span.ended, span.start, span.end, source_commit=source
    )


def _several(past: EnvironmentPast, name: str) -> str:
    """The versions that an environment has at once, each with a place."""
    where: dict[str, str] = {}
    for path, uses in sorted(past.places.items()):
        for use in uses:
            if use.name == name:
                shown = f"{use.tag or ''}{f'@{use.digest}' if use.digest else ''}"
                where.setdefault(shown, f"{shown} in {path}:{use.line}")
    return f"{past.scope.name} has several versions: {', '.join(where.values())}"
