"""RuntimeClass. Source: k8s.io/kubernetes pkg/apis/node/validation."""

from __future__ import annotations

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import labels
from gitops_ci.validation.apiserver.core.compute_resources import overhead
from gitops_ci.validation.apiserver.core.pod_scheduling import tolerations

__all__ = ["runtime_class"]


def runtime_class(document: Field) -> None:
    document.fits("name", "handler", formats.dns_label)
    overhead(document.at("overhead"), "podFixed")
    scheduling = document.at("scheduling")
    labels(scheduling, "nodeSelector")
    tolerations(scheduling)
    seen: set[tuple[str, ...]] = set()
    for toleration in scheduling.each("tolerations"):
        identity = tuple(toleration.text(key) for key in ("key", "operator", "value", "effect"))
        if identity in seen:
            toleration.bad("duplicate", "the toleration is given twice")
        seen.add(identity)
