"""The tag of a branch belongs to its newest commit: an old pipeline that runs again does not take it back.

Git decides where the checkout has both commits, else the dates that the images carry.
"""

from __future__ import annotations

from collections.abc import Callable

from gitops_ci.checkout import checkout_git
from gitops_ci.errors import ProgramError, RegistryError
from gitops_ci.flows.image.age import REVISION, BuildMetadata, explain_older
from gitops_ci.flows.image.push_request import PushRun
from gitops_ci.flows.image.tag_state import TagState
from gitops_ci.model import Skip
from gitops_ci.registry.image_config import facts_of

__all__ = ["leave_newer", "split_newer", "why_newer"]

HINT = "Use --allow-move to move the tag back."


def leave_newer(run: PushRun, states: list[TagState]) -> tuple[list[TagState], tuple[Skip, ...]]:
    """The tags without those of a branch that name the image of a newer commit, and these as skipped.

    Raises:
        RegistryError: no other tag is left, so that the run would do nothing.
    """
    if run.request.allow_move:
        return states, ()
    kept, skipped = split_newer(run, states, why_newer)
    if not kept:
        raise RegistryError(f"{skipped[0].path} stays as it is: {skipped[0].reason}", hint=HINT)
    return kept, skipped


def split_newer(
    run: PushRun, states: list[TagState], why: Callable[[PushRun, TagState], str]
) -> tuple[list[TagState], tuple[Skip, ...]]:
    """The tags that nothing keeps, and the others as skipped; `why` gives the reason, or ''."""
    kept, skipped = [], []
    for state in states:
        if not (reason := why(run, state)):
            kept.append(state)
            continue
        reference = run.destination.address(state.choice.tag)
        run.log.warn(f"{reference} stays as it is: {reason}")
        skipped.append(Skip(reference, 0, reason, HINT))
    return kept, tuple(skipped)


def why_newer(run: PushRun, state: TagState) -> str:
    """Why the image that a branch's tag names today is newer than the one that is pushed; '' when nothing shows it."""
    if not state.choice.by_commit or state.kept or state.digest is None:
        return ""
    manifest = run.destination.manifest(state.digest)
    if manifest is None:
        return ""
    there, facts = facts_of(run.destination, manifest), run.source.facts
    theirs = there.labels.get(REVISION, "")
    # An image without a label of its own has that of its base image: what the CI system knows goes first.
    ours = run.request.rules.facts.commit or facts.labels.get(REVISION, "")
    if ours and theirs and ours != theirs and (newer := _is_ancestor(ours, theirs)) is not None:
        return f"it is of commit {theirs[:12]}, which comes after {ours[:12]}" if newer else ""
    wanted = BuildMetadata({**facts.labels, **({REVISION: ours} if ours else {})}, facts.created)
    older = explain_older(wanted, BuildMetadata(there.labels, there.created))
    return f"its image is newer {older}" if older else ""


def _is_ancestor(one: str, other: str) -> bool | None:
    """Whether one commit comes before another in the checkout; None where it does not have both."""
    if not all(set(commit) <= set("0123456789abcdef") for commit in (one, other)):
        return None
    try:
        asked = checkout_git("merge-base", "--is-ancestor", one, other, seconds=20, allowed=frozenset({0, 1, 128, 129}))
    except ProgramError:
        return None
    return {0: True, 1: False}.get(asked.code)
