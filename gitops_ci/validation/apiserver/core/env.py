"""Environment variables and where they take their values from.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, ValidateEnv and ValidateEnvFrom.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gitops_ci.text import did_you_mean
from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.scalars import quantity

__all__ = ["FIELDS", "environment", "field_ref", "resource_ref"]

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
FIELDS = frozenset(
    {
        *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
        *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
    }
)
_HOST_IPS = "status.hostIPs"
_RESOURCES = frozenset(
    f"{side}.{name}" for side in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage")
)
# What the conversion of downward API labels knows (pkg/apis/core/pods/helpers.go).
_KNOWN = frozenset(
    {
        *("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"),
        *("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase"),
        *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
    }
)
_BYTES = frozenset(quantity(f"1{unit}") for unit in ("", "k", "M", "G", "T", "P", "E"))
_BINARY_BYTES = frozenset(quantity(f"1{unit}") for unit in ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
_CORES = frozenset({quantity("1"), quantity("1m")})
_ONE = frozenset({Decimal(1)})


def environment(container: Field, volumes: Mapping[str, Any]) -> None:
    """`volumes` are the pod's by name, each with its source."""
    for variable in container.each("env"):
        name = variable.text("name")
        if name and (why := formats.env_name(name, container.minor)):
            variable.at("name").bad("env", f"'{name}' {why}")
        if variable.has("valueFrom"):
            _value_from(variable, volumes)
    for source in container.each("envFrom"):
        prefix = source.text("prefix")
        if prefix and (why := formats.env_name(prefix, container.minor)):
            source.at("prefix").bad("env", f"'{prefix}' {why}")
        given = [key for key in ("configMapRef", "secretRef") if source.has(key)]
        if len(given) != 1:
            source.bad("env", "needs exactly one of configMapRef and secretRef")
        for key in given:
            _named(source.at(key))


def _named(reference: Field) -> None:
    name = reference.text("name")
    # A trailing dash is let through here, as for a name that is completed later.
    if not name:
        reference.missing("env", "name")
    elif why := formats.dns_subdomain(f"{name[:-1]}a" if name.endswith("-") else name):
        reference.at("name").bad("env", f"'{name}' {why}")


def _value_from(variable: Field, volumes: Mapping[str, Any]) -> None:
    source = variable.at("valueFrom")
    given = [key for key in _SOURCES if source.has(key)]
    if not given:
        source.bad("env", f"needs one of {', '.join(_SOURCES[:4])}")
    elif variable.text("value"):
        source.bad("env", "may not be given together with a value")
    elif len(given) > 1:
        source.bad("env", f"may have only one of {', '.join(given)}")
    for key in given:
        reference = source.at(key)
        if key == "fieldRef":
            field_ref(reference, FIELDS)
        elif key == "resourceFieldRef":
            resource_ref(reference, in_volume=False)
        elif key == "fileKeyRef":
            _file_key(reference, volumes)
        else:
            _key_of(reference)


def _key_of(reference: Field) -> None:
    name = reference.text("name")
    if not name:
        reference.missing("env", "name")
    elif why := formats.dns_subdomain(name):
        reference.at("name").bad("env", f"'{name}' {why}")
    reference.fits("env", "key", formats.config_key)


def _file_key(reference: Field, volumes: Mapping[str, Any]) -> None:
    """A variable of a file in an emptyDir (validateFileKeySelector, validateFileKeyRefVolumes)."""
    if why := formats.env_name(reference.text("key"), reference.minor):
        reference.at("key").bad("env", f"'{reference.text('key')}' {why}")
    reference.fits("env", "path", formats.no_dot_dot)
    name = reference.text("volumeName")
    source = volumes.get(name)
    if source is None:
        reference.at("volumeName").bad("env", f"there is no volume '{name}'", did_you_mean(name, volumes))
    # A volume without any source is an emptyDir, by default.
    elif source and "emptyDir" not in source:
        reference.at("volumeName").bad("env", f"the volume '{name}' must be an emptyDir")


def field_ref(reference: Field, allowed: frozenset[str]) -> None:
    path = reference.text("fieldPath")
    if path == "spec.host":  # the name that old clients have for it
        path = "spec.nodeName"
    if reference.text("apiVersion") not in {"", "v1"}:
        reference.at("apiVersion").bad("env", "must be v1")
    elif subscript := _subscript(path):
        field, key = subscript
        if field not in {"metadata.annotations", "metadata.labels"}:
            reference.at("fieldPath").bad("env", f"'{field}' does not support a subscript")
            return
        check = formats.annotation_key if field.endswith("annotations") else formats.qualified_name
        if why := check(key):
            reference.at("fieldPath").bad("env", f"the key '{key}' {why}")
    elif path == _HOST_IPS and not reference.on(gates.POD_HOST_IPS):
        reference.at("fieldPath").bad("env", f"'{path}' is not supported")
    elif path and (path not in allowed or path not in _KNOWN):
        reference.at("fieldPath").bad("env", f"'{path}' is not supported; one of {', '.join(sorted(allowed))}")


def _subscript(path: str) -> tuple[str, str] | None:
    """The field and the key of `metadata.labels['app']`, None for a path without a subscript.

    Source: pkg/fieldpath (SplitMaybeSubscriptedPath).
    """
    field, bracket, key = path.removesuffix("']").partition("['")
    return (field, key) if field and bracket and path.endswith("']") else None


def resource_ref(reference: Field, *, in_volume: bool) -> None:
    resource = reference.text("resource")
    huge = resource.startswith(("limits.hugepages-", "requests.hugepages-"))
    if in_volume and not reference.text("containerName"):
        reference.missing("env", "containerName")
    elif resource and resource not in _RESOURCES and not huge:
        reference.at("resource").bad("env", f"'{resource}' is not supported; one of {', '.join(sorted(_RESOURCES))}")
    divisor = reference.get("divisor")
    if divisor is not None and (number := quantity(divisor)) and number not in _divisors(resource, str(divisor)):
        reference.at("divisor").bad("env", f"'{divisor}' is not a divisor for {resource}")


def _divisors(resource: str, divisor: str) -> frozenset[Decimal | None]:
    """What the server compares with is the canonical text: 1024 is not its 1Ki, and 1e3 not its 1k."""
    divisor = divisor.strip()
    if divisor.endswith("i"):
        return _ONE if resource.endswith(".cpu") else _BINARY_BYTES
    if "e" in divisor.lower()[:-1]:
        return _ONE
    return _CORES if resource.endswith(".cpu") else _BYTES
