"""Fields that an API server refuses to change: the object has to be deleted and created.

A row names the function of Kubernetes (pkg/apis/GROUP/validation) that refuses. A field that is absent on one side
counts as its default. Nothing is claimed about an object that whoever applies it deletes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gitops_ci.comparing.quantities import quantity
from gitops_ci.comparing.risks.base import Subject, dig, marks_of
from gitops_ci.model.rendered import PathChange, Risk

__all__ = ["REFUSING", "refused"]


class _Kind(NamedTuple):
    """`fields` are pointers with the default of each; `source` is the function that refuses a change."""

    source: str
    fields: Mapping[str, Any]


_CLAIM_FIELDS = ("accessModes", "selector", "dataSource", "dataSourceRef")
_ROLE = {"/roleRef/kind": None, "/roleRef/name": None}
REFUSING: Mapping[tuple[str, str], _Kind] = {
    ("", "ConfigMap"): _Kind("ValidateConfigMapUpdate", {}),
    ("", "PersistentVolume"): _Kind(
        "ValidatePersistentVolumeUpdate",
        {"/spec/volumeMode": "Filesystem", **{f"/spec/{name}": None for name in ("nfs", "hostPath", "local", "iscsi")}},
    ),
    ("", "PersistentVolumeClaim"): _Kind(
        "ValidatePersistentVolumeClaimUpdate",
        {"/spec/volumeMode": "Filesystem", **{f"/spec/{name}": None for name in _CLAIM_FIELDS}},
    ),
    ("", "Secret"): _Kind("ValidateSecretUpdate", {"/type": "Opaque"}),
    ("", "Service"): _Kind("ValidateServiceUpdate", {}),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _Kind(
        "ValidateCustomResourceDefinitionUpdate", {"/spec/group": None, "/spec/names/kind": None, "/spec/scope": None}
    ),
    ("apps", "DaemonSet"): _Kind("ValidateDaemonSetUpdate", {"/spec/selector": None}),
    ("apps", "Deployment"): _Kind("ValidateDeploymentUpdate", {"/spec/selector": None}),
    ("apps", "ReplicaSet"): _Kind("ValidateReplicaSetUpdate", {"/spec/selector": None}),
    ("apps", "StatefulSet"): _Kind("ValidateStatefulSetUpdate", {}),
    ("batch", "Job"): _Kind(
        "ValidateJobSpecUpdate",
        {
            "/spec/selector": None,
            "/spec/template": None,
            "/spec/completionMode": "NonIndexed",
            "/spec/podFailurePolicy": None,
            "/spec/backoffLimitPerIndex": None,
            "/spec/managedBy": "kubernetes.io/job-controller",
        },
    ),
    ("discovery.k8s.io", "EndpointSlice"): _Kind("ValidateEndpointSliceUpdate", {"/addressType": None}),
    ("networking.k8s.io", "IngressClass"): _Kind("ValidateIngressClassUpdate", {"/spec/controller": None}),
    ("node.k8s.io", "RuntimeClass"): _Kind("ValidateRuntimeClassUpdate", {"/handler": None}),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _Kind("ValidateClusterRoleBindingUpdate", _ROLE),
    ("rbac.authorization.k8s.io", "RoleBinding"): _Kind("ValidateRoleBindingUpdate", _ROLE),
    ("scheduling.k8s.io", "PriorityClass"): _Kind(
        "ValidatePriorityClassUpdate", {"/value": 0, "/preemptionPolicy": "PreemptLowerPriority"}
    ),
    ("storage.k8s.io", "StorageClass"): _Kind(
        "ValidateStorageClassUpdate",
        {
            "/provisioner": None,
            "/parameters": None,
            "/reclaimPolicy": "Delete",
            "/volumeBindingMode": "Immediate",
        },
    ),
    ("storage.k8s.io", "VolumeAttributesClass"): _Kind(
        "ValidateVolumeAttributesClassUpdate", {"/driverName": None, "/parameters": None}
    ),
}
_STATEFUL = (
    *("replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy"),
    *("minReadySeconds", "revisionHistoryLimit"),
)
# Fields of a StatefulSet that mean the same when they are absent.
_STATEFUL_DEFAULTS = {"podManagementPolicy": "OrderedReady", "serviceName": "", "volumeMode": "Filesystem"}
_TEMPLATE = re.compile(r"/spec/volumeClaimTemplates/\d+/(?:apiVersion|kind|status|metadata/creationTimestamp)(?:/.*)?")
_FORCED = ("argocd.argoproj.io/hook", "helm.sh/hook")


def refused(subject: Subject) -> Iterator[Risk]:
    """The first field of each kind of refusal: one is enough."""
    if subject.state != "changed" or subject.before is None or subject.after is None or _is_another(subject):
        return
    kind = REFUSING.get((subject.group, subject.kind))
    if kind is None:
        return
    for change in _refused_changes(subject, kind):
        if change.noise in {"order", "same value", "server"}:
            continue
        told = change.head_pointer if change.head_pointer is not None else change.base_pointer
        # Without a selector no server has accepted the workload, so that there is none to be changed.
        if (subject.group, told, change.old) == ("apps", "/spec/selector", None):
            continue
        yield Risk("refused", f"{change.path} cannot be changed: delete the object first", told)
        return


def _is_another(subject: Subject) -> bool:
    """Whether the change makes a new object: under a name with another hash, or because the old one is deleted."""
    before, after = dict(subject.before or {}), dict(subject.after or {})
    name = dig(after, "metadata", "name")
    if not name or name != dig(before, "metadata", "name"):
        return True
    if subject.kind == "Job" and dig(before, "spec", "ttlSecondsAfterFinished") is not None:
        return True
    marks = marks_of(after)
    options = str(marks.get("argocd.argoproj.io/sync-options", "")).replace(" ", "").split(",")
    is_forced = str(marks.get("kustomize.toolkit.fluxcd.io/force", "")).casefold() in {"enabled", "true"}
    return subject.unit.replaces or is_forced or "Force=true" in options or any(name in marks for name in _FORCED)


def _refused_changes(subject: Subject, kind: _Kind) -> Iterator[PathChange]:
    for pointer, default in kind.fields.items():
        yield from (one for one in subject.changes(pointer) if not _is_default(one, pointer, default))
    name = (subject.group, subject.kind)
    if name == ("apps", "StatefulSet"):
        yield from _of_stateful_set(subject)
    elif name == ("batch", "Job") and dig(dict(subject.before or {}), "spec", "completionMode") != "Indexed":
        yield from (one for one in subject.changes("/spec/completions") if None not in {one.old, one.new})
    elif name == ("", "PersistentVolumeClaim"):
        # What is not written may be what the cluster filled in.
        filled_in = subject.changes("/spec/storageClassName", "/spec/volumeName")
        yield from (one for one in filled_in if None not in {one.old, one.new})
        yield from (one for one in subject.changes("/spec/resources/requests/storage") if _shrinks(one))
    elif name == ("", "Service"):
        yield from (one for one in subject.changes("/spec/clusterIP") if _is_other_address(one, subject))
    elif name in {("", "ConfigMap"), ("", "Secret")} and dig(dict(subject.before or {}), "immutable") is True:
        yield from subject.changes("/data", "/binaryData", "/stringData", "/immutable")


def _is_default(change: PathChange, pointer: str, default: Any) -> bool:
    """Whether one side only leaves out what the other writes."""
    told = change.head_pointer if change.head_pointer is not None else change.base_pointer
    if told != pointer or default is None:
        return False
    old, new = (default if side is None else side for side in (change.old, change.new))
    return not change.masked and bool(old == new)


def _of_stateful_set(subject: Subject) -> Iterator[PathChange]:
    allowed = {id(one) for one in subject.changes(*(f"/spec/{name}" for name in _STATEFUL))}
    for one in subject.changes("/spec"):
        told = (one.head_pointer if one.head_pointer is not None else one.base_pointer) or ""
        default = _STATEFUL_DEFAULTS.get(told.rpartition("/")[2])
        if id(one) not in allowed and not _TEMPLATE.fullmatch(told) and not _is_default(one, told, default):
            yield one


def _is_other_address(change: PathChange, subject: Subject) -> bool:
    """An address that is taken out stays (pkg/registry/core/service patchAllocatedValues); None is an address, too."""
    types = {dig(dict(side or {}), "spec", "type") for side in (subject.before, subject.after)}
    if "ExternalName" in types or change.new in {None, ""}:
        return False
    return change.old not in {None, ""} or change.new == "None"


def _shrinks(change: PathChange) -> bool:
    old, new = quantity(change.old), quantity(change.new)
    return old is not None and new is not None and new < old
