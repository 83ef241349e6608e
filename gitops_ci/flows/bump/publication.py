"""What publishing a planned change takes: the settings, one run's surroundings, and the facts that texts state."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Literal
from urllib.parse import quote

from gitops_ci.configrepo import ConfigRepo, Identity, Signing
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.gate_settings import GateSettings
from gitops_ci.flows.bump.head_repository import looking_at
from gitops_ci.flows.bump.in_environments import in_environments
from gitops_ci.flows.bump.search import Search
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.image.age import AgeComparison
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.flows.journal import Journal
from gitops_ci.forges.base import Forge, MergeMethod
from gitops_ci.model import Log, Plan
from gitops_ci.reporting import proposal as texts

__all__ = ["Connect", "PublishContext", "PublishSettings", "ShownDiff", "contents", "facts"]

Connect = Callable[[], Forge]
# A commit in a tag: digits of which one at least is a letter, so that no date is taken for one.
_COMMIT = re.compile(r"(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{7,40}(?![0-9a-z])")


@dataclass(frozen=True, slots=True)
class ShownDiff:
    """Where a pull request shows what it does to the rendered objects; the rest as in `DiffRequest`."""

    where: Literal["comment", "body", "none"] = "none"
    fold: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    large: int = 100


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """How a change is published and what it says about itself. `reopen`: a person's no to it is taken back.

    `signers` are those whose signatures of the images were verified.
    `trailers` are for the commit besides those of every bump, `notes` sentences for the pull request.

    `title`, `body`, `commit_message` and `branch` are templates, `build` the values of their fields that tell of the
    build, `group` the name of images that share a pull request.
    `skip_ci`: a commit on the base branch asks the host to start no pipeline for it.
    `commit_with` "api": the code host makes and signs the commits; author, committer and `signing` are its own then.
    """

    author: Identity
    committer: Identity
    signing: Signing | None = None
    commit_with: Literal["git", "api"] = "git"
    title: str | None = None
    body: str = ""
    commit_message: str = ""
    branch: str = ""
    build: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    sign_off: bool = False
    skip_ci: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    milestone: str = ""
    draft: bool = False
    merge: Literal["when-green"] | None = None
    merge_method: MergeMethod = "auto"
    reopen: bool = False
    source_repository: str = ""
    source_commit: str = ""
    source_commit_url: str = ""
    compare_url: str = ""
    git_tag: str = ""
    pipeline_url: str = ""
    signers: tuple[str, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    diff: ShownDiff = ShownDiff()


@dataclass(frozen=True, slots=True)
class PublishContext:
    """One run's way out: the repository and its branch, what is said, and where it is noted.

    `usual` is the branch that the change would go to if nobody had named `base`, `head` the branch of the proposal
    where that does not follow from the rest. `to_tip`: a proposal that is only behind the base is made anew.
    `rendering` are the settings that its change is rendered with, `layout` the environments of the config repository.
    `heads_in` is where the branches of pull requests are, None for the config repository itself.
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
    to_tip: bool = False
    rendering: GateSettings = field(default_factory=GateSettings)
    layout: Mapping[str, Environment] = field(default_factory=dict)
    heads_in: ConfigRepo | None = None

    @property
    def head_repo(self) -> ConfigRepo:
        """Where the branches are that pull requests come from."""
        return self.heads_in or self.repo

    @property
    def forge(self) -> Forge:
        assert self.connect is not None, "a flow that opens pull requests is given a code host"
        return looking_at(self.connect(), self.head_repo)


def contents(plan: Plan) -> Mapping[str, bytes | None]:
    """The files of a plan as they are to be; None for one that is to go."""
    return {change.path: change.after.encode("utf-8") if change.after else None for change in plan.files}


def facts(plan: Plan, to: PublishContext) -> texts.ProposalFacts:
    """What commit and pull request say: of the images that the plan changes, and of no others."""
    said = to.publication
    changed = dict.fromkeys(change.image for change in plan.changes)
    images = [image for image in to.search.images if image in changed]
    images += [image for image in changed if image not in images]
    previous = dict.fromkeys(str(change.previous) for change in plan.changes if change.previous)
    return texts.ProposalFacts(
        image=images[0] if images else to.search.images[0],
        previous=tuple(previous),
        environment=to.search.environment or "",
        changes=in_environments(plan.changes, to.layout, to.base, to.search.environment),
        files=plan.files,
        source_repository=said.source_repository,
        source_commit=said.source_commit,
        source_commit_url=said.source_commit_url,
        compare_url=_comparison(said, plan),
        pipeline_url=said.pipeline_url,
        signers=said.signers,
        more=tuple(images[1:]),
        group=said.group,
        build=said.build,
        trailers=to.publication.trailers,
        notes=to.publication.notes,
    )


def _comparison(said: PublishSettings, plan: Plan) -> str:
    """Where a person can look at what is new in the source, as far as tags show the commits or Git tags.

    `compare_url` of the settings has a place for either end.
    """
    pairs = {(c.previous.tag or "", c.image.tag or "") for c in plan.changes if c.previous}
    if not said.compare_url or len(pairs) != 1 or len({change.image for change in plan.changes}) != 1:
        return ""
    old, new = next(iter(pairs))
    if old and new and said.git_tag.endswith(new) and old != new:
        ends = said.git_tag.removesuffix(new) + old, said.git_tag
    elif (before := _COMMIT.findall(old)) and any(said.source_commit.startswith(c) for c in _COMMIT.findall(new)):
        ends = before[-1], said.source_commit
    else:
        return ""
    return said.compare_url.replace("{old}", quote(ends[0], safe="")).replace("{new}", quote(ends[1], safe=""))
