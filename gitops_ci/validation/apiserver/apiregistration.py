"""APIService. Source: k8s.io/kube-aggregator pkg/apis/apiregistration/validation."""

from __future__ import annotations

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["api_service"]


def api_service(document: Field) -> None:
    spec = document.at("spec")
    group, version = spec.text("group"), spec.text("version")
    wanted = f"{version}.{group}"
    for key in ("name", "generateName"):
        if document.at("metadata").text(key) not in {"", wanted}:
            document.at("metadata", key).bad("api-service", f"must be '{wanted}', spec.version and spec.group")
    if not version:
        spec.missing("api-service", "version")
    spec.fits("api-service", "version", formats.dns_label_1035)
    spec.fits("api-service", "group", formats.dns_subdomain)
    if not group and version != "v1":
        spec.at("version").bad("api-service", "only v1 may have an empty group")
    for key, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        if spec.has(key):
            spec.within("api-service", key, 1, most)
    bundle, insecure = spec.text("caBundle"), spec.flag("insecureSkipTLSVerify")
    if not spec.has("service"):
        for key, given in (("caBundle", bool(bundle)), ("insecureSkipTLSVerify", insecure)):
            if given:
                spec.at(key).bad("api-service", "may not be given without a service")
        return
    service = spec.at("service")
    for key in ("namespace", "name"):
        if not service.text(key):
            service.missing("api-service", key)
    service.within("api-service", "port", 1, 65535)
    if insecure and bundle:
        spec.at("insecureSkipTLSVerify").bad("api-service", "may not be true when caBundle is given")
