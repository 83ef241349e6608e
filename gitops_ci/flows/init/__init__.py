"""Set up a repository: look at what is there, write the first files."""

from __future__ import annotations

from gitops_ci.flows.init.flow import SYSTEMS, InitRequest, System, next_steps, starter_files
from gitops_ci.flows.init.whole_repository import applied_with_own_files

__all__ = [
    "SYSTEMS",
    "InitRequest",
    "System",
    "applied_with_own_files",
    "next_steps",
    "starter_files",
]
