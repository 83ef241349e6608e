"""PriorityClass. Source: k8s.io/kubernetes pkg/apis/scheduling/validation."""

from __future__ import annotations

from gitops_ci.validation.apimachinery.field import Field

__all__ = ["priority_class"]

_MOST_PRIORITY = 1_000_000_000
_SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def priority_class(document: Field) -> None:
    meta = document.at("metadata")
    name = meta.text("name") or meta.text("generateName")
    if name.startswith("system-"):
        known = document.number("value") == _SYSTEM_CLASSES.get(name) and not document.flag("globalDefault")
        if not known:
            place = meta.at("name" if meta.text("name") else "generateName")
            place.bad("priority", "names that start with 'system-' are reserved")
    elif document.number("value") > _MOST_PRIORITY:
        document.at("value").bad("priority", f"must be no more than {_MOST_PRIORITY}")
    document.one_of("priority", "preemptionPolicy", ("PreemptLowerPriority", "Never"), pointer=True)
