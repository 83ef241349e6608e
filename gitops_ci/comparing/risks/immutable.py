"""Fields that an API server refuses to change: the object has to be deleted and created.

Both sides are compared as the server stores them. Nothing is claimed about an object that whoever applies it deletes
first, or leaves as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.comparing.risks.base import Subject, dig, marks_of
from gitops_ci.comparing.risks.stored import value_at
from gitops_ci.comparing.risks.update_validation import REFUSING, head_or_base
from gitops_ci.model.rendered import PathChange, Risk

__all__ = ["refused"]

_FORCED = ("argocd.argoproj.io/hook", "helm.sh/hook")
_FLUX = "kustomize.toolkit.fluxcd.io"


def refused(subject: Subject) -> Iterator[Risk]:
    """The first field of each kind of refusal: one is enough."""
    if subject.state != "changed" or subject.before is None or subject.after is None or _is_another(subject):
        return
    kind = REFUSING.get((subject.group, subject.kind))
    if kind is None:
        return
    for change in kind.changes(subject):
        if change.noise in {"order", "same value", "server"} or _is_same(subject, change):
            continue
        told = head_or_base(change)
        # Without a selector no server has accepted the workload, so that there is none to be changed.
        if (subject.group, told, change.old) == ("apps", "/spec/selector", None):
            continue
        yield Risk("refused", f"{change.path} cannot be changed: delete the object first", told)
        return


def _is_another(subject: Subject) -> bool:
    """Whether no update is sent: the name has another hash, or the old object is deleted first, or left as it is."""
    before, after = dict(subject.before or {}), dict(subject.after or {})
    name = dig(after, "metadata", "name")
    if not name or name != dig(before, "metadata", "name"):
        return True
    if subject.kind == "Job" and dig(before, "spec", "ttlSecondsAfterFinished") is not None:
        return True
    marks = marks_of(after)
    options = str(marks.get("argocd.argoproj.io/sync-options", "")).replace(" ", "").split(",")
    flux = {key: str(marks.get(f"{_FLUX}/{key}", "")).casefold() for key in ("force", "reconcile", "ssa")}
    return (
        subject.unit.replaces
        or flux["force"] in {"enabled", "true"}
        or flux["reconcile"] == "disabled"
        or flux["ssa"] in {"ignore", "ifnotpresent"}
        or "Force=true" in options
        or any(name in marks for name in _FORCED)
    )


def _is_same(subject: Subject, change: PathChange) -> bool:
    """Whether both sides are stored as one value: one of them only leaves out what the other writes."""
    sides = ((subject.before, change.base_pointer), (subject.after, change.head_pointer))
    old, new = (value_at(value, pointer) for value, pointer in sides)
    return bool(old == new) and type(old) is type(new)
