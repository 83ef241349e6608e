"""The API server's own rules beyond the schemas: which of them concern which kind.

A rule is a function of one document (field.Field); it runs after the structure was found sound, and everything it finds
is refused by a real API server.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gitops_ci.lazy import import_member
from gitops_ci.validation.apimachinery.field import Field, Rule
from gitops_ci.validation.apimachinery.object_meta import metadata
from gitops_ci.validation.violation import Violation

__all__ = ["RULES", "api_problems", "rules_of"]

_PODS = "core.pods:pod"
# kind -> module:function below this package; a module is imported when a kind of its own is first met, since one run
# of a pre-commit hook meets two or three of them.
RULES: Mapping[str, tuple[str, ...]] = {
    "APIService": ("core.cluster:api_service",),
    "Binding": ("core.events:binding",),
    "CSIDriver": ("storage:csi_driver",),
    "CSINode": ("storage:csi_node",),
    "CSIStorageCapacity": ("storage:csi_storage_capacity",),
    "CertificateSigningRequest": ("core.cluster:certificate_request",),
    "ClusterRole": ("rbac:role",),
    "ClusterRoleBinding": ("rbac:binding",),
    "ConfigMap": ("core.config_maps_and_secrets:config_map",),
    "ControllerRevision": ("core.cluster:revision",),
    "CronJob": ("batch.jobs:cron_job", _PODS),
    "CustomResourceDefinition": ("apiextensions.definitions:definition",),
    "DaemonSet": ("apps:workload", _PODS),
    "Deployment": ("apps:workload", _PODS),
    "DeviceClass": ("resource.claims:device_class",),
    "DeviceTaintRule": ("resource.slices:taint_rule",),
    "EndpointSlice": ("discovery:endpoint_slice",),
    "Endpoints": ("discovery:endpoints",),
    "Event": ("core.events:event",),
    "FlowSchema": ("flowcontrol:flow_schema",),
    "HorizontalPodAutoscaler": ("autoscaling:pod_autoscaler",),
    "IPAddress": ("networking:ip_address",),
    "Ingress": ("networking:ingress",),
    "IngressClass": ("networking:ingress_class",),
    "Job": ("batch.jobs:job", _PODS),
    "Lease": ("coordination:lease",),
    "LeaseCandidate": ("coordination:lease_candidate",),
    "LimitRange": ("core.quotas:limit_range",),
    "LocalSubjectAccessReview": ("authorization:access_review",),
    "MutatingAdmissionPolicy": ("admissionregistration.policies:admission_policy",),
    "MutatingAdmissionPolicyBinding": ("admissionregistration.policies:policy_binding",),
    "MutatingWebhookConfiguration": ("admissionregistration.webhooks:webhooks",),
    "Namespace": ("core.cluster:namespace",),
    "NetworkPolicy": ("networking:network_policy",),
    "Node": ("core.cluster:node",),
    "PersistentVolume": ("storage:persistent_volume",),
    "PersistentVolumeClaim": ("core.persistent_volume_claims:persistent_volume_claim",),
    "Pod": (_PODS,),
    "PodDisruptionBudget": ("autoscaling:disruption_budget",),
    "PodTemplate": (_PODS,),
    "PriorityClass": ("core.cluster:priority_class",),
    "PriorityLevelConfiguration": ("flowcontrol:priority_level",),
    "ReplicaSet": ("apps:workload", _PODS),
    "ReplicationController": ("apps:workload", _PODS),
    "ResourceClaim": ("resource.claims:claim",),
    "ResourceClaimTemplate": ("resource.claims:claim_template",),
    "ResourceQuota": ("core.quotas:resource_quota",),
    "ResourceSlice": ("resource.slices:resource_slice",),
    "Role": ("rbac:role",),
    "RoleBinding": ("rbac:binding",),
    "RuntimeClass": ("core.cluster:runtime_class",),
    "Secret": ("core.config_maps_and_secrets:secret",),
    "SelfSubjectAccessReview": ("authorization:access_review",),
    "SelfSubjectRulesReview": ("authorization:rules_review",),
    "Service": ("core.services:service",),
    "ServiceCIDR": ("networking:service_cidr",),
    "StatefulSet": ("apps:workload", _PODS),
    "StorageClass": ("storage:storage_class",),
    "SubjectAccessReview": ("authorization:access_review",),
    "TokenReview": ("authorization:token_review",),
    "ValidatingAdmissionPolicy": ("admissionregistration.policies:admission_policy",),
    "ValidatingAdmissionPolicyBinding": ("admissionregistration.policies:policy_binding",),
    "ValidatingWebhookConfiguration": ("admissionregistration.webhooks:webhooks",),
    "VolumeAttachment": ("storage:volume_attachment",),
    "VolumeAttributesClass": ("storage:volume_attributes_class",),
}


@cache
def rules_of(kind: str) -> tuple[Rule, ...]:
    """The rules of a built-in kind."""
    return tuple(import_member("validation.apiserver", name) for name in RULES.get(kind, ()))


def api_problems(value: Mapping[str, Any], *, built_in: bool, minor: int) -> list[Violation]:
    """What the server's validation refuses in an object whose structure is sound."""
    problems: list[Violation] = []
    document = Field(value, None, problems, minor)
    metadata(document, built_in=built_in)
    if built_in:
        for rule in rules_of(document.text("kind")):
            rule(document)
    return problems
