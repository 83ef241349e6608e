"""Which kinds an API server serves: what to say of an apiVersion or kind that the chosen version does not have."""

from __future__ import annotations

import re
from functools import cache

from gitops_ci.text import did_you_mean
from gitops_ci.validation.kubernetes_versions import DEFAULT_VERSION, VERSIONS
from gitops_ci.validation.openapi.bundle import Bundle

__all__ = ["CLIENT_GROUPS", "is_built_in", "why_not_served"]

# Read by programs, never sent to an API server.
CLIENT_GROUPS = frozenset(
    {
        *("kustomize.config.k8s.io", "kubeadm.k8s.io", "kubelet.config.k8s.io", "kubeproxy.config.k8s.io"),
        *("kubescheduler.config.k8s.io", "apiserver.config.k8s.io", "apiserver.k8s.io", "audit.k8s.io"),
        *("client.authentication.k8s.io", "pod-security.admission.config.k8s.io", "kind.x-k8s.io", "ctlptl.dev"),
        *("skaffold", "kuttl.dev", "chainsaw.kyverno.io", "cli.kyverno.io", "builtin", "config.kubernetes.io"),
        *("krm.kcl.dev", "kpt.dev", "k3d.io", "eksctl.io", "kops.k8s.io", "minikube.sigs.k8s.io"),
    }
)

# Gone before the oldest bundle (kubernetes.io/docs/reference/using-api/deprecation-guide).
_REMOVED_IN = {
    **dict.fromkeys(
        ("apps/v1beta1", "apps/v1beta2", "extensions/v1beta1 DaemonSet", "extensions/v1beta1 Deployment"), "1.16"
    ),
    **dict.fromkeys(("extensions/v1beta1 ReplicaSet", "extensions/v1beta1 NetworkPolicy"), "1.16"),
    "extensions/v1beta1 PodSecurityPolicy": "1.16",
    **dict.fromkeys(
        (
            *("admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration", "extensions/v1beta1 Ingress"),
            *(
                "admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration",
                "networking.k8s.io/v1beta1 Ingress",
            ),
            *("apiextensions.k8s.io/v1beta1", "apiregistration.k8s.io/v1beta1", "authentication.k8s.io/v1beta1"),
            *("authorization.k8s.io/v1beta1", "certificates.k8s.io/v1beta1 CertificateSigningRequest"),
            *("coordination.k8s.io/v1beta1 Lease", "networking.k8s.io/v1beta1 IngressClass"),
            *("rbac.authorization.k8s.io/v1beta1", "scheduling.k8s.io/v1beta1 PriorityClass"),
            *("storage.k8s.io/v1beta1 CSIDriver", "storage.k8s.io/v1beta1 CSINode"),
            *("storage.k8s.io/v1beta1 StorageClass", "storage.k8s.io/v1beta1 VolumeAttachment"),
        ),
        "1.22",
    ),
    **dict.fromkeys(
        (
            *("batch/v1beta1", "discovery.k8s.io/v1beta1", "events.k8s.io/v1beta1", "policy/v1beta1"),
            *("autoscaling/v2beta1", "node.k8s.io/v1beta1"),
        ),
        "1.25",
    ),
}


@cache
def _built_in_groups() -> frozenset[str]:
    kinds = {kind for version in (VERSIONS[0], DEFAULT_VERSION) for kind in Bundle.load(version).kinds}
    return frozenset({"extensions", *(kind.partition(" ")[0].rpartition("/")[0] for kind in kinds)})


def is_built_in(group: str) -> bool:
    """Whether Kubernetes itself owns the group, so that a kind unknown to the schemas does not exist."""
    return group in _built_in_groups()


def why_not_served(api_version: str, kind: str, version: str) -> tuple[str, str]:
    """A message and a hint for a built-in kind that `version` does not serve."""
    said = f"Kubernetes {version} has no kind '{kind}' in '{api_version}'"
    served = [known for known in VERSIONS if Bundle.load(known).find(api_version, kind) is not None]
    removed = _REMOVED_IN.get(f"{api_version} {kind}") or _REMOVED_IN.get(api_version)
    if served and served[0] > version:
        said += f": it came with {served[0]}"
    elif served:
        said += f": it was removed in {VERSIONS[VERSIONS.index(served[-1]) + 1]}"
    elif removed:
        said += f": it was removed in {removed}"
    return said, _replacement(kind, api_version, version)


def _maturity(api_version: str) -> tuple[int, int]:
    """Stable before beta before alpha; of those that are not stable the newest first."""
    matched = re.search(r"(alpha|beta)(\d+)$", api_version)
    if not matched:
        return 0, 0
    return (1 if matched[1] == "beta" else 2), -int(matched[2])


def _replacement(kind: str, api_version: str, version: str) -> str:
    known = [name.split(" ") for name in Bundle.load(version).kinds]
    same = [name for name, named_kind in known if named_kind == kind]
    if same:
        group = api_version.rpartition("/")[0]
        stable = re.sub(r"(?:alpha|beta)\d+$", "", api_version)
        # The version it was to become, else the same group, else what is more stable, else what is newer.
        rank = {name: (name != stable, name.rpartition("/")[0] != group, *_maturity(name)) for name in same}
        best = min(same, key=lambda name: (rank[name], name))
        return f"Use apiVersion: {best}"
    if kind == "List" and api_version == "v1":
        return "A List needs 'items', a list of objects."
    if kind.endswith("List"):
        return "Split it into documents, or use kind: List with apiVersion: v1."
    return did_you_mean(kind, {named_kind for _, named_kind in known}) or "Check apiVersion and kind."
