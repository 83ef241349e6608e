"""All that a command did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from gitops_ci.dataclass import dataclass
from gitops_ci.secret import mask

if TYPE_CHECKING:
    from gitops_ci.errors import GitopsCiError
    from gitops_ci.model.artifacts import Commit, ImageDetails, Job, PushedTag, VerifiedImage
    from gitops_ci.model.findings import Finding, Skip
    from gitops_ci.model.gates import Gate, Hold
    from gitops_ci.model.history import Deployment, Inventory, Metrics
    from gitops_ci.model.plans import Change, FileChange
    from gitops_ci.model.proposals import PullRequest, Refreshed
    from gitops_ci.model.rendered import RenderedDiff
    from gitops_ci.model.settings import Setting

__all__ = ["ErrorDetail", "Outcome", "Status"]

Status = Literal["changed", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """An error as the report shows it."""

    kind: str
    message: str
    hint: str
    exit_code: int

    @classmethod
    def of(cls, error: GitopsCiError) -> ErrorDetail:
        """Its secrets are masked: a program's or a host's own words may hold them."""
        return cls(error.kind, mask(error.message), mask(error.hint), error.exit_code)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a command did, and the only thing reporting sees.

    `summary` are counts by name (`files`, `documents`, `valid`, ...); `exit_code` is the process's. `labels` are those
    that a build is to get.
    """

    command: str
    status: Status
    exit_code: int = 0
    images: tuple[PushedTag, ...] = ()
    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()
    skipped: tuple[Skip, ...] = ()
    findings: tuple[Finding, ...] = ()
    summary: Mapping[str, int] = field(default_factory=dict)
    commit: Commit | None = None
    pull_request: PullRequest | None = None
    error: ErrorDetail | None = None
    dry_run: bool = False
    jobs: tuple[Job, ...] = ()
    inspected: tuple[ImageDetails, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    verified: tuple[VerifiedImage, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    metrics: tuple[Metrics, ...] = ()
    inventory: Inventory | None = None
    gates: tuple[Gate, ...] = ()
    holds: tuple[Hold, ...] = ()
    rendered: RenderedDiff | None = None
    proposals: tuple[Refreshed, ...] = ()
    settings: tuple[Setting, ...] = ()
