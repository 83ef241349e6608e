"""Outcomes as text: one module a format, every one of them pure."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ci.errors import UsageError
from gitops_ci.lazy import LazyModules
from gitops_ci.reporting.base import Reporter
from gitops_ci.text import did_you_mean

__all__ = ["REPORTERS", "Reporter", "for_name"]

REPORTERS: Mapping[str, Reporter] = LazyModules(
    "reporting",
    {
        "text": "text",
        "json": "json_v1",
        "junit": "junit",
        "sarif": "sarif",
        "codequality": "codequality",
        "github": "github",
        "markdown": "markdown",
        "csv": "csv_table",
        "html": "html_page",
    },
)


def for_name(name: str) -> Reporter:
    """The reporter of a `--report FORMAT=FILE`.

    Raises:
        UsageError: there is none of that name; the hint lists those there are.
    """
    if name in REPORTERS:
        return REPORTERS[name]
    meant = did_you_mean(name, sorted(REPORTERS))
    hint = f"{meant} Formats: {', '.join(sorted(REPORTERS))}".strip()
    raise UsageError(f"There is no report format '{name}'", hint=hint)
