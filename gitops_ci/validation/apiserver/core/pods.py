"""Pod specs wherever they stand: Pods, templates of workloads, Jobs inside CronJobs; and what concerns a whole pod.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, ValidatePodSpec and what it calls.
"""

from __future__ import annotations

from gitops_ci.dataclass import dataclass
from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import check_annotations, labels
from gitops_ci.validation.apiserver.core import compute_resources, containers, pod_scheduling, security_context, volumes
from gitops_ci.validation.apiserver.core.pod_annotations import pod_annotations
from gitops_ci.validation.kinds import kind_of

__all__ = ["PodPlace", "pod", "pod_spec"]


@dataclass(frozen=True, slots=True)
class PodPlace:
    """A pod spec and what its rules need to know of its surroundings.

    `meta` is the metadata of a Pod or of a template, `claims` are the volumes a StatefulSet adds.
    """

    spec: Field
    meta: Field
    is_pod: bool
    claims: frozenset[str] = frozenset()


def pod(document: Field) -> None:
    """Check the pod spec of a kind that has one."""
    row = kind_of(document.text("apiVersion"), document.text("kind"))
    if row is None or row.pod_template is None:
        return
    template = document.at(*row.pod_template)
    is_validated = document.text("kind") != "StatefulSet" or document.on(gates.STATEFUL_SET_TEMPLATES)
    if template.value is None and is_validated:
        *above, last = row.pod_template
        document.at(*above).missing("pod", last)
        return
    is_pod = document.text("kind") == "Pod"
    if not is_pod:
        labels(template.at("metadata"))
        check_annotations(template.at("metadata"))
    if template.at("spec").count("ephemeralContainers") and is_validated:
        said = "may not be set when a Pod is created" if is_pod else "are not allowed in a template"
        template.at("spec", "ephemeralContainers").bad("pod", f"ephemeral containers {said}")
    pod_annotations(template, is_pod=is_pod)
    if not is_validated:
        return
    spec = template.at("spec")
    claims: frozenset[str] = frozenset()
    if document.text("kind") == "StatefulSet":
        names = [claim.at("metadata").text("name") for claim in document.at("spec").each("volumeClaimTemplates")]
        claims = frozenset(name for name in names if name)
        # The controller writes both itself, so that nobody validates them (pkg/apis/apps, ValidateStatefulSetSpec).
        spec = spec.without("hostname", "subdomain")
    pod_spec(PodPlace(spec, template.at("metadata"), is_pod, claims))


def pod_spec(place: PodPlace) -> None:
    spec = place.spec
    if type(spec.value) is not dict:
        return
    name = place.meta.text("name") if place.is_pod else ""
    known = volumes.volumes(spec, place.claims, name, is_pod=place.is_pod)
    containers.all_containers(spec, known, is_pod=place.is_pod)
    for rule in (_words, _names, _numbers, _dns, _host, _gates, _pod_claims):
        rule(spec)
    if place.is_pod:
        _admission(spec)
    compute_resources.pod_requirements(spec, is_pod=place.is_pod)
    pod_scheduling.scheduling(spec, place.meta.mapping("labels") if place.is_pod else {})
    security_context.pod_security(spec)


def _admission(spec: Field) -> None:
    """What the admission plugins that are on by default refuse (Priority, RuntimeClass), and Pods in creation."""
    if not spec.text("priorityClassName"):
        if spec.number("priority"):
            spec.at("priority").bad("priority", "may not be given: it comes from the priorityClassName")
        if spec.text("preemptionPolicy") == "Never":
            spec.at("preemptionPolicy").bad("priority", "Never may not be given without a priorityClassName")
    if spec.has("overhead") and not spec.text("runtimeClassName"):
        spec.at("overhead").bad("pod", "may not be given without a runtimeClassName")
    if spec.text("nodeName") and spec.count("schedulingGates"):
        spec.at("nodeName").bad("pod", "may not be given while there are schedulingGates")


def _words(spec: Field) -> None:
    spec.one_of("pod", "restartPolicy", ("Always", "OnFailure", "Never"))
    spec.one_of("pod", "dnsPolicy", ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"))
    spec.one_of("pod", "preemptionPolicy", ("PreemptLowerPriority", "Never"), pointer=True)
    if spec.has("os"):
        spec.at("os").one_of("pod", "name", ("linux", "windows"))


def _names(spec: Field) -> None:
    # The old name of the field counts when the new one is empty.
    account = "serviceAccountName" if spec.text("serviceAccountName") else "serviceAccount"
    for key in (account, "nodeName", "priorityClassName"):
        spec.fits("name", key, formats.dns_subdomain)
    spec.fits("name", "runtimeClassName", formats.dns_subdomain, pointer=True)
    for key in ("hostname", "subdomain"):
        spec.fits("name", key, formats.dns_label)
    if spec.has("hostnameOverride"):
        _hostname_override(spec)


def _hostname_override(spec: Field) -> None:
    name = spec.text("hostnameOverride")
    if why := formats.dns_subdomain(name) or ("must be no more than 64 characters" if len(name) > 64 else None):
        spec.at("hostnameOverride").bad("name", f"'{name}' {why}")
    for key in ("setHostnameAsFQDN", "hostNetwork"):
        if spec.flag(key):
            spec.at("hostnameOverride").bad("pod", f"may not be given when {key} is true")


def _numbers(spec: Field) -> None:
    spec.within("pod", "activeDeadlineSeconds", 1, 2**31 - 1)


def _dns(spec: Field) -> None:
    config = spec.at("dnsConfig")
    servers = config.strings("nameservers")
    if spec.text("dnsPolicy") == "None" and not servers:
        spec.missing("dns", "dnsConfig", "'dnsConfig.nameservers' is required when dnsPolicy is None")
    if len(servers) > 3:
        config.at("nameservers").bad("dns", "must not have more than 3 name servers")
    for index, server in enumerate(servers):
        if why := formats.ip(server, spec.minor):
            config.at("nameservers").item(index).bad("dns", f"'{server}' {why}")
    searches = config.strings("searches")
    most, length = (32, 2048) if spec.on(gates.EXPANDED_DNS) else (6, 256)
    if len(searches) > most or len(" ".join(searches)) > length:
        config.at("searches").bad("dns", f"must not have more than {most} search paths, or {length} characters in all")
    for index, search in enumerate(searches):
        # A search path may be a lone dot and have underscores.
        relaxed = spec.on(gates.RELAXED_DNS_SEARCH)
        name = search.removesuffix(".")
        if relaxed and search == ".":
            continue
        if why := formats.dns_subdomain(name.replace("_", "a") if relaxed else name):
            config.at("searches").item(index).bad("dns", f"'{search}' {why}")
    for option in config.each("options"):
        if not option.text("name"):
            option.missing("dns", "name")


def _host(spec: Field) -> None:
    for alias in spec.each("hostAliases"):
        if why := formats.ip(alias.text("ip"), spec.minor):
            alias.at("ip").bad("host-alias", f"'{alias.text('ip')}' {why}")
        for index, name in enumerate(alias.strings("hostnames")):
            if why := formats.dns_subdomain(name):
                alias.at("hostnames").item(index).bad("host-alias", f"'{name}' {why}")
    if spec.get("hostUsers") is False:
        _own_users(spec)
    if spec.flag("shareProcessNamespace") and spec.flag("hostPID"):
        spec.at("shareProcessNamespace").bad("pod", "shareProcessNamespace and hostPID cannot both be true")


def _own_users(spec: Field) -> None:
    """A pod with users of its own (validateHostUsers)."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.flag(key):
            spec.at(key).bad("pod", f"'{key}' may not be true when hostUsers is false")
    for group in ("containers", "initContainers") if spec.on(gates.NO_DEVICES_OF_OWN_USERS) else ():
        for container in spec.each(group):
            if container.count("volumeDevices"):
                container.at("volumeDevices").bad("pod", "may not be given when hostUsers is false")


def _gates(spec: Field) -> None:
    for gate in spec.each("readinessGates"):
        gate.fits("pod", "conditionType", formats.qualified_name)
    seen: set[str] = set()
    for gate in spec.each("schedulingGates"):
        gate.fits("pod", "name", formats.qualified_name)
        if gate.text("name") in seen:
            gate.at("name").bad("duplicate", f"scheduling gate '{gate.text('name')}' is given twice")
        seen.add(gate.text("name"))


def _pod_claims(spec: Field) -> None:
    seen: set[str] = set()
    for claim in spec.each("resourceClaims"):
        name = claim.text("name")
        claim.fits("name", "name", formats.dns_label)
        if name in seen:
            claim.at("name").bad("duplicate", f"resource claim '{name}' is given twice")
        seen.add(name)
        given = [key for key in ("resourceClaimName", "resourceClaimTemplateName") if claim.has(key)]
        if len(given) != 1:
            claim.bad("pod", "needs exactly one of resourceClaimName and resourceClaimTemplateName")
        for key in given:
            claim.fits("name", key, formats.dns_subdomain, pointer=True)
