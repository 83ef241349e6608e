"""The pull request of an environment and its images: opened once, kept current, and ending well.

What lies on the head branch decides before what the code host says:

- nothing, or a commit of ours: the branch is made to propose the plan, and what it proposes besides stays in it;
- a commit of ours that a newer image is in: an older build came late and is refused;
- anything of a person's: it is never overwritten.

A pull request that a person closed is a "no" to the images and places in it: they are not proposed again unless
`--reopen` is given, others are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import ForgeError, GitError
from gitops_ci.flows.bump.branches import heads
from gitops_ci.flows.bump.commit import commit_and_push
from gitops_ci.flows.bump.publication import PublishContext, contents, facts
from gitops_ci.flows.bump.shown_diff import comment_on, rendered_change, with_diff, without_diff
from gitops_ci.flows.bump.standing import Standing, is_about, joined, refuse_older, stand, stands_on
from gitops_ci.forges.base import AutoMerge, Forge, KeepsChanges, OpensByPush
from gitops_ci.model import Commit, Plan, Proposal, PullRequest
from gitops_ci.model.rendered import RenderedDiff
from gitops_ci.plan.standing import Joined
from gitops_ci.reporting import description
from gitops_ci.reporting import proposal as texts

_LEAST_WORDS = 1_000  # characters

__all__ = ["check_publishable", "close_if_obsolete", "is_behind", "propose", "proposes", "retire"]


@dataclass(slots=True)
class _Host:
    """The code host, and the way around its API once that refuses the token."""

    forge: Forge
    by_push: OpensByPush | None = None

    @property
    def keeps_changes(self) -> bool:
        return isinstance(self.forge, KeepsChanges)

    def push_options(self, proposal: Proposal, to: PublishContext) -> tuple[str, ...]:
        """What goes to the host with the push."""
        if isinstance(self.forge, KeepsChanges):
            return self.forge.push_options(proposal)
        waits = to.publication.merge == "when-green"
        return self.by_push.push_options(proposal, merge_when_green=waits) if self.by_push else ()

    def latest(self, head: str, to: PublishContext) -> PullRequest | None:
        if self.by_push is not None:
            return None
        try:
            return self.forge.find_latest(head=head, base=to.base)
        except ForgeError as error:
            self.by_push = _by_push(self.forge, error, to)
            return None


def check_publishable(to: PublishContext, plan: Plan) -> None:
    """Refuse what `propose` would refuse for what is there by now; changes nothing.

    Raises:
        GitopsCiError: as `propose`.
    """
    there = _chosen(to, _Host(to.forge), plan)
    # As long as a digest is not known, what a person's branch should hold is not known either.
    if all(image.digest for image in to.search.images):
        _was_rejected_by_person(there, plan, to)


def propose(to: PublishContext, snapshot: Snapshot, plan: Plan) -> bool | None:
    """Make the head branch propose the plan and see to its pull request.

    Returns whether anything changed; None when somebody else was faster and the caller starts over.

    Raises:
        GitError: a person's work lies on the branch.
        FindingsError: a newer image is proposed already.
        ForgeError: the code host refuses or does not answer.
    """
    host = _Host(to.forge)
    there = _chosen(to, host, plan)
    if _was_rejected_by_person(there, plan, to):
        return False
    whole = _joined(there, snapshot, plan, to)
    rendered = _shown(to, snapshot, whole.plan)
    room = _room(host.forge, there)
    proposal = _proposal(there.head, whole.plan, to, limit=room)
    landed = None
    current = None if there.is_spent or (host.keeps_changes and not there.is_open) else there.current
    if not current or not proposes(current, whole.plan) or (to.to_tip and is_behind(current, snapshot)):
        options = host.push_options(proposal, to)
        landed = commit_and_push(to, snapshot, whole.plan, there.head, tip=there.tip, options=options, there=there)
        if landed is None or not _is_at(to, host, there.head, landed.commit):
            return None  # another run moved the branch on: the pull request's words are that run's to write
    else:
        to.journal.commit = Commit(current.commit, there.head)
    if host.by_push is not None:
        opened = host.by_push.opened_by_push(proposal, landed.said if landed else "")
        to.journal.pull_request = opened if landed else replace(opened, state="unchanged")
        return landed is not None
    if there.latest and _keeps_words(there.latest, proposal, to, is_old=bool(whole.kept) and landed is None):
        words = description.ours_in(there.latest.body) or there.latest.body
        # What they show of the rendered objects is about what was on the branch before.
        words = words if landed is None else without_diff(words)
        proposal = replace(proposal, title=there.latest.title, body=words)
    if to.publication.diff.where == "body":
        proposal = replace(proposal, body=with_diff(proposal.body, rendered, room))
    changed = _requested(host.forge, there, proposal, to, pushed=landed is not None)
    if to.publication.diff.where == "comment":
        comment_on(to, rendered)
    # Without an API nothing was asked since the last look.
    if landed and host.forge.BODY_LIMIT and _is_elsewhere(to, there.head, landed.commit):
        # Another run joined in the meantime, and these words lack its change.
        return None if propose(to, snapshot, plan) is None else True
    return changed


def _is_at(to: PublishContext, host: _Host, head: str, commit: str) -> bool:
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


def _keeps_words(latest: PullRequest, proposal: Proposal, to: PublishContext, *, is_old: bool) -> bool:
    """Whether the words stay: those of whoever proposed the last of it, or of a template that this run has not."""
    words = description.ours_in(latest.body) or latest.body
    is_foreign = bool(to.head) and not to.publication.body and not texts.is_usual(words)
    return (is_old or is_foreign) and _tells_the_same(latest.body, proposal.body)


def _tells_the_same(one: str, other: str) -> bool:
    """Whether two descriptions are of the same images in the same files, whoever wrote them."""
    return texts.images_in(one) == texts.images_in(other) and texts.files_in(one) == texts.files_in(other)


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
        _by_push(forge, error, to)
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


def _chosen(to: PublishContext, host: _Host, plan: Plan) -> Standing:
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


def _current_state(to: PublishContext, host: _Host) -> Iterator[Standing]:
    names = heads(to)
    tips = to.head_repo.refs(*names).tips
    for head in names:
        yield stand(to, head, tips.get(head), host.latest(head, to))


def _joined(there: Standing, snapshot: Snapshot, plan: Plan, to: PublishContext) -> Joined:
    if there.ours is None or not there.is_open:
        return Joined(plan)
    whole = joined(there.ours, snapshot, plan, to)
    for place in whole.lost:
        to.log.warn(f"{there.head} proposed a change of {place}, where {to.base} has something else now: left out")
    if whole.kept:
        to.log.detail(f"{there.head} keeps {len(whole.kept)} places that another run proposed")
    return whole


def _was_rejected_by_person(there: Standing, plan: Plan, to: PublishContext) -> bool:
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
    to.log.step(f"{there.head} has the image already, and work of somebody else on top: left alone")
    to.journal.commit = Commit(there.current.commit, there.head)
    to.journal.pull_request = there.latest
    return True


def _is_refused(there: Standing, plan: Plan, to: PublishContext) -> bool:
    """Whether a person closed a pull request with these images at these places.

    What a description does not tell, because it was cut or rewritten, is taken to be the same.
    """
    if there.latest is None or not there.latest.is_refusal or to.publication.reopen:
        return False
    body = _proposal(there.head, plan, to).body
    before, now = texts.images_in(there.latest.body), texts.images_in(body)
    places = texts.files_in(there.latest.body)
    is_own = there.head == heads(to)[0]
    same_images = now <= before or (is_own and not before)
    return same_images and (places is None or (texts.files_in(body) or frozenset()) <= places)


def _by_push(forge: Forge, refused: ForgeError, to: PublishContext) -> OpensByPush:
    """The way around an API that refuses the token, where the host offers one; else the refusal stands."""
    if refused.status not in {401, 403} or not isinstance(forge, OpensByPush) or to.publication.commit_with == "api":
        raise refused
    to.log.warn(
        f"{refused.message}: the push itself asks for the pull request. Nobody is asked for review, and one that was "
        "closed is not noticed"
    )
    return forge


def _open_or_update(forge: Forge, existing: PullRequest | None, proposal: Proposal) -> PullRequest:
    """One pull request from head to base: the open one brought up to date, or a new one."""
    if not forge.BODY_LIMIT:
        return forge.open(proposal)
    if existing is None:
        return forge.open(replace(proposal, body=description.framed(proposal.title, proposal.body)))
    title = proposal.title if description.is_our_title(existing.title, existing.body) else existing.title
    words, body = description.ours_in(existing.body), description.without_note(existing.body)
    # Every run has another pipeline link; that alone is no news.
    is_news = words is None or not texts.same_body(words, proposal.body)
    if is_news or title != existing.title:
        body = description.rewritten(existing.body, proposal.title, proposal.body if is_news else words or "")
    return forge.update(existing, replace(proposal, title=title, body=body))


def _tell(found: PullRequest, to: PublishContext) -> None:
    if found.number is not None:
        said = {"opened": "opened", "updated": "updated", "unchanged": "is up to date:"}[found.state]
        to.log.step(f"pull request #{found.number} {said} {found.url}")


def _refuse_unfinished(current: Snapshot, head: str, plan: Plan) -> None:
    """A person works on the branch: fine where it has the image already, else the run stops."""
    if not all(current.read(path) == data for path, data in contents(plan).items()):
        raise GitError(
            f"The branch {head} ends in a commit that gitops-ci did not make ({current.commit[:12]})",
            hint="Somebody worked on it: merge or close its pull request and delete the branch, then run again.",
        )


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


def _room(forge: Forge, there: Standing) -> int:
    """How long this tool's words may be, beside those that people wrote around them."""
    theirs = description.outside(there.latest.body) if there.latest and there.latest.status == "open" else ""
    limit = min(forge.BODY_LIMIT or texts.BODY_LIMIT, texts.BODY_LIMIT)
    return max(limit - description.FRAME - len(theirs.encode()), _LEAST_WORDS)


def _proposal(head: str, plan: Plan, to: PublishContext, *, limit: int = texts.BODY_LIMIT) -> Proposal:
    said, known = to.publication, facts(plan, to)
    return Proposal(
        head=head,
        base=to.base,
        title=texts.title(said.title or "", known),
        body=texts.body(known, template=said.body, limit=limit),
        labels=said.labels,
        reviewers=said.reviewers,
        assignees=said.assignees,
        milestone=said.milestone,
        draft=said.draft,
    )
