"""Publishing a planned change: straight to the base branch, or as the one pull request of its environment and image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitops_ci import plan as planning
from gitops_ci.configrepo import ConfigRepo, Snapshot, check_branch
from gitops_ci.errors import FindingsError, GitError
from gitops_ci.flows.journal import Journal
from gitops_ci.flows.search import Search
from gitops_ci.forges.base import Forge
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Commit, Log, Plan, Proposal, PullRequest
from gitops_ci.reporting import proposal as texts

if TYPE_CHECKING:
    from gitops_ci.flows.bump import Publication

__all__ = ["Connect", "Publisher", "Target", "branch_name"]

Connect = Callable[[], Forge]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a change goes and what it is called."""

    base: str
    publication: Publication
    search: Search


def branch_name(environment: str | None, images: tuple[ImageRef, ...]) -> str:
    """The head branch, derived and never random: the same environment and images always find the same one."""
    if len(images) == 1:
        slug = images[0].slug
    else:
        names = "\n".join(sorted(image.name for image in images))
        slug = f"{len(images)}-images-{hashlib.sha256(names.encode()).hexdigest()[:10]}"
    return check_branch(f"gitops-ci/{environment or 'all'}/{slug}")


@dataclass(frozen=True, slots=True)
class Publisher:
    """The ways to publish a plan. Each returns whether anything changed, None when somebody else was faster."""

    repo: ConfigRepo
    target: Target
    journal: Journal
    connect: Connect | None
    log: Log

    def push_base(self, snapshot: Snapshot, plan: Plan) -> bool | None:
        """Commit straight to the base branch."""
        commit = self._commit(snapshot, plan)
        if self.repo.push(commit, self.target.base, expected=snapshot.commit) == "raced":
            return None
        self.journal.commit = Commit(commit.commit, self.target.base)
        self.log.step(f"pushed {commit.commit[:12]} to {self.target.base} of {self.repo.url}")
        return True

    def pull_request(self, snapshot: Snapshot, plan: Plan) -> bool | None:
        """Make the head branch propose the plan, and see to its pull request."""
        assert self.connect is not None
        forge = self.connect()
        head = branch_name(self.target.search.environment, self.target.search.images)
        tip = self.repo.refs(head).tips.get(head)
        current = self.repo.fetch(head, depth=2) if tip else None
        if current is not None:
            _refuse_foreign(current, head)
            _refuse_older(current, head, plan, self.target)
        pushed = current is None or not _proposes(current, plan)
        if current is None or pushed:
            current = self._commit(snapshot, plan)
            if self.repo.push(current, head, expected=tip) == "raced":
                return None
            self.log.step(f"pushed {current.commit[:12]} to {head} of {self.repo.url}")
        self.journal.commit = Commit(current.commit, head)
        found = _ensured(forge, _proposal(head, plan, self.target), self.log)
        if found.number is None and not pushed:
            # Without an API the branch is all there is of the pull request.
            found = replace(found, state="unchanged")
        self.journal.pull_request = found
        if self.target.publication.merge == "when-green" and not forge.merge_when_green(found):
            self.log.warn("this code host cannot merge by itself once the checks pass: merge the pull request by hand")
        return pushed or found.state != "unchanged"

    def _commit(self, snapshot: Snapshot, plan: Plan) -> Snapshot:
        publication = self.target.publication
        message = texts.commit_message(publication.title or "", _facts(plan, self.target))
        return self.repo.commit(
            snapshot, _contents(plan), message, author=publication.author, committer=publication.committer
        )


def _ensured(forge: Forge, proposal: Proposal, log: Log) -> PullRequest:
    """One pull request from head to base: the open one brought up to date, or a new one."""
    existing = forge.find_open(head=proposal.head, base=proposal.base)
    if existing is not None and texts.same_body(existing.body, proposal.body):
        # Every run has another pipeline link; that alone is no news.
        proposal = replace(proposal, body=existing.body)
    found = forge.open(proposal) if existing is None else forge.update(existing, proposal)
    for warning in found.warnings:
        log.warn(warning)
    if found.number is not None:
        said = {"opened": "opened", "updated": "updated", "unchanged": "is up to date:"}[found.state]
        log.step(f"pull request #{found.number} {said} {found.url}")
    return found


def _refuse_foreign(current: Snapshot, head: str) -> None:
    if not current.is_ours:
        raise GitError(
            f"The branch {head} ends in a commit that gitops-ci did not make ({current.commit[:12]})",
            hint="Somebody worked on it: merge or close its pull request and delete the branch, then run again.",
        )


def _refuse_older(current: Snapshot, head: str, plan: Plan, target: Target) -> None:
    """An older build that finishes late must not push its image over the newer one that is proposed already."""
    contents = ((change.path, current.read(change.path)) for change in plan.files)
    files = [(path, data.decode("utf-8", "replace")) for path, data in contents if data is not None]
    refused = planning.make(files, target.search.images, target.search.policy).refused
    if refused:
        raise FindingsError(f"{head} proposes a newer image already: {refused[0].reason}", hint=refused[0].hint)


def _proposes(current: Snapshot, plan: Plan) -> bool:
    """Whether the branch's one commit is this plan already, on files that have not changed since."""
    parent = current.parent()
    after = _contents(plan)
    if parent is None or sorted(current.changed_paths(parent)) != sorted(after):
        return False
    return all(current.read(path) == data for path, data in after.items())


def _contents(plan: Plan) -> Mapping[str, bytes]:
    return {change.path: change.after.encode("utf-8") for change in plan.files}


def _proposal(head: str, plan: Plan, target: Target) -> Proposal:
    publication, facts = target.publication, _facts(plan, target)
    return Proposal(
        head=head,
        base=target.base,
        title=texts.title(publication.title or "", facts),
        body=texts.body(facts),
        labels=publication.labels,
        reviewers=publication.reviewers,
        assignees=publication.assignees,
        draft=publication.draft,
    )


def _facts(plan: Plan, target: Target) -> texts.ProposalFacts:
    previous = dict.fromkeys(str(change.previous) for change in plan.changes if change.previous)
    return texts.ProposalFacts(
        image=target.search.images[0],
        previous=tuple(previous),
        environment=target.search.environment or "",
        changes=plan.changes,
        files=plan.files,
        source_repository=target.publication.source_repository,
        source_commit=target.publication.source_commit,
        pipeline_url=target.publication.pipeline_url,
        more=target.search.images[1:],
    )
