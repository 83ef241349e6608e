"""The key `rendered` of the JSON document."""

from __future__ import annotations

from typing import Any

from gitops_ci.model.rendered import ObjectChange, PathChange, RenderedDiff, Risk, UnitChange

__all__ = ["rendered_document"]


def rendered_document(diff: RenderedDiff) -> dict[str, Any]:
    """Every key is always there. Pointers are null on the side where there is no value."""
    return {
        "base": diff.base,
        "head": diff.head,
        "units": [_unit(one) for one in diff.units],
        "objects": [_object(one) for one in diff.objects],
        "groups": [{"objects": list(group.objects), "text": group.text} for group in diff.groups],
        "images": [
            {"image": one.image, "old": one.old, "new": one.new, "objects": list(one.objects)} for one in diff.images
        ],
        "notes": list(diff.notes),
        "summary": dict(sorted(diff.summary.items())),
    }


def _unit(one: UnitChange) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "source": one.source,
        "destination": one.destination,
        "state": one.state,
        "reason": one.reason,
        "remedy": one.remedy,
    }


def _object(one: ObjectChange) -> dict[str, Any]:
    return {
        "id": one.id,
        "unit": one.unit,
        "group": one.group,
        "version": one.version,
        "kind": one.kind,
        "namespace": one.namespace,
        "name": one.name,
        "state": one.state,
        "was": one.was,
        "paths": [_path(change) for change in one.paths],
        "risks": [_risk(risk) for risk in one.risks],
    }


def _path(one: PathChange) -> dict[str, Any]:
    return {
        "path": one.path,
        "base_pointer": one.base_pointer,
        "head_pointer": one.head_pointer,
        "old": one.old,
        "new": one.new,
        "masked": one.masked,
        "noise": one.noise,
        "risk": one.risk,
    }


def _risk(one: Risk) -> dict[str, Any]:
    return {"risk": one.name, "why": one.why, "pointer": one.pointer}
