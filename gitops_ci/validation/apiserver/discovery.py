"""Endpoints, EndpointSlices and Leases.

Sources: k8s.io/kubernetes pkg/apis/core/validation (Endpoints), pkg/apis/discovery/validation and
pkg/apis/coordination/validation.
"""

from __future__ import annotations

from collections.abc import Callable

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apiserver.core.containers import PROTOCOLS
from gitops_ci.validation.apiserver.core.services import non_special_ip

__all__ = ["endpoint_slice", "endpoints"]


def endpoints(document: Field) -> None:
    for subset in document.each("subsets"):
        if not subset.count("addresses") and not subset.count("notReadyAddresses"):
            subset.bad("endpoints", "needs addresses or notReadyAddresses")
        for key in ("addresses", "notReadyAddresses"):
            for address in subset.each(key):
                value = address.text("ip")
                if value and (why := formats.ip(value, document.minor) or non_special_ip(value)):
                    address.at("ip").bad("endpoints", f"'{value}' {why}")
                address.fits("endpoints", "hostname", formats.dns_label)
                address.fits("endpoints", "nodeName", formats.dns_subdomain, pointer=True)
        several = subset.count("ports") > 1
        for port in subset.each("ports"):
            if several and not port.text("name"):
                port.missing("endpoints", "name", "'name' is required when there are several ports")
            if port.has("port") and (why := formats.port_number(port.number("port"))):
                port.at("port").bad("endpoints", f"{port.number('port')} {why}")
            port.one_of("endpoints", "protocol", PROTOCOLS)
            _names(port)


def _names(port: Field) -> None:
    port.fits("endpoints", "name", formats.dns_label)
    port.fits("endpoints", "appProtocol", formats.qualified_name, pointer=True)


def endpoint_slice(document: Field) -> None:
    kind = document.text("addressType")
    document.one_of("endpoints", "addressType", ("IPv4", "IPv6", "FQDN"))
    if document.count("endpoints") > 1000:
        document.at("endpoints").bad("endpoints", "must have no more than 1000 endpoints")
    for endpoint in document.each("endpoints"):
        if endpoint.count("addresses") > 100:
            endpoint.at("addresses").bad("endpoints", "must have no more than 100 addresses")
        for index, value in enumerate(endpoint.strings("addresses")):
            if why := _address(value, kind, document.minor):
                endpoint.at("addresses").item(index).bad("endpoints", f"'{value}' {why}")
        endpoint.fits("endpoints", "nodeName", formats.dns_subdomain, pointer=True)
        endpoint.fits("endpoints", "hostname", formats.dns_label, pointer=True)
        if endpoint.has("hints"):
            _hints(endpoint.at("hints"), "forZones", formats.label_value)
            _hints(endpoint.at("hints"), "forNodes", formats.dns_subdomain)
    _slice_ports(document)


def _hints(hints: Field, key: str, check: Callable[[str], str | None]) -> None:
    seen: set[str] = set()
    for index, hint in enumerate(hints.each(key)):
        name = hint.text("name")
        if index >= 8:
            hint.bad("endpoints", f"must have no more than 8 {key}")
        if name in seen:
            hint.bad("duplicate", f"'{name}' is given twice")
        elif why := check(name):
            hint.bad("endpoints", f"'{name}' {why}")
        seen.add(name)


def _address(value: str, kind: str, minor: int) -> str | None:
    if kind == "FQDN":
        return _full_name(value.removesuffix("."))
    strict = kind == "IPv6" and gates.CANONICAL_SLICES.is_on(minor)
    if why := (formats.canonical_ip(value) if strict else formats.ip(value, minor)) or non_special_ip(value):
        return why
    parsed = formats.parse_ip(value)
    return f"must be an {kind} address" if parsed and kind and f"IPv{parsed.version}" != kind else None


def _full_name(value: str) -> str | None:
    if why := formats.dns_subdomain(value):
        return why
    parts = value.split(".")
    if len(parts) < 2:
        return "must be a domain of at least two parts"
    return next(filter(None, map(formats.dns_label, parts)), None)


def _slice_ports(document: Field) -> None:
    names: set[str] = set()
    if document.count("ports") > 20000:
        document.at("ports").bad("endpoints", "must have no more than 20000 ports")
    for port in document.each("ports"):
        name = port.text("name")
        if name in names:
            (port.at("name") if port.has("name") else port).bad("duplicate", f"port name '{name}' is given twice")
        names.add(name)
        # A port of a slice may be any number: nobody looks at it.
        port.one_of("endpoints", "protocol", PROTOCOLS, pointer=True)
        _names(port)
