"""Publishing a planned change: the commit, and the way straight to the base branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from gitops_ci.configrepo import ConfigRepo, Identity, Snapshot
from gitops_ci.flows.journal import Journal
from gitops_ci.flows.search import Search
from gitops_ci.forges.base import Forge
from gitops_ci.model import Commit, Log, Plan
from gitops_ci.reporting import proposal as texts

__all__ = ["Connect", "Publication", "Publishing", "contents", "facts", "push_base"]

Connect = Callable[[], Forge]


@dataclass(frozen=True, slots=True)
class Publication:
    """How a change is published and what it says about itself. `reopen`: a person's no to it is taken back."""

    author: Identity
    committer: Identity
    title: str | None = None
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    merge: Literal["when-green"] | None = None
    reopen: bool = False
    source_repository: str = ""
    source_commit: str = ""
    pipeline_url: str = ""


@dataclass(frozen=True, slots=True)
class Publishing:
    """One run's way out: the repository and its branch, what is said, and where it is noted."""

    repo: ConfigRepo
    base: str
    publication: Publication
    search: Search
    connect: Connect | None
    journal: Journal
    log: Log

    def commit(self, snapshot: Snapshot, plan: Plan) -> Snapshot:
        """The planned change as one commit on top of `snapshot`; nothing leaves this machine."""
        said = self.publication
        message = texts.commit_message(said.title or "", facts(plan, self))
        return self.repo.commit(snapshot, contents(plan), message, author=said.author, committer=said.committer)

    def push(self, commit: Snapshot, branch: str, *, expected: str | None) -> bool:
        """Move a branch to a commit; False when somebody else was faster."""
        if self.repo.push(commit, branch, expected=expected) == "raced":
            return False
        self.journal.commit = Commit(commit.commit, branch)
        self.log.step(f"pushed {commit.commit[:12]} to {branch} of {self.repo.url}")
        return True


def push_base(to: Publishing, snapshot: Snapshot, plan: Plan) -> bool | None:
    """Commit straight to the base branch. None: somebody else was faster, and the caller starts over."""
    return to.push(to.commit(snapshot, plan), to.base, expected=snapshot.commit) or None


def contents(plan: Plan) -> Mapping[str, bytes]:
    """The files of a plan as they are to be."""
    return {change.path: change.after.encode("utf-8") for change in plan.files}


def facts(plan: Plan, to: Publishing) -> texts.ProposalFacts:
    """What commit and pull request say."""
    previous = dict.fromkeys(str(change.previous) for change in plan.changes if change.previous)
    return texts.ProposalFacts(
        image=to.search.images[0],
        previous=tuple(previous),
        environment=to.search.environment or "",
        changes=plan.changes,
        files=plan.files,
        source_repository=to.publication.source_repository,
        source_commit=to.publication.source_commit,
        pipeline_url=to.publication.pipeline_url,
        more=to.search.images[1:],
    )
