"""What a PersistentVolumeClaim asks for, wherever it is written.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, ValidatePersistentVolumeClaimSpec.
"""

from __future__ import annotations

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector
from gitops_ci.validation.apimachinery.scalars import quantity

__all__ = ["ACCESS_MODES", "access_modes", "claim_spec", "persistent_volume_claim"]

ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")


def persistent_volume_claim(document: Field) -> None:
    """A claim of its own: what no feature that is on supports is dropped, not refused.

    Source: k8s.io/kubernetes pkg/api/persistentvolumeclaim/util.go.
    """
    spec = document.at("spec")
    _asked(spec)
    source, reference, dropped = spec.at("dataSource"), spec.at("dataSourceRef"), spec.at("")
    if reference.text("namespace"):
        reference = dropped
    if reference.value is None and not _kept(source):
        source = dropped
    _sources(source, reference)


def claim_spec(spec: Field) -> None:
    """The claim that a template holds."""
    _asked(spec)
    _sources(spec.at("dataSource"), spec.at("dataSourceRef"))


def access_modes(spec: Field) -> None:
    modes = spec.strings("accessModes")
    if not modes:
        spec.missing("storage", "accessModes", "at least one access mode is required")
    known = ACCESS_MODES if spec.on(gates.READ_WRITE_ONCE_POD) else ACCESS_MODES[:3]
    for index, mode in enumerate(modes):
        if mode not in known:
            near = next((word for word in known if word.lower() == mode.lower()), None)
            said = f"'{mode}' is not supported; one of {', '.join(known)}"
            spec.at("accessModes").item(index).bad("storage", said, f"Did you mean '{near}'?" if near else "")
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        spec.at("accessModes").bad("storage", "ReadWriteOncePod may not be used with other access modes")


def _asked(spec: Field) -> None:
    access_modes(spec)
    label_selector(spec.at("selector"))
    requests = spec.at("resources", "requests")
    storage = requests.get("storage")
    if storage is None:
        spec.bad("storage", "'resources.requests.storage' is required")
    elif (number := quantity(storage)) is not None and number <= 0:
        requests.at("storage").bad("storage", f"'{storage}' must be greater than zero")
    spec.fits("name", "storageClassName", formats.dns_subdomain)
    spec.fits("name", "volumeAttributesClassName", formats.dns_subdomain)
    spec.one_of("storage", "volumeMode", ("Filesystem", "Block"), pointer=True)


def _sources(source: Field, reference: Field) -> None:
    for given in (source, reference):
        if given.value is not None:
            _reference(given)
    reference.fits("name", "namespace", formats.dns_label)
    if source.value is None or reference.value is None:
        return
    if reference.text("namespace"):
        source.bad("storage", "may not be given when dataSourceRef has a namespace")
    # An apiGroup of '' is another than the absent one: Go has a pointer.
    elif any(source.get(key) != reference.get(key) for key in ("apiGroup", "kind", "name")):
        source.bad("storage", "must match dataSourceRef")


def _kept(source: Field) -> bool:
    if source.text("kind") == "PersistentVolumeClaim":
        return not source.text("apiGroup")
    return source.text("kind") == "VolumeSnapshot" and source.text("apiGroup") == "snapshot.storage.k8s.io"


def _reference(reference: Field) -> None:
    for key in ("kind", "name"):
        if not reference.text(key):
            reference.missing("storage", key)
    group, kind = reference.text("apiGroup"), reference.text("kind")
    if not group and kind and kind != "PersistentVolumeClaim":
        reference.at("kind").bad("storage", "must be PersistentVolumeClaim when no apiGroup is given")
    if reference.on(gates.GROUP_OF_DATA_SOURCE):
        reference.fits("name", "apiGroup", formats.dns_subdomain)
