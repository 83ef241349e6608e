"""Delivery figures from deployments; each figure comes with its counts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from statistics import median
from types import MappingProxyType

from gitops_ci.model import Deployment, Metrics

__all__ = ["metrics"]

_DAY = 86_400


def metrics(
    deployments: Sequence[Deployment],
    environments: Sequence[str],
    start: int,
    end: int,
    failure_window: int,
    committed: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> tuple[Metrics, ...]:
    """The figures of each environment in the period from `start` to `end`.

    `committed` is when sources were committed, by repository and commit, as far as that is known.

    A deployment is a change of an image's version in an environment: a commit that changes several images for one
    reason (one source commit) counts once. Removals do not count.
    """
    return tuple(
        _with_lead(_of(name, environments[at - 1] if at else "", deployments, start, end, failure_window), leads)
        for at, name in enumerate(environments)
        for leads in (_leads([d for d in deployments if d.environment == name], committed),)
    )


def _leads(here: Sequence[Deployment], committed: Mapping[tuple[str, str], int]) -> tuple[list[int], int]:
    """How long each version took from its source's commit to here, and of how many that is not known.

    A version counts once, where it came for the first time. A clock that went back makes no time negative.
    """
    found, unknown, seen = list[int](), 0, set[tuple[str, str | None]]()
    for one in sorted(here, key=lambda d: d.time):
        if one.kind not in {"deploy", "promote"} or (one.image, one.new) in seen:
            continue
        seen.add((one.image, one.new))
        time = committed.get((one.source_repository, one.source_commit))
        if time is None:
            unknown += 1
        else:
            found.append(max(0, one.time - time))
    return found, unknown


def _with_lead(figures: Metrics, leads: tuple[list[int], int]) -> Metrics:
    found, unknown = sorted(leads[0]), leads[1]
    # The nearest rank: the least of them that nine of ten do not exceed.
    p90 = found[ceil(0.9 * len(found)) - 1] if found else None
    return replace(figures, lead_median=_median(found), lead_p90=p90, lead_count=len(found), lead_unknown=unknown)


def _of(
    name: str, before: str, deployments: Sequence[Deployment], start: int, end: int, failure_window: int
) -> Metrics:
    here = [d for d in deployments if d.environment == name and d.kind != "remove"]
    forward = [d for d in here if d.kind != "rollback"]
    number = len({(d.commit, d.source_commit or d.image) for d in here})
    failed = [d for d in here if d.kind == "rollback" and d.restores and d.time - d.restores <= failure_window]
    moved = [d for d in forward if d.kind != "add"]  # what was there from the beginning came from nowhere
    stages = _stages([d for d in deployments if d.environment == before], moved) if before else []
    days = max(end - start, 1) / _DAY
    return Metrics(
        environment=name,
        start=start,
        end=end,
        deployments=number,
        per_day=round(number / days, 2),
        taken_back=len(failed),
        change_failure_rate=round(len(failed) / len(forward), 4) if forward else None,
        restore_median=_median([d.time - d.restores for d in failed]),
        stage_from=before,
        stage_median=_median(stages),
        stage_count=len(stages),
    )


def _stages(source: Sequence[Deployment], target: Sequence[Deployment]) -> list[int]:
    """How long each version took from one environment to the next; a version counts once."""
    came: dict[tuple[str, str | None], int] = {}
    for deployment in sorted(source, key=lambda d: d.time):
        came.setdefault((deployment.image, deployment.new), deployment.time)
    found, seen = [], set[tuple[str, str | None]]()
    for deployment in sorted(target, key=lambda d: d.time):
        version = deployment.image, deployment.new
        if version in came and version not in seen and deployment.time >= came[version]:
            seen.add(version)
            found.append(deployment.time - came[version])
    return found


def _median(values: Sequence[int]) -> int | None:
    return int(median(values)) if values else None
