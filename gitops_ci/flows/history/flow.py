"""`history`: which commit brought which version of an image to which environment, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import NothingMatched
from gitops_ci.flows.history.everywhere import read_everywhere
from gitops_ci.flows.history.host import Host, source_times, with_merges
from gitops_ci.flows.history.metrics import metrics
from gitops_ci.flows.history.reader import EnvironmentPast
from gitops_ci.flows.history.sites import familiar
from gitops_ci.flows.history.source import DAY, Source, reported
from gitops_ci.model import Deployment, Log, Metrics, Outcome
from gitops_ci.text import did_you_mean

__all__ = ["HistoryRequest", "history"]

# So much more is read than is shown: a rollback shows by what was there before.
_BEFORE = 90 * DAY


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """`images` are globs, `environments` names; () means all. `since` and `failure_window` are seconds.

    `limit` is the number of deployments that are reported, 0 for all; figures are always about the whole period. `host`
    is asked for what Git does not hold.
    """

    source: Source
    images: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    since: int = 0
    limit: int = 0
    with_metrics: bool = False
    failure_window: int = 7 * DAY
    is_anonymous: bool = False
    host: Host | None = None


def history(request: HistoryRequest, log: Log) -> Outcome:
    """Read the deployments; errors are part of the outcome."""
    return reported("history", lambda: _history(request, log))


def _history(request: HistoryRequest, log: Log) -> Outcome:
    now = int(request.source.clock())
    since = request.since - _BEFORE if request.since else None
    past = read_everywhere(request.source, request.environments, since, log).past
    _refuse_unknown(request.images, past.environments.values())
    everything = [d for of in past.environments.values() for d in of.timeline.deployments]
    wanted = [d for d in everything if d.time >= request.since and _fits(d.image, request.images)]
    newest_first = _newest_first(wanted)
    shown = newest_first[: request.limit] if request.limit else newest_first
    if past.reaches and past.reaches > request.since:
        log.warn("the start of the period is missing: older commits were not fetched")
    figures: tuple[Metrics, ...] = ()
    if request.with_metrics:
        start = request.since or min((d.time for d in everything), default=now)
        committed = source_times(wanted, request.host, log) if request.host else {}
        figures = metrics(wanted, list(past.environments), start, now, request.failure_window, committed)
    if request.host:
        shown = with_merges(shown, request.source.home, request.host, log)
    kinds = ("rollback", "redeploy")
    return Outcome(
        command="history",
        status="unchanged",
        deployments=tuple(_anonymous(shown) if request.is_anonymous else shown),
        metrics=figures,
        skipped=past.skipped,
        summary={
            "deployments": len(wanted),
            **{f"{kind}s": number for kind in kinds if (number := sum(d.kind == kind for d in wanted))},
        },
    )


def _refuse_unknown(globs: Sequence[str], pasts: Iterable[EnvironmentPast]) -> None:
    """Raises NothingMatched for a name that no image has, or had."""
    names = {familiar(name) for past in pasts for name in past.timeline.ever}
    for glob in globs:
        if not any(_fits(name, (glob,)) for name in names):
            raise NothingMatched(
                f"No environment has or had an image {glob}",
                hint=f"{did_you_mean(glob, names)} --since all reads the whole history.".lstrip(),
            )


def _newest_first(deployments: Sequence[Deployment]) -> list[Deployment]:
    """By time; of one environment always in the order of its branch, also where a clock went back."""
    latest: dict[str, int] = {}
    keyed = []
    for number, one in enumerate(deployments):
        latest[one.environment] = max(latest.get(one.environment, 0), one.time)
        keyed.append((latest[one.environment], number, one))
    return [one for _, _, one in sorted(keyed, key=lambda item: item[:2], reverse=True)]


def _fits(image: str, globs: Sequence[str]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for name in (image, image.rpartition("/")[2]) for glob in globs)


def _anonymous(deployments: Iterable[Deployment]) -> list[Deployment]:
    """Numbers in place of names, the same number for the same name."""
    known: dict[str, str] = {"": ""}

    def number(name: str) -> str:
        return known.setdefault(name, f"person {len(known)}")

    return [replace(d, by=number(d.by), merged_by=number(d.merged_by)) for d in deployments]
