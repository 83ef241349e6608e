"""What a risk is read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Literal

from gitops_ci.dataclass import dataclass
from gitops_ci.model.rendered import PathChange

__all__ = ["POD_TEMPLATES", "Subject", "UnitFacts", "containers", "dig", "marks_of", "pod_template"]

# Where a workload keeps the template of its pods.
POD_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What the operator does with the objects of a unit. `prunes` None: the description does not say.

    `replaces`: what cannot be changed is deleted and created.
    """

    prunes: bool | None = None
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """An object that differs, secrets hidden. `before` and `after` are None where there is none."""

    state: Literal["added", "removed", "changed", "moved", "renamed"]
    kind: str
    group: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    paths: tuple[PathChange, ...] = ()
    unit: UnitFacts = field(default_factory=UnitFacts)
    name: str = ""
    was: str = ""

    def changes(self, *prefixes: str) -> Iterator[PathChange]:
        """The changes at or below pointers."""
        for one in self.paths:
            told = one.head_pointer if one.head_pointer is not None else one.base_pointer or ""
            if any(told == prefix or told.startswith(f"{prefix}/") for prefix in prefixes):
                yield one


def dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def marks_of(value: Any) -> dict[str, Any]:
    """The labels and annotations of an object."""
    found = [dig(value, "metadata", name) for name in ("labels", "annotations")]
    return {key: one for marks in found if isinstance(marks, dict) for key, one in marks.items()}


def pod_template(kind: str, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The template of a workload's pods, None for what has none."""
    if value is None or kind not in POD_TEMPLATES:
        return None
    found = dig(dict(value), *POD_TEMPLATES[kind]) if POD_TEMPLATES[kind] else value
    return found if isinstance(found, dict) else None


def containers(kind: str, value: Mapping[str, Any] | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each container of a workload, with a name that is the same on both sides."""
    spec = dig(pod_template(kind, value), "spec")
    for listed in _CONTAINERS:
        found = dig(spec, listed)
        for number, one in enumerate(found if isinstance(found, list) else []):
            if isinstance(one, dict):
                yield f"{listed}[{one.get('name', number)}]", one
