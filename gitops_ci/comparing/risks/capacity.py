"""Replicas, disruption and resources."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.comparing.quantities import quantity
from gitops_ci.comparing.risks.base import Subject, containers, dig
from gitops_ci.model.rendered import Risk

__all__ = ["capacity"]


def capacity(subject: Subject) -> Iterator[Risk]:
    if subject.state != "changed" or subject.before is None or subject.after is None:
        return
    for one in subject.changes("/spec/replicas"):
        if one.new == 0 and not isinstance(one.new, bool):
            yield Risk("capacity", "no replicas: it is switched off", one.head_pointer)
    if subject.kind == "HorizontalPodAutoscaler":
        for one in subject.changes("/spec/minReplicas", "/spec/maxReplicas"):
            yield Risk("capacity", f"{one.path}: {one.old} -> {one.new}", one.head_pointer)
    if subject.kind == "PodDisruptionBudget":
        after = dict(subject.after)
        if dig(after, "spec", "maxUnavailable") in (0, "0%") or dig(after, "spec", "minAvailable") == "100%":
            yield Risk("capacity", "allows no disruption: nodes cannot be drained")
    yield from _resources(subject)


def _resources(subject: Subject) -> Iterator[Risk]:
    before, after = (dict(containers(subject.kind, side)) for side in (subject.before, subject.after))
    for name in before.keys() & after.keys():
        for part in ("requests", "limits"):
            old, new = (dig(side[name].get("resources"), part) or {} for side in (before, after))
            if not (isinstance(old, dict) and isinstance(new, dict)):
                continue
            for resource in sorted(old):
                if resource not in new:
                    yield Risk("capacity", f"{name} has no {part} of {resource} any more")
                    continue
                was, now = quantity(old[resource]), quantity(new[resource])
                if was and now and (now > 2 * was or 2 * now < was):
                    yield Risk("capacity", f"{name} {part} of {resource}: {old[resource]} -> {new[resource]}")
