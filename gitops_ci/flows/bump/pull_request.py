"""The one pull request of an environment and its images: opened once, kept current, and ending well.

What lies on the head branch decides before what the code host says:

- nothing, or a commit of ours: the branch is made to propose the plan;
- a commit of ours that a newer image is in: an older build came late and is refused;
- anything of a person's: it is never overwritten.

A pull request that a person closed is a "no" to the images in it: the same images are not proposed again unless
`--reopen` says so, other ones are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from gitops_ci import plan as planning
from gitops_ci.configrepo import Snapshot, check_branch
from gitops_ci.errors import FindingsError, ForgeError, GitError
from gitops_ci.flows.bump.commit import commit_and_push
from gitops_ci.flows.bump.publication import PublishContext, contents, facts
from gitops_ci.forges.base import Forge, OpensByPush
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Commit, Plan, Proposal, PullRequest
from gitops_ci.reporting import proposal as texts

__all__ = ["branch_name", "check_publishable", "close_if_obsolete", "propose"]

# Our commit and what it stands on; a branch that was brought up to date may have a merge on top for each time.
_DEPTH, _DEPTH_WITH_MERGES = 2, 20
# Code hosts and file systems take some 250 bytes for a whole branch name.
_LONGEST_SLUG = 120


def branch_name(environment: str | None, images: tuple[ImageRef, ...], base: str | None = None) -> str:
    """The head branch, derived and never random: the same environment and images always find the same one.

    `base` is given where it is not the usual one: what stands on it is no proposal to another branch.
    """
    slug = images[0].slug if len(images) == 1 else f"{len(images)}-images"
    if len(images) > 1 or len(slug) > _LONGEST_SLUG:
        names = "\n".join(sorted(image.name for image in images))
        slug = f"{slug[:_LONGEST_SLUG].rstrip('-.')}-{hashlib.sha256(names.encode()).hexdigest()[:10]}"
    return check_branch(f"gitops-ci/{environment or 'all'}{f'@{base}' if base else ''}/{slug}")


def _head(to: PublishContext) -> str:
    return branch_name(to.search.environment, to.search.images, to.base if to.base != to.usual else None)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is there before a proposal: the head branch at `tip` and its latest pull request, where there are any."""

    head: str
    tip: str | None
    current: Snapshot | None
    forge: Forge
    latest: PullRequest | None
    by_push: OpensByPush | None


def check_publishable(to: PublishContext, plan: Plan) -> None:
    """Refuse what `propose` would refuse for what is there by now; changes nothing.

    Raises:
        GitopsCiError: as `propose`.
    """
    there = _current_state(to, plan)
    # As long as a digest is not known, what a person's branch should hold is not known either.
    if all(image.digest for image in to.search.images):
        _was_rejected_by_person(there, plan, _proposal(there.head, plan, to), to)


def propose(to: PublishContext, snapshot: Snapshot, plan: Plan) -> bool | None:
    """Make the head branch propose the plan and see to its pull request.

    Returns whether anything changed; None when somebody else was faster and the caller starts over.

    Raises:
        GitError: a person's work lies on the branch.
        FindingsError: a newer image is proposed already.
        ForgeError: the code host refuses or does not answer.
    """
    there = _current_state(to, plan)
    head, current, forge, latest, by_push = there.head, there.current, there.forge, there.latest, there.by_push
    proposal = _proposal(head, plan, to)
    if _was_rejected_by_person(there, plan, proposal, to):
        return False
    # What was merged from a branch is no proposal any more, and a host opens none for it.
    spent = latest is not None and latest.status == "merged"
    said, pushed = "", current is None or spent or not _proposes(current, plan)
    if pushed:
        waits = to.publication.merge == "when-green"
        options = by_push.push_options(proposal, merge_when_green=waits) if by_push else ()
        landed = commit_and_push(to, snapshot, plan, head, tip=there.tip, options=options)
        if landed is None or to.repo.refs(head).tips.get(head) != landed.commit:
            return None  # another run moved the branch on: the pull request's words are that run's to write
        said = landed.said
    elif current is not None:
        to.journal.commit = Commit(current.commit, head)
    if by_push is not None:
        opened = by_push.opened_by_push(proposal, said)
        to.journal.pull_request = opened if pushed else replace(opened, state="unchanged")
        return pushed
    found = _open_or_update(forge, latest if latest and latest.status == "open" else None, proposal, to)
    if found.number is None and not pushed:
        # Without an API the branch is all there is of the pull request.
        found = replace(found, state="unchanged")
    to.journal.pull_request = found
    if to.publication.merge == "when-green" and found.number is not None and not forge.merge_when_green(found):
        to.log.warn("this code host cannot merge by itself once the checks pass: merge the pull request by hand")
    return pushed or found.state != "unchanged"


def close_if_obsolete(to: PublishContext) -> bool:
    """Close the open pull request of an image that the base branch has by now; returns whether there was one."""
    head = _head(to)
    tip = to.repo.refs(head).tips.get(head)
    if tip is None or to.connect is None:
        return False
    forge = _forge(to)
    try:
        found = forge.find_open(head=head, base=to.base)
    except ForgeError as error:
        _by_push(forge, error, to)
        return False
    if found is None or found.number is None or _has_work_of_others(_fetched(head, to), to):
        return False
    forge.close(found, comment=f"`{to.base}` has {_names(to.search.images)} already: nothing is left to merge here.")
    to.log.step(f"pull request #{found.number} closed: {to.base} has the image already")
    to.journal.pull_request = replace(found, state="updated", status="closed")
    return True


def _current_state(to: PublishContext, plan: Plan) -> _Standing:
    forge = _forge(to)
    head = _head(to)
    tip = to.repo.refs(head).tips.get(head)
    current = _fetched(head, to) if tip else None
    if current is not None:
        _refuse_older(current, head, plan, to)
    try:
        return _Standing(head, tip, current, forge, forge.find_latest(head=head, base=to.base), by_push=None)
    except ForgeError as error:
        return _Standing(head, tip, current, forge, None, _by_push(forge, error, to))


def _was_rejected_by_person(there: _Standing, plan: Plan, proposal: Proposal, to: PublishContext) -> bool:
    """Whether a person decided already: closed the pull request, or went on from here with the image in it.

    Raises:
        GitError: a person works on the branch, and the image is not in it.
    """
    latest = there.latest
    if latest and latest.status == "closed" and not to.publication.reopen and _same_images(latest, proposal):
        to.log.step(f"pull request #{latest.number} with this change was closed by somebody: left so (--reopen)")
        to.journal.pull_request = latest
        return True
    if there.current is None or not _has_work_of_others(there.current, to):
        return False
    _refuse_unfinished(there.current, there.head, plan)
    to.log.step(f"{there.head} has the image already, and work of somebody else on top: left alone")
    to.journal.commit = Commit(there.current.commit, there.head)
    to.journal.pull_request = latest
    return True


def _forge(to: PublishContext) -> Forge:
    assert to.connect is not None, "a flow that opens pull requests is given a code host"
    return to.connect()


def _by_push(forge: Forge, refused: ForgeError, to: PublishContext) -> OpensByPush:
    """The way around an API that refuses the token, where the host offers one; else the refusal stands."""
    if refused.status not in {401, 403} or not isinstance(forge, OpensByPush) or to.publication.commit_with == "api":
        raise refused
    to.log.warn(
        f"{refused.message}: the push itself asks for the pull request. Nobody is asked for review, and one that was "
        "closed is not noticed"
    )
    return forge


def _open_or_update(forge: Forge, existing: PullRequest | None, proposal: Proposal, to: PublishContext) -> PullRequest:
    """One pull request from head to base: the open one brought up to date, or a new one."""
    if existing is not None and texts.same_body(existing.body, proposal.body):
        # Every run has another pipeline link; that alone is no news.
        proposal = replace(proposal, body=existing.body)
    found = forge.open(proposal) if existing is None else forge.update(existing, proposal)
    for warning in found.warnings:
        to.log.warn(warning)
    if found.number is not None:
        said = {"opened": "opened", "updated": "updated", "unchanged": "is up to date:"}[found.state]
        to.log.step(f"pull request #{found.number} {said} {found.url}")
    return found


def _same_images(closed: PullRequest, proposal: Proposal) -> bool:
    """Whether a closed pull request was about the same images; one that says nothing of images is taken for it."""
    before, now = texts.images_in(closed.body), texts.images_in(proposal.body)
    return before == now or not before


def _refuse_unfinished(current: Snapshot, head: str, plan: Plan) -> None:
    """A person works on the branch: fine where it has the image already, else the run stops."""
    if not all(current.read(path) == data for path, data in contents(plan).items()):
        raise GitError(
            f"The branch {head} ends in a commit that gitops-ci did not make ({current.commit[:12]})",
            hint="Somebody worked on it: merge or close its pull request and delete the branch, then run again.",
        )


def _fetched(head: str, to: PublishContext) -> Snapshot:
    current = to.repo.fetch(head, depth=_DEPTH)
    return current if current.is_ours else to.repo.fetch(head, depth=_DEPTH_WITH_MERGES)


def _has_work_of_others(current: Snapshot, to: PublishContext) -> bool:
    """Whether the branch holds anything besides one commit of ours, and merges of the base into it."""
    ours, merged = current, list[Snapshot]()
    while not ours.is_ours:
        if len(parents := ours.ancestors()) != 2:
            return True
        ours, base = parents
        merged.append(base)
    stood_on = ours.parent()
    if not merged or stood_on is None:
        return bool(merged)
    ours_changed = {path: ours.read(path) for path in ours.changed_paths(stood_on)}
    if {path: current.read(path) for path in current.changed_paths(merged[0])} != ours_changed:
        return True
    return not all(to.repo.holds(to.base, commit) for commit in merged)


def _refuse_older(current: Snapshot, head: str, plan: Plan, to: PublishContext) -> None:
    """An older build that finishes late must not push its image over the newer one that is proposed already."""
    read = ((change.path, current.read(change.path)) for change in plan.files)
    files = [(path, data.decode("utf-8", "replace")) for path, data in read if data is not None]
    refused = planning.make(files, to.search.images, to.search.policy).refused
    if refused:
        raise FindingsError(f"{head} proposes a newer image already: {refused[0].reason}", hint=refused[0].hint)


def _proposes(current: Snapshot, plan: Plan) -> bool:
    """Whether the branch's change is this plan already, on files that have not changed since."""
    base, after = current.ancestors()[-1:], contents(plan)
    if not base or sorted(current.changed_paths(base[0])) != sorted(after):
        return False
    if any(base[0].read(file.path) != file.before.encode("utf-8") for file in plan.files):
        return False  # the same result, in conflict with what the base branch has by now
    return all(current.read(path) == data for path, data in after.items())


def _proposal(head: str, plan: Plan, to: PublishContext) -> Proposal:
    said, known = to.publication, facts(plan, to)
    return Proposal(
        head=head,
        base=to.base,
        title=texts.title(said.title or "", known),
        body=texts.body(known),
        labels=said.labels,
        reviewers=said.reviewers,
        assignees=said.assignees,
        draft=said.draft,
    )


def _names(images: tuple[ImageRef, ...]) -> str:
    return f"`{images[0]}`" if len(images) == 1 else f"these {len(images)} images"
