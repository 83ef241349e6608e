"""What the API server refuses in an update, kind by kind. A row names its function (k8s.io/kubernetes pkg/apis/GROUP/
validation, and apiextensions-apiserver) and the fields that never change; a function yields changes that it refuses
besides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from gitops_ci.comparing.quantities import quantity
from gitops_ci.comparing.risks.base import Subject, dig
from gitops_ci.comparing.risks.stored import stored
from gitops_ci.model.rendered import PathChange

__all__ = ["REFUSING", "head_or_base"]

Changes = Iterator[PathChange]


class _Kind(NamedTuple):
    """`source` is the function that refuses a change, `fields` are pointers to what never changes.

    `more` are the changes that it refuses besides.
    """

    source: str
    fields: tuple[str, ...] = ()
    more: Callable[[Subject], Changes] | None = None

    def changes(self, subject: Subject) -> Changes:
        for pointer in self.fields:
            yield from subject.changes(pointer)
        if self.more is not None:
            yield from self.more(subject)


def _of_data(subject: Subject) -> Changes:
    if dig(_before(subject), "immutable") is True:
        yield from subject.changes("/data", "/binaryData", "/stringData", "/immutable")


def _of_volume(subject: Subject) -> Changes:
    """Its source, and its node affinity once it has one."""
    for one in subject.changes(*(f"/spec/{name}" for name in _VOLUME_SOURCES)):
        is_first_secret = head_or_base(one).startswith("/spec/csi/controllerExpandSecretRef") and not dig(
            _before(subject), "spec", "csi", "controllerExpandSecretRef"
        )
        if not is_first_secret:
            yield one
    old, new = (_with_final_labels(dig(side, "spec", "nodeAffinity")) for side in (_before(subject), _after(subject)))
    if old and old != new:
        yield from subject.changes("/spec/nodeAffinity")


def _of_claim(subject: Subject) -> Changes:
    # What is not written may be what the cluster filled in.
    yield from (one for one in subject.changes("/spec/storageClassName", "/spec/volumeName") if one.old is not None)
    yield from (one for one in subject.changes("/spec/resources") if _is_refused_size(one))
    sources = [_data_source(side) for side in (_before(subject), _after(subject))]
    if sources[0] != sources[1]:
        yield from subject.changes("/spec/dataSource", "/spec/dataSourceRef")


def _of_service(subject: Subject) -> Changes:
    """Addresses and families stay, apart from a Service that is, or was, a name of another host."""
    types = [dig(side, "spec", "type") for side in (_before(subject), _after(subject))]
    if "ExternalName" not in types:
        yield from (one for one in subject.changes("/spec/clusterIP", "/spec/clusterIPs/0") if _is_other_address(one))
        headless = [_is_headless(side) for side in (_before(subject), _after(subject))]
        if not any(headless):
            yield from (one for one in subject.changes("/spec/ipFamilies/0") if None not in {one.old, one.new})
    if types == ["LoadBalancer", "LoadBalancer"]:
        yield from subject.changes("/spec/loadBalancerClass")
        local = {dig(side, "spec", "externalTrafficPolicy") for side in (_before(subject), _after(subject))}
        if local == {"Local"}:
            written = subject.changes("/spec/healthCheckNodePort")
            yield from (one for one in written if None not in {one.old, one.new})


def _of_pod(subject: Subject) -> Changes:
    """A Pod stays as it is, apart from its images, more tolerations and a shorter time to live."""
    is_gated = bool(dig(_before(subject), "spec", "schedulingGates"))
    for one in subject.changes("/spec"):
        told = head_or_base(one)
        if _POD_MAY_CHANGE.fullmatch(told):
            continue
        if told.startswith("/spec/tolerations/") and one.old is None:
            continue
        if told.startswith("/spec/schedulingGates") and one.new is None:
            continue
        if is_gated and told.startswith(("/spec/nodeSelector", "/spec/affinity/nodeAffinity")) and one.old is None:
            continue
        if told == "/spec/activeDeadlineSeconds" and _is_shorter(one):
            continue
        yield one


def _of_job(subject: Subject) -> Changes:
    before, after = _before(subject), _after(subject)
    is_suspended = dig(before, "spec", "suspend") is True
    for one in subject.changes("/spec/template"):
        if not (is_suspended and _SUSPENDED_MAY_CHANGE.match(head_or_base(one))):
            yield one
    is_indexed = dig(after, "spec", "completionMode") == "Indexed"
    for one in subject.changes("/spec/completions"):
        old, new = _completions(before), _completions(after)
        in_tandem = new == (dig(after, "spec", "parallelism") or 1)
        if old != new and not (is_indexed and (new is None or in_tandem)):
            yield one


def _of_stateful_set(subject: Subject) -> Changes:
    allowed = {id(one) for one in subject.changes(*(f"/spec/{name}" for name in _STATEFUL))}
    yield from (one for one in subject.changes("/spec") if id(one) not in allowed)


def _of_quota(subject: Subject) -> Changes:
    sides = [dig(side, "spec", "scopes") for side in (_before(subject), _after(subject))]
    old, new = (set(map(str, side)) if isinstance(side, list) else set() for side in sides)
    if old != new:
        yield from subject.changes("/spec/scopes")


def _of_definition(subject: Subject) -> Changes:
    """A version in which objects are stored stays until they are migrated."""
    names = {dig(one, "name") for one in _versions(_after(subject))}
    gone = {dig(one, "name") for one in _versions(_before(subject)) if dig(one, "storage") is True} - names
    for one in subject.changes("/spec/versions"):
        if gone & {dig(one.old, "name"), one.old if head_or_base(one).endswith("/name") else None} - {None}:
            yield one


_VOLUME_SOURCES = (
    *("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker"),
    *("gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume"),
    *("quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
)
REFUSING: Mapping[tuple[str, str], _Kind] = {
    ("", "ConfigMap"): _Kind("ValidateConfigMapUpdate", (), _of_data),
    ("", "PersistentVolume"): _Kind("ValidatePersistentVolumeUpdate", ("/spec/volumeMode",), _of_volume),
    ("", "PersistentVolumeClaim"): _Kind(
        "ValidatePersistentVolumeClaimUpdate", ("/spec/volumeMode", "/spec/accessModes", "/spec/selector"), _of_claim
    ),
    ("", "Pod"): _Kind("ValidatePodUpdate", (), _of_pod),
    ("", "ResourceQuota"): _Kind("ValidateResourceQuotaUpdate", (), _of_quota),
    ("", "Secret"): _Kind("ValidateSecretUpdate", ("/type",), _of_data),
    ("", "Service"): _Kind("ValidateServiceUpdate", (), _of_service),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _Kind(
        "ValidateCustomResourceDefinitionUpdate", ("/spec/group", "/spec/names/kind", "/spec/scope"), _of_definition
    ),
    ("apps", "ControllerRevision"): _Kind("ValidateControllerRevisionUpdate", ("/data",)),
    ("apps", "DaemonSet"): _Kind("ValidateDaemonSetUpdate", ("/spec/selector",)),
    ("apps", "Deployment"): _Kind("ValidateDeploymentUpdate", ("/spec/selector",)),
    ("apps", "ReplicaSet"): _Kind("ValidateReplicaSetUpdate", ("/spec/selector",)),
    ("apps", "StatefulSet"): _Kind("ValidateStatefulSetUpdate", (), _of_stateful_set),
    ("batch", "Job"): _Kind(
        "ValidateJobSpecUpdate",
        tuple(
            f"/spec/{name}"
            for name in (
                *("selector", "completionMode", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex"),
                "managedBy",
            )
        ),
        _of_job,
    ),
    ("certificates.k8s.io", "ClusterTrustBundle"): _Kind("ValidateClusterTrustBundleUpdate", ("/spec/signerName",)),
    ("discovery.k8s.io", "EndpointSlice"): _Kind("ValidateEndpointSliceUpdate", ("/addressType",)),
    ("networking.k8s.io", "IngressClass"): _Kind("ValidateIngressClassUpdate", ("/spec/controller",)),
    ("node.k8s.io", "RuntimeClass"): _Kind("ValidateRuntimeClassUpdate", ("/handler",)),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _Kind("ValidateClusterRoleBindingUpdate", ("/roleRef",)),
    ("rbac.authorization.k8s.io", "RoleBinding"): _Kind("ValidateRoleBindingUpdate", ("/roleRef",)),
    ("resource.k8s.io", "ResourceClaim"): _Kind("ValidateResourceClaimUpdate", ("/spec",)),
    ("resource.k8s.io", "ResourceClaimTemplate"): _Kind("ValidateResourceClaimTemplateUpdate", ("/spec",)),
    ("scheduling.k8s.io", "PriorityClass"): _Kind("ValidatePriorityClassUpdate", ("/value", "/preemptionPolicy")),
    ("storage.k8s.io", "CSIDriver"): _Kind(
        "ValidateCSIDriverUpdate", ("/spec/attachRequired", "/spec/volumeLifecycleModes")
    ),
    ("storage.k8s.io", "StorageClass"): _Kind(
        "ValidateStorageClassUpdate", ("/provisioner", "/parameters", "/reclaimPolicy", "/volumeBindingMode")
    ),
    ("storage.k8s.io", "VolumeAttributesClass"): _Kind(
        "ValidateVolumeAttributesClassUpdate", ("/driverName", "/parameters")
    ),
}
_STATEFUL = (
    *("replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy"),
    *("minReadySeconds", "revisionHistoryLimit"),
)
_POD_MAY_CHANGE = re.compile(r"/spec/(?:c|initC)ontainers/[0-9]+/image")
# Before a Job runs: its scheduling (MutableSchedulingDirectives), and its resources since 1.36.
_SUSPENDED_MAY_CHANGE = re.compile(
    r"/spec/template/(?:metadata(?:/|$)|spec/(?:nodeSelector|tolerations|schedulingGates|affinity/nodeAffinity)(?:/|$)"
    r"|spec/affinity$|spec/(?:c|initC)ontainers/[0-9]+/resources(?:/|$))"
)
_FINAL_LABELS = {
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
}


def _before(subject: Subject) -> dict[str, Any]:
    return dict(subject.before or {})


def _after(subject: Subject) -> dict[str, Any]:
    return dict(subject.after or {})


def head_or_base(change: PathChange) -> str:
    return (change.head_pointer if change.head_pointer is not None else change.base_pointer) or ""


def _with_final_labels(value: Any) -> Any:
    """Node affinity with the final names of labels, which a beta name may become.

    Source: pkg/apis/core/validation getMaskNodeSelectorLabelChangeEqualities.
    """
    if isinstance(value, dict):
        return {key: _with_final_labels(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_final_labels(one) for one in value]
    return _FINAL_LABELS.get(value, value) if isinstance(value, str) else value


def _data_source(claim: dict[str, Any]) -> Any:
    """The server copies one field to the other (pkg/registry/core/persistentvolumeclaim NormalizeDataSources)."""
    return stored(dig(claim, "spec", "dataSourceRef") or dig(claim, "spec", "dataSource"))


def _is_refused_size(change: PathChange) -> bool:
    """A bound claim may ask for more storage, and for nothing else."""
    if head_or_base(change) != "/spec/resources/requests/storage":
        return True
    old, new = quantity(change.old), quantity(change.new)
    return old is not None and new is not None and new < old


def _is_other_address(change: PathChange) -> bool:
    """An address that is taken out stays (pkg/registry/core/service patchAllocatedValues); None is an address, too."""
    if change.new in {None, ""}:
        return False
    return change.old not in {None, ""} or change.new == "None"


def _is_headless(service: dict[str, Any]) -> bool:
    return bool(dig(service, "spec", "clusterIP") == "None")


def _is_shorter(change: PathChange) -> bool:
    return isinstance(change.new, int) and (
        change.old is None or (isinstance(change.old, int) and change.new < change.old)
    )


def _completions(job: dict[str, Any]) -> Any:
    """One where neither completions nor parallelism are written (SetDefaults_Job)."""
    spec = dig(job, "spec")
    return 1 if dig(spec, "completions") is None and dig(spec, "parallelism") is None else dig(spec, "completions")


def _versions(definition: dict[str, Any]) -> list[Any]:
    found = dig(definition, "spec", "versions")
    return found if isinstance(found, list) else []
