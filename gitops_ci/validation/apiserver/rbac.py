"""Roles and their bindings. Source: k8s.io/kubernetes pkg/apis/rbac/validation/validation.go."""

from __future__ import annotations

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector

__all__ = ["binding", "role"]

GROUP = "rbac.authorization.k8s.io"


def role(document: Field) -> None:
    namespaced = document.text("kind") == "Role"
    for rule in document.each("rules"):
        if rule.count("nonResourceURLs"):
            if namespaced:
                rule.at("nonResourceURLs").bad("rbac", "rules of a Role cannot apply to URLs")
            elif rule.count("apiGroups") or rule.count("resources") or rule.count("resourceNames"):
                rule.at("nonResourceURLs").bad("rbac", "rules cannot apply to both resources and URLs")
            continue
        for key in ("apiGroups", "resources"):
            if not rule.count(key):
                rule.missing("rbac", key, f"'{key}' needs at least one value")
    if document.has("aggregationRule") and not namespaced:
        aggregation = document.at("aggregationRule")
        if not aggregation.count("clusterRoleSelectors"):
            aggregation.missing("rbac", "clusterRoleSelectors", "at least one selector is required")
        for selector in aggregation.each("clusterRoleSelectors"):
            label_selector(selector)


def binding(document: Field) -> None:
    reference = document.at("roleRef")
    kinds = ("Role", "ClusterRole") if document.text("kind") == "RoleBinding" else ("ClusterRole",)
    reference.one_of("rbac", "apiGroup", (GROUP,))
    reference.one_of("rbac", "kind", kinds)
    reference.fits("name", "name", formats.path_segment)
    for subject in document.each("subjects"):
        _subject(subject, namespaced=document.text("kind") == "RoleBinding")


def _subject(subject: Field, *, namespaced: bool) -> None:
    kind = subject.text("kind")
    subject.one_of("rbac", "kind", ("ServiceAccount", "User", "Group"))
    group = subject.get("apiGroup")
    if kind == "ServiceAccount":
        subject.fits("name", "name", formats.dns_subdomain)
        if group:
            subject.at("apiGroup").bad("rbac", "must be empty for a ServiceAccount")
        if not namespaced and not subject.text("namespace"):
            subject.missing("rbac", "namespace", "'namespace' is required for a ServiceAccount")
    elif kind in {"User", "Group"} and group not in (None, "", GROUP):
        subject.at("apiGroup").bad("rbac", f"'{group}' is not supported; it is {GROUP}")
