"""Claims for devices: ResourceClaim and ResourceClaimTemplate.

Source: k8s.io/kubernetes pkg/apis/resource/validation/validation.go.
"""

from __future__ import annotations

from gitops_ci.schemas.rules import formats
from gitops_ci.schemas.rules.base import Spot
from gitops_ci.schemas.rules.expressions import compiles

__all__ = ["claim", "claim_template"]

_MOST_REQUESTS = 32


def claim_template(document: Spot) -> None:
    _devices(document.at("spec", "spec", "devices"), document)


def claim(document: Spot) -> None:
    _devices(document.at("spec", "devices"), document)


def _devices(devices: Spot, document: Spot) -> None:
    if document.text("apiVersion").endswith("v1beta1"):
        return  # there a request is what `exactly` holds since
    names: set[str] = set()
    if devices.count("requests") > _MOST_REQUESTS:
        devices.at("requests").bad("device", f"must have no more than {_MOST_REQUESTS} requests")
    for request in devices.each("requests"):
        _name(request, names, "requests")
        if request.has("exactly") == bool(request.count("firstAvailable")):
            request.bad("device", "needs exactly one of 'exactly' and 'firstAvailable'")
        elif request.has("exactly"):
            _request(request.at("exactly"))
        below: set[str] = set()
        for choice in request.each("firstAvailable"):
            _name(choice, below, "choices")
            _request(choice)
        names |= {f"{request.text('name')}/{name}" for name in below}
    for key in ("constraints", "config"):
        for entry in devices.each(key):
            for index, name in enumerate(entry.strings("requests")):
                if name not in names:
                    entry.at("requests").item(index).bad("device", f"there is no request '{name}'")


def _name(request: Spot, names: set[str], what: str) -> None:
    name = request.text("name")
    if not name:
        request.missing("device", "name")
    elif why := formats.dns_label(name):
        request.at("name").bad("name", f"'{name}' {why}")
    elif name in names:
        request.at("name").bad("duplicate", f"'{name}' is given twice among the {what}")
    names.add(name)


def _request(request: Spot) -> None:
    if not request.text("deviceClassName"):
        request.missing("device", "deviceClassName")
    request.fits("name", "deviceClassName", formats.dns_subdomain)
    request.one_of("device", "allocationMode", ("ExactCount", "All"))
    if request.text("allocationMode") == "All" and request.number("count"):
        request.at("count").bad("device", "may not be given with allocationMode: All")
    elif request.has("count") and request.number("count") <= 0 and request.text("allocationMode") != "All":
        request.at("count").bad("device", "must be greater than zero")
    for selector in request.each("selectors"):
        if not selector.has("cel"):
            selector.missing("device", "cel")
        compiles(selector.at("cel"), "expression", "device", ("device",), "BOOL")
