"""What is where now: the versions of each image in each environment, how old they are, and what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from gitops_ci import tags
from gitops_ci.flows.bump.holds import hold_in
from gitops_ci.flows.history.reader import EnvironmentPast, Past
from gitops_ci.flows.history.sites import Use, familiar
from gitops_ci.flows.history.timeline import Timeline
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Difference, Hold, Inventory, InventoryRow, RunningVersion, VersionsInEnvironment

__all__ = ["differences", "inventory"]


def inventory(past: Past, holds: Sequence[Hold], now: float, images: Sequence[str] = ()) -> Inventory:
    """The images whose names fit the globs, all without any, by environment. `holds` are those in force."""
    uses = {name: _by_image(of) for name, of in past.environments.items()}
    names = sorted({image for found in uses.values() for image in found if _is_wanted(image, images)}, key=familiar)
    rows = []
    for image in names:
        cells = {}
        for environment, found in uses.items():
            if image in found:
                own = past.environments[environment].scope.environment.name
                hold = hold_in(holds, own, ImageRef.parse(image))
                cells[environment] = _cell(image, found[image], past, environment, hold)
        rows.append(InventoryRow(familiar(image), cells))
    return Inventory(tuple(past.environments), tuple(rows), now=int(now), reaches=past.reaches)


def differences(found: Inventory, one: str, other: str) -> tuple[Difference, ...]:
    """The images that two environments have in other versions, or that one of them lacks."""
    listed = []
    for row in found.images:
        versions = {name: _versions(row.environments.get(name)) for name in (one, other)}
        if not any(versions.values()):
            continue
        if not all(versions.values()):
            listed.append(Difference(row.image, "only", versions))
        elif versions[one] != versions[other]:
            listed.append(Difference(row.image, "differs", versions))
    return tuple(listed)


def _versions(cell: VersionsInEnvironment | None) -> tuple[str, ...]:
    return tuple(sorted({version.name for version in cell.versions})) if cell else ()


def _is_wanted(image: str, globs: Sequence[str]) -> bool:
    shown = familiar(image)
    return not globs or any(
        fnmatchcase(name, glob) for glob in globs for name in (shown, image, shown.rpartition("/")[2])
    )


def _by_image(past: EnvironmentPast) -> dict[str, list[tuple[str, Use]]]:
    found: dict[str, list[tuple[str, Use]]] = {}
    for path, uses in sorted(past.places.items()):
        for use in uses:
            found.setdefault(use.name, []).append((path, use))
    return found


def _cell(
    image: str, uses: Sequence[tuple[str, Use]], past: Past, environment: str, hold: Hold | None
) -> VersionsInEnvironment:
    timeline = past.environments[environment].timeline
    by_version: dict[tuple[str | None, str | None], list[str]] = {}
    for path, use in uses:
        by_version.setdefault((use.tag, use.digest), []).append(f"{path}:{use.line}")
    versions = [_running(image, key, places, timeline) for key, places in by_version.items()]
    versions.sort(key=lambda version: (-version.since, version.name, version.digest or ""))
    last = next((d for d in reversed(timeline.deployments) if d.image == familiar(image)), None)
    return VersionsInEnvironment(
        versions=tuple(versions),
        behind=_behind(image, versions, past, environment),
        held=bool(hold and hold.hold),
        blocked=tuple(tag or digest or "" for tag, digest in hold.blocked) if hold else (),
        is_floating=any(v.tag and not v.digest and tags.kind_of(v.tag) == "floating" for v in versions),
        taken_back=(last.old or "") if last and last.kind == "rollback" else "",
    )


def _running(
    image: str, key: tuple[str | None, str | None], places: Sequence[str], timeline: Timeline
) -> RunningVersion:
    came = timeline.came(image, key[0] or key[1] or "")
    digest = key[1] or (came.digest if came else None)
    return RunningVersion(key[0], digest, came.time if came else 0, came.commit if came else "", tuple(places))


def _behind(image: str, versions: Sequence[RunningVersion], past: Past, environment: str) -> int | None:
    """How many versions the environment before has had since this one; None where nothing can be compared."""
    sources = past.environments[environment].scope.environment.promote_from
    if not sources:
        sources = _before(past.environments, environment)
    found = [
        number
        for source in sources
        if source in past.environments
        if (number := _missed(image, {v.name for v in versions}, past.environments[source].timeline)) is not None
    ]
    return max(found, default=None)


def _before(environments: Mapping[str, EnvironmentPast], name: str) -> tuple[str, ...]:
    """The environment to the left, where nobody says what is promoted from where."""
    if any(past.scope.environment.promote_from for past in environments.values()):
        return ()
    names = list(environments)
    at = names.index(name)
    return (names[at - 1],) if at else ()


def _missed(image: str, here: set[str], source: Timeline) -> int | None:
    there = {tag or digest or "" for tag, digest in source.counts(image)}
    if not there:
        return None
    if there & here:
        return 0
    ever = source.versions(image)
    known = [ever.index(version) for version in here if version in ever]
    newest = max(ever.index(version) for version in there)
    if known:
        return max(0, newest - max(known))
    newer = [v for v in ever if all(tags.older(mine, v) for mine in here)]
    return len(newer) or None
