"""PersistentVolumes and the classes, drivers and nodes of storage.

Sources: k8s.io/kubernetes pkg/apis/core/validation (ValidatePersistentVolumeSpec), pkg/apis/storage/validation.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector
from gitops_ci.validation.apimachinery.scalars import quantity
from gitops_ci.validation.apiserver.core.compute_resources import amount
from gitops_ci.validation.apiserver.core.persistent_volume_claims import access_modes
from gitops_ci.validation.apiserver.core.pod_scheduling import node_selector
from gitops_ci.validation.apiserver.core.volume_sources import (
    COMMON_SOURCES,
    csi_driver_name,
    flex,
    iscsi,
    source_errors,
    storage_os,
)

__all__ = [
    "csi_driver",
    "csi_node",
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

_BEFORE_FLEX = (
    *("hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte"),
    *("cephfs", "iscsi", "cinder", "fc"),
)


def persistent_volume(document: Field) -> None:
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
    given = _source(spec)
    if not given:
        spec.bad("storage", "needs a volume source")
    if given == ["local"] and not spec.has("nodeAffinity"):
        spec.missing("storage", "nodeAffinity", "'nodeAffinity' is required for a local volume")
    if given == ["iscsi"]:
        _initiator(document, spec.at("iscsi"))
    root = spec.has("hostPath") and posixpath.normpath(spec.at("hostPath").text("path") or ".") == "/"
    if root and spec.text("persistentVolumeReclaimPolicy") == "Recycle":
        spec.at("persistentVolumeReclaimPolicy").bad("storage", "may not be Recycle for the host path /")
    if spec.has("volumeAttributesClassName"):
        spec.fits("name", "volumeAttributesClassName", formats.dns_subdomain)
        if not spec.text("volumeAttributesClassName"):
            spec.at("volumeAttributesClassName").bad("storage", "must not be empty")
        if not spec.has("csi"):
            spec.missing("storage", "csi", "'csi' is required with volumeAttributesClassName")


def _source(spec: Field) -> list[str]:
    """Check the one source of a volume; returns the names of those that are given."""
    # The server counts a flexVolume without a look at those it has met before.
    if spec.has("flexVolume") and any(spec.has(key) for key in _BEFORE_FLEX):
        flex(spec.at("flexVolume"))
        return source_errors(spec, _SOURCES, _NOT_SOURCES | {"flexVolume"})
    return source_errors(spec, _SOURCES, _NOT_SOURCES)


def _capacity(spec: Field) -> None:
    capacity = spec.mapping("capacity")
    if not capacity:
        spec.missing("storage", "capacity")
    elif set(capacity) != {"storage"}:
        spec.at("capacity").bad("storage", "must name 'storage' and nothing else")
    for _, value in spec.pairs("capacity"):
        number = quantity(value.value)
        if number is not None and number <= 0:
            value.bad("storage", f"'{value.value}' must be greater than zero")


def _initiator(document: Field, source: Field) -> None:
    # Both together become the name of an interface, once an initiator is named.
    name = document.at("metadata").text("name")
    if source.has("initiatorName") and len(f"{name}:{source.text('targetPortal')}".encode()) > 64:
        source.at("targetPortal").bad("volume", "must have no more than 64 characters together with the volume's name")


def _local(source: Field) -> None:
    source.fits("volume", "path", formats.no_dot_dot)


def _iscsi(source: Field) -> None:
    iscsi(source)
    if source.has("secretRef") and not source.at("secretRef").text("name"):
        source.at("secretRef").missing("storage", "name")


def _glusterfs(source: Field) -> None:
    source.fits("volume", "endpointsNamespace", formats.dns_label, pointer=True)


def _azure_file(source: Field) -> None:
    if source.has("secretNamespace") and not source.text("secretNamespace"):
        source.missing("volume", "secretNamespace")


def _with_secret(source: Field) -> None:
    if source.has("secretRef"):
        for key in ("name", "namespace"):
            if not source.at("secretRef").text(key):
                source.at("secretRef").missing("storage", key)


def _storage_os(source: Field) -> None:
    storage_os(source)
    _with_secret(source)


def _csi(source: Field) -> None:
    csi_driver_name(source)
    for key in (
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ):
        if source.has(key):
            _secret(source.at(key))


def _secret(reference: Field) -> None:
    for key, check in (("name", formats.dns_subdomain), ("namespace", formats.dns_label)):
        if not reference.text(key):
            reference.missing("storage", key)
        reference.fits("name", key, check)


_SOURCES: Mapping[str, Callable[[Field], None]] = {
    **COMMON_SOURCES,
    "azureFile": _azure_file,
    "cinder": _with_secret,
    "csi": _csi,
    "glusterfs": _glusterfs,
    "iscsi": _iscsi,
    "local": _local,
    "storageos": _storage_os,
}


def storage_class(document: Field) -> None:
    _provisioner(document, "provisioner")
    _parameters(document, most=512)
    document.one_of("storage", "reclaimPolicy", ("Delete", "Retain"))
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


def _provisioner(document: Field, key: str) -> None:
    document.fits("storage", key, lambda name: formats.qualified_name(name.lower()))


def _parameters(document: Field, *, most: int) -> None:
    total = 0
    for name, value in document.pairs("parameters"):
        if not name:
            value.bad_key("storage", "the name of a parameter must not be empty")
        total += len(name.encode()) + len(str(value.value or "").encode())
    if document.count("parameters") > most or total > 256 * 1024:
        document.at("parameters").bad("storage", f"must have no more than {most} parameters and 256 KiB")


def volume_attributes_class(document: Field) -> None:
    _provisioner(document, "driverName")
    if not document.count("parameters"):
        document.missing("storage", "parameters", "at least one parameter is required")
    _parameters(document, most=512)


def csi_driver(document: Field) -> None:
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
    spec.at_least("storage", "nodeAllocatableUpdatePeriodSeconds", 10)
    if spec.has("serviceAccountTokenInSecrets") and not spec.count("tokenRequests"):
        spec.at("serviceAccountTokenInSecrets").bad("storage", "may not be set without tokenRequests")


def csi_node(document: Field) -> None:
    names: set[str] = set()
    for driver in document.at("spec").each("drivers"):
        csi_driver_name(driver, "name")
        if driver.text("name") in names:
            driver.at("name").bad("duplicate", f"the driver '{driver.text('name')}' is given twice")
        names.add(driver.text("name"))
        if len(driver.text("nodeID").encode()) > 256:
            driver.at("nodeID").bad("storage", "must be no more than 256 characters")
        driver.at("allocatable").at_least("storage", "count", 0)
        keys = driver.strings("topologyKeys")
        for index, key in enumerate(keys):
            if key in keys[:index]:
                driver.at("topologyKeys").item(index).bad("duplicate", f"'{key}' is given twice")
            elif why := formats.qualified_name(key):
                driver.at("topologyKeys").item(index).bad("storage", f"'{key}' {why}")


def csi_storage_capacity(document: Field) -> None:
    label_selector(document.at("nodeTopology"))
    document.fits("name", "storageClassName", formats.dns_subdomain)
    if document.has("capacity"):
        amount(document.at("capacity"), "storage")


def volume_attachment(document: Field) -> None:
    spec = document.at("spec")
    csi_driver_name(spec, "attacher")
    source = spec.at("source")
    if source.has("inlineVolumeSpec") == source.has("persistentVolumeName"):
        spec.bad("storage", "source needs exactly one of persistentVolumeName and inlineVolumeSpec")
    source.fits("name", "persistentVolumeName", formats.dns_subdomain, pointer=True)
    spec.fits("name", "nodeName", formats.dns_subdomain)
    if source.has("inlineVolumeSpec"):
        _inline_volume(source.at("inlineVolumeSpec"))


def _inline_volume(spec: Field) -> None:
    """A volume without a PersistentVolume of its own (ValidatePersistentVolumeSpec, inline)."""
    access_modes(spec)
    for key in ("claimRef", "nodeAffinity"):
        if spec.has(key):
            spec.at(key).bad("storage", "may not be given for an inline volume")
    for key in ("capacity", "storageClassName"):
        if spec.count(key) or spec.text(key):
            spec.at(key).bad("storage", "may not be given for an inline volume")
    spec.one_of("storage", "persistentVolumeReclaimPolicy", ("Retain",))
    spec.one_of("storage", "volumeMode", ("Filesystem",), pointer=True)
    _source(spec)
    if not spec.has("csi"):
        spec.missing("storage", "csi", "'csi' is required for an inline volume")
