"""What an outcome says of environments and of time, as tables that each format draws in its own way. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gitops_ci.dataclass import dataclass
from gitops_ci.display import short_digests
from gitops_ci.moments import age, rfc3339

if TYPE_CHECKING:
    from gitops_ci.model import (
        Change,
        Deployment,
        Gate,
        Hold,
        Inventory,
        Metrics,
        Outcome,
        RunningVersion,
        VersionsInEnvironment,
    )

__all__ = ["Table", "by_environment", "tables", "version_of"]

_SHOW_HOLDS = frozenset({"status", "hold", "unhold", "rollback"})


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts below headings. Foreign text is as it is: each format escapes it."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(outcome: Outcome) -> Iterator[Table]:
    """The tables that have rows; none for commands that read no history."""
    if outcome.inventory and outcome.command == "compare":
        yield _differences(outcome.inventory)
    elif outcome.inventory:
        yield _matrix(outcome.inventory)
    if told := [gate for gate in outcome.gates if gate.state != "open" or gate.reason]:
        yield Table("Gates", ("Environment", "Images", "Gate", "State", "Reason", "Opens"), _gates(told))
    if outcome.holds and outcome.command in _SHOW_HOLDS:
        headings = ("Environment", "Image", "Stops", "Since", "Until", "By", "Reason", "File")
        yield Table("Holds", headings, [_hold(hold) for hold in outcome.holds])
    if outcome.deployments:
        yield _deployments(outcome.deployments)
    if outcome.metrics:
        yield _metrics(outcome.metrics)


def by_environment(changes: Sequence[Change]) -> Table | None:
    """The images that change, by environment, from which version to which; None where one row and column say it all."""
    environments = list(dict.fromkeys(name for change in changes for name in change.environments))
    images = list(dict.fromkeys(change.image.familiar for change in changes))
    if not environments or len(environments) * len(images) < 2:
        return None
    is_elsewhere = any(not change.environments for change in changes)
    columns = [*environments, *(("",) if is_elsewhere else ())]
    rows = [(image, *(_from_to(image, name, changes) for name in columns)) for image in images]
    return Table("By environment", ("Image", *environments, *(("elsewhere",) if is_elsewhere else ())), rows)


def _from_to(image: str, environment: str, changes: Sequence[Change]) -> str:
    """`1.4.1 → 1.5.0`; `environment` is '' for changes in none."""
    found: dict[str, dict[str, None]] = {}
    for change in changes:
        if change.image.familiar == image and environment in (change.environments or ("",)):
            old = change.previous
            old_text = (old.tag or short_digests(old.digest or "")) if old else ""
            new_text = change.image.tag or short_digests(change.image.digest or "")
            found.setdefault(new_text, {})[old_text or "(none)"] = None
    return "; ".join(f"{', '.join(old)} → {new}" for new, old in found.items()) or "-"


def _gates(gates: Sequence[Gate]) -> list[tuple[str, ...]]:
    return [
        (g.environment, ", ".join(g.images), g.gate, g.state, g.reason, rfc3339(g.opens) if g.opens else "")
        for g in gates
    ]


def _hold(hold: Hold) -> tuple[str, ...]:
    stopped = ", ".join(tag or digest or "" for tag, digest in hold.blocked)
    times = (rfc3339(at) if at is not None else "" for at in (hold.since, hold.until))
    reason = f"cannot be read: {hold.problem}" if hold.problem else hold.reason
    stops = "every version" if hold.hold else stopped
    return (hold.environment or "all", hold.image, stops, *times, hold.by, reason, hold.path)


def version_of(version: RunningVersion) -> str:
    """A version as it is read: its tag, else the first digits of its digest."""
    return version.tag or short_digests(version.digest or "")


def _matrix(found: Inventory) -> Table:
    rows = []
    for row in found.images:
        cells = (row.environments.get(name) for name in found.environments)
        rows.append((row.image, *(_cell(cell, found) if cell else "-" for cell in cells)))
    return Table("", ("Image", *found.environments), rows)


def _cell(cell: VersionsInEnvironment, found: Inventory) -> str:
    shown = [version_of(version) for version in cell.versions]
    if len(cell.versions) == 1 and (told := _age(cell.versions[0], found)):
        shown = [f"{shown[0]} ({told})"]
    notes = []
    if cell.is_split:
        notes.append(f"{len({version.name for version in cell.versions})} versions")
    if cell.taken_back:
        notes.append(f"taken back from {short_digests(cell.taken_back)}")
    if cell.behind:
        notes.append(f"{cell.behind} behind")
    if cell.held:
        notes.append("held")
    if cell.is_floating:
        notes.append("floating")
    return "; ".join((", ".join(dict.fromkeys(shown)), *notes))


def _age(version: RunningVersion, found: Inventory) -> str:
    if version.since:
        return age(found.now - version.since)
    return f"over {age(found.now - found.reaches)}" if found.reaches else ""


def _differences(found: Inventory) -> Table:
    names = next((tuple(one.environments) for one in found.differences), found.environments)
    rows = [
        (one.image, *(", ".join(map(short_digests, one.environments[name])) or "-" for name in names))
        for one in found.differences
    ]
    return Table("", ("Image", *names), rows)


def _deployments(deployments: Sequence[Deployment]) -> Table:
    is_asked = any(d.merged_by or d.merged for d in deployments)
    merged = ("Merged by", "Merged") if is_asked else ()
    headings = ("Time", "Environment", "Image", "From", "To", "Kind", "By", *merged, "Commit", "Request", "Source")
    rows = [
        (
            *(rfc3339(d.time), d.environment, d.image, short_digests(d.old or ""), short_digests(d.new or "")),
            *(d.kind, d.by, *((d.merged_by, rfc3339(d.merged) if d.merged else "") if is_asked else ())),
            *(d.commit[:12], d.pull_request, d.source_commit[:12]),
        )
        for d in deployments
    ]
    return Table("", headings, rows)


def _lead(one: Metrics) -> str:
    """`3h, 2d; 40 versions, 2 unknown`."""
    unknown = f"{one.lead_unknown:,} unknown" if one.lead_unknown else ""
    if one.lead_median is None or one.lead_p90 is None:
        return unknown or "-"
    known = f"{age(one.lead_median)}, {age(one.lead_p90)}; {one.lead_count:,} versions"
    return ", ".join(filter(None, (known, unknown)))


def _metrics(figures: Sequence[Metrics]) -> Table:
    headings = (
        *("Environment", "Deployments", "Per day", "Taken back", "Change failure rate", "Time to restore (median)"),
        *("Stage time (median)", "Lead time (median, 90 %)"),
    )
    rows = []
    for one in figures:
        rate = f"{one.change_failure_rate:.2%}" if one.change_failure_rate is not None else "-"
        restore = age(one.restore_median) if one.restore_median is not None else "-"
        stage = (
            f"{age(one.stage_median)} from {one.stage_from}, {one.stage_count} versions"
            if one.stage_median is not None
            else "-"
        )
        counted = one.environment, str(one.deployments), f"{one.per_day:g}", str(one.taken_back)
        rows.append((*counted, rate, restore, stage, _lead(one)))
    return Table("Figures", headings, rows)
