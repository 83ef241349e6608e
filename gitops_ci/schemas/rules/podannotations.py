"""Annotations of pods that the server reads.

Source: k8s.io/kubernetes pkg/apis/core/validation, ValidatePodSpecificAnnotations.
"""

from __future__ import annotations

import re

from gitops_ci.schemas.rules import formats
from gitops_ci.schemas.rules.base import Spot

__all__ = ["pod_annotations"]

_SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_COST = "controller.kubernetes.io/pod-deletion-cost"
_MIRROR = "kubernetes.io/config.mirror"


def pod_annotations(template: Spot) -> None:
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
                place.bad("annotation", f"'{value}' is no AppArmor profile")
        elif key == _COST and not _is_cost(value):
            place.bad("annotation", f"'{value}' must be a 32-bit integer")
    if found.has(_MIRROR) and not spec.text("nodeName"):
        found.at(_MIRROR).bad_key("annotation", "a mirror pod needs spec.nodeName")


def _why_no_seccomp(value: str) -> str | None:
    if value in {"runtime/default", "docker/default", "unconfined"}:
        return None
    if value.startswith("localhost/"):
        return formats.relative_path(value.removeprefix("localhost/"))
    return "is no seccomp profile"


def _is_cost(value: str) -> bool:
    # No sign and no leading zeros, but for the zero itself.
    return bool(re.fullmatch(r"0|-?[1-9][0-9]{0,9}", value)) and -(1 << 31) <= int(value) < 1 << 31
