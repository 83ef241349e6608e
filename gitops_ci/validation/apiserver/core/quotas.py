"""ResourceQuotas and LimitRanges.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go and pkg/apis/core/helper.
"""

from __future__ import annotations

from decimal import Decimal

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown
from gitops_ci.validation.apimachinery.scalars import quantity
from gitops_ci.validation.apiserver.core.compute_resources import (
    amount,
    container_resource_name,
    is_quota,
    overcommit,
    resource_name,
)

__all__ = ["limit_range", "resource_quota"]

_COMPUTE = frozenset({"pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
# scope -> resources that it may limit; None is any
_SCOPES: dict[str, frozenset[str]] = {
    "Terminating": _COMPUTE,
    "NotTerminating": _COMPUTE,
    "NotBestEffort": _COMPUTE,
    "PriorityClass": _COMPUTE,
    "CrossNamespacePodAffinity": _COMPUTE,
    "BestEffort": frozenset({"pods"}),
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
_OPPOSITES = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_ALONE = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")


def resource_quota(document: Field) -> None:
    spec = document.at("spec")
    for name, value in spec.pairs("hard"):
        why = resource_name(name)
        if why is None and "/" not in name and not is_quota(name):
            why = "is not a resource for a quota"
        if why:
            value.bad_key("quota", f"'{shown(name)}' {why}")
        else:
            amount(value, name)
    scopes = spec.strings("scopes")
    for index, scope in enumerate(scopes):
        _scope(spec, spec.at("scopes").item(index), scope)
    requirements = list(spec.at("scopeSelector").each("matchExpressions"))
    for requirement in requirements:
        _requirement(spec, requirement)
    for names in (set(scopes), {part.text("scopeName") for part in requirements}):
        for pair in _OPPOSITES:
            if names.issuperset(pair):
                spec.bad("quota", f"the scopes {' and '.join(pair)} exclude each other")


def _scope(spec: Field, place: Field, scope: str) -> None:
    if scope not in _SCOPES:
        place.bad("quota", f"'{scope}' is not supported; one of {', '.join(_SCOPES)}")
        return
    for name in spec.mapping("hard"):
        if is_quota(name) and name not in _SCOPES[scope]:
            place.bad("quota", f"the scope {scope} cannot limit {name}")


def _requirement(spec: Field, requirement: Field) -> None:
    scope, operator = requirement.text("scopeName"), requirement.text("operator")
    if requirement.has("scopeName"):
        _scope(spec, requirement.at("scopeName"), scope)
    requirement.one_of("quota", "operator", ("In", "NotIn", "Exists", "DoesNotExist"))
    if scope in _ALONE and operator != "Exists":
        requirement.at("operator").bad("quota", f"must be Exists for the scope {scope}")
    if operator in {"In", "NotIn"} and not requirement.count("values"):
        requirement.missing("quota", "values", f"'values' is required with operator {operator}")
    elif operator in {"Exists", "DoesNotExist"} and requirement.count("values"):
        requirement.at("values").bad("quota", f"may not be given with operator {operator}")


def limit_range(document: Field) -> None:
    seen: set[str] = set()
    for limit in document.at("spec").each("limits"):
        kind = limit.text("type")
        if kind and (why := _limit_type(kind)):
            limit.at("type").bad("limit-range", f"'{kind}' {why}")
        if kind in seen:
            limit.at("type").bad("duplicate", f"the type {kind} is given twice")
        seen.add(kind)
        if kind == "Pod":
            for key in ("default", "defaultRequest"):
                if limit.count(key):
                    limit.at(key).bad("limit-range", "may not be given for the type Pod")
        if (
            kind == "PersistentVolumeClaim"
            and not limit.at("min").has("storage")
            and not limit.at("max").has("storage")
        ):
            limit.bad("limit-range", "min or max of storage is required")
        _amounts(limit, kind)


def _limit_type(kind: str) -> str | None:
    if why := formats.qualified_name(kind):
        return why
    known = {"Pod", "Container", "PersistentVolumeClaim"}
    return None if "/" in kind or kind in known else "must be Pod, Container or PersistentVolumeClaim, or have a domain"


def _amounts(limit: Field, kind: str) -> None:
    names: dict[str, None] = {}
    for key in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
        for name, value in limit.pairs(key):
            check = container_resource_name if kind in {"Pod", "Container"} else resource_name
            if why := check(name):
                value.bad_key("limit-range", f"'{shown(name)}' {why}")
            names[name] = None
    for name in names:
        _order(limit, name)


def _order(limit: Field, name: str) -> None:
    found: dict[str, Decimal] = {}
    for key in ("min", "defaultRequest", "default", "max"):
        number = quantity(limit.mapping(key).get(name)) if limit.at(key).has(name) else None
        if number is not None:
            found[key] = number
    keys = list(found)
    for position, low in enumerate(keys):
        for high in keys[position + 1 :]:
            if found[low] > found[high]:
                limit.at(low, name).bad("limit-range", f"{low} of {name} is greater than {high}")
    # Of a container the default is the maximum unless given (pkg/apis/core/v1/defaults.go).
    default = found.get("default", found.get("max") if limit.text("type") == "Container" else None)
    unequal = default is not None and "defaultRequest" in found and default != found["defaultRequest"]
    if unequal and not overcommit(name):
        limit.at("defaultRequest", name).bad("limit-range", f"must equal default for {name}")
    ratio = (
        quantity(limit.mapping("maxLimitRequestRatio").get(name))
        if limit.at("maxLimitRequestRatio").has(name)
        else None
    )
    if ratio is None:
        return
    place = limit.at("maxLimitRequestRatio", name)
    if ratio < 1:
        place.bad("limit-range", "a ratio must be at least 1")
    elif found.get("min") and "max" in found and ratio > found["max"] / found["min"]:
        place.bad("limit-range", "the ratio is greater than max divided by min")
