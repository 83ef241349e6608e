"""Services. Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, ValidateService."""

from __future__ import annotations

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import labels
from gitops_ci.validation.apiserver.core.containers import PROTOCOLS

__all__ = ["non_special_ip", "service"]

_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_KUBELET = 10250
_TOPOLOGY = "service.kubernetes.io/topology-"
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"


def service(document: Field) -> None:
    spec = document.at("spec")
    spec.one_of("service", "type", _TYPES)
    kind = spec.text("type") or "ClusterIP"
    headless = spec.text("clusterIP") == "None" or spec.strings("clusterIPs")[:1] == ["None"]
    if not spec.count("ports") and not headless and kind != "ExternalName":
        spec.missing("service", "ports", "'ports' is required")
    if kind == "ExternalName":
        _external_name(spec)
    elif headless and kind in {"NodePort", "LoadBalancer"}:
        spec.at("clusterIP").bad("service", f"may not be None for a Service of type {kind}")
    _ports(spec, kind)
    labels(spec, "selector")
    _affinity(spec)
    if kind != "ExternalName":
        _addresses(spec, headless=headless)
    _external(spec, kind)
    _load_balancer(document, spec, kind)
    spec.one_of("service", "internalTrafficPolicy", ("Cluster", "Local"), pointer=True)
    _topology(document)
    more = ("PreferSameZone", "PreferSameNode") if spec.on(gates.SAME_TRAFFIC_DISTRIBUTION) else ()
    spec.one_of("service", "trafficDistribution", ("PreferClose", *more), pointer=True)


def _topology(document: Field) -> None:
    annotated = document.at("metadata", "annotations")
    mode, hints = annotated.get(f"{_TOPOLOGY}mode"), annotated.get(f"{_TOPOLOGY}aware-hints")
    if mode is not None and hints is not None and mode != hints and document.on(gates.TOPOLOGY_MODE):
        annotated.at(f"{_TOPOLOGY}mode").bad("service", f"must match the annotation {_TOPOLOGY}aware-hints")


def _external_name(spec: Field) -> None:
    name = spec.text("externalName").removesuffix(".")
    if not name:
        spec.missing("service", "externalName", "'externalName' is required for a Service of type ExternalName")
    elif why := formats.dns_subdomain(name):
        spec.at("externalName").bad("service", f"'{name}' {why}")
    for key in ("clusterIPs", "ipFamilies", "ipFamilyPolicy", "clusterIP"):
        if spec.count(key) or spec.text(key) or (key == "ipFamilyPolicy" and spec.has(key)):
            spec.at(key).bad("service", "may not be set for a Service of type ExternalName")


def _ports(spec: Field, kind: str) -> None:
    names: set[str] = set()
    pairs: set[tuple[str, int]] = set()
    node_pairs: set[tuple[str, int]] = set()
    node_ports: dict[int, int] = {}
    several = spec.count("ports") > 1
    for port in spec.each("ports"):
        name = port.text("name")
        if several and not name:
            port.missing("service-port", "name", "'name' is required when there are several ports")
        port.fits("service-port", "name", formats.dns_label)
        if name and name in names:
            port.at("name").bad("duplicate", f"port name '{name}' is given twice")
        names.add(name)
        number, protocol = port.number("port"), port.text("protocol") or "TCP"
        if port.has("port") and (why := formats.port_number(number)):
            port.at("port").bad("service-port", f"{number} {why}")
        if number == _KUBELET and kind == "LoadBalancer" and not spec.on(gates.KUBELET_PORT):
            port.at("port").bad("service-port", f"{number} is the kubelet's port, which a load balancer may not expose")
        port.one_of("service-port", "protocol", PROTOCOLS)
        _target(port)
        if port.has("appProtocol") and (why := formats.qualified_name(port.text("appProtocol"))):
            port.at("appProtocol").bad("service-port", f"'{port.text('appProtocol')}' {why}")
        if (protocol, number) in pairs:
            port.bad("duplicate", f"port {number}/{protocol} is given twice")
        pairs.add((protocol, number))
        node = port.number("nodePort")
        # The range that a cluster hands out is its own setting; beyond these it cannot be.
        if node and (why := formats.port_number(node)):
            port.at("nodePort").bad("service-port", f"{node} {why}")
        if node and kind == "ClusterIP":
            port.at("nodePort").bad("service-port", "may not be used when type is ClusterIP")
        elif node and (protocol, node) in node_pairs:
            port.at("nodePort").bad("duplicate", f"node port {node}/{protocol} is given twice")
        # Protocols may share a node port if they share the port (pkg/registry/core/service/storage/alloc.go).
        elif node and node_ports.setdefault(node, number) != number and kind != "ExternalName":
            port.at("nodePort").bad("duplicate", f"node port {node} is that of port {node_ports[node]}")
        if node:
            node_pairs.add((protocol, node))


def _target(port: Field) -> None:
    value = port.get("targetPort")
    # Empty and 0 are replaced by the port, by default.
    if value in (None, "", 0):
        return
    why = formats.port_name(value) if isinstance(value, str) else formats.port_number(int(value))
    if why:
        port.at("targetPort").bad("service-port", f"'{value}' {why}")


def _affinity(spec: Field) -> None:
    spec.one_of("service", "sessionAffinity", ("ClientIP", "None"))
    # With any other affinity the config is dropped (SetDefaults_Service).
    if spec.text("sessionAffinity") == "ClientIP":
        spec.at("sessionAffinityConfig", "clientIP").within("service", "timeoutSeconds", 1, 86400)


def _addresses(spec: Field, *, headless: bool) -> None:
    addresses, families = spec.strings("clusterIPs"), spec.strings("ipFamilies")
    first = spec.text("clusterIP")
    if addresses and addresses[0] != first:
        spec.at("clusterIPs").bad("service", f"the first value must be clusterIP, which is '{first}'")
    seen: set[str] = set()
    for index, family in enumerate(families):
        if family not in {"IPv4", "IPv6"}:
            spec.at("ipFamilies").item(index).bad("service", f"'{family}' is not supported; one of IPv4, IPv6")
        elif family in seen:
            spec.at("ipFamilies").item(index).bad("duplicate", f"'{family}' is given twice")
        seen.add(family)
    spec.one_of("service", "ipFamilyPolicy", ("SingleStack", "PreferDualStack", "RequireDualStack"), pointer=True)
    if len(families) > 1 or len(addresses) > 1:
        _both_families(spec, headless=headless)
    if headless:
        if len(addresses) > 1:
            spec.at("clusterIPs").bad("service", "'None' must be the only value")
        return
    for place, value in _cluster_ips(spec):
        if why := formats.ip(value, spec.minor):
            place.bad("service", f"'{value}' {why}")
    versions = [parsed.version for one in addresses if (parsed := formats.parse_ip(one))]
    if len(addresses) > 2 or len(set(versions)) < len(versions):
        spec.at("clusterIPs").bad("service", "may have one address of each family")
    for family, parsed in zip(families, map(formats.parse_ip, addresses or ([first] if first else [])), strict=False):
        if parsed and family in {"IPv4", "IPv6"} and family != f"IPv{parsed.version}":
            spec.at("ipFamilies").bad("service", f"the address {parsed} is not {family}")


def _both_families(spec: Field, *, headless: bool) -> None:
    """Two families or addresses ask for a policy (pkg/registry/core/service/storage/alloc.go, initIPFamilyFields)."""
    if spec.text("ipFamilyPolicy") == "SingleStack":
        spec.at("ipFamilyPolicy").bad("service", "SingleStack does not go with two families or addresses")
    elif not spec.has("ipFamilyPolicy") and not (headless and not spec.count("selector")):
        place = spec.at("ipFamilies" if spec.count("ipFamilies") > 1 else "clusterIPs")
        place.bad("service", "two families need ipFamilyPolicy PreferDualStack or RequireDualStack")


def _cluster_ips(spec: Field) -> list[tuple[Field, str]]:
    if addresses := spec.strings("clusterIPs"):
        return [(spec.at("clusterIPs").item(index), value) for index, value in enumerate(addresses)]
    value = spec.text("clusterIP")
    return [(spec.at("clusterIP"), value)] if value else []


def _external(spec: Field, kind: str) -> None:
    addresses = spec.strings("externalIPs")
    for index, value in enumerate(addresses):
        if why := formats.ip(value, spec.minor) or non_special_ip(value):
            spec.at("externalIPs").item(index).bad("service", f"'{value}' {why}")
    # An address from outside makes a ClusterIP Service reachable as well.
    reachable = kind in {"NodePort", "LoadBalancer"} or (kind == "ClusterIP" and bool(addresses))
    if spec.text("externalTrafficPolicy") and not reachable:
        spec.at("externalTrafficPolicy").bad("service", "may only be set for a Service that is reachable from outside")
    spec.one_of("service", "externalTrafficPolicy", ("Cluster", "Local"))
    health = spec.number("healthCheckNodePort")
    if health and not (kind == "LoadBalancer" and spec.text("externalTrafficPolicy") == "Local"):
        said = "may only be set when type is LoadBalancer and externalTrafficPolicy is Local"
        spec.at("healthCheckNodePort").bad("service", said)
    elif health and (why := formats.port_number(health)):
        spec.at("healthCheckNodePort").bad("service", f"{health} {why}")


def _load_balancer(document: Field, spec: Field, kind: str) -> None:
    if kind != "LoadBalancer":
        for key in ("loadBalancerSourceRanges", "allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if spec.get(key) not in (None, []):
                spec.at(key).bad("service", "may only be used when type is LoadBalancer")
    elif spec.has("loadBalancerClass") and (why := formats.qualified_name(spec.text("loadBalancerClass"))):
        spec.at("loadBalancerClass").bad("service", f"'{spec.text('loadBalancerClass')}' {why}")
    for index, value in enumerate(spec.strings("loadBalancerSourceRanges")):
        if why := formats.cidr(value.strip(), spec.minor):
            spec.at("loadBalancerSourceRanges").item(index).bad("service", f"'{value}' {why}")
    annotated = document.at("metadata", "annotations")
    if annotated.has(_RANGES) and not spec.count("loadBalancerSourceRanges"):
        if kind != "LoadBalancer":
            annotated.at(_RANGES).bad("service", "may only be used when type is LoadBalancer")
        for value in annotated.text(_RANGES).split(",") if annotated.text(_RANGES).strip() else ():
            if why := formats.cidr(value.strip(), spec.minor):
                annotated.at(_RANGES).bad("service", f"'{value}' {why}")


def non_special_ip(value: str) -> str | None:
    """Why an address cannot be one of an endpoint or of the outside."""
    parsed = formats.parse_ip(value)
    if parsed is None:
        return None
    if parsed.is_unspecified:
        return "may not be unspecified"
    if parsed.is_loopback:
        return "may not be in the loopback range"
    if parsed.is_link_local:
        return "may not be in the link-local range"
    link_local_multicast = (parsed.version == 4 and parsed.packed[:3] == b"\xe0\x00\x00") or (
        parsed.version == 6 and parsed.packed[0] == 0xFF and parsed.packed[1] & 0x0F == 2
    )
    return "may not be in the link-local multicast range" if link_local_multicast else None
