"""Pods that restart, and images that are not what a reader takes them for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.comparing.images import is_same_name, named, publisher, version_of
from gitops_ci.comparing.risks.base import POD_TEMPLATES, Subject, containers
from gitops_ci.model.rendered import Risk

__all__ = ["older_image", "registry_changed", "restarts_pods"]

_RESTARTING = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


def restarts_pods(subject: Subject) -> Iterator[Risk]:
    """Anything in the template restarts, folded checksums and labels as well. Not the order of a list of no order."""
    if subject.state != "changed" or subject.kind not in _RESTARTING or subject.after is None:
        return
    where = f"/{'/'.join(POD_TEMPLATES[subject.kind])}"
    if any(one.noise not in {"same value", "server", "order"} for one in subject.changes(where)):
        spec = subject.after.get("spec")
        replicas = spec.get("replicas", 1) if isinstance(spec, dict) else 1
        number = replicas if isinstance(replicas, int) and subject.kind != "DaemonSet" else 0
        yield Risk("restarts-pods", f"{number} pod{'' if number == 1 else 's'}" if number else "a pod on each node")


def _images(subject: Subject) -> Iterator[tuple[str, str, str]]:
    before, after = (dict(containers(subject.kind, side)) for side in (subject.before, subject.after))
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name].get("image"), after[name].get("image")
        if isinstance(old, str) and isinstance(new, str) and old != new:
            yield name, old, new


def older_image(subject: Subject) -> Iterator[Risk]:
    """A lower version of the same image, where both are plain versions."""
    for _, old, new in _images(subject):
        was, now = _NUMBERS.match(version_of(old)), _NUMBERS.match(version_of(new))
        if is_same_name(old, new) and was and now:
            lower = [int(one or 0) for one in now.groups()] < [int(one or 0) for one in was.groups()]
            if lower:
                yield Risk("older-image", f"{named(new)}: {version_of(old)} -> {version_of(new)}")


def registry_changed(subject: Subject) -> Iterator[Risk]:
    for name, old, new in _images(subject):
        if publisher(old) != publisher(new):
            yield Risk("registry-changed", f"{name}: {named(old)} -> {named(new)}")
