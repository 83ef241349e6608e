"""Annotations of pods that the server reads.

Source: k8s.io/kubernetes pkg/apis/core/validation, ValidatePodSpecificAnnotations.
"""

from __future__ import annotations

import re

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["pod_annotations"]

_SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_COST = "controller.kubernetes.io/pod-deletion-cost"
_MIRROR = "kubernetes.io/config.mirror"


def pod_annotations(template: Field, *, is_pod: bool) -> None:
    found = template.at("metadata", "annotations")
    spec = template.at("spec")
    names = {one.text("name") for group in ("containers", "initContainers") for one in spec.each(group)}
    for key, place in template.at("metadata").pairs("annotations"):
        value = place.value if isinstance(place.value, str) else ""
        if (key == _SECCOMP or key.startswith(_SECCOMP_CONTAINER)) and (why := _why_no_seccomp(value)):
            place.bad("annotation", f"'{value}' {why}")
        elif key.startswith(_APP_ARMOR):
            name = key.removeprefix(_APP_ARMOR)
            if name not in names:
                place.bad_key("annotation", f"there is no container '{name}'")
            if value not in {"", "runtime/default", "unconfined"} and not value.startswith("localhost/"):
                place.bad("annotation", f"'{value}' is not an AppArmor profile")
        elif key == _COST and not _is_cost(value):
            place.bad("annotation", f"'{value}' must be a 32-bit integer")
    if found.has(_MIRROR) and not spec.text("nodeName"):
        found.at(_MIRROR).bad_key("annotation", "a mirror pod needs spec.nodeName")
    if found.has(_MIRROR) and spec.count("resourceClaims"):
        spec.at("resourceClaims").bad("annotation", "a mirror pod may not have resource claims")
    if found.value:
        _agree(found, spec, is_pod=is_pod)


def _agree(found: Field, spec: Field, *, is_pod: bool) -> None:
    """Profiles in annotations are those of the fields (validateSeccompAnnotationsAndFields and AppArmor's likewise)."""
    pod = spec.at("securityContext")
    _same_profile(found, _SECCOMP, pod.at("seccompProfile"))
    windows = spec.at("os").text("name") == "windows"
    for group in ("containers", "initContainers"):
        for container in spec.each(group):
            own, name = container.at("securityContext"), container.text("name")
            _same_profile(found, f"{_SECCOMP_CONTAINER}{name}", own.at("seccompProfile"))
            if not windows:
                # A Pod's annotation becomes the field of a container that has none (applyAppArmorVersionSkew).
                profile = own if is_pod or own.has("appArmorProfile") else pod
                _same_profile(found, f"{_APP_ARMOR}{name}", profile.at("appArmorProfile"))


def _same_profile(found: Field, key: str, profile: Field) -> None:
    if not found.has(key) or profile.value is None:
        return
    names = {
        "Unconfined": ("unconfined",),
        "RuntimeDefault": ("runtime/default", *(() if key.startswith(_APP_ARMOR) else ("docker/default",))),
        "Localhost": (f"localhost/{profile.text('localhostProfile')}",),
    }.get(profile.text("type"))
    if names and found.text(key) not in names:
        found.at(key).bad("annotation", f"'{found.text(key)}' is not the profile of the field, which is {names[0]}")


def _why_no_seccomp(value: str) -> str | None:
    if value in {"runtime/default", "docker/default", "unconfined"}:
        return None
    if value.startswith("localhost/"):
        return formats.relative_path(value.removeprefix("localhost/"))
    return "is not a seccomp profile"


def _is_cost(value: str) -> bool:
    # No sign and no leading zeros, but for the zero itself.
    return bool(re.fullmatch(r"0|-?[1-9][0-9]{0,9}", value)) and -(1 << 31) <= int(value) < 1 << 31
