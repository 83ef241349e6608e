"""The values that travel between rooms: frozen, without I/O, without knowledge of who made them.

Paths are POSIX strings relative to the root they were read from (the config repository, or the folder the command
ran in). Lines and columns count from 1, offsets count characters of the decoded text from 0.

A name's module is imported when the name is first asked for: a validation needs five of these twenty values, and to
make a frozen class takes half a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitops_ci.lazy import import_member

if TYPE_CHECKING:
    from gitops_ci.model.artifacts import Commit, ImageDetails, ImagePart, Job, PushedTag, VerifiedImage
    from gitops_ci.model.fail_on import FAIL_ON_WORDS, FailOn
    from gitops_ci.model.findings import Finding, Severity, Skip
    from gitops_ci.model.gates import SKIPPABLE, Gate, Hold
    from gitops_ci.model.history import (
        Deployment,
        Difference,
        Inventory,
        InventoryRow,
        Metrics,
        RunningVersion,
        VersionsInEnvironment,
    )
    from gitops_ci.model.log import Clock, Log
    from gitops_ci.model.outcome import ErrorDetail, Outcome, Status
    from gitops_ci.model.plans import Change, Edit, FileChange, Plan
    from gitops_ci.model.proposals import RETIRED, Proposal, PullRequest, Refreshed, ReviewedChange
    from gitops_ci.model.settings import Setting
    from gitops_ci.model.sites import Anchor, Field, ImageSite, Role, Spelling
    from gitops_ci.model.spans import Span

__all__ = [
    "FAIL_ON_WORDS",
    "RETIRED",
    "SKIPPABLE",
    "Anchor",
    "Change",
    "Clock",
    "Commit",
    "Deployment",
    "Difference",
    "Edit",
    "ErrorDetail",
    "FailOn",
    "Field",
    "FileChange",
    "Finding",
    "Gate",
    "Hold",
    "ImageDetails",
    "ImagePart",
    "ImageSite",
    "Inventory",
    "InventoryRow",
    "Job",
    "Log",
    "Metrics",
    "Outcome",
    "Plan",
    "Proposal",
    "PullRequest",
    "PushedTag",
    "Refreshed",
    "ReviewedChange",
    "Role",
    "RunningVersion",
    "Setting",
    "Severity",
    "Skip",
    "Span",
    "Spelling",
    "Status",
    "VerifiedImage",
    "VersionsInEnvironment",
]

_NAMES = {
    "artifacts": ("Commit", "ImageDetails", "ImagePart", "PushedTag", "Job", "VerifiedImage"),
    "fail_on": ("FAIL_ON_WORDS", "FailOn"),
    "findings": ("Finding", "Severity", "Skip"),
    "gates": ("SKIPPABLE", "Gate", "Hold"),
    "history": (
        *("Deployment", "Difference", "Inventory", "InventoryRow", "Metrics", "RunningVersion"),
        "VersionsInEnvironment",
    ),
    "log": ("Clock", "Log"),
    "outcome": ("Outcome", "ErrorDetail", "Status"),
    "plans": ("Change", "Edit", "FileChange", "Plan"),
    "proposals": ("RETIRED", "Proposal", "PullRequest", "Refreshed", "ReviewedChange"),
    "settings": ("Setting",),
    "sites": ("Anchor", "Field", "ImageSite", "Role", "Spelling"),
    "spans": ("Span",),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    value = globals()[name] = import_member("model", f"{_MODULES[name]}:{name}")
    return value
