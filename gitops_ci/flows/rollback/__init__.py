"""Take an image back to what ran before, and stop what would bring the bad version again."""

from __future__ import annotations

from gitops_ci.flows.rollback.flow import RollbackRequest, rollback
from gitops_ci.flows.rollback.hold import HoldRequest, hold, unhold

__all__ = ["HoldRequest", "RollbackRequest", "hold", "rollback", "unhold"]
