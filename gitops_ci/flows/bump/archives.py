"""Archives of charts beside the dependency that a plan changes: `charts/shop-1.4.0.tgz` holds the old chart."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from gitops_ci.configrepo import Snapshot
from gitops_ci.formats import chart_version
from gitops_ci.known_files import CHART
from gitops_ci.model import Plan, Skip

__all__ = ["stale_archives"]

_LISTS = frozenset({CHART, "requirements.yaml"})


def stale_archives(plan: Plan, snapshot: Snapshot) -> Iterator[Skip]:
    """The archives that Helm would still use, or refuse, after the plan."""
    for change in plan.changes:
        folder, _, name = change.path.rpartition("/")
        if change.format != chart_version.ID or name not in _LISTS:
            continue
        path = posixpath.join(folder, "charts", f"{change.image.basename}-{change.edit.old}.tgz")
        if snapshot.entry(path):
            hint = "Run `helm dependency update` in the chart's folder and commit the result."
            yield Skip(path, 0, f"holds version {change.edit.old} of the chart", hint, image=change.image.name)
