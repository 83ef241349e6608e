"""Closing a pull request that has no purpose any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import ForgeError
from gitops_ci.flows.bump.branches import heads
from gitops_ci.flows.bump.host import way_by_push
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.bump.standing import Standing, is_about, joined, stand
from gitops_ci.forges.base import Forge
from gitops_ci.model import Plan, PullRequest

__all__ = ["close_if_obsolete", "retire"]


def close_if_obsolete(to: PublishContext, snapshot: Snapshot) -> bool:
    """Close the open pull request of these images if the base branch has all that it proposes.

    Returns whether there was one. One that proposes anything else stays open: the run's own image says nothing of it.
    """
    if to.connect is None:
        return False
    names = heads(to)
    tips = to.head_repo.refs(*names).tips
    any_closed = False
    for head in (name for name in names if name in tips):
        found = _open(to.forge, head, to)
        if found is not None and _retired(stand(to, head, tips[head], found), found, snapshot, to):
            any_closed = True
    return any_closed


def _open(forge: Forge, head: str, to: PublishContext) -> PullRequest | None:
    try:
        found = forge.find_open(head=head, base=to.base)
    except ForgeError as error:
        way_by_push(forge, error, to)
        return None
    return found if found and found.number is not None else None


def _retired(there: Standing, found: PullRequest, snapshot: Snapshot, to: PublishContext) -> bool:
    if there.ours is None or not is_about(there.ours, to):
        return False
    left = joined(there.ours, snapshot, Plan(), to)
    if left.kept:
        to.log.step(f"pull request #{found.number} proposes another image and stays open: {found.url}")
        return False
    why = f"`{to.base}` has everything that this proposes: nothing is left to merge here."
    if not to.forge.close(found, comment=why):
        to.log.warn(f"{to.base} has everything that change {found.number} proposes: abandon it {found.url}".rstrip())
        return False
    to.log.step(f"pull request #{found.number} closed: {to.base} has everything that it proposes")
    to.journal.pull_request = replace(found, state="closed", status="closed")
    return True


def retire(there: Standing, to: PublishContext, reason: str) -> Literal["closed", "moved", "kept"]:
    """Close what has no purpose any more. Without an API the branch is the proposal, and goes.

    "moved": somebody else moved it on in the meantime. "kept": this host cannot close it.
    """
    if there.latest is None:
        is_gone = there.tip is None or to.head_repo.delete(there.head, expected=there.tip)
        return "closed" if is_gone else "moved"
    if to.head_repo.refs(there.head).tips.get(there.head) != there.tip:
        return "moved"
    if not to.forge.close(there.latest, comment=f"Closed: {reason}."):
        return "kept"
    to.journal.pull_request = replace(there.latest, state="closed", status="closed")
    return "closed"
