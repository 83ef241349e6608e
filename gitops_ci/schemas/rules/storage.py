"""PersistentVolumes and the classes and drivers of storage.

Sources: k8s.io/kubernetes pkg/apis/core/validation (ValidatePersistentVolumeSpec), pkg/apis/storage/validation.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from gitops_ci.schemas.rules import formats
from gitops_ci.schemas.rules.base import Spot
from gitops_ci.schemas.rules.claims import access_modes
from gitops_ci.schemas.rules.resources import amount
from gitops_ci.schemas.rules.scheduling import node_selector
from gitops_ci.schemas.rules.volumes import COMMON_SOURCES, csi_driver_name, source_errors
from gitops_ci.schemas.scalars import quantity

__all__ = [
    "csi_driver",
    "csi_storage_capacity",
    "persistent_volume",
    "storage_class",
    "volume_attachment",
    "volume_attributes_class",
]

_NOT_SOURCES = {
    *("capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions"),
    *("volumeMode", "nodeAffinity", "volumeAttributesClassName"),
}


def persistent_volume(document: Spot) -> None:
    spec = document.at("spec")
    access_modes(spec)
    _capacity(spec)
    spec.one_of("storage", "persistentVolumeReclaimPolicy", ("Delete", "Recycle", "Retain"))
    spec.one_of("storage", "volumeMode", ("Filesystem", "Block"), pointer=True)
    spec.fits("name", "storageClassName", formats.dns_subdomain)
    if spec.has("nodeAffinity"):
        if spec.at("nodeAffinity").has("required"):
            node_selector(spec.at("nodeAffinity", "required"))
        else:
            spec.at("nodeAffinity").missing("storage", "required")
    given = source_errors(spec, _SOURCES, _NOT_SOURCES)
    if not given:
        spec.bad("storage", "needs a volume source")
    if given == ["local"] and not spec.has("nodeAffinity"):
        spec.missing("storage", "nodeAffinity", "'nodeAffinity' is required for a local volume")
    root = spec.has("hostPath") and posixpath.normpath(spec.at("hostPath").text("path") or ".") == "/"
    if root and spec.text("persistentVolumeReclaimPolicy") == "Recycle":
        spec.at("persistentVolumeReclaimPolicy").bad("storage", "may not be Recycle for the host path /")
    if spec.has("volumeAttributesClassName"):
        spec.fits("name", "volumeAttributesClassName", formats.dns_subdomain)
        if not spec.text("volumeAttributesClassName"):
            spec.at("volumeAttributesClassName").bad("storage", "must not be empty")
        if not spec.has("csi"):
            spec.missing("storage", "csi", "'csi' is required with volumeAttributesClassName")


def _capacity(spec: Spot) -> None:
    capacity = spec.mapping("capacity")
    if not capacity:
        spec.missing("storage", "capacity")
    elif set(capacity) != {"storage"}:
        spec.at("capacity").bad("storage", "must name 'storage' and nothing else")
    for _, value in spec.pairs("capacity"):
        number = quantity(value.value)
        if number is not None and number <= 0:
            value.bad("storage", f"'{value.value}' must be greater than zero")


def _local(source: Spot) -> None:
    source.fits("volume", "path", formats.no_dot_dot)


def _csi(source: Spot) -> None:
    csi_driver_name(source)
    for key in (
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ):
        if source.has(key):
            _secret(source.at(key))


def _secret(reference: Spot) -> None:
    for key, check in (("name", formats.dns_subdomain), ("namespace", formats.dns_label)):
        if not reference.text(key):
            reference.missing("storage", key)
        reference.fits("name", key, check)


_SOURCES: Mapping[str, Callable[[Spot], None]] = {**COMMON_SOURCES, "local": _local, "csi": _csi}


def storage_class(document: Spot) -> None:
    name = document.text("provisioner")
    if name and (why := formats.qualified_name(name.lower())):
        document.at("provisioner").bad("storage", f"'{name}' {why}")
    _parameters(document, most=512)
    document.one_of("storage", "reclaimPolicy", ("Delete", "Retain"), pointer=True)
    document.one_of("storage", "volumeBindingMode", ("Immediate", "WaitForFirstConsumer"), pointer=True)
    seen: list[dict[str, set[str]]] = [{}]  # a term that asks for nothing counts as a repetition, too
    for term in document.each("allowedTopologies"):
        keys: set[str] = set()
        asked = {one.text("key"): set(one.strings("values")) for one in term.each("matchLabelExpressions")}
        if asked in seen:
            term.bad("duplicate", "the topology is given twice")
        seen.append(asked)
        for expression in term.each("matchLabelExpressions"):
            expression.fits("storage", "key", formats.qualified_name)
            if expression.text("key") in keys:
                expression.at("key").bad("duplicate", f"'{expression.text('key')}' is given twice")
            keys.add(expression.text("key"))
            values = expression.strings("values")
            if len(set(values)) < len(values):
                expression.at("values").bad("duplicate", "a value is given twice")


def _parameters(document: Spot, *, most: int) -> None:
    total = 0
    for name, value in document.pairs("parameters"):
        if not name:
            value.bad_key("storage", "the name of a parameter must not be empty")
        total += len(name.encode()) + len(str(value.value or "").encode())
    if document.count("parameters") > most or total > 256 * 1024:
        document.at("parameters").bad("storage", f"must have no more than {most} parameters and 256 KiB")


def volume_attributes_class(document: Spot) -> None:
    csi_driver_name(document, "driverName")
    if not document.count("parameters"):
        document.missing("storage", "parameters", "at least one parameter is required")
    _parameters(document, most=512)


def csi_driver(document: Spot) -> None:
    spec = document.at("spec")
    spec.one_of("storage", "fsGroupPolicy", ("File", "None", "ReadWriteOnceWithFSType"), pointer=True)
    modes = spec.strings("volumeLifecycleModes")
    for index, mode in enumerate(modes):
        if mode not in {"Persistent", "Ephemeral"}:
            place = spec.at("volumeLifecycleModes").item(index)
            place.bad("storage", f"'{mode}' is not supported; one of Persistent, Ephemeral")
    audiences: set[str] = set()
    for request in spec.each("tokenRequests"):
        audience = request.text("audience")
        if audience in audiences:
            request.bad("duplicate", f"the audience '{audience}' is given twice")
        audiences.add(audience)
        request.within("storage", "expirationSeconds", 600, 1 << 32)
    if spec.has("nodeAllocatableUpdatePeriodSeconds"):
        spec.at_least("storage", "nodeAllocatableUpdatePeriodSeconds", 10)


def csi_storage_capacity(document: Spot) -> None:
    document.fits("name", "storageClassName", formats.dns_subdomain)
    for key in ("capacity", "maximumVolumeSize"):
        if document.has(key):
            amount(document.at(key), "storage")


def volume_attachment(document: Spot) -> None:
    spec = document.at("spec")
    csi_driver_name(spec, "attacher")
    source = spec.at("source")
    if source.has("inlineVolumeSpec") == source.has("persistentVolumeName"):
        spec.bad("storage", "source needs exactly one of persistentVolumeName and inlineVolumeSpec")
    source.fits("name", "persistentVolumeName", formats.dns_subdomain)
    spec.fits("name", "nodeName", formats.dns_subdomain)
