"""Names, namespaces, owners and finalizers of every object.

Sources: k8s.io/apimachinery pkg/api/validation/objectmeta.go and generic.go; the names of single kinds from their
validation.go in k8s.io/kubernetes pkg/apis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_ci.schemas.rules import formats
from gitops_ci.schemas.rules.base import Spot, shown
from gitops_ci.schemas.rules.labels import check_annotations, labels

__all__ = ["CLUSTER_SCOPED", "metadata"]

# Of a longer prefix this much is kept before the five random characters (apiserver pkg/storage/names/generate.go).
_GENERATED_FROM = 58
NameFormat = Callable[[str, int], str | None]

CLUSTER_SCOPED = frozenset(
    {
        *("APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding"),
        *("ClusterTrustBundle", "ComponentStatus", "CustomResourceDefinition", "DeviceClass", "DeviceTaintRule"),
        *("FlowSchema", "IPAddress", "IngressClass", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
        *("MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass"),
        *("PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass", "ServiceCIDR", "StorageClass"),
        *("StorageVersion", "StorageVersionMigration", "ValidatingAdmissionPolicy"),
        *("ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttachment"),
        *("VolumeAttributesClass", "SelfSubjectReview", "TokenReview", "SubjectAccessReview"),
        *("SelfSubjectAccessReview", "SelfSubjectRulesReview"),
    }
)
# Finalizers without a domain that Kubernetes itself uses (pkg/apis/core/helper, IsStandardFinalizerName).
_GENERIC_GROUPS = frozenset({"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"})
_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


def metadata(document: Spot) -> None:
    """The metadata of any kind, custom ones included."""
    kind = document.text("kind")
    meta = document.at("metadata")
    _name(meta, kind)
    namespace = meta.text("namespace")
    if namespace and kind not in CLUSTER_SCOPED and (why := formats.dns_label(namespace)):
        meta.at("namespace").bad("name", f"'{shown(namespace)}' {why}")
    labels(meta)
    check_annotations(meta)
    _owners(meta)
    _finalizers(meta, document.text("apiVersion").partition("/")[0])
    if meta.text("resourceVersion") not in {"", "0"}:
        meta.at("resourceVersion").bad(
            "metadata", "may not be set on an object to be created", "Remove what the cluster wrote into the manifest."
        )
    if meta.number("generation") < 0:
        meta.at("generation").bad("metadata", "must not be negative")


def _name(meta: Spot, kind: str) -> None:
    name, generate = meta.text("name"), meta.text("generateName")
    if not name and not generate:
        meta.missing("name", "name", "'metadata.name' is required (or 'generateName')")
        return
    check = _NAMES.get(kind, _subdomain)
    if name and (why := check(name, meta.minor)):
        meta.at("name").bad("name", f"'{shown(name)}' {why}")
    # What is generated ends in five letters, so that a trailing dash is fine.
    masked = f"{generate[:-2]}a" if len(generate) > 1 and generate.endswith("-") else generate
    if generate and (why := check(masked, meta.minor)):
        meta.at("generateName").bad("name", f"'{shown(generate)}' {why}")
    elif generate and not name and (why := check(f"{generate[:_GENERATED_FROM]}x7k2q", meta.minor)):
        meta.at("generateName").bad("name", f"'{shown(generate)}' makes names that are none: such a name {why}")


def _subdomain(name: str, minor: int) -> str | None:
    del minor
    return formats.dns_subdomain(name)


def _label(name: str, minor: int) -> str | None:
    del minor
    return formats.dns_label(name)


def _service(name: str, minor: int) -> str | None:
    # RelaxedServiceNameValidation lets a name start with a digit.
    return formats.dns_label(name) if minor >= 36 else formats.dns_label_1035(name)


def _stateful_set(name: str, minor: int) -> str | None:
    # Its pods take it as their hostname.
    return formats.dns_label(name) if minor >= 27 else formats.dns_subdomain(name)


def _segment(name: str, minor: int) -> str | None:
    del minor
    return formats.path_segment(name)


def _cron_job(name: str, minor: int) -> str | None:
    # A job's name is the cron job's plus eleven characters, and at most 63.
    del minor
    return "must be no more than 52 characters" if len(name) > 52 else formats.dns_subdomain(name)


def _job(name: str, minor: int) -> str | None:
    # It becomes the value of the label job-name on its pods.
    del minor
    return "must be no more than 63 characters" if len(name) > 63 else formats.dns_subdomain(name)


def _csi_driver(name: str, minor: int) -> str | None:
    del minor
    return "must be no more than 63 characters" if len(name) > 63 else formats.dns_subdomain(name.lower())


def _anything(name: str, minor: int) -> str | None:
    del name, minor
    return None


def _ip_address(name: str, minor: int) -> str | None:
    del minor
    parsed = formats.parse_ip(name)
    return None if parsed and str(parsed) == name else "must be an IP address in canonical form"


_NAMES: Mapping[str, NameFormat] = {
    "Namespace": _label,
    "Service": _service,
    "StatefulSet": _stateful_set,
    "Role": _segment,
    "RoleBinding": _segment,
    "ClusterRole": _segment,
    "ClusterRoleBinding": _segment,
    "CronJob": _cron_job,
    "Job": _job,
    "CSIDriver": _csi_driver,
    "CertificateSigningRequest": _anything,
    "ClusterTrustBundle": _anything,
    "IPAddress": _ip_address,
    "Event": _anything,
    "Binding": _anything,
    "TokenReview": _anything,
    "SubjectAccessReview": _anything,
    "SelfSubjectAccessReview": _anything,
    "SelfSubjectRulesReview": _anything,
    "SelfSubjectReview": _anything,
    "LocalSubjectAccessReview": _anything,
}


def _owners(meta: Spot) -> None:
    controllers = 0
    for owner in meta.each("ownerReferences"):
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.text(key):
                owner.missing("metadata", key)
        if owner.text("kind") == "Event" and owner.text("apiVersion") == "v1":
            owner.bad("metadata", "an Event may not be an owner")
        controllers += owner.flag("controller")
    if controllers > 1:
        meta.at("ownerReferences").bad("metadata", "only one owner can have 'controller' set to true")


def _finalizers(meta: Spot, group: str) -> None:
    names = meta.strings("finalizers")
    if {"orphan", "foregroundDeletion"} <= set(names):
        meta.at("finalizers").bad("metadata", "orphan and foregroundDeletion exclude each other")
    # Groups of the generic API server, and custom ones, know no standard finalizers.
    strict = ("." not in group or group.endswith(".k8s.io")) and group not in _GENERIC_GROUPS
    for index, name in enumerate(names):
        why = formats.qualified_name(name)
        if why is None and strict and "/" not in name and name not in _FINALIZERS:
            why = "is neither a standard finalizer nor a name with a domain"
        if why:
            meta.at("finalizers").item(index).bad("metadata", f"'{shown(name)}' {why}")
