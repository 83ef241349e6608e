"""The stub code hosts by name, and what each kind can do: for tests that ask all of them the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gitops_ci.forges import FORGES
from gitops_ci.forges.base import AutoMerge
from gitops_ci.model import Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret
from tests.support.forge_azure_devops import AzureDevOpsStub
from tests.support.forge_bitbucket import BitbucketStub
from tests.support.forge_bitbucket_dc import BitbucketDataCenterStub
from tests.support.forge_gitea import GiteaStub, OldGiteaStub
from tests.support.forge_github import GitHubStub
from tests.support.forge_gitlab import GitLabStub
from tests.support.forge_stub import ForgeStub

__all__ = ["FORKED", "KINDS", "TOKEN", "Host", "Kind", "hosting", "merge", "opened_whole", "updated_whole"]

TOKEN = "canary-0123456789abcdef"


@dataclass(frozen=True)
class Kind:
    """What a host can do; `creates` is the request that opens a pull request."""

    stub: type[ForgeStub]
    forge: str
    creates: str
    labels: bool = True
    assignees: bool = True
    merges: bool = True
    body_limit: int = 65_536
    comment_limit: int = 65_536


KINDS = {
    "github": Kind(GitHubStub, "github", r"/pulls$"),
    "gitlab": Kind(GitLabStub, "gitlab", r"/merge_requests$", body_limit=1_048_576, comment_limit=1_000_000),
    "gitea": Kind(GiteaStub, "gitea", r"/pulls$"),
    "gitea-1.25": Kind(OldGiteaStub, "gitea", r"/pulls$"),
    "bitbucket": Kind(
        BitbucketStub,
        "bitbucket",
        r"/pullrequests$",
        labels=False,
        assignees=False,
        merges=False,
        body_limit=32_768,
        comment_limit=32_768,
    ),
    "bitbucket-dc": Kind(
        BitbucketDataCenterStub,
        "bitbucket-dc",
        r"/pull-requests$",
        labels=False,
        assignees=False,
        body_limit=32_768,
        comment_limit=32_768,
    ),
    "azure-devops": Kind(
        AzureDevOpsStub, "azure-devops", r"/pullrequests$", assignees=False, body_limit=4_000, comment_limit=150_000
    ),
}


# The kinds that open pull requests from a fork; on `git` the branch is the request.
FORKED = ("github", "gitlab", "gitea", "git")


@dataclass
class Host:
    """A running stub and the pauses that its clients make, none of which takes time."""

    kind: Kind
    stub: Any
    pauses: list[float] = field(default_factory=list)

    def connect(self, token: str = TOKEN, path: str = "") -> Any:
        url = RepoUrl.parse(f"https://forge.example/{path or self.stub.path}.git")
        forge: Any = FORGES[self.kind.forge].connect(url, Secret(token) if token else None, self.stub.api_url)
        forge._api.http._sleep = self.pauses.append
        return forge


def opened_whole(forge: Any, proposal: Proposal) -> Any:
    """Open a pull request with all that belongs to it."""
    return forge.complete(forge.open(proposal), proposal)


def updated_whole(forge: Any, pull: PullRequest, proposal: Proposal) -> Any:
    """Bring a pull request up to date with all that belongs to it."""
    return forge.complete(forge.update(pull, proposal), proposal)


def merge(stub: ForgeStub, forge: Any, pull: PullRequest, *, is_new: bool = True) -> Any:
    """Ask a host to merge what is at the head of a pull request, as a run does that has just pushed it."""
    return forge.merge_when_green(pull, AutoMerge(stub.sha(pull.head), is_new=is_new))


@contextmanager
def hosting(name: str, branch_exists: Callable[[str], bool] | None = None, *, token: str = TOKEN) -> Iterator[Host]:
    """The stub of this name, running; leaving it fails the test if a request broke the contract."""
    kind = KINDS[name]
    with kind.stub(branch_exists, token=token) as stub:
        yield Host(kind, stub)
