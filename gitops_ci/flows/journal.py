"""What a flow has done so far, so that a failure midway still reports what is already done."""

from __future__ import annotations

from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitopsCiError
from gitops_ci.imageref import ImageRef
from gitops_ci.model import (
    Commit,
    ErrorDetail,
    Finding,
    Gate,
    Hold,
    Outcome,
    Plan,
    PullRequest,
    PushedTag,
    Refreshed,
    Skip,
    Status,
    VerifiedImage,
)

__all__ = ["Journal"]


@dataclass(slots=True)
class Journal:
    """Filled by a flow step by step; `outcome` and `failed` turn it into the frozen result.

    `holds` stopped images of this run, `written` are those that it wrote.
    """

    command: str
    dry_run: bool = False
    images: tuple[PushedTag, ...] = ()
    plan: Plan = field(default_factory=Plan)
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skip, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    commit: Commit | None = None
    pull_request: PullRequest | None = None
    untouched: tuple[ImageRef, ...] = ()
    verified: tuple[VerifiedImage, ...] = ()
    proposals: tuple[Refreshed, ...] = ()
    holds: tuple[Hold, ...] = ()
    written: tuple[Hold, ...] = ()
    gates: tuple[Gate, ...] = ()
    fail_on_held: bool = False

    def outcome(self, *, changed: bool) -> Outcome:
        """The result of a flow that came to its end.

        What could not be read makes it exit 1, and an image of which no place was changed or had the version already.
        """
        stopped = self.fail_on_held and (self.holds or any(gate.state != "open" for gate in self.gates))
        failed = self.untouched or stopped or any(skip.failed for skip in self.plan.skipped)
        return self._result(status="changed" if changed else "unchanged", exit_code=1 if failed else 0, error=None)

    def tell_commit(self, error: GitopsCiError) -> None:
        """Add to an error's hint what this flow has made already."""
        if self.commit and not self.dry_run:
            there = f"The commit {self.commit.sha[:12]} is on {self.commit.branch}: run again to go on from there."
            error.hint = f"{error.hint} {there}".lstrip()

    def failed(self, error: GitopsCiError, *, with_commit: bool = True) -> Outcome:
        """The result of a flow that ended early. Without `with_commit` the last commit is none of what failed."""
        if with_commit:
            self.tell_commit(error)
        return self._result(status="failed", exit_code=error.exit_code, error=ErrorDetail.of(error))

    def _result(self, *, status: Status, exit_code: int, error: ErrorDetail | None) -> Outcome:
        # An edit that is proposed already, or that never left this machine, is not a change of this run.
        published = self.dry_run or (status != "unchanged" and self.commit is not None)
        counts = {
            "changed": len(self.plan.changes) if published else 0,
            "unchanged": len(self.plan.unchanged),
            "skipped": len(self.plan.skipped) + len(self.skipped),
            "findings": len(self.findings),
            "held": len(self.holds),
        }
        return Outcome(
            command=self.command,
            status=status,
            exit_code=exit_code,
            images=self.images,
            changes=self.plan.changes if published else (),
            files=self.plan.files if published else (),
            skipped=(*self.plan.skipped, *self.skipped),
            findings=self.findings,
            summary=counts | self.counts | {"skipped": counts["skipped"]},
            commit=self.commit,
            pull_request=self.pull_request,
            error=error,
            dry_run=self.dry_run,
            verified=self.verified,
            proposals=self.proposals,
            holds=(*self.holds, *self.written),
            gates=self.gates,
        )
