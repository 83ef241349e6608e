"""Resource names and quantities: requests and limits.

Sources: k8s.io/kubernetes pkg/apis/core/validation/validation.go, validateResourceRequirements; pkg/apis/core/helper.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown
from gitops_ci.validation.apimachinery.scalars import quantity

__all__ = [
    "STANDARD",
    "container_resource_name",
    "is_integer",
    "overcommit",
    "overhead",
    "requirements",
    "resource_name",
]

_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
_QUOTA = frozenset(
    {
        *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage"),
        *("requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods"),
        *("resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps"),
        *("services.nodeports", "services.loadbalancers"),
    }
)
STANDARD = _QUOTA | {"storage"}
_INTEGERS = frozenset(
    {
        *("pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps"),
        *("persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
    }
)


def is_huge_page(name: str) -> bool:
    return name.startswith("hugepages-")


def is_quota(name: str) -> bool:
    return name in _QUOTA or is_huge_page(name) or name.startswith("requests.hugepages-")


def is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """A device's resource: it has a domain that is not Kubernetes' own, and is a good quota name with `requests.`."""
    if is_native(name) or name.startswith("requests."):
        return False
    return formats.qualified_name(f"requests.{name}") is None


def is_integer(name: str) -> bool:
    return name in _INTEGERS or is_extended(name)


def overcommit(name: str) -> bool:
    """Whether more may be limited than requested: not for devices and huge pages."""
    return is_native(name) and not is_huge_page(name)


def resource_name(name: str) -> str | None:
    if why := formats.qualified_name(name):
        return why
    if (
        "/" not in name
        and name not in STANDARD
        and not is_huge_page(name)
        and not name.startswith("requests.hugepages-")
    ):
        return "must be a standard resource or have a domain"
    return None


def container_resource_name(name: str) -> str | None:
    if why := resource_name(name):
        return why
    if "/" not in name:
        return None if name in _CONTAINER or is_huge_page(name) else "is not a resource of a container"
    return None if is_native(name) or is_extended(name) else "is not a name of an extended resource"


def amount(field: Field, name: str) -> None:
    """The quantity at `field`, of the resource `name`."""
    number = quantity(field.value)
    if number is None:
        return
    if number < 0:
        field.bad("resources", f"'{field.value}' must not be negative")
    if is_integer(name) and number != number.to_integral_value():
        field.bad("resources", f"'{field.value}' must be a whole number for {name}")


def requirements(place: Field, claims: set[str]) -> None:
    """`resources` of a container; `claims` are the names in the pod's resourceClaims."""
    if type(place.value) is not dict:
        return
    names: set[str] = set()
    for side in ("limits", "requests"):
        for name, value in place.pairs(side):
            names.add(name)
            _entry(value, name)
    _compare(place)
    _needs_more_than_huge_pages(place, names)
    _claims(place, claims)


def _entry(value: Field, name: str) -> None:
    if why := container_resource_name(name):
        value.bad_key("resources", f"'{shown(name)}' {why}")
        return
    amount(value, name)
    _huge_page(value, name)


def overhead(place: Field, key: str) -> None:
    """What a pod takes beside its containers, judged as limits (validateOverhead)."""
    for name, value in place.pairs(key):
        _entry(value, name)
    _needs_more_than_huge_pages(place.at(key), set(place.mapping(key)))


def pod_requirements(spec: Field, *, is_pod: bool) -> None:
    """`resources` of a whole pod (PodLevelResources), and overhead."""
    overhead(spec, "overhead")
    place = spec.at("resources")
    if type(place.value) is not dict:
        return
    if spec.at("os").text("name") == "windows":
        place.bad("resources", "may not be set for a windows pod")
    if place.has("claims"):
        place.at("claims").bad("resources", "may not be set for a whole pod")
    names: set[str] = set()
    for side in ("limits", "requests"):
        for name, value in place.pairs(side):
            names.add(name)
            if name not in {"cpu", "memory"} and not is_huge_page(name):
                value.bad_key("resources", f"'{shown(name)}' is not supported for a whole pod")
            amount(value, name)
            _huge_page(value, name)
    _compare(place)
    _needs_more_than_huge_pages(place, names)
    _within_pod(spec, place, is_pod=is_pod)


def _needs_more_than_huge_pages(place: Field, names: set[str]) -> None:
    if not names & {"cpu", "memory"} and any(is_huge_page(name) for name in names):
        place.bad("resources", "huge pages need a cpu or memory limit or request as well")


def _within_pod(spec: Field, place: Field, *, is_pod: bool) -> None:
    """What the containers ask for fits into what the pod has (validatePodResourceConsistency)."""
    limits, requests = place.mapping("limits"), place.mapping("requests")
    for container in spec.each("containers"):
        for name, value in container.at("resources").pairs("limits"):
            whole, own = quantity(limits.get(name)), quantity(value.value)
            if whole is not None and own is not None and own > whole:
                value.bad("resources", f"the limit '{value.value}' is more than the pod's of {name}")
    asked = _together(spec, "requests", default="limits" if is_pod else "requests")
    for name, value in place.pairs("requests"):
        whole = quantity(value.value)
        if whole is not None and asked.get(name, whole) > whole:
            value.bad("resources", f"the containers request more {name} than the pod")
    limited = _together(spec, "limits", default="limits")
    for name, value in place.pairs("limits"):
        whole = quantity(value.value)
        # A Pod's request is by default that of its containers, and may not be more than its limit.
        sums = limited if is_huge_page(name) else asked if is_pod and name not in requests else {}
        if whole is not None and sums.get(name, whole) > whole:
            value.bad("resources", f"the containers ask for more {name} than the pod's limit")


def _together(spec: Field, side: str, default: str) -> dict[str, Decimal]:
    """What the containers ask for together (AggregateContainerRequests of component-helpers resource/helpers.go).

    Sidecars count with the containers, and with each init container that starts after them; `default` is the side that
    counts for a resource that `side` does not name.
    """

    def own(container: Field) -> dict[str, Decimal]:
        resources = container.at("resources")
        named = {**resources.mapping(default), **resources.mapping(side)}
        return {name: number for name, value in named.items() if (number := quantity(value)) is not None}

    total: dict[str, Decimal] = {}
    for container in spec.each("containers"):
        _add(total, own(container))
    sidecars: dict[str, Decimal] = {}
    peaks: list[dict[str, Decimal]] = []
    for container in spec.each("initContainers"):
        needs = own(container)
        if container.text("restartPolicy") == "Always":
            _add(total, needs)
            _add(sidecars, needs)
        else:
            _add(needs, sidecars)
            peaks.append(needs)
    return {name: max(each.get(name, Decimal(0)) for each in (total, *peaks)) for name in {*total}.union(*peaks)}


def _add(total: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for name, number in more.items():
        total[name] = total.get(name, Decimal(0)) + number


def _huge_page(value: Field, name: str) -> None:
    size = quantity(name.removeprefix("hugepages-")) if is_huge_page(name) else None
    number = quantity(value.value)
    if not is_huge_page(name) or number is None:
        return
    if not size or number % size:
        value.bad("resources", f"'{value.value}' must be a multiple of the page size in {name}")


def _compare(place: Field) -> None:
    limits = place.mapping("limits")
    for name, value in place.pairs("requests"):
        request, limit = quantity(value.value), quantity(limits.get(name))
        if limit is None and not overcommit(name):
            value.bad("resources", f"a limit for {name} is required as well")
        if request is None or limit is None:
            continue
        if request > limit:
            value.bad("resources", f"the request '{value.value}' is more than the limit '{limits[name]}' of {name}")
        elif request != limit and not overcommit(name):
            value.bad("resources", f"the request '{value.value}' must equal the limit '{limits[name]}' of {name}")


def _claims(place: Field, claims: set[str]) -> None:
    seen: set[tuple[str, str]] = set()
    for claim in place.each("claims"):
        name, request = claim.text("name"), claim.text("request")
        if name and name not in claims:
            claim.at("name").bad("resources", f"there is no '{name}' in the pod's resourceClaims")
        if (name, request) in seen or (name, "") in seen or (not request and any(other == name for other, _ in seen)):
            claim.bad("duplicate", f"resource claim '{name}' is given twice")
        seen.add((name, request))
        claim.fits("name", "request", formats.dns_label)
