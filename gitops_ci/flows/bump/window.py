"""What the environment's windows and a freeze leave of a change: the proposal stays, pushing and merging wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import FindingsError
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.environments import Mode
from gitops_ci.flows.freeze import FREEZE_FILE, freezes_of, misspelled, window_gate
from gitops_ci.model import Gate, Plan
from gitops_ci.moments import rfc3339

__all__ = ["Soaking", "in_window", "never_soaks"]


# A gate that a version keeps shut which soaks in the environment; None where none does.
Soaking = Callable[[PublishContext, Snapshot, Plan], Gate | None]


def never_soaks(to: PublishContext, snapshot: Snapshot, plan: Plan) -> Gate | None:
    """For environments that nobody protects."""
    del to, snapshot, plan
    return None


def in_window(
    to: PublishContext, snapshot: Snapshot, plan: Plan, mode: Mode, soaking: Soaking, *, is_passed: bool
) -> PublishContext | None:
    """The context with what may be done now; None where nothing may be pushed. `is_passed`: windows do not stop it.

    Raises:
        FindingsError: a person froze the environment, and the change is to be pushed.
    """
    gate = _gate(to, snapshot, plan)
    if gate.state != "open" and is_passed:
        to.log.warn(f"{_told(gate, to)}. The change is made anyway")
    elif gate.state != "open":
        return _stopped(gate, to, mode)
    soaks = soaking(to, snapshot, plan)
    return to if soaks is None else _stopped(soaks, to, mode)


def _stopped(gate: Gate, to: PublishContext, mode: Mode) -> PublishContext | None:
    """What a gate that is not open leaves: the proposal, and nothing that is pushed or merged."""
    said = _told(gate, to)
    if gate not in to.journal.gates:
        to.journal.gates += (gate,)
    if mode == "push":
        if gate.state == "closed":
            raise FindingsError(f"Nothing is pushed to {said}", hint="--mode pull-request proposes the change.")
        to.log.warn(f"nothing is pushed to {said}")
        return None
    if mode == "pull-request" and to.publication.merge:
        to.log.warn(f"the pull request is not merged by itself: {said}")
    else:
        to.log.step(f"do not merge yet: {said}")
    notes = (_note(gate), *to.publication.notes)
    return replace(to, publication=replace(to.publication, merge=None, notes=notes))


def _note(gate: Gate) -> str:
    """What the pull request says of a gate until a run finds it open. It is the same in every run: no ages."""
    until = f" before {rfc3339(gate.opens)}" if gate.opens else " yet"
    return f"Do not merge{until}. Gate {gate.gate}: {gate.reason}."


def _told(gate: Gate, to: PublishContext) -> str:
    opens = f", opens {rfc3339(gate.opens)}" if gate.opens else ""
    return f"{to.environment.name or to.base}: {gate.reason}{opens}"


def _gate(to: PublishContext, snapshot: Snapshot, plan: Plan) -> Gate:
    default = to.repo.refs().default if to.environment.base else to.usual
    files = {snapshot.read(FREEZE_FILE)}
    if default and default != to.base:
        files.add(to.repo.fetch(default, sparse=True).read(FREEZE_FILE))
    freezes = [freeze for data in files for freeze in freezes_of(data)]
    for said in misspelled(freezes, {**to.layout, **to.search.environments}):
        to.log.warn(said)
    images = tuple(dict.fromkeys(change.image.familiar for change in plan.changes))
    return window_gate(to.environment, freezes, time.time(), images)
