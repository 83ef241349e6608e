"""What a change breaks that neither of its sides shows alone: fields that cannot change, and objects that take others
with them when they go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gitops_ci.comparing.risks.base import dig, marks_of
from gitops_ci.comparing.risks.update_validation import REFUSING
from gitops_ci.dataclass import dataclass
from gitops_ci.model.rendered import ObjectChange

__all__ = ["CRD_IN_USE", "DELETES_DATA", "IMMUTABLE", "Break", "breaks_of"]

IMMUTABLE, DELETES_DATA, CRD_IN_USE = "repo/immutable", "repo/deletes-data", "repo/crd-in-use"
_DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")
_RESTORE = (
    "Keep it, or mark it to be kept: Prune=false for Argo CD, kustomize.toolkit.fluxcd.io/prune: disabled for Flux."
)

# Whether the head still has an object of the kind with this name; how many objects of a custom kind it has.
StillThere = Callable[[ObjectChange], bool]
Remaining = Callable[[str, str], int]


@dataclass(frozen=True, slots=True)
class Break:
    """A broken rule. `pointer` is the value in the head's object that breaks it, '' for an object that is gone.

    `field` is the same for persons.
    """

    rule: str
    object: ObjectChange
    message: str
    hint: str
    pointer: str = ""
    field: str = ""

    @property
    def name(self) -> str:
        """The name of the object that is broken: of a renamed one that of the base."""
        was = self.object.was if self.object.state == "renamed" and not self.pointer else ""
        return was or self.object.name


def breaks_of(objects: Iterable[ObjectChange], is_there: StillThere, remaining: Remaining) -> Iterator[Break]:
    """All of a change. `is_there` and `remaining` look for what the compared objects do not show."""
    for one in objects:
        yield from _refusals(one)
        if one.before is not None and _is_gone(one) and not is_there(one):
            yield from _losses(one, one.before, remaining)


def _refusals(one: ObjectChange) -> Iterator[Break]:
    source = REFUSING.get((one.group, one.kind))
    for risk in one.risks:
        if risk.name == "refused" and source is not None:
            field, _, _ = risk.why.partition(" cannot be changed")
            message = "cannot be changed: the API server refuses the update"
            hint = f"Delete the object and create it again, or give it another name ({source.source})."
            yield Break(IMMUTABLE, one, message, hint, risk.pointer or "", field)


def _is_gone(one: ObjectChange) -> bool:
    """Whether the object of the base is not in the head. What moves to another unit is there."""
    if any(risk.name == "kept" for risk in one.risks) or _is_kept(one.before or {}):
        return False
    return one.state in {"removed", "renamed"} or (one.state == "moved" and "namespace" in one.was)


def _is_kept(before: Mapping[str, Any]) -> bool:
    marks = marks_of(dict(before))
    return (
        "helm.sh/hook" in marks or "argocd.argoproj.io/hook" in marks or marks.get("helm.sh/resource-policy") == "keep"
    )


def _losses(one: ObjectChange, before: Mapping[str, Any], remaining: Remaining) -> Iterator[Break]:
    if (one.group, one.kind) == _DEFINITION:
        group, kind = dig(dict(before), "spec", "group"), dig(dict(before), "spec", "names", "kind")
        number = remaining(str(group), str(kind))
        if number:
            left = "one object of it remains" if number == 1 else f"{number:,} objects of it remain"
            message = f"the definition of {kind} is removed, and {left}: they are deleted with it"
            yield Break(CRD_IN_USE, one, message, "Remove the objects first, or keep the definition.")
            return
    if why := _loss(one, dict(before)):
        what = f"renamed to {one.name}" if one.state == "renamed" else "removed"
        prunes = any(risk.name == "pruned" for risk in one.risks)
        when = "since its unit prunes" if prunes else "if whoever applies this prunes"
        yield Break(DELETES_DATA, one, f"{what}: {why}, {when}", _RESTORE)


def _loss(one: ObjectChange, before: Mapping[str, Any]) -> str:
    """What goes with an object, '' for nothing that cannot be made again."""
    spec = dig(before, "spec")
    if (one.group, one.kind) == _DEFINITION:
        return "every object of its kind is deleted with it"
    if (one.group, one.kind) == ("", "Namespace"):
        return "everything in the namespace is deleted with it"
    if (one.group, one.kind) == ("", "PersistentVolumeClaim"):
        # A volume that is named, or of no class, was made by hand: it is kept, unless it says otherwise.
        by_hand = dig(spec, "volumeName") or dig(spec, "storageClassName") == ""
        return "" if by_hand else "the data of its volume is deleted with it"
    if (one.group, one.kind) == ("", "PersistentVolume"):
        deletes = dig(spec, "persistentVolumeReclaimPolicy") == "Delete"
        return "its reclaim policy deletes the data" if deletes else ""
    if (one.group, one.kind) == ("apps", "StatefulSet"):
        deletes = dig(spec, "persistentVolumeClaimRetentionPolicy", "whenDeleted") == "Delete"
        return "its retention policy deletes the data of its volumes" if deletes else ""
    return ""
