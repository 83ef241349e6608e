"""What a change does to the rendered objects."""

from __future__ import annotations

from gitops_ci.flows.diff.flow import DiffRequest, diff, stored_diff

__all__ = ["DiffRequest", "diff", "stored_diff"]
