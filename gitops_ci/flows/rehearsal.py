"""The log of a run-through, before anything leaves this machine."""

from __future__ import annotations

from gitops_ci.dataclass import dataclass
from gitops_ci.model import Log

__all__ = ["Rehearsal"]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A log for the run-through: its steps have not happened yet, so only `--verbose` shows them."""

    log: Log

    def step(self, message: str) -> None:
        self.log.detail(f"(plan) {message}")

    def detail(self, message: str) -> None:
        self.log.detail(f"(plan) {message}")

    def warn(self, message: str) -> None:
        self.log.detail(f"(plan) warning: {message}")
