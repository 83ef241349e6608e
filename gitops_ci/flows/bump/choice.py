"""The branch that a run continues, and whether a person decided about its change already."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import GitError
from gitops_ci.flows.bump.branches import heads
from gitops_ci.flows.bump.host import Host
from gitops_ci.flows.bump.publication import PublishContext, contents
from gitops_ci.flows.bump.standing import Standing, is_about, refuse_older, stand
from gitops_ci.flows.bump.wording import proposal_of
from gitops_ci.model import Commit, Plan
from gitops_ci.reporting import proposal as texts

__all__ = ["chosen", "was_rejected_by_person"]


def chosen(to: PublishContext, host: Host, plan: Plan) -> Standing:
    """The branch for this run: its own, or an open one of the same environment and images that it can join.

    Raises:
        FindingsError: a newer image is proposed already.
    """
    own = None
    for there in _current_state(to, host):
        if own is None:
            own = there
            refuse_older(there, plan, to)
            is_meant = there.is_open
        else:
            is_meant = there.is_open and there.ours is not None and is_about(there.ours, to)
        if is_meant or _is_refused(there, plan, to):
            if there is not own:
                refuse_older(there, plan, to)
            return there
    assert own is not None
    return own


def _current_state(to: PublishContext, host: Host) -> Iterator[Standing]:
    names = heads(to)
    tips = to.head_repo.refs(*names).tips
    for head in names:
        yield stand(to, head, tips.get(head), host.latest(head, to))


def was_rejected_by_person(there: Standing, plan: Plan, to: PublishContext) -> bool:
    """Whether a person decided already: closed the pull request, or went on from here with the image in it.

    Raises:
        GitError: a person works on the branch, and the image is not in it.
    """
    if there.latest and _is_refused(there, plan, to):
        to.log.warn(
            f"a person closed pull request #{there.latest.number} with this change: it is not proposed again. "
            "Use --reopen to propose it"
        )
        to.journal.pull_request = there.latest
        return True
    if there.current is None or not there.is_shared:
        return False
    _refuse_unfinished(there.current, there.head, plan)
    to.log.step(f"{there.head} already has the image, and somebody else's commits on top: it is not changed")
    to.journal.commit = Commit(there.current.commit, there.head)
    to.journal.pull_request = there.latest
    return True


def _is_refused(there: Standing, plan: Plan, to: PublishContext) -> bool:
    """Whether a person closed a pull request with these images at these places.

    What a description does not tell, because it was cut or rewritten, is taken to be the same.
    """
    if there.latest is None or not there.latest.is_refusal or to.publication.reopen:
        return False
    body = proposal_of(there.head, plan, to).body
    before, now = texts.images_in(there.latest.body), texts.images_in(body)
    places = texts.files_in(there.latest.body)
    is_own = there.head == heads(to)[0]
    same_images = now <= before or (is_own and not before)
    return same_images and (places is None or (texts.files_in(body) or frozenset()) <= places)


def _refuse_unfinished(current: Snapshot, head: str, plan: Plan) -> None:
    """A person works on the branch: fine where it has the image already, else the run stops."""
    if not all(current.read(path) == data for path, data in contents(plan).items()):
        raise GitError(
            f"The branch {head} ends in a commit that gitops-ci did not make ({current.commit[:12]})",
            hint="Somebody worked on it: merge or close its pull request and delete the branch, then run again.",
        )
