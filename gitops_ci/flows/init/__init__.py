"""Set up a repository: look at what is there, write the first files."""

from __future__ import annotations

from gitops_ci.flows.init.flow import SYSTEMS, InitRequest, System, next_steps, starter_files

__all__ = [
    "SYSTEMS",
    "InitRequest",
    "System",
    "next_steps",
    "starter_files",
]
