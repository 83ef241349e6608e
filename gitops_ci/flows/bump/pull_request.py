"""The pull request of an environment and its images: opened once, kept current, and ending well.

What lies on the head branch decides before what the code host says:

- nothing, or a commit of ours: the branch is made to propose the plan, and what it proposes besides stays in it;
- a commit of ours that a newer image is in: an older build came late and is refused;
- anything of a person's: it is never overwritten.

A pull request that a person closed is a "no" to the images and places in it: they are not proposed again unless
`--reopen` is given, others are.
"""

from __future__ import annotations

from dataclasses import replace

from gitops_ci.configrepo import Snapshot
from gitops_ci.flows.bump.choice import chosen, was_rejected_by_person
from gitops_ci.flows.bump.commit import commit_and_push
from gitops_ci.flows.bump.host import Host
from gitops_ci.flows.bump.publication import PublishContext, contents
from gitops_ci.flows.bump.shown_diff import comment_on, rendered_change, with_diff, without_diff
from gitops_ci.flows.bump.standing import Standing, joined, stands_on
from gitops_ci.flows.bump.wording import keeps_words, proposal_of, room_for
from gitops_ci.forges.base import AutoMerge, Forge
from gitops_ci.model import Commit, Plan, Proposal, PullRequest
from gitops_ci.model.rendered import RenderedDiff
from gitops_ci.plan.standing import Joined
from gitops_ci.reporting import description
from gitops_ci.reporting import proposal as texts

__all__ = ["check_publishable", "is_behind", "propose", "proposes"]


def check_publishable(to: PublishContext, plan: Plan) -> None:
    """Refuse what `propose` would refuse for what is there by now; changes nothing.

    Raises:
        GitopsCiError: as `propose`.
    """
    there = chosen(to, Host(to.forge), plan)
    # As long as a digest is not known, what a person's branch should hold is not known either.
    if all(image.digest for image in to.search.images):
        was_rejected_by_person(there, plan, to)


def propose(to: PublishContext, snapshot: Snapshot, plan: Plan) -> bool | None:
    """Make the head branch propose the plan and see to its pull request.

    Returns whether anything changed; None when somebody else was faster and the caller starts over.

    Raises:
        GitError: a person's work lies on the branch.
        FindingsError: a newer image is proposed already.
        ForgeError: the code host refuses or does not answer.
    """
    host = Host(to.forge)
    there = chosen(to, host, plan)
    if was_rejected_by_person(there, plan, to):
        return False
    whole = _joined(there, snapshot, plan, to)
    rendered = _shown(to, snapshot, whole.plan)
    room = room_for(host.forge, there)
    proposal = proposal_of(there.head, whole.plan, to, limit=room)
    landed = None
    current = None if there.is_spent or (host.keeps_changes and not there.is_open) else there.current
    if not current or not proposes(current, whole.plan) or (to.to_tip and is_behind(current, snapshot)):
        options = host.push_options(proposal, to)
        landed = commit_and_push(to, snapshot, whole.plan, there.head, tip=there.tip, options=options, there=there)
        if landed is None or not (host.has_api or _is_at(to, host, there.head, landed.commit)):
            return None  # another run moved the branch on: the pull request's words are that run's to write
    else:
        to.journal.commit = Commit(current.commit, there.head)
    if host.by_push is not None:
        opened = host.by_push.opened_by_push(proposal, landed.said if landed else "")
        to.journal.pull_request = opened if landed else replace(opened, state="unchanged")
        return landed is not None
    if there.latest and keeps_words(there.latest, proposal, to, is_old=bool(whole.kept) and landed is None):
        words = description.ours_in(there.latest.body) or there.latest.body
        # What they show of the rendered objects is about what was on the branch before.
        words = words if landed is None else without_diff(words)
        proposal = replace(proposal, title=there.latest.title, body=words)
    if to.publication.diff.where == "body":
        proposal = replace(proposal, body=with_diff(proposal.body, rendered, room))
    changed = _requested(host.forge, there, proposal, to, pushed=landed is not None)
    if to.publication.diff.where == "comment":
        comment_on(to, rendered)
    # With an API this is the only look: who moved the branch on in the meantime may have written before this run.
    if landed and host.has_api and _is_elsewhere(to, there.head, landed.commit):
        # Another run joined in the meantime, and these words lack its change.
        return None if propose(to, snapshot, plan) is None else True
    return changed


def _is_at(to: PublishContext, host: Host, head: str, commit: str) -> bool:
    """Whether a head is where the push put it. Of a change the push itself has looked."""
    return host.keeps_changes or to.head_repo.refs(head).tips.get(head) == commit


def _is_elsewhere(to: PublishContext, head: str, commit: str) -> bool:
    return to.head_repo.refs(head).tips.get(head) not in {None, commit}


def _shown(to: PublishContext, snapshot: Snapshot, plan: Plan) -> RenderedDiff | None:
    """What the change does to the rendered objects, where somebody wants to see it."""
    return None if to.publication.diff.where == "none" else rendered_change(to, snapshot, plan)


def _requested(forge: Forge, there: Standing, proposal: Proposal, to: PublishContext, *, pushed: bool) -> bool:
    """See to the pull request of what lies on the branch; whether anything changed."""
    existing = there.latest if there.latest and there.latest.status == "open" else None
    found = _open_or_update(forge, existing, proposal)
    if not forge.BODY_LIMIT:
        # Without an API the branch or the commit is all there is of the pull request.
        found = replace(found, state="unchanged" if not pushed else "updated" if existing else "opened")
    to.journal.pull_request = found
    found = forge.complete(found, proposal)
    to.journal.pull_request = found
    for warning in found.warnings:
        to.log.warn(warning)
    _tell(found, to)
    if to.publication.merge == "when-green" and found.number is not None and to.journal.commit:
        wanted = AutoMerge(to.journal.commit.sha, is_new=pushed, method=to.publication.merge_method)
        if not forge.merge_when_green(found, wanted):
            to.log.warn("this code host cannot merge by itself once the checks pass: merge the pull request by hand")
    return pushed or found.state != "unchanged"


def _joined(there: Standing, snapshot: Snapshot, plan: Plan, to: PublishContext) -> Joined:
    if there.ours is None or not there.is_open:
        return Joined(plan)
    whole = joined(there.ours, snapshot, plan, to)
    for place in whole.lost:
        to.log.warn(
            f"{there.head} proposed a change of {place}, where {to.base} has another value now: this change is left out"
        )
    if whole.kept:
        to.log.detail(f"{there.head} keeps {len(whole.kept)} places that another run proposed")
    return whole


def _open_or_update(forge: Forge, existing: PullRequest | None, proposal: Proposal) -> PullRequest:
    """One pull request from head to base: the open one brought up to date, or a new one."""
    if not forge.BODY_LIMIT:
        return forge.open(proposal)
    if existing is None:
        return forge.open(replace(proposal, body=description.framed(proposal.title, proposal.body)))
    title = proposal.title if description.is_our_title(existing.title, existing.body) else existing.title
    words, body = description.ours_in(existing.body), description.without_note(existing.body)
    # Every run has another pipeline link; that alone is not news.
    is_news = words is None or not texts.same_body(words, proposal.body)
    if is_news or title != existing.title:
        body = description.rewritten(existing.body, proposal.title, proposal.body if is_news else words or "")
    return forge.update(existing, replace(proposal, title=title, body=body))


def _tell(found: PullRequest, to: PublishContext) -> None:
    if found.number is not None:
        said = {"opened": "opened", "updated": "updated", "unchanged": "is up to date:"}[found.state]
        to.log.step(f"pull request #{found.number} {said} {found.url}")


def proposes(current: Snapshot, plan: Plan) -> bool:
    """Whether the branch's change is this plan already, on files that have not changed since."""
    base, after = stands_on(current), contents(plan)
    if base is None or sorted(current.changed_paths(base)) != sorted(after):
        return False
    if any((base.read(file.path) or b"") != file.before.encode("utf-8") for file in plan.files):
        return False  # the same result, in conflict with what the base branch has by now
    return all(current.read(path) == data for path, data in after.items())


def is_behind(current: Snapshot, base: Snapshot) -> bool:
    """Whether a branch does not stand on the base as it is."""
    found = stands_on(current)
    return found is None or found.commit != base.commit
