"""Fields that an API server drops from a new object before it validates, because their feature is off by default.

Sources: k8s.io/kubernetes pkg/registry/*/*/strategy.go, PrepareForCreate; pkg/api/pod/util.go, dropDisabledFields;
pkg/api/persistentvolume, persistentvolumeclaim and service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from gitops_ci.validation import gates
from gitops_ci.validation.gates import Gate

__all__ = ["without_dropped", "without_unvalidated"]

# A path has a `*` for each item of a list and each value of a mapping; (containers) is every group of containers.
_IN_PODS: Mapping[Gate, tuple[str, ...]] = {
    gates.NODE_INCLUSION_POLICY: (
        "topologySpreadConstraints.*.nodeAffinityPolicy",
        "topologySpreadConstraints.*.nodeTaintsPolicy",
    ),
    gates.MATCH_LABEL_KEYS_IN_SPREAD: ("topologySpreadConstraints.*.matchLabelKeys",),
    gates.MIN_DOMAINS: ("topologySpreadConstraints.*.minDomains",),
    gates.SCHEDULING_GATES: ("schedulingGates",),
    gates.SIDECAR_CONTAINERS: ("initContainers.*.restartPolicy",),
    gates.SLEEP_ACTION: ("(containers).*.lifecycle.preStop.sleep", "(containers).*.lifecycle.postStart.sleep"),
    gates.MATCH_LABEL_KEYS_IN_AFFINITY: tuple(
        f"affinity.{kind}.{when}DuringSchedulingIgnoredDuringExecution.*.{term}{key}"
        for kind in ("podAffinity", "podAntiAffinity")
        for when, term in (("required", ""), ("preferred", "podAffinityTerm."))
        for key in ("matchLabelKeys", "mismatchLabelKeys")
    ),
    gates.RECURSIVE_READ_ONLY: ("(containers).*.volumeMounts.*.recursiveReadOnly",),
    gates.RESIZE_POLICY: ("(containers).*.resizePolicy",),
    gates.PROC_MOUNT: ("(containers).*.securityContext.procMount",),
    gates.SELINUX_CHANGE_POLICY: ("securityContext.seLinuxChangePolicy",),
    gates.SUPPLEMENTAL_GROUPS_POLICY: ("securityContext.supplementalGroupsPolicy",),
    gates.USER_NAMESPACES: ("hostUsers",),
    gates.RESOURCE_CLAIMS: ("resourceClaims", "(containers).*.resources.claims"),
    gates.POD_LEVEL_RESOURCES: ("resources",),
    gates.ENV_FILES: ("(containers).*.env.*.valueFrom.fileKeyRef",),
    gates.HOSTNAME_OVERRIDE: ("hostnameOverride",),
    gates.PROJECTED_TRUST_BUNDLES: ("volumes.*.projected.sources.*.clusterTrustBundle",),
    gates.PROJECTED_CERTIFICATES: ("volumes.*.projected.sources.*.podCertificate",),
}
_REQUESTS = ("exactly", "firstAvailable.*")
_IN_KINDS: Mapping[Gate, Mapping[str, tuple[str, ...]]] = {
    # Nothing of this kind is dropped from the template of a CronJob.
    gates.JOB_POD_FAILURE_POLICY: {"Job": ("spec.podFailurePolicy",)},
    gates.BACKOFF_LIMIT_PER_INDEX: {"Job": ("spec.backoffLimitPerIndex", "spec.maxFailedIndexes")},
    gates.POD_REPLACEMENT_POLICY: {"Job": ("spec.podReplacementPolicy",)},
    gates.SUCCESS_POLICY: {"Job": ("spec.successPolicy",)},
    gates.MANAGED_BY: {"Job": ("spec.managedBy",)},
    gates.NODE_EXPAND_SECRET: {"PersistentVolume": ("spec.csi.nodeExpandSecretRef",)},
    gates.HPA_CONTAINER_METRICS: {"HorizontalPodAutoscaler": ("spec.metrics.*.containerResource",)},
    gates.TOLERANCE: {"HorizontalPodAutoscaler": ("spec.behavior.*.tolerance",)},
    gates.UNHEALTHY_POD_EVICTION: {"PodDisruptionBudget": ("spec.unhealthyPodEvictionPolicy",)},
    gates.CLAIM_RETENTION: {"StatefulSet": ("spec.persistentVolumeClaimRetentionPolicy",)},
    gates.START_ORDINAL: {"StatefulSet": ("spec.ordinals",)},
    gates.MAX_UNAVAILABLE: {"StatefulSet": ("spec.updateStrategy.rollingUpdate.maxUnavailable",)},
    gates.WEBHOOK_MATCH_CONDITIONS: {
        "MutatingWebhookConfiguration": ("webhooks.*.matchConditions",),
        "ValidatingWebhookConfiguration": ("webhooks.*.matchConditions",),
    },
    gates.SELECTABLE_FIELDS: {"CustomResourceDefinition": ("spec.versions.*.selectableFields",)},
    gates.TRAFFIC_DISTRIBUTION: {"Service": ("spec.trafficDistribution",)},
    gates.SAME_TRAFFIC_DISTRIBUTION: {"EndpointSlice": ("endpoints.*.hints.forNodes",)},
    gates.ATTRIBUTES_CLASS: {
        "PersistentVolume": ("spec.volumeAttributesClassName",),
        "PersistentVolumeClaim": ("spec.volumeAttributesClassName",),
    },
    gates.AUTHORIZE_WITH_SELECTORS: dict.fromkeys(
        ("SubjectAccessReview", "SelfSubjectAccessReview", "LocalSubjectAccessReview"),
        ("spec.resourceAttributes.fieldSelector", "spec.resourceAttributes.labelSelector"),
    ),
    gates.MUTABLE_ALLOCATABLE_COUNT: {"CSIDriver": ("spec.nodeAllocatableUpdatePeriodSeconds",)},
    gates.EXTENDED_RESOURCE: {"DeviceClass": ("spec.extendedResourceName",)},
    gates.DEVICE_TAINTS: {
        "ResourceClaim": tuple(f"spec.devices.requests.*.{request}.tolerations" for request in _REQUESTS),
        "ResourceClaimTemplate": tuple(f"spec.spec.devices.requests.*.{request}.tolerations" for request in _REQUESTS),
        "ResourceSlice": ("spec.devices.*.taints",),
    },
    gates.CONSUMABLE_CAPACITY: {"ResourceSlice": ("spec.devices.*.capacity.*.requestPolicy",)},
    gates.BINDING_CONDITIONS: {
        "ResourceSlice": ("spec.devices.*.bindingConditions", "spec.devices.*.bindingFailureConditions"),
    },
    gates.PARTITIONABLE_DEVICES: {
        "ResourceSlice": (
            *("spec.sharedCounters", "spec.perDeviceNodeSelection", "spec.devices.*.consumesCounters"),
            *("spec.devices.*.nodeName", "spec.devices.*.nodeSelector", "spec.devices.*.allNodes"),
        ),
    },
}
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
# What has nothing left after a field of it was dropped, is dropped as well.
_NOT_LEFT_EMPTY = frozenset({"lifecycle", "preStop", "postStart"})

# In the place of a pod spec that nobody validates, not even whether it is there.
_SOUND_POD = {"containers": [{"name": "unread"}]}


def without_dropped(value: Mapping[str, Any], pod: tuple[str, ...] | None, minor: int) -> Mapping[str, Any]:
    """The object as the server of a version validates it; `pod` is the path of its pod template, if it has one."""
    result: Any = value
    for path in _paths(str(value.get("kind")), pod, minor):
        result = _without(result, path)
    kept: Mapping[str, Any] = result
    return kept


def without_unvalidated(value: Mapping[str, Any], pod: tuple[str, ...] | None, minor: int) -> Mapping[str, Any]:
    """As without_dropped, and without what the server stores unread."""
    kept = without_dropped(value, pod, minor)
    spec = kept.get("spec")
    if kept.get("kind") != "StatefulSet" or gates.STATEFUL_SET_TEMPLATES.is_on(minor) or type(spec) is not dict:
        return kept
    template = spec.get("template") or {}
    if type(template) is not dict:
        return kept
    read = {key: item for key, item in spec.items() if key != "volumeClaimTemplates"}
    return {**kept, "spec": {**read, "template": {**template, "spec": _SOUND_POD}}}


@cache
def _paths(kind: str, pod: tuple[str, ...] | None, minor: int) -> tuple[tuple[str, ...], ...]:
    return tuple(_dropped(kind, pod, minor))


def _dropped(kind: str, pod: tuple[str, ...] | None, minor: int) -> Iterator[tuple[str, ...]]:
    for gate, kinds in _IN_KINDS.items():
        if not gate.is_on(minor):
            yield from (tuple(path.split(".")) for path in kinds.get(kind, ()))
    for gate, paths in _IN_PODS.items() if pod is not None else ():
        for path in paths if not gate.is_on(minor) else ():
            first, *rest = path.split(".")
            for name in _CONTAINERS if first == "(containers)" else (first,):
                yield (*(pod or ()), "spec", name, *rest)


def _without(value: Any, path: tuple[str, ...]) -> Any:
    """The value without what a path leads to; what does not change is the same object."""
    key, rest = path[0], path[1:]
    if key == "*":
        return _in_each(value, rest)
    if type(value) is not dict or value.get(key) is None:
        return value
    if not rest:
        return {name: item for name, item in value.items() if name != key}
    below = _without(value[key], rest)
    if below is value[key]:
        return value
    if not below and key in _NOT_LEFT_EMPTY:
        return {name: item for name, item in value.items() if name != key}
    return {**value, key: below}


def _in_each(value: Any, path: tuple[str, ...]) -> Any:
    if type(value) is list:
        items = [_without(item, path) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if type(value) is dict:
        values = {key: _without(item, path) for key, item in value.items()}
        return value if all(values[key] is item for key, item in value.items()) else values
    return value
