"""Devices asked for: ResourceClaim and ResourceClaimTemplate, and the DeviceClass that they name.

Source: k8s.io/kubernetes pkg/apis/resource/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Container

from gitops_ci.text import nearest_field
from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown
from gitops_ci.validation.apimachinery.object_meta import template_metadata
from gitops_ci.validation.apiserver.core.compute_resources import is_extended
from gitops_ci.validation.cel.compile import compiles
from gitops_ci.validation.cel.schema_rules import without_strings
from gitops_ci.validation.cel.types import scope

__all__ = [
    "at_most",
    "attribute_name",
    "claim",
    "claim_template",
    "device_class",
    "driver_name",
    "named",
    "of_today",
    "taint",
]

_MOST = 32  # requests, constraints, configurations, selectors
_MOST_CHOICES = 8
_EFFECTS = ("NoSchedule", "NoExecute", "None")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_DEVICE = re.compile(r"(?<![\w.])device\.([A-Za-z_]\w*)")
_DEVICE = ("driver", "attributes", "capacity", "allowMultipleAllocations")


def of_today(document: Field) -> bool:
    """Whether the object has the form of v1: before v1beta2 a request is what `exactly` holds since."""
    return document.text("apiVersion").partition("/")[2] in {"v1", "v1beta2"}


def device_class(document: Field) -> None:
    spec = document.at("spec")
    _selectors(spec)
    _configurations(spec)
    if spec.has("extendedResourceName") and not is_extended(spec.text("extendedResourceName")):
        name = shown(spec.text("extendedResourceName"))
        spec.at("extendedResourceName").bad("device", f"'{name}' is not a name of an extended resource")


def claim_template(document: Field) -> None:
    template_metadata(document.at("spec", "metadata"), "device")
    _devices(document.at("spec", "spec", "devices"), document)


def claim(document: Field) -> None:
    _devices(document.at("spec", "devices"), document)


def _devices(devices: Field, document: Field) -> None:
    if not of_today(document):
        return
    names: set[str] = set()
    at_most(devices, "requests", _MOST)
    for request in devices.each("requests"):
        named(request, names, "requests")
        at_most(request, "firstAvailable", _MOST_CHOICES)
        if request.has("exactly") == bool(request.count("firstAvailable")):
            request.bad("device", "needs exactly one of 'exactly' and 'firstAvailable'")
        elif request.has("exactly"):
            _request(request.at("exactly"))
        below: set[str] = set()
        for choice in request.each("firstAvailable"):
            named(choice, below, "choices")
            _request(choice)
        names |= {f"{request.text('name')}/{name}" for name in below}
    at_most(devices, "constraints", _MOST)
    for constraint in devices.each("constraints"):
        _references(constraint, names)
        _constraint(constraint)
    _configurations(devices)
    for configuration in devices.each("config"):
        _references(configuration, names)


def at_most(place: Field, key: str, most: int) -> None:
    if place.count(key) > most:
        place.at(key).bad("device", f"must have no more than {most} items")


def named(place: Field, names: set[str], what: str, key: str = "name") -> None:
    """A DNS label that no other of the list has."""
    name = place.text(key)
    if not name:
        place.missing("device", key)
    elif why := formats.dns_label(name):
        place.at(key).bad("name", f"'{shown(name)}' {why}")
    elif name in names:
        place.at(key).bad("duplicate", f"'{name}' is given twice among the {what}")
    names.add(name)


def _request(request: Field) -> None:
    if not request.text("deviceClassName"):
        request.missing("device", "deviceClassName")
    request.fits("name", "deviceClassName", formats.dns_subdomain)
    request.one_of("device", "allocationMode", ("ExactCount", "All"))
    if request.text("allocationMode") == "All" and request.number("count"):
        request.at("count").bad("device", "may not be given with allocationMode: All")
    elif request.number("count") < 0:  # 0 is 1, by default
        request.at("count").bad("device", "must be greater than zero")
    _selectors(request)
    for toleration in request.each("tolerations"):
        _toleration(toleration)


def _selectors(place: Field) -> None:
    at_most(place, "selectors", _MOST)
    for selector in place.each("selectors"):
        if not selector.has("cel"):
            selector.missing("device", "cel")
            continue
        cel = selector.at("cel")
        compiles(cel, "expression", "device", scope(cel.text("expression"), {}, dynamic=("device",)), "BOOL")
        for name in _OF_DEVICE.findall(without_strings(cel.text("expression"))):
            if name not in _DEVICE:
                cel.at("expression").bad("device", f"a device has no field '{name}'", nearest_field(name, _DEVICE))


def _toleration(toleration: Field) -> None:
    toleration.fits("device", "key", formats.qualified_name)
    toleration.one_of("device", "operator", ("Equal", "Exists"))
    toleration.one_of("device", "effect", _EFFECTS)
    if toleration.text("operator") == "Exists":
        if toleration.text("value"):
            toleration.at("value").bad("device", "must be empty with the operator Exists")
    else:
        toleration.fits("device", "value", formats.label_value)


def taint(place: Field) -> None:
    place.fits("device", "key", formats.qualified_name)
    place.fits("device", "value", formats.label_value)
    place.one_of("device", "effect", _EFFECTS)


def _references(place: Field, names: Container[str]) -> None:
    """The requests that a constraint or configuration is about: `name` or `name/choice`."""
    at_most(place, "requests", _MOST)
    given = place.strings("requests")
    for index, name in enumerate(given):
        if name not in names:
            place.at("requests").item(index).bad("device", f"there is no request '{shown(name)}'")
        elif name in given[:index]:
            place.at("requests").item(index).bad("duplicate", f"'{name}' is given twice")


def _constraint(constraint: Field) -> None:
    dropped = constraint.on(gates.DROPPED_CONSTRAINTS) and not constraint.on(gates.CONSUMABLE_CAPACITY)
    keys = ("matchAttribute",) if dropped else ("matchAttribute", "distinctAttribute")
    key = next((key for key in keys if constraint.has(key)), "")
    if not key:
        constraint.missing("device", "matchAttribute", "'matchAttribute' or 'distinctAttribute' is required")
        return
    name = constraint.text(key)
    why = attribute_name(name) if "/" in name else "must be a domain and a name such as gpu.example.com/model"
    if why:
        constraint.at(key).bad("device", f"'{shown(name)}' {why}")


def attribute_name(value: str) -> str | None:
    """`name` or `domain/name` of an attribute or capacity; more slashes than one pass unread."""
    domain, slash, name = value.rpartition("/")
    if "/" in domain:
        return None
    if slash and (why := driver_name(domain)):
        return f"has a domain that {why}"
    if len(name) > 32:
        return "must have a name of no more than 32 characters"
    return (
        None
        if _IDENTIFIER.fullmatch(name)
        else "must have a name of letters, digits and '_', not starting with a digit"
    )


def driver_name(value: str) -> str | None:
    return "must be no more than 63 characters" if len(value) > 63 else formats.dns_subdomain(value.lower())


def _configurations(place: Field) -> None:
    at_most(place, "config", _MOST)
    for configuration in place.each("config"):
        opaque = configuration.at("opaque")
        if not configuration.has("opaque"):
            configuration.missing("device", "opaque")
        elif opaque.has("parameters") and type(opaque.get("parameters")) is not dict:
            opaque.at("parameters").bad("device", "must be a mapping")
        opaque.fits("device", "driver", driver_name)
