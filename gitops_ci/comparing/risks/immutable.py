"""Fields that an API server refuses to change: the object has to be deleted and created.

Sources: kubernetes pkg/apis/apps/validation (ValidateDeploymentUpdate, ValidateStatefulSetUpdate,
ValidateDaemonSetUpdate), pkg/apis/batch/validation (ValidateJobUpdate), pkg/apis/core/validation
(ValidateServiceUpdate, ValidatePersistentVolumeClaimUpdate, ValidateConfigMapUpdate, ValidateSecretUpdate),
pkg/apis/rbac/validation (ValidateRoleBindingUpdate), pkg/apis/storage/validation (ValidateStorageClassUpdate).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitops_ci.comparing.quantities import quantity
from gitops_ci.comparing.risks.base import Subject, dig
from gitops_ci.model.rendered import PathChange, Risk

__all__ = ["refused"]

_FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("/spec/selector",),
    ("apps", "DaemonSet"): ("/spec/selector",),
    ("apps", "ReplicaSet"): ("/spec/selector",),
    ("batch", "Job"): ("/spec/selector", "/spec/template", "/spec/completionMode"),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("/roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("/roleRef",),
    ("storage.k8s.io", "StorageClass"): ("/provisioner", "/parameters", "/reclaimPolicy", "/volumeBindingMode"),
    ("", "Secret"): ("/type",),
    ("scheduling.k8s.io", "PriorityClass"): ("/value", "/preemptionPolicy"),
    ("networking.k8s.io", "IngressClass"): ("/spec/controller",),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("/spec/group", "/spec/names/kind", "/spec/scope"),
}
_STATEFUL = (
    *("replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy"),
    *("minReadySeconds", "revisionHistoryLimit"),
)
_CLAIM = ("/spec/resources/requests/storage", "/spec/volumeAttributesClassName")


def refused(subject: Subject) -> Iterator[Risk]:
    """The first field of each kind of refusal: one is enough."""
    if subject.state != "changed" or subject.before is None or subject.after is None:
        return
    for change in _refused_changes(subject):
        if change.noise in {"order", "same value"}:
            continue
        told = change.head_pointer if change.head_pointer is not None else change.base_pointer
        yield Risk("refused", f"{change.path} cannot be changed: delete the object first", told)
        return


def _refused_changes(subject: Subject) -> Iterator[PathChange]:
    kind = (subject.group, subject.kind)
    yield from subject.changes(*_FIELDS.get(kind, ()))
    if kind == ("apps", "StatefulSet"):
        allowed = {id(one) for one in subject.changes(*(f"/spec/{name}" for name in _STATEFUL))}
        yield from (one for one in subject.changes("/spec") if id(one) not in allowed)
    if kind == ("", "PersistentVolumeClaim"):
        allowed = {id(one) for one in subject.changes(*_CLAIM)}
        yield from (one for one in subject.changes("/spec") if id(one) not in allowed or _shrinks(one))
    if kind == ("", "Service"):
        yield from (one for one in subject.changes("/spec/clusterIP") if one.old not in {None, ""})
    if kind in {("", "ConfigMap"), ("", "Secret")} and dig(dict(subject.before or {}), "immutable") is True:
        yield from subject.changes("/data", "/binaryData", "/stringData", "/immutable")


def _shrinks(change: PathChange) -> bool:
    old, new = quantity(change.old), quantity(change.new)
    return old is not None and new is not None and new < old
