"""Volume mounts and devices of a container.

Source: k8s.io/kubernetes pkg/apis/core/validation, ValidateVolumeMounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ci.text import did_you_mean
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["DROPPED_VOLUME", "mounts"]

DROPPED_VOLUME: Mapping[str, Any] = {"dropped": True}
"""An image volume while its feature is off: the server drops it and what mounts it."""


def mounts(container: Field, volumes: Mapping[str, Any]) -> None:
    """`volumes` are the pod's by name, each with its source."""
    devices = {device.text("name"): device.text("devicePath") for device in container.each("volumeDevices")}
    paths: set[str] = set()
    for mount in container.each("volumeMounts"):
        if volumes.get(mount.text("name")) == DROPPED_VOLUME:
            continue
        _exists(mount, volumes)
        _mount(mount, container)
        path = mount.text("mountPath")
        if path and path in paths:
            mount.at("mountPath").bad("mount", f"'{path}' is mounted twice")
        paths.add(path)
        if mount.text("name") in devices:
            mount.at("name").bad("mount", "the volume is also in volumeDevices")
        if path in devices.values():
            mount.at("mountPath").bad("mount", "the path is also in volumeDevices")
    _devices(container, volumes)


def _exists(mount: Field, volumes: Mapping[str, Any]) -> None:
    name = mount.text("name")
    if not name or name in volumes:
        return
    known = f"Volumes: {', '.join(sorted(volumes))}." if volumes else "The pod has no volumes."
    mount.at("name").bad("mount", f"there is no volume '{name}'", did_you_mean(name, volumes) or known)


def _mount(mount: Field, container: Field) -> None:
    for key in ("subPath", "subPathExpr"):
        mount.fits("mount", key, formats.relative_path)
    if mount.text("subPath") and mount.text("subPathExpr"):
        mount.at("subPathExpr").bad("mount", "subPath and subPathExpr exclude each other")
    mount.one_of("mount", "mountPropagation", ("None", "HostToContainer", "Bidirectional"), pointer=True)
    if mount.text("mountPropagation") == "Bidirectional" and not container.at("securityContext").flag("privileged"):
        mount.at("mountPropagation").bad("mount", "Bidirectional is available to privileged containers only")
    mount.one_of("mount", "recursiveReadOnly", ("Disabled", "IfPossible", "Enabled"), pointer=True)
    if mount.text("recursiveReadOnly") in {"IfPossible", "Enabled"}:
        if not mount.flag("readOnly"):
            mount.at("recursiveReadOnly").bad("mount", "may only be given when readOnly is true")
        if mount.text("mountPropagation") not in {"", "None"}:
            mount.at("recursiveReadOnly").bad("mount", "may only be given without mountPropagation")


def _devices(container: Field, volumes: Mapping[str, Any]) -> None:
    mounted = {mount.text("name"): mount.text("mountPath") for mount in container.each("volumeMounts")}
    names: set[str] = set()
    paths: set[str] = set()
    for device in container.each("volumeDevices"):
        name, path = device.text("name"), device.text("devicePath")
        _exists(device, volumes)
        source = volumes.get(name)
        if isinstance(source, dict) and not ({"persistentVolumeClaim", "ephemeral"} & source.keys()):
            device.at("name").bad("mount", "a device needs a volume of a PersistentVolumeClaim")
        if name in names or name in mounted:
            device.at("name").bad("mount", f"volume '{name}' is used twice")
        if path and (path in paths or path in mounted.values()):
            device.at("devicePath").bad("mount", f"'{path}' is used twice")
        device.fits("mount", "devicePath", formats.no_dot_dot)
        names.add(name)
        paths.add(path)
