"""StorageVersionMigration. Source: k8s.io/kubernetes pkg/apis/storagemigration/validation/validation.go."""

from __future__ import annotations

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["storage_version_migration"]


def storage_version_migration(document: Field) -> None:
    if document.text("apiVersion").endswith("v1alpha1"):  # another object, of which nothing is looked at
        return
    resource = document.at("spec", "resource")
    resource.fits("storage", "resource", formats.dns_label_1035)
    if resource.text("group"):
        resource.fits("storage", "group", formats.dns_subdomain)
