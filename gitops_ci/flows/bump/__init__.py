"""Bump images in the config repository: find, edit, validate, publish."""

from __future__ import annotations

from gitops_ci.flows.bump.flow import BumpRequest, PublishSettings, bump, bump_into

__all__ = [
    "BumpRequest",
    "PublishSettings",
    "bump",
    "bump_into",
]
