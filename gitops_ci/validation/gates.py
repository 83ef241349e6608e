"""What changed in the API server's rules from one release of Kubernetes to another, as named gates.

A gate has the name of upstream's feature gate where there is one: it is on from the release on in which the feature is
on by default (k8s.io/kubernetes pkg/features; scripts/gate_defaults.py compares). A change without one has a name in
plain words, and names its source unless real servers of both releases were asked (tests/data/apiserver).

No other module compares versions. Each gate has cases in tests/cases/validation/gates.txt.
"""

from __future__ import annotations

from gitops_ci.dataclass import dataclass

__all__ = ["Gate"]


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    since: int
    """The first minor version whose server behaves so, 36 for 1.36."""
    source: str = ""
    """Where the sources of that release and of the one before it differ; '' where a real server of each was asked."""

    def is_on(self, minor: int) -> bool:
        return minor >= self.since


# Fields that a server without the feature drops before it validates (apiserver/dropped_fields.py lists the fields).
JOB_POD_FAILURE_POLICY = Gate("JobPodFailurePolicy", 26)
NODE_INCLUSION_POLICY = Gate("NodeInclusionPolicyInPodTopologySpread", 26)
NODE_EXPAND_SECRET = Gate("CSINodeExpandSecret", 27)
HPA_CONTAINER_METRICS = Gate("HPAContainerMetrics", 27)
MATCH_LABEL_KEYS_IN_SPREAD = Gate("MatchLabelKeysInPodTopologySpread", 27)
MIN_DOMAINS = Gate("MinDomainsInPodTopologySpread", 27)
UNHEALTHY_POD_EVICTION = Gate("PDBUnhealthyPodEvictionPolicy", 27)
SCHEDULING_GATES = Gate("PodSchedulingReadiness", 27)
CLAIM_RETENTION = Gate("StatefulSetAutoDeletePVC", 27)
START_ORDINAL = Gate("StatefulSetStartOrdinal", 27)
WEBHOOK_MATCH_CONDITIONS = Gate("AdmissionWebhookMatchConditions", 28)
BACKOFF_LIMIT_PER_INDEX = Gate("JobBackoffLimitPerIndex", 29)
POD_REPLACEMENT_POLICY = Gate("JobPodReplacementPolicy", 29)
SIDECAR_CONTAINERS = Gate("SidecarContainers", 29)
SLEEP_ACTION = Gate("PodLifecycleSleepAction", 30)
SELECTABLE_FIELDS = Gate("CustomResourceFieldSelectors", 31)
SUCCESS_POLICY = Gate("JobSuccessPolicy", 31)
MATCH_LABEL_KEYS_IN_AFFINITY = Gate("MatchLabelKeysInPodAffinity", 31)
RECURSIVE_READ_ONLY = Gate("RecursiveReadOnlyMounts", 31)
TRAFFIC_DISTRIBUTION = Gate("ServiceTrafficDistribution", 31)
AUTHORIZE_WITH_SELECTORS = Gate("AuthorizeWithSelectors", 32)
MANAGED_BY = Gate("JobManagedBy", 32)
RESIZE_POLICY = Gate("InPlacePodVerticalScaling", 33)
PROC_MOUNT = Gate("ProcMountType", 33)
SELINUX_CHANGE_POLICY = Gate("SELinuxChangePolicy", 33)
SUPPLEMENTAL_GROUPS_POLICY = Gate("SupplementalGroupsPolicy", 33)
USER_NAMESPACES = Gate("UserNamespacesSupport", 33)
RESOURCE_CLAIMS = Gate("DynamicResourceAllocation", 34)
POD_LEVEL_RESOURCES = Gate("PodLevelResources", 34)
SAME_TRAFFIC_DISTRIBUTION = Gate("PreferSameTrafficDistribution", 34)
ATTRIBUTES_CLASS = Gate("VolumeAttributesClass", 34)
CONTAINER_RESTART_RULES = Gate("ContainerRestartRules", 35)
ENV_FILES = Gate("EnvFiles", 35)
TOLERANCE = Gate("HPAConfigurableTolerance", 35)
HOSTNAME_OVERRIDE = Gate("HostnameOverride", 35)
MUTABLE_ALLOCATABLE_COUNT = Gate("MutableCSINodeAllocatableCount", 35)
IMAGE_VOLUME = Gate("ImageVolume", 35)
CONSUMABLE_CAPACITY = Gate("DRAConsumableCapacity", 36)
BINDING_CONDITIONS = Gate("DRADeviceBindingConditions", 36)
DEVICE_TAINTS = Gate("DRADeviceTaints", 36)
EXTENDED_RESOURCE = Gate("DRAExtendedResource", 36)
PARTITIONABLE_DEVICES = Gate("DRAPartitionableDevices", 36)
PROJECTED_TRUST_BUNDLES = Gate("ClusterTrustBundleProjection", 37)
MAX_UNAVAILABLE = Gate("MaxUnavailableStatefulSet", 37)
PROJECTED_CERTIFICATES = Gate("PodCertificateRequest", 37)

# What a server accepts, or how it judges.
EXPANDED_DNS = Gate("ExpandedDNSConfig", 26)
READ_WRITE_ONCE_POD = Gate("ReadWriteOncePod", 27)
POD_HOST_IPS = Gate("PodHostIPs", 29)
ZERO_SHARES = Gate("ZeroLimitedNominalConcurrencyShares", 30)
RELAXED_ENV_NAMES = Gate("RelaxedEnvironmentVariableValidation", 32)
SLEEP_OF_ZERO = Gate("PodLifecycleSleepActionAllowZero", 33)
RELAXED_DNS_SEARCH = Gate("RelaxedDNSSearchValidation", 33)
MERGED_LABEL_KEYS = Gate("MatchLabelKeysInPodTopologySpreadSelectorMerge", 34)
RESIZE_OF_INIT_CONTAINERS = Gate("InPlacePodVerticalScalingInitContainers", 36)
RELAXED_SERVICE_NAMES = Gate("RelaxedServiceNameValidation", 36)
RESTART_ALL_CONTAINERS = Gate("RestartAllContainersOnContainerExits", 36)
STRICT_ADDRESSES = Gate("StrictIPCIDRValidation", 36)
SCALE_TO_ZERO = Gate("HPAScaleToZero", 37)
SELINUX_MOUNT = Gate("SELinuxMount", 37)
STATIC_NAMES = Gate("ManifestBasedAdmissionControlConfig", 37)

# Changes without a feature gate.
SELECTOR_VALUES = Gate(
    "values of label selectors are label values",
    26,
    "pkg/apis/networking/validation ValidateNetworkPolicySpec (AllowInvalidLabelValueInSelector)",
)
PREFIXED_JOB_LABELS = Gate("a Job's labels with a domain", 27, "pkg/apis/batch/validation ValidateGeneratedSelector")
STATEFUL_SET_LABEL_NAME = Gate(
    "names of StatefulSets are labels", 27, "pkg/apis/apps/validation ValidateStatefulSetName"
)
SPREAD_SELECTORS = Gate(
    "selectors of topology spread constraints are validated",
    27,
    "pkg/apis/core/validation validateTopologySpreadConstraints",
)
TOPOLOGY_MODE = Gate(
    "annotation topology-mode", 27, "pkg/apis/core/validation ValidateServiceCreate (AnnotationTopologyMode)"
)
ONE_CLASS_TWICE = Gate(
    "the class of an Ingress as annotation and field, if it is the same",
    27,
    "pkg/apis/networking/validation ValidateIngressCreate",
)
DROPPED_FAIL_INDEX = Gate(
    "rules FailIndex of a Job are dropped while JobBackoffLimitPerIndex is off",
    28,
    "pkg/registry/batch/job/strategy.go PrepareForCreate",
)
GROUP_OF_DATA_SOURCE = Gate(
    "apiGroup of a data source is a DNS name", 29, "pkg/apis/core/validation validateDataSource"
)
HOST_SYSCTLS = Gate("no sysctls of a namespace that is the host's", 29, "pkg/apis/core/validation validateSysctls")
NO_ZONE_IN_SCHEDULE = Gate("no time zone in a schedule", 29, "pkg/apis/batch/validation validateScheduleFormat")
TOKEN_PATH = Gate(
    "paths of service account tokens stay below the volume", 30, "pkg/apis/core/validation validateProjectionSources"
)
CLOSED_NESTED_SCHEMAS = Gate(
    "additionalProperties: false inside of not, anyOf and their like",
    31,
    "apiextensions-apiserver pkg/apiserver/schema newNestedValueValidation",
)
REVISION_DATA = Gate(
    "data of a ControllerRevision is an object", 31, "pkg/apis/apps/validation validateControllerRevision"
)
CANONICAL_SLICES = Gate(
    "IPv6 addresses of an EndpointSlice are in canonical form", 33, "pkg/apis/discovery/validation validateEndpoints"
)
POD_GENERATION = Gate(
    "the generation of a Pod is set by the server", 33, "pkg/registry/core/pod/strategy.go PrepareForCreate"
)
SERVICE_OF_STATEFUL_SET = Gate(
    "serviceName of a StatefulSet is a label", 33, "pkg/apis/apps/validation ValidateStatefulSetSpec"
)
NODE_AFFINITY_VALUES = Gate(
    "values of required node affinity are label values", 33, "pkg/apis/core/validation ValidateNodeSelector"
)
KUBELET_PORT = Gate("load balancers may expose the kubelet's port", 33, "pkg/apis/core/validation ValidateService")
STATEFUL_SET_TEMPLATES = Gate(
    "the pod and claim templates of a StatefulSet are validated", 34, "pkg/apis/apps/validation ValidateStatefulSetSpec"
)
KNOWN_RESTART_RULES = Gate(
    "restart policies of containers are dropped, not refused",
    34,
    "pkg/api/pod/util.go dropDisabledFields (ContainerRestartRules)",
)
GROUP_OF_SCALE_TARGET = Gate(
    "scale targets name their API group", 34, "pkg/apis/autoscaling/validation ValidateAPIVersion"
)
KUBERNETES_FORMATS = Gate(
    "formats k8s-short-name and k8s-long-name", 34, "apiextensions-apiserver pkg/apiserver/validation/formats.go"
)
NO_DEVICES_OF_OWN_USERS = Gate("no block devices in a user namespace", 34, "pkg/apis/core/validation validateHostUsers")
DROPPED_CONSTRAINTS = Gate("distinctAttribute is dropped while DRAConsumableCapacity is off", 35)
IMAGE_REFERENCE_IN_TEMPLATES = Gate("image volumes of templates need a reference", 37)
BOUNDED_STEPS = Gate("steps of a device's capacity are positive, and their bounds 64-bit integers", 37)
NODE_OF_BINDING = Gate("the target of a Binding is a node's name", 37)
