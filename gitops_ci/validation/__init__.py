"""Manifests in, findings out: structure as the bundled Kubernetes schemas have it, then the API server's own rules.

Pure but for the schema locations a user names: the caller brings every text. `check` never stops at a broken file; it
becomes a finding and the rest goes on.
"""

from __future__ import annotations

from gitops_ci.validation.kubernetes_versions import DEFAULT_VERSION, VERSIONS, versions
from gitops_ci.validation.lint import DUPLICATE, REFERRED_GROUPS
from gitops_ci.validation.report import Checks, Destination, Rendered, Report, Suppression, Surroundings
from gitops_ci.validation.run import check

__all__ = [
    "DEFAULT_VERSION",
    "DUPLICATE",
    "REFERRED_GROUPS",
    "VERSIONS",
    "Checks",
    "Destination",
    "Rendered",
    "Report",
    "Suppression",
    "Surroundings",
    "check",
    "versions",
]
