"""The API server's own rules beyond the schemas: which of them concern which kind.

A rule is a function of one document (base.Spot); it runs after the structure was found sound, and everything it finds
is refused by a real API server.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from gitops_ci.schemas.problem import Problem
from gitops_ci.schemas.rules.base import Rule, Spot
from gitops_ci.schemas.rules.metadata import metadata

__all__ = ["RULES", "api_problems", "rules_of"]

_PODS = "pods.pod"
# kind -> module.function below this package; a module is imported when a kind of its own is first met, since one run
# of a pre-commit hook meets two or three of them.
RULES: Mapping[str, tuple[str, ...]] = {
    "APIService": ("cluster.api_service",),
    "Binding": ("events.binding",),
    "CSIDriver": ("storage.csi_driver",),
    "CSINode": ("storage.csi_node",),
    "CSIStorageCapacity": ("storage.csi_storage_capacity",),
    "CertificateSigningRequest": ("cluster.certificate_request",),
    "ClusterRole": ("rbac.role",),
    "ClusterRoleBinding": ("rbac.binding",),
    "ConfigMap": ("configdata.config_map",),
    "ControllerRevision": ("cluster.revision",),
    "CronJob": ("jobs.cron_job", _PODS),
    "CustomResourceDefinition": ("crds.definition",),
    "DaemonSet": ("workloads.workload", _PODS),
    "Deployment": ("workloads.workload", _PODS),
    "DeviceClass": ("devices.device_class",),
    "DeviceTaintRule": ("slices.taint_rule",),
    "EndpointSlice": ("endpoints.endpoint_slice",),
    "Endpoints": ("endpoints.endpoints",),
    "Event": ("events.event",),
    "FlowSchema": ("flowcontrol.flow_schema",),
    "HorizontalPodAutoscaler": ("autoscaling.pod_autoscaler",),
    "IPAddress": ("networking.ip_address",),
    "Ingress": ("networking.ingress",),
    "IngressClass": ("networking.ingress_class",),
    "Job": ("jobs.job", _PODS),
    "Lease": ("coordination.lease",),
    "LeaseCandidate": ("coordination.lease_candidate",),
    "LimitRange": ("quotas.limit_range",),
    "LocalSubjectAccessReview": ("reviews.access_review",),
    "MutatingAdmissionPolicy": ("policies.admission_policy",),
    "MutatingAdmissionPolicyBinding": ("policies.policy_binding",),
    "MutatingWebhookConfiguration": ("admission.webhooks",),
    "Namespace": ("cluster.namespace",),
    "NetworkPolicy": ("networking.network_policy",),
    "Node": ("cluster.node",),
    "PersistentVolume": ("storage.persistent_volume",),
    "PersistentVolumeClaim": ("claims.persistent_volume_claim",),
    "Pod": (_PODS,),
    "PodDisruptionBudget": ("autoscaling.disruption_budget",),
    "PodTemplate": (_PODS,),
    "PriorityClass": ("cluster.priority_class",),
    "PriorityLevelConfiguration": ("flowcontrol.priority_level",),
    "ReplicaSet": ("workloads.workload", _PODS),
    "ReplicationController": ("workloads.workload", _PODS),
    "ResourceClaim": ("devices.claim",),
    "ResourceClaimTemplate": ("devices.claim_template",),
    "ResourceQuota": ("quotas.resource_quota",),
    "ResourceSlice": ("slices.resource_slice",),
    "Role": ("rbac.role",),
    "RoleBinding": ("rbac.binding",),
    "RuntimeClass": ("cluster.runtime_class",),
    "Secret": ("configdata.secret",),
    "SelfSubjectAccessReview": ("reviews.access_review",),
    "SelfSubjectRulesReview": ("reviews.rules_review",),
    "Service": ("services.service",),
    "ServiceCIDR": ("networking.service_cidr",),
    "StatefulSet": ("workloads.workload", _PODS),
    "StorageClass": ("storage.storage_class",),
    "SubjectAccessReview": ("reviews.access_review",),
    "TokenReview": ("reviews.token_review",),
    "ValidatingAdmissionPolicy": ("policies.admission_policy",),
    "ValidatingAdmissionPolicyBinding": ("policies.policy_binding",),
    "ValidatingWebhookConfiguration": ("admission.webhooks",),
    "VolumeAttachment": ("storage.volume_attachment",),
    "VolumeAttributesClass": ("storage.volume_attributes_class",),
}


@cache
def rules_of(kind: str) -> tuple[Rule, ...]:
    """The rules of a built-in kind."""
    found = []
    for name in RULES.get(kind, ()):
        module, _, function = name.partition(".")
        found.append(getattr(import_module(f"gitops_ci.schemas.rules.{module}"), function))
    return tuple(found)


def api_problems(value: Mapping[str, Any], *, built_in: bool, minor: int) -> list[Problem]:
    """What the server's validation refuses in an object whose structure is sound."""
    problems: list[Problem] = []
    document = Spot(value, None, problems, minor)
    metadata(document, built_in=built_in)
    if built_in:
        for rule in rules_of(document.text("kind")):
            rule(document)
    return problems
