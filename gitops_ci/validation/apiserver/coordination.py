"""Leases and LeaseCandidates. Source: k8s.io/kubernetes pkg/apis/coordination/validation/validation.go.

A Lease's strategy and preferredHolder are dropped unread while CoordinatedLeaderElection is off, as it is by default.
"""

from __future__ import annotations

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["lease", "lease_candidate"]

_STRATEGY = "OldestEmulationVersion"


def lease(document: Field) -> None:
    spec = document.at("spec")
    spec.at_least("lease", "leaseDurationSeconds", 1)
    spec.at_least("lease", "leaseTransitions", 0)


def lease_candidate(document: Field) -> None:
    spec, strategy = document.at("spec"), document.at("spec").text("strategy")
    if document.text("apiVersion").endswith("/v1alpha1"):
        return  # there a list of strategies
    for key in ("leaseName", "binaryVersion", "strategy"):
        if not spec.text(key):
            spec.missing("lease", key)
    for key in ("binaryVersion", "emulationVersion"):
        spec.fits("lease", key, formats.semantic_version)
    if strategy == _STRATEGY and not spec.text("emulationVersion"):
        spec.missing("lease", "emulationVersion", f"'emulationVersion' is required with the strategy {_STRATEGY}")
    if "/" in strategy:
        spec.fits("lease", "strategy", formats.qualified_name)
    else:
        spec.one_of("lease", "strategy", (_STRATEGY,))
