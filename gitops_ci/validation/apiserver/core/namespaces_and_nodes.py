"""Namespace and Node.

Sources: k8s.io/kubernetes pkg/apis/core/validation; k8s.io/pod-security-admission api/helpers.go.
"""

from __future__ import annotations

import re

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apiserver.core.pod_scheduling import EFFECTS

__all__ = ["namespace", "node"]

_SECURITY = "pod-security.kubernetes.io/"


def namespace(document: Field) -> None:
    for index, name in enumerate(document.at("spec").strings("finalizers")):
        why = formats.qualified_name(name)
        if why is None and "/" not in name and name not in {"kubernetes", "orphan", "foregroundDeletion"}:
            why = "is neither a standard finalizer nor a name with a domain"
        if why:
            document.at("spec", "finalizers").item(index).bad("namespace", f"'{name}' {why}")
    for mode in ("enforce", "audit", "warn"):
        label = document.at("metadata", "labels")
        label.one_of("namespace", f"{_SECURITY}{mode}", ("privileged", "baseline", "restricted"), pointer=True)
        version = label.get(f"{_SECURITY}{mode}-version")
        if isinstance(version, str) and not re.fullmatch(r"latest|v1\.([0-9]|[1-9][0-9]*)", version):
            label.at(f"{_SECURITY}{mode}-version").bad("namespace", f"'{version}' must be latest or such as v1.30")


def node(document: Field) -> None:
    seen: set[tuple[str, str]] = set()
    for taint in document.at("spec").each("taints"):
        taint.fits("node", "key", formats.qualified_name)
        taint.fits("node", "value", formats.label_value)
        taint.one_of("node", "effect", EFFECTS)
        pair = (taint.text("key"), taint.text("effect"))
        if pair in seen:
            taint.bad("duplicate", f"the taint {pair[0]}:{pair[1]} is given twice")
        seen.add(pair)
    _pod_networks(document.at("spec"))


def _pod_networks(spec: Field) -> None:
    """PodCIDR is the first of podCIDRs, and counts where the two differ (pkg/apis/core/v1/conversion.go)."""
    one, several = spec.text("podCIDR"), spec.strings("podCIDRs")
    if one and several[:1] != [one]:
        spec.fits("node", "podCIDR", lambda value: formats.cidr(value, spec.minor))
        return
    families = []
    for index, value in enumerate(several):
        if why := formats.cidr(value, spec.minor):
            spec.at("podCIDRs").item(index).bad("node", f"'{value}' {why}")
        families.append(":" in value)
    if len(set(families)) < len(families):
        spec.at("podCIDRs").bad("node", "may have no more than one for each IP family")
