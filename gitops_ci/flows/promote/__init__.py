"""Carry the images of one environment to the next, through gates."""

from __future__ import annotations

from gitops_ci.flows.promote.flow import PromoteRequest, promote
from gitops_ci.flows.promote.protection import protected

__all__ = ["PromoteRequest", "promote", "protected"]
