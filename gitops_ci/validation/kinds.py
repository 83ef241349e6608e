"""One row for each kind that a Kubernetes API server serves: what its validation asks of the kind as a whole.

The rows are keyed by (API group, kind), as upstream's registries are. A test holds them against every kind of every
bundled version, and resolves the name of each rule.

Sources: k8s.io/kubernetes pkg/apis/<group>/validation for rules and names; pkg/registry/<group>/<kind>/strategy.go for
the scope and for what PrepareForCreate sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["KINDS", "Kind", "kind_of"]


class Kind(NamedTuple):
    """What holds for all objects of a kind.

    `rules` are functions below apiserver/ as `module:function`; `name` is a format of apimachinery/object_meta.py, and
    `max_name` the longest name where that is shorter than the format's own; `pod_template` is where the kind keeps one,
    () for the Pod itself. `own_metadata` kinds are not stored, or check their metadata in their own rule.
    `no_rules` says why a kind has none.
    """

    rules: tuple[str, ...] = ()
    cluster_scoped: bool = False
    name: str = "dns_subdomain"
    max_name: int = 0
    name_optional: bool = False
    generate_name_unchecked: bool = False
    pod_template: tuple[str, ...] | None = None
    server_sets_generation: bool = False
    own_metadata: bool = False
    any_finalizer: bool = False
    no_rules: str = ""


_PODS = "core.pods:pod"
_GONE = "an alpha or beta kind that newer versions have dropped"
_NOT_SERVED = "an alpha or beta kind that a server does not serve by default"

KINDS: Mapping[tuple[str, str], Kind] = {
    ("", "Binding"): Kind(rules=("core.events:binding",), own_metadata=True),
    ("", "ComponentStatus"): Kind(cluster_scoped=True, no_rules="read-only: nobody creates one"),
    ("", "ConfigMap"): Kind(rules=("core.config_maps_and_secrets:config_map",)),
    ("", "Endpoints"): Kind(rules=("discovery:endpoints",)),
    ("", "Event"): Kind(rules=("core.events:event",), name="path_segment", any_finalizer=True),
    ("", "LimitRange"): Kind(rules=("core.quotas:limit_range",), name_optional=True),
    ("", "Namespace"): Kind(rules=("core.namespaces_and_nodes:namespace",), cluster_scoped=True, name="dns_label"),
    ("", "Node"): Kind(rules=("core.namespaces_and_nodes:node",), cluster_scoped=True),
    ("", "PersistentVolume"): Kind(rules=("storage:persistent_volume",), cluster_scoped=True),
    ("", "PersistentVolumeClaim"): Kind(rules=("core.persistent_volume_claims:persistent_volume_claim",)),
    ("", "Pod"): Kind(rules=(_PODS,), pod_template=(), server_sets_generation=True),
    ("", "PodTemplate"): Kind(rules=(_PODS,), pod_template=("template",), server_sets_generation=True),
    ("", "ReplicationController"): Kind(
        rules=("apps:replication_controller", _PODS),
        generate_name_unchecked=True,
        pod_template=("spec", "template"),
        server_sets_generation=True,
    ),
    ("", "ResourceQuota"): Kind(rules=("core.quotas:resource_quota",)),
    ("", "Secret"): Kind(rules=("core.config_maps_and_secrets:secret",)),
    ("", "Service"): Kind(rules=("core.services:service",), name="service"),
    ("", "ServiceAccount"): Kind(no_rules="ValidateServiceAccount checks the metadata alone"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): Kind(
        rules=("admissionregistration.policies:admission_policy",),
        cluster_scoped=True,
        server_sets_generation=True,
        any_finalizer=True,
    ),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): Kind(
        rules=("admissionregistration.policies:policy_binding",),
        cluster_scoped=True,
        server_sets_generation=True,
        any_finalizer=True,
    ),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): Kind(
        rules=("admissionregistration.webhooks:webhooks",),
        cluster_scoped=True,
        server_sets_generation=True,
        any_finalizer=True,
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): Kind(
        rules=("admissionregistration.policies:admission_policy",),
        cluster_scoped=True,
        server_sets_generation=True,
        any_finalizer=True,
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): Kind(
        rules=("admissionregistration.policies:policy_binding",),
        cluster_scoped=True,
        server_sets_generation=True,
        any_finalizer=True,
    ),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): Kind(
        rules=("admissionregistration.webhooks:webhooks",),
        cluster_scoped=True,
        server_sets_generation=True,
        any_finalizer=True,
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Kind(
        rules=("apiextensions.definitions:definition",),
        cluster_scoped=True,
        server_sets_generation=True,
        any_finalizer=True,
    ),
    ("apiregistration.k8s.io", "APIService"): Kind(
        rules=("apiregistration:api_service",), cluster_scoped=True, any_finalizer=True
    ),
    ("apps", "ControllerRevision"): Kind(rules=("apps:revision",)),
    ("apps", "DaemonSet"): Kind(
        rules=("apps:daemon_set", _PODS), pod_template=("spec", "template"), server_sets_generation=True
    ),
    ("apps", "Deployment"): Kind(
        rules=("apps:deployment", _PODS), pod_template=("spec", "template"), server_sets_generation=True
    ),
    ("apps", "ReplicaSet"): Kind(
        rules=("apps:replica_set", _PODS), pod_template=("spec", "template"), server_sets_generation=True
    ),
    ("apps", "StatefulSet"): Kind(
        rules=("apps:stateful_set", _PODS),
        name="stateful_set",
        pod_template=("spec", "template"),
        server_sets_generation=True,
    ),
    ("authentication.k8s.io", "SelfSubjectReview"): Kind(
        cluster_scoped=True, own_metadata=True, no_rules="ValidateSelfSubjectReview checks the metadata alone"
    ),
    ("authentication.k8s.io", "TokenReview"): Kind(
        rules=("authorization:token_review",), cluster_scoped=True, own_metadata=True
    ),
    ("authorization.k8s.io", "LocalSubjectAccessReview"): Kind(
        rules=("authorization:access_review",), own_metadata=True
    ),
    ("authorization.k8s.io", "SelfSubjectAccessReview"): Kind(
        rules=("authorization:access_review",), cluster_scoped=True, own_metadata=True
    ),
    ("authorization.k8s.io", "SelfSubjectRulesReview"): Kind(
        rules=("authorization:rules_review",), cluster_scoped=True, own_metadata=True
    ),
    ("authorization.k8s.io", "SubjectAccessReview"): Kind(
        rules=("authorization:access_review",), cluster_scoped=True, own_metadata=True
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): Kind(rules=("autoscaling:pod_autoscaler",)),
    ("batch", "CronJob"): Kind(
        rules=("batch.jobs:cron_job", _PODS),
        max_name=52,
        pod_template=("spec", "jobTemplate", "spec", "template"),
        server_sets_generation=True,
    ),
    ("batch", "Job"): Kind(
        rules=("batch.jobs:job", _PODS), max_name=63, pod_template=("spec", "template"), server_sets_generation=True
    ),
    ("certificates.k8s.io", "CertificateSigningRequest"): Kind(
        rules=("certificates:certificate_request",), cluster_scoped=True, name="path_segment"
    ),
    ("certificates.k8s.io", "ClusterTrustBundle"): Kind(
        rules=("certificates:trust_bundle",), cluster_scoped=True, name="path_segment"
    ),
    ("certificates.k8s.io", "PodCertificateRequest"): Kind(rules=("certificates:pod_certificate_request",)),
    ("coordination.k8s.io", "Lease"): Kind(rules=("coordination:lease",), any_finalizer=True),
    ("coordination.k8s.io", "LeaseCandidate"): Kind(
        rules=("coordination:lease_candidate",), name="config_key", any_finalizer=True
    ),
    ("discovery.k8s.io", "EndpointSlice"): Kind(rules=("discovery:endpoint_slice",), server_sets_generation=True),
    ("events.k8s.io", "Event"): Kind(rules=("core.events:event",)),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): Kind(
        rules=("flowcontrol:flow_schema",), cluster_scoped=True, server_sets_generation=True
    ),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): Kind(
        rules=("flowcontrol:priority_level",), cluster_scoped=True, server_sets_generation=True
    ),
    ("internal.apiserver.k8s.io", "StorageVersion"): Kind(
        cluster_scoped=True, no_rules="written by API servers, served only on request"
    ),
    ("lifecycle.k8s.io", "Eviction"): Kind(no_rules=_NOT_SERVED),
    ("lifecycle.k8s.io", "EvictionRequest"): Kind(no_rules=_NOT_SERVED),
    ("networking.k8s.io", "ClusterCIDR"): Kind(no_rules=_GONE),
    ("networking.k8s.io", "IPAddress"): Kind(rules=("networking:ip_address",), cluster_scoped=True, name="ip_address"),
    ("networking.k8s.io", "Ingress"): Kind(rules=("networking:ingress",), server_sets_generation=True),
    ("networking.k8s.io", "IngressClass"): Kind(
        rules=("networking:ingress_class",), cluster_scoped=True, server_sets_generation=True
    ),
    ("networking.k8s.io", "NetworkPolicy"): Kind(rules=("networking:network_policy",), server_sets_generation=True),
    ("networking.k8s.io", "ServiceCIDR"): Kind(rules=("networking:service_cidr",), cluster_scoped=True),
    ("node.k8s.io", "RuntimeClass"): Kind(rules=("node:runtime_class",), cluster_scoped=True, any_finalizer=True),
    ("policy", "PodDisruptionBudget"): Kind(
        rules=("autoscaling:disruption_budget",), name="path_segment", server_sets_generation=True, any_finalizer=True
    ),
    ("rbac.authorization.k8s.io", "ClusterRole"): Kind(rules=("rbac:role",), cluster_scoped=True, name="path_segment"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): Kind(
        rules=("rbac:binding",), cluster_scoped=True, name="path_segment"
    ),
    ("rbac.authorization.k8s.io", "Role"): Kind(rules=("rbac:role",), name="path_segment"),
    ("rbac.authorization.k8s.io", "RoleBinding"): Kind(rules=("rbac:binding",), name="path_segment"),
    ("resource.k8s.io", "DeviceClass"): Kind(
        rules=("resource.claims:device_class",),
        cluster_scoped=True,
        generate_name_unchecked=True,
        server_sets_generation=True,
    ),
    ("resource.k8s.io", "DeviceTaintRule"): Kind(
        rules=("resource.slices:taint_rule",), cluster_scoped=True, server_sets_generation=True
    ),
    ("resource.k8s.io", "PodScheduling"): Kind(no_rules=_GONE),
    ("resource.k8s.io", "PodSchedulingContext"): Kind(no_rules=_GONE),
    ("resource.k8s.io", "ResourceClaim"): Kind(rules=("resource.claims:claim",)),
    ("resource.k8s.io", "ResourceClaimParameters"): Kind(no_rules=_GONE),
    ("resource.k8s.io", "ResourceClaimTemplate"): Kind(rules=("resource.claims:claim_template",)),
    ("resource.k8s.io", "ResourceClass"): Kind(no_rules=_GONE),
    ("resource.k8s.io", "ResourceClassParameters"): Kind(no_rules=_GONE),
    ("resource.k8s.io", "ResourcePoolStatusRequest"): Kind(no_rules=_NOT_SERVED),
    ("resource.k8s.io", "ResourceSlice"): Kind(
        rules=("resource.slices:resource_slice",), cluster_scoped=True, server_sets_generation=True
    ),
    ("scheduling.k8s.io", "CompositePodGroup"): Kind(no_rules=_NOT_SERVED),
    ("scheduling.k8s.io", "PodGroup"): Kind(no_rules=_NOT_SERVED),
    ("scheduling.k8s.io", "PriorityClass"): Kind(
        rules=("scheduling:priority_class",), cluster_scoped=True, server_sets_generation=True
    ),
    ("scheduling.k8s.io", "Workload"): Kind(no_rules=_NOT_SERVED),
    ("storage.k8s.io", "CSIDriver"): Kind(rules=("storage:csi_driver",), cluster_scoped=True),
    ("storage.k8s.io", "CSINode"): Kind(rules=("storage:csi_node",), cluster_scoped=True),
    ("storage.k8s.io", "CSIStorageCapacity"): Kind(rules=("storage:csi_storage_capacity",)),
    ("storage.k8s.io", "StorageClass"): Kind(rules=("storage:storage_class",), cluster_scoped=True),
    ("storage.k8s.io", "VolumeAttachment"): Kind(rules=("storage:volume_attachment",), cluster_scoped=True),
    ("storage.k8s.io", "VolumeAttributesClass"): Kind(rules=("storage:volume_attributes_class",), cluster_scoped=True),
    ("storagemigration.k8s.io", "StorageVersionMigration"): Kind(
        rules=("storagemigration:storage_version_migration",), cluster_scoped=True
    ),
}


def kind_of(api_version: str, kind: str) -> Kind | None:
    """The row of a built-in kind, None for what no API server serves by itself."""
    return KINDS.get((api_version.rpartition("/")[0], kind))
