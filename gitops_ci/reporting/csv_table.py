"""Comma-separated values (RFC 4180): the outcome's largest table, else its findings and what it skipped.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@`: such a cell gets an apostrophe in front (OWASP, "CSV
Injection").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gitops_ci.display import visible
from gitops_ci.moments import rfc3339
from gitops_ci.reporting.base import prepare

if TYPE_CHECKING:
    from gitops_ci.model import Outcome

__all__ = ["ID", "report"]

ID = "csv"

_ORDERS = ("=", "+", "-", "@", "\t", "\r")


def report(outcome: Outcome) -> str:
    """A header and one line for each row."""
    outcome = prepare(outcome)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in _rows(outcome):
        writer.writerow([_harmless(visible(cell)) for cell in row])
    return text.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_ORDERS) else cell


def _rows(outcome: Outcome) -> Iterable[tuple[str, ...]]:
    if outcome.deployments or outcome.command == "history":
        return _deployments(outcome)
    if outcome.inventory and outcome.command == "compare":
        return _differences(outcome)
    if outcome.inventory:
        return _inventory(outcome)
    return _findings(outcome)


def _deployments(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    yield (
        *("time", "environment", "image", "from", "to", "digest", "kind", "by", "commit", "pull_request"),
        *("source_commit", "merged_by", "merged"),
    )
    for d in outcome.deployments:
        yield (
            *(rfc3339(d.time), d.environment, d.image, d.old or "", d.new or "", d.digest or "", d.kind, d.by),
            *(d.commit, d.pull_request, d.source_commit, d.merged_by, rfc3339(d.merged) if d.merged else ""),
        )


def _inventory(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    assert outcome.inventory is not None
    yield ("image", "environment", "tag", "digest", "since", "commit", "places", "behind", "held", "blocked")
    for row in outcome.inventory.images:
        for environment, cell in row.environments.items():
            behind = "" if cell.behind is None else str(cell.behind)
            for version in cell.versions:
                since = rfc3339(version.since) if version.since else ""
                yield (
                    *(row.image, environment, version.tag or "", version.digest or "", since, version.commit),
                    *(str(len(version.places)), behind, str(cell.held).lower(), " ".join(cell.blocked)),
                )


def _differences(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    assert outcome.inventory is not None
    yield ("image", "state", *outcome.inventory.environments)
    for one in outcome.inventory.differences:
        yield one.image, one.state, *(" ".join(versions) for versions in one.environments.values())


def _findings(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    yield ("kind", "rule", "path", "line", "resource", "message", "hint")
    for found in outcome.findings:
        yield (
            *(found.severity, found.rule, found.path, str(found.line), found.resource, found.message),
            found.hint,
        )
    for change in outcome.changes:
        what = f"{change.edit.old} -> {change.edit.new}"
        yield "change", "", change.path, str(change.edit.span.line), change.resource, what, ""
    for skip in outcome.skipped:
        yield "skipped", "", skip.path, str(skip.line), "", skip.reason, skip.hint
    if outcome.error:
        yield "failed", outcome.error.kind, "", "", "", outcome.error.message, outcome.error.hint
