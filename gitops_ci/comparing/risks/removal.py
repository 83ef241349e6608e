"""Objects that go: what goes with them, and whether they go at all."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.comparing.risks.base import Subject, dig, marks_of
from gitops_ci.model.rendered import Risk

__all__ = ["deletes_data", "kept", "pruned", "pruning_changed", "unit_removed"]

_TAKES = {
    ("", "PersistentVolumeClaim"): "the volume's data goes with it",
    ("", "PersistentVolume"): "the volume goes",
    ("", "Namespace"): "everything in the namespace goes with it",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "every object of this kind goes with it",
}
_OPERATORS = {
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
}


def deletes_data(subject: Subject) -> Iterator[Risk]:
    """An object that holds data, or other objects, and is gone from where it was."""
    if subject.state == "changed" or subject.before is None or (subject.state == "removed" and _stays(subject)):
        return
    if subject.state not in {"removed", "renamed", "moved"}:
        return
    why = _TAKES.get((subject.group, subject.kind), "")
    if subject.group == "storage.k8s.io":
        why = "storage is set up by it"
    policy = dig(dict(subject.before), "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")
    if subject.kind == "StatefulSet" and policy == "Delete":
        why = "its retention policy deletes its volumes"
    if why:
        yield Risk("deletes-data", f"{_gone(subject)}: {why}")


def _gone(subject: Subject) -> str:
    return "removed, and its unit prunes" if subject.state == "removed" and subject.unit.prunes else subject.state


def pruned(subject: Subject) -> Iterator[Risk]:
    """Removed from a unit whose operator deletes what is gone."""
    if subject.state == "removed" and subject.unit.prunes and not _is_kept(subject):
        yield Risk("pruned", "removed, and its unit prunes")


def kept(subject: Subject) -> Iterator[Risk]:
    """Removed, and nobody deletes it."""
    if subject.state == "removed" and _stays(subject):
        reason = "it is marked to be kept" if _is_kept(subject) else "its unit does not prune"
        yield Risk("kept", f"removed here, and stays in the cluster: {reason}")


def unit_removed(subject: Subject) -> Iterator[Risk]:
    """The description of a unit that takes all its objects with it."""
    if subject.state != "removed" or (subject.group, subject.kind) not in _OPERATORS or subject.before is None:
        return
    finalizers = dig(dict(subject.before), "metadata", "finalizers")
    cascades = isinstance(finalizers, list) and any("resources-finalizer" in str(one) for one in finalizers)
    is_flux = subject.kind == "HelmRelease" or dig(dict(subject.before), "spec", "prune") is True
    if cascades or (subject.group != "argoproj.io" and is_flux):
        yield Risk("unit-removed", "everything that it deploys goes with it")


def pruning_changed(subject: Subject) -> Iterator[Risk]:
    """What an operator deletes changes, although no object does."""
    for one in subject.changes("/spec/prune", "/spec/syncPolicy/automated/prune"):
        if one.new is True:
            yield Risk("pruning-changed", "objects that are gone from Git will be deleted", one.head_pointer)


def _stays(subject: Subject) -> bool:
    return subject.unit.prunes is False or _is_kept(subject)


def _is_kept(subject: Subject) -> bool:
    """Flux reads labels and annotations in any case, and leaves out what it does not reconcile (fluxcd/pkg ssa)."""
    found = marks_of(dict(subject.before or {}))
    options = str(found.get("argocd.argoproj.io/sync-options", "")).replace(" ", "").split(",")
    flux = {str(found.get(f"kustomize.toolkit.fluxcd.io/{key}", "")).casefold() for key in ("prune", "reconcile")}
    return "Prune=false" in options or "disabled" in flux or found.get("helm.sh/resource-policy") == "keep"
