"""Manifests in, findings out: structure as the bundled Kubernetes schemas have it, then the API server's own rules.

Pure but for the schema locations a user names: the caller brings every text. `check` never stops at a broken file; it
becomes a finding and the rest goes on.
"""

from __future__ import annotations

from gitops_ci.schemas.bundle import DEFAULT_VERSION, VERSIONS, versions
from gitops_ci.schemas.checking import check
from gitops_ci.schemas.lint import REFERRED_GROUPS
from gitops_ci.schemas.report import Checks, Rendered, Report, Suppression, Surroundings

__all__ = [
    "DEFAULT_VERSION",
    "REFERRED_GROUPS",
    "VERSIONS",
    "Checks",
    "Rendered",
    "Report",
    "Suppression",
    "Surroundings",
    "check",
    "versions",
]
