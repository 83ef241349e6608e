"""Validate manifests: choose files, render, check."""

from __future__ import annotations

from gitops_ci.flows.validate.flow import ValidateRequest, selected, validate

__all__ = [
    "ValidateRequest",
    "selected",
    "validate",
]
