"""Set up a repository: look at what is there, write the first files."""

from __future__ import annotations

from gitops_ci.flows.init.applications import is_for_releases
from gitops_ci.flows.init.flow import SYSTEMS, InitRequest, System, applications_of, image_of, starter_files
from gitops_ci.flows.init.next_steps import next_steps
from gitops_ci.flows.init.whole_repository import applied_with_own_files

__all__ = [
    "SYSTEMS",
    "InitRequest",
    "System",
    "applications_of",
    "applied_with_own_files",
    "image_of",
    "is_for_releases",
    "next_steps",
    "starter_files",
]
