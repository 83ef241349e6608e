"""Rebuild open proposals that conflict or lag, and close those that have no purpose any more."""

from __future__ import annotations

from gitops_ci.flows.refresh.flow import RefreshRequest, refresh

__all__ = ["RefreshRequest", "refresh"]
