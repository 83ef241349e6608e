"""Devices on offer: ResourceSlice, and the DeviceTaintRule that keeps some of them back.

Source: k8s.io/kubernetes pkg/apis/resource/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown
from gitops_ci.validation.apiserver.core.pod_scheduling import node_selector
from gitops_ci.validation.apiserver.resource.claims import at_most, attribute_name, driver_name, named, of_today, taint
from gitops_ci.validation.apiserver.resource.request_policies import request_policy

__all__ = ["resource_slice", "taint_rule"]

_MOST_DEVICES, _MOST_DEVICES_WITH_MORE = 128, 64
_MOST_SETS, _MOST_CONSUMED, _MOST_COUNTERS, _MOST_ENTRIES, _MOST_TAINTS, _MOST_CONDITIONS = 8, 2, 32, 32, 16, 4
_MOST_VALUE = 64
_VALUES = ("bool", "int", "string", "version")


def taint_rule(document: Field) -> None:
    spec = document.at("spec")
    taint(spec.at("taint"))
    selector = spec.at("deviceSelector")
    selector.fits("device", "driver", driver_name, pointer=True)
    selector.fits("device", "pool", _pool_name, pointer=True)
    selector.fits("name", "device", formats.dns_label, pointer=True)


def resource_slice(document: Field) -> None:
    if not of_today(document):
        return
    spec = document.at("spec")
    spec.fits("device", "driver", driver_name)
    pool = spec.at("pool")
    pool.fits("device", "name", _pool_name)
    pool.at_least("device", "resourceSliceCount", 1)
    pool.at_least("device", "generation", 0)
    per_device = spec.flag("perDeviceNodeSelection")
    _nodes(spec, ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection"))
    if spec.at("nodeSelector").count("nodeSelectorTerms") > 1:
        spec.at("nodeSelector", "nodeSelectorTerms").bad("device", "must have exactly one term")
    if spec.has("sharedCounters") and spec.has("devices"):
        spec.at("sharedCounters").bad("device", "may not be given together with 'devices'")
    more = any(one.count("taints") or one.count("consumesCounters") for one in spec.each("devices"))
    at_most(spec, "devices", _MOST_DEVICES_WITH_MORE if more else _MOST_DEVICES)
    names: set[str] = set()
    for device in spec.each("devices"):
        named(device, names, "devices")
        _device(device)
        _use_of_device(device, per_device=per_device)
    _counter_sets(spec, "sharedCounters", "name", _MOST_SETS)


def _pool_name(value: str) -> str | None:
    if len(value) > 253:
        return "must be no more than 253 characters"
    return next((why for part in value.split("/") if (why := formats.dns_subdomain(part))), None)


def _nodes(place: Field, keys: Iterable[str]) -> None:
    """Exactly one of the ways to say which nodes can use a device."""
    place.fits("name", "nodeName", formats.dns_subdomain, pointer=True)
    if place.has("nodeSelector"):
        node_selector(place.at("nodeSelector"))
    given = [key for key in keys if place.has(key)]
    for key in given:
        if place.get(key) is False:
            place.at(key).bad("device", "must be true or not be given")
    if len(given) != 1:
        place.bad("device", f"needs exactly one of {', '.join(keys)}")


def _device(device: Field) -> None:
    if device.count("attributes") + device.count("capacity") > _MOST_ENTRIES:
        device.bad("device", f"must have no more than {_MOST_ENTRIES} attributes and capacities together")
    for key in ("attributes", "capacity"):
        for name, entry in device.pairs(key):
            if why := attribute_name(name):
                entry.bad_key("device", f"'{shown(name)}' {why}")
            if key == "attributes":
                _attribute(entry)


def _attribute(attribute: Field) -> None:
    given = [key for key in _VALUES if attribute.has(key)]
    # The lists of values are dropped: the feature DRAListTypeAttributes is off by default.
    if len(given) != 1:
        attribute.bad("device", f"needs exactly one of {', '.join(_VALUES)}")
    for key in ("string", "version"):
        if len(attribute.text(key).encode()) > _MOST_VALUE:
            attribute.at(key).bad("device", f"must be no more than {_MOST_VALUE} bytes")
    attribute.fits("device", "version", formats.semantic_version, pointer=True)


def _use_of_device(device: Field, *, per_device: bool) -> None:
    ways = ("nodeName", "nodeSelector", "allNodes")
    if per_device:
        _nodes(device, ways)
    elif given := next((key for key in ways if device.has(key)), ""):
        device.at(given).bad("device", "may only be given where the slice says perDeviceNodeSelection: true")
    for _, capacity in device.pairs("capacity"):
        if not capacity.has("requestPolicy"):
            continue
        if device.flag("allowMultipleAllocations"):
            request_policy(capacity)
        else:
            capacity.at("requestPolicy").bad("device", "needs allowMultipleAllocations: true")
    at_most(device, "taints", _MOST_TAINTS)
    for one in device.each("taints"):
        taint(one)
    _counter_sets(device, "consumesCounters", "counterSet", _MOST_CONSUMED)
    _binding(device)


def _counter_sets(place: Field, key: str, name: str, most: int) -> None:
    at_most(place, key, most)
    names: set[str] = set()
    for counters in place.each(key):
        named(counters, names, key, name)
        at_most(counters, "counters", _MOST_COUNTERS)
        if not counters.count("counters"):
            counters.missing("device", "counters", "at least one counter is required")
        for counter, value in counters.pairs("counters"):
            if why := formats.dns_label(counter):
                value.bad_key("name", f"'{shown(counter)}' {why}")


def _binding(device: Field) -> None:
    keys = ("bindingConditions", "bindingFailureConditions")
    if bool(device.count(keys[0])) != bool(device.count(keys[1])):
        device.bad("device", f"'{keys[0]}' and '{keys[1]}' need each other")
    seen: set[str] = set()
    for key in keys:
        at_most(device, key, _MOST_CONDITIONS)
        for index, condition in enumerate(device.strings(key)):
            place = device.at(key).item(index)
            if why := formats.qualified_name(condition):
                place.bad("device", f"'{shown(condition)}' {why}")
            elif condition in seen:
                place.bad("duplicate", f"'{condition}' is given twice")
            seen.add(condition)
