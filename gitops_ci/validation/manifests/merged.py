"""Objects that are merged into one that exists: what they lack, that one has.

Sources: fluxcd.io/flux/components/kustomize/kustomizations (controlling the apply behavior of resources: the annotation
`ssa`); kubernetes.io/docs/concepts/services-networking (the API server makes the Service `kubernetes`).
"""

from __future__ import annotations

from gitops_ci.validation.manifests.documents import Document

__all__ = ["FLUX", "is_merged", "is_options_of_a_service"]

FLUX = ".toolkit.fluxcd.io"
_SSA = "kustomize.toolkit.fluxcd.io/ssa"


def is_merged(document: Document) -> bool:
    """Whether an object says so, or is one that each cluster has."""
    if document.kind == "Service" and document.name == "kubernetes" and document.namespace in {"", "default"}:
        return not document.group
    return document.annotation(_SSA).lower() == "merge"


def is_options_of_a_service(document: Document) -> bool:
    """Whether an object gives a Service options, and neither ports nor what it selects: no Service is that alone."""
    spec = document.value.get("spec")
    if document.kind != "Service" or document.group or not isinstance(spec, dict) or not spec:
        return False
    return spec.keys().isdisjoint({"ports", "selector", "externalName"})
