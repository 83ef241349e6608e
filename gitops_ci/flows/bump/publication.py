"""What publishing a planned change takes: the settings, one run's surroundings, and the facts that texts state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from gitops_ci.configrepo import ConfigRepo, Identity, Signing
from gitops_ci.flows.bump.search import Search
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.image.age import AgeComparison
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.flows.journal import Journal
from gitops_ci.forges.base import Forge, MergeMethod
from gitops_ci.model import Log, Plan
from gitops_ci.reporting import proposal as texts

__all__ = ["Connect", "PublishContext", "PublishSettings", "contents", "facts"]

Connect = Callable[[], Forge]


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """How a change is published and what it says about itself. `reopen`: a person's no to it is taken back.

    `signers` are those whose signatures of the images were verified.
    `trailers` are for the commit besides those of every bump, `notes` sentences for the pull request.

    `commit_with` "api": the code host makes and signs the commits; author, committer and `signing` are its own then.
    """

    author: Identity
    committer: Identity
    signing: Signing | None = None
    commit_with: Literal["git", "api"] = "git"
    title: str | None = None
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    merge: Literal["when-green"] | None = None
    merge_method: MergeMethod = "auto"
    reopen: bool = False
    source_repository: str = ""
    source_commit: str = ""
    source_commit_url: str = ""
    pipeline_url: str = ""
    signers: tuple[str, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishContext:
    """One run's way out: the repository and its branch, what is said, and where it is noted.

    `usual` is the branch that the change would go to if nobody had named `base`, `head` the branch of the proposal
    where that does not follow from the rest.
    """

    repo: ConfigRepo
    base: str
    usual: str
    publication: PublishSettings
    search: Search
    environment: Environment
    ages: AgeComparison
    twins: TagTwins
    connect: Connect | None
    journal: Journal
    log: Log
    head: str = ""


def contents(plan: Plan) -> Mapping[str, bytes | None]:
    """The files of a plan as they are to be; None for one that is to go."""
    return {change.path: change.after.encode("utf-8") if change.after else None for change in plan.files}


def facts(plan: Plan, to: PublishContext) -> texts.ProposalFacts:
    """What commit and pull request say: of the images that the plan changes, and of no others."""
    changed = dict.fromkeys(change.image for change in plan.changes)
    images = [image for image in to.search.images if image in changed]
    images += [image for image in changed if image not in images]
    previous = dict.fromkeys(str(change.previous) for change in plan.changes if change.previous)
    return texts.ProposalFacts(
        image=images[0] if images else to.search.images[0],
        previous=tuple(previous),
        environment=to.search.environment or "",
        changes=plan.changes,
        files=plan.files,
        source_repository=to.publication.source_repository,
        source_commit=to.publication.source_commit,
        source_commit_url=to.publication.source_commit_url,
        pipeline_url=to.publication.pipeline_url,
        signers=to.publication.signers,
        more=tuple(images[1:]),
        trailers=to.publication.trailers,
        notes=to.publication.notes,
    )
