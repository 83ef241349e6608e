"""Volumes of a pod and their sources.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, ValidateVolumes and the validators of each source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown
from gitops_ci.validation.apimachinery.labels import check_annotations, labels
from gitops_ci.validation.apimachinery.scalars import quantity
from gitops_ci.validation.apiserver.certificates import CERTIFICATE_PATHS, projected_certificate, projected_trust_bundle
from gitops_ci.validation.apiserver.core import env
from gitops_ci.validation.apiserver.core.mounts import DROPPED_VOLUME
from gitops_ci.validation.apiserver.core.persistent_volume_claims import claim_spec
from gitops_ci.validation.apiserver.core.volume_sources import (
    COMMON_SOURCES,
    csi_driver_name,
    source_errors,
    storage_os,
)

__all__ = ["volumes"]

_FIELDS = frozenset({"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid"})


def volumes(spec: Field, claims: frozenset[str], pod: str, *, is_pod: bool) -> Mapping[str, Any]:
    """Check the volumes of a pod spec; returns the sources by volume name, those of claim templates among them.

    A volume with a claim template's name is replaced by it, as the StatefulSet's strategy does. `pod` is the name of
    the Pod, empty in a template: claims of ephemeral volumes have it in their names.
    """
    known: dict[str, Any] = {name: {"persistentVolumeClaim": {}} for name in claims}
    seen: set[str] = set()
    for volume in spec.each("volumes"):
        name = volume.text("name")
        if name in claims:
            continue
        if volume.has("image") and not volume.on(gates.IMAGE_VOLUME):
            known[name] = DROPPED_VOLUME
            continue
        volume.fits("name", "name", formats.dns_label)
        if name in seen:
            volume.at("name").bad("duplicate", f"volume name '{name}' is given twice")
        seen.add(name)
        given = source_errors(volume, _SOURCES, {"name"})
        if volume.has("iscsi"):
            _initiator(volume)
        needs_reference = is_pod or volume.on(gates.IMAGE_REFERENCE_IN_TEMPLATES)
        if volume.has("image") and needs_reference and not volume.at("image").text("reference"):
            volume.at("image").missing("volume", "reference")
        if name:
            known[name] = {key: volume.get(key) for key in given}
    for name in sorted(claims):
        if why := formats.dns_label(name):
            spec.bad("name", f"the volume claim template '{name}' {why}")
    if pod:
        _made_claims(spec, pod)
    return known


def _made_claims(spec: Field, pod: str) -> None:
    """Claims that are made for ephemeral volumes, named POD-VOLUME."""
    made = {f"{pod}-{volume.text('name')}": volume for volume in spec.each("volumes") if volume.has("ephemeral")}
    for name, volume in made.items():
        if why := formats.dns_subdomain(name):
            volume.at("name").bad("name", f"the claim '{shown(name)}' made for it {why}")
    for volume in spec.each("volumes") if made else ():
        claim = volume.at("persistentVolumeClaim")
        if claim.text("claimName") in made:
            claim.at("claimName").bad("volume", "is the claim that is made for an ephemeral volume")


def _modes(source: Field, *keys: str) -> None:
    for key in keys or ("defaultMode",):
        if source.has(key) and (why := formats.file_mode(source.number(key))):
            source.at(key).bad("volume", f"{source.get(key)} {why}", "Write octal with a leading zero: 0644.")


def _items(source: Field) -> None:
    for item in source.each("items"):
        item.fits("volume", "path", formats.volume_file)
        _modes(item, "mode")


def _config_map(source: Field) -> None:
    if not source.text("name"):
        source.missing("volume", "name")
    _modes(source)
    _items(source)


def _secret(source: Field) -> None:
    if not source.text("secretName"):
        source.missing("volume", "secretName")
    _modes(source)
    _items(source)


def _empty_dir(source: Field) -> None:
    limit = source.get("sizeLimit")
    if limit is not None and (number := quantity(limit)) is not None and number < 0:
        source.at("sizeLimit").bad("volume", f"'{limit}' must not be negative")


def _downward_file(file: Field) -> None:
    file.fits("volume", "path", formats.volume_file)
    _modes(file, "mode")
    if file.has("fieldRef"):
        env.field_ref(file.at("fieldRef"), _FIELDS)
        if file.has("resourceFieldRef"):
            file.bad("volume", "fieldRef and resourceFieldRef exclude each other")
    elif file.has("resourceFieldRef"):
        env.resource_ref(file.at("resourceFieldRef"), in_volume=True)
    else:
        file.bad("volume", "needs one of fieldRef and resourceFieldRef")


def _downward_api(source: Field) -> None:
    _modes(source)
    for file in source.each("items"):
        _downward_file(file)


def _projected(volume: Field) -> None:
    _modes(volume)
    paths: set[str] = set()
    for source in volume.each("sources"):
        given = [key for key in (source.value or {}) if source.has(key)]
        if len(given) > 1:
            source.bad("volume", f"may not have more than one source; has {', '.join(given)}")
        for key in given:
            for path in _projection(source.at(key), key):
                if path.value and path.value in paths:
                    path.bad("volume", f"'{path.value}' is given twice")
                paths.add(path.value)


def _projection(source: Field, kind: str) -> list[Field]:
    """Check one projected source; returns the paths of its files, which must be unique."""
    if kind == "clusterTrustBundle":
        projected_trust_bundle(source)
        return [source.at("path")]
    if kind == "podCertificate":
        projected_certificate(source)
        return [source.at(key) for key in CERTIFICATE_PATHS]
    if kind == "serviceAccountToken":
        source.within("volume", "expirationSeconds", 600, 1 << 32)
        if source.on(gates.TOKEN_PATH):
            source.fits("volume", "path", formats.volume_file)
        return []
    if kind == "downwardAPI":
        for file in source.each("items"):
            _downward_file(file)
    else:
        if not source.text("name"):
            source.missing("volume", "name")
        _items(source)
    return [file.at("path") for file in source.each("items")]


def _initiator(volume: Field) -> None:
    # The names of the interface that is made of both.
    source = volume.at("iscsi")
    if source.has("initiatorName") and len(f"{volume.text('name')}:{source.text('targetPortal')}".encode()) > 64:
        volume.at("name").bad("volume", "with iscsi.targetPortal must be no more than 63 characters in all")


def _csi(source: Field) -> None:
    csi_driver_name(source)
    if source.has("nodePublishSecretRef"):
        reference = source.at("nodePublishSecretRef")
        if not reference.text("name"):
            reference.missing("volume", "name")
        reference.fits("name", "name", formats.dns_subdomain)


def _git_repo(source: Field) -> None:
    source.fits("volume", "directory", formats.relative_path)


def _ephemeral(source: Field) -> None:
    if not source.has("volumeClaimTemplate"):
        source.missing("volume", "volumeClaimTemplate")
        return
    template = source.at("volumeClaimTemplate")
    meta = template.at("metadata")
    labels(meta)
    check_annotations(meta)
    for key, value in (meta.value or {}).items() if isinstance(meta.value, dict) else ():
        # Anything but Go's zero value; a list is none, even without items.
        if key not in {"labels", "annotations"} and value not in (None, "", 0):
            meta.at(key).bad("volume", "cannot be set in a volume claim template")
    claim_spec(template.at("spec"))


def _named_secret(source: Field) -> None:
    if source.has("secretRef") and not source.at("secretRef").text("name"):
        source.at("secretRef").missing("volume", "name")


def _storage_os(source: Field) -> None:
    storage_os(source)
    _named_secret(source)


def _image(source: Field) -> None:
    source.one_of("volume", "pullPolicy", ("Always", "IfNotPresent", "Never"))


_SOURCES: Mapping[str, Callable[[Field], None]] = {
    **COMMON_SOURCES,
    "cinder": _named_secret,
    "storageos": _storage_os,
    "emptyDir": _empty_dir,
    "configMap": _config_map,
    "secret": _secret,
    "downwardAPI": _downward_api,
    "projected": _projected,
    "csi": _csi,
    "gitRepo": _git_repo,
    "ephemeral": _ephemeral,
    "image": _image,
}
