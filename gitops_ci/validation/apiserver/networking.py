"""Ingresses, IngressClasses and NetworkPolicies.

Source: k8s.io/kubernetes pkg/apis/networking/validation/validation.go.
"""

from __future__ import annotations

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector
from gitops_ci.validation.apiserver.core.containers import PROTOCOLS, port_of

__all__ = ["ingress", "ingress_class", "ip_address", "network_policy", "service_cidr"]

_CLASS = "kubernetes.io/ingress.class"
_BAD_PARTS = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS = ("/..", "/.")


def ingress(document: Field) -> None:
    spec = document.at("spec")
    if not spec.count("rules") and not spec.has("defaultBackend"):
        spec.bad("ingress", "needs defaultBackend or rules")
    if spec.has("defaultBackend"):
        _backend(spec.at("defaultBackend"))
    for rule in spec.each("rules"):
        _rule(rule)
    for tls in spec.each("tls"):
        for index, host in enumerate(tls.strings("hosts")):
            if why := formats.subdomain_or_wildcard(host):
                tls.at("hosts").item(index).bad("ingress", f"'{host}' {why}")
        tls.fits("name", "secretName", formats.dns_subdomain)
    name = spec.get("ingressClassName")
    if isinstance(name, str) and (why := formats.dns_subdomain(name)):
        spec.at("ingressClassName").bad("name", f"'{name}' {why}")
    annotated = document.at("metadata", "annotations")
    if not annotated.has(_CLASS) or not isinstance(name, str):
        return
    if not spec.on(gates.ONE_CLASS_TWICE):
        annotated.at(_CLASS).bad("ingress", "may not be given together with ingressClassName")
    elif annotated.text(_CLASS) != name:
        annotated.at(_CLASS).bad("ingress", "must match ingressClassName when both are given")


def _rule(rule: Field) -> None:
    host = rule.text("host")
    if host:
        if formats.parse_ip(host):
            rule.at("host").bad("ingress", f"'{host}' must be a DNS name, not an IP address")
        elif why := formats.subdomain_or_wildcard(host):
            rule.at("host").bad("ingress", f"'{host}' {why}")
    for path in rule.at("http").each("paths"):
        _path(path)


def _path(path: Field) -> None:
    kind, value = path.text("pathType"), path.text("path")
    path.one_of("ingress", "pathType", ("Exact", "Prefix", "ImplementationSpecific"), pointer=True)
    if kind in {"Exact", "Prefix"}:
        if not value.startswith("/"):
            (path.at("path") if path.has("path") else path).bad("ingress", f"the path '{value}' must start with '/'")
        elif found := next((part for part in _BAD_PARTS if part in value), None):
            path.at("path").bad("ingress", f"'{value}' must not contain '{found}'")
        elif found := next((end for end in _BAD_ENDS if value.endswith(end)), None):
            path.at("path").bad("ingress", f"'{value}' must not end with '{found}'")
    elif kind == "ImplementationSpecific" and value and not value.startswith("/"):
        path.at("path").bad("ingress", f"'{value}' must start with '/'")
    _backend(path.at("backend"))


def _backend(backend: Field) -> None:
    service, resource = backend.has("service"), backend.has("resource")
    if service and resource:
        backend.bad("ingress", "service and resource exclude each other")
    elif resource:
        for key in ("kind", "name"):
            if not backend.at("resource").text(key):
                backend.at("resource").missing("ingress", key)
            backend.at("resource").fits("ingress", key, formats.path_segment)
        backend.at("resource").fits("ingress", "apiGroup", formats.dns_subdomain, pointer=True)
    elif service:
        _service_backend(backend.at("service"))
    elif type(backend.value) is dict:
        backend.bad("ingress", "needs a service or a resource")


def _service_backend(service: Field) -> None:
    check = formats.dns_label if service.on(gates.RELAXED_SERVICE_NAMES) else formats.dns_label_1035
    service.fits("name", "name", check)
    port = service.at("port")
    name, number = port.text("name"), port.number("number")
    if name and number:
        port.bad("ingress", "name and number exclude each other")
    elif name:
        port.fits("ingress", "name", formats.port_name)
    elif number:
        if why := formats.port_number(number):
            port.at("number").bad("ingress", f"{number} {why}")
    else:
        service.bad("ingress", "'port.name' or 'port.number' is required")


def ingress_class(document: Field) -> None:
    spec = document.at("spec")
    controller = spec.text("controller")
    if not controller:
        spec.missing("ingress", "controller", "'spec.controller' is required")
    elif len(controller) > 250:
        spec.at("controller").bad("ingress", "must be no more than 250 characters")
    elif why := formats.domain_prefixed(controller):
        spec.at("controller").bad("ingress", f"'{controller}' {why}")
    if not spec.has("parameters"):
        return
    parameters = spec.at("parameters")
    parameters.fits("ingress", "apiGroup", formats.dns_subdomain, pointer=True)
    for key in ("kind", "name"):
        parameters.fits("ingress", key, formats.path_segment)
    parameters.one_of("ingress", "scope", ("Cluster", "Namespace"), pointer=True)
    scope = parameters.text("scope") or "Cluster"
    if scope == "Namespace" and not parameters.text("namespace"):
        parameters.missing("ingress", "namespace", "'namespace' is required when scope is Namespace")
    elif scope == "Cluster" and parameters.has("namespace"):
        parameters.at("namespace").bad("ingress", "may not be given when scope is Cluster")
    parameters.fits("ingress", "namespace", formats.dns_label)


def network_policy(document: Field) -> None:
    spec = document.at("spec")
    label_selector(spec.at("podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.each(direction):
            for port in rule.each("ports"):
                _policy_port(port)
            for peer in rule.each(peers):
                _peer(peer)
    types = spec.strings("policyTypes")
    if len(types) > 2:
        spec.at("policyTypes").bad("network-policy", "may not have more than two types")
    for index, kind in enumerate(types):
        if kind not in {"Ingress", "Egress"}:
            place = spec.at("policyTypes").item(index)
            place.bad("network-policy", f"'{kind}' is not supported; one of Ingress, Egress")


def _policy_port(port: Field) -> None:
    port.one_of("network-policy", "protocol", PROTOCOLS, pointer=True)
    port_of(port, "port", "network-policy")
    if not port.has("endPort"):
        return
    first, last = port.get("port"), port.number("endPort")
    place = port.at("endPort")
    if first is None or isinstance(first, str):
        place.bad("network-policy", "may only be given with a numeric port")
    elif last < int(first) or formats.port_number(last):
        place.bad("network-policy", f"{last} must be at least port {first}, and no more than 65535")


def _peer(peer: Field) -> None:
    given = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if peer.has(key)]
    if not given:
        peer.bad("network-policy", "needs podSelector, namespaceSelector or ipBlock")
    elif "ipBlock" in given and len(given) > 1:
        peer.bad("network-policy", "ipBlock may not be given together with a selector")
    label_selector(peer.at("podSelector"))
    label_selector(peer.at("namespaceSelector"))
    if "ipBlock" in given:
        _block(peer.at("ipBlock"))


def _block(block: Field) -> None:
    outer = formats.parse_cidr(block.text("cidr"))
    if block.text("cidr") and (why := formats.cidr(block.text("cidr"), block.minor)):
        block.at("cidr").bad("network-policy", f"'{block.text('cidr')}' {why}")
    for index, value in enumerate(block.strings("except")):
        place = block.at("except").item(index)
        inner = formats.parse_cidr(value)
        if why := formats.cidr(value, block.minor):
            place.bad("network-policy", f"'{value}' {why}")
        elif (
            outer
            and inner
            and not (
                inner.version == outer.version
                and inner.ip in outer.network
                and inner.network.prefixlen > outer.network.prefixlen
            )
        ):
            place.bad("network-policy", f"'{value}' must be a strict subset of {block.text('cidr')}")


def ip_address(document: Field) -> None:
    reference = document.at("spec", "parentRef")
    for key in ("resource", "name"):
        reference.fits("network", key, formats.path_segment)
    reference.fits("network", "group", formats.dns_subdomain)
    reference.fits("network", "namespace", formats.path_segment)


def service_cidr(document: Field) -> None:
    spec = document.at("spec")
    if not 1 <= spec.count("cidrs") <= 2:
        spec.missing("network", "cidrs", "one CIDR, or one of each family, is required")
    for index, value in enumerate(spec.strings("cidrs")):
        if why := formats.canonical_cidr(value):
            spec.at("cidrs").item(index).bad("network", f"'{value}' {why}")
    families = [":" in value for value in spec.strings("cidrs")]
    if len(set(families)) < len(families):
        spec.at("cidrs").bad("network", "may hold no more than one CIDR of each family")
