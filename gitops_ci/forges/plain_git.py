"""Git without a code host's API: the branch is the request, and the flow prints the text for whoever opens it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError
from gitops_ci.forges.base import AutoMerge, ForgeKind
from gitops_ci.model import Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret

__all__ = ["KIND", "PlainGit"]


@dataclass(frozen=True, slots=True)
class PlainGit:
    """A repository somewhere. Pull requests have no number and are never found again."""

    BODY_LIMIT: ClassVar[int] = 0
    COMMENT_LIMIT: ClassVar[int] = 0

    url: RepoUrl

    def use_fork(self, fork: RepoUrl) -> None:
        """Nothing: whoever opens the request chooses the fork."""

    def default_branch(self) -> str:
        raise ForgeError(f"Cannot tell the default branch of {self.url}", hint="Name the branch to change with --base.")

    def find_open(self, *, head: str, base: str) -> PullRequest | None:
        del head, base
        return None

    def find_latest(self, *, head: str, base: str) -> PullRequest | None:
        del head, base
        return None

    def open(self, proposal: Proposal) -> PullRequest:
        return PullRequest(
            number=None,
            url="",
            head=proposal.head,
            base=proposal.base,
            title=proposal.title,
            body=proposal.body,
            labels=proposal.labels,
            state="opened",
            draft=proposal.draft,
            reviewers=proposal.reviewers,
            assignees=proposal.assignees,
        )

    def update(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        if (pull_request.title, pull_request.body) == (proposal.title, proposal.body):
            return replace(pull_request, state="unchanged")
        return replace(self.open(proposal), state="updated")

    def complete(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        del proposal
        return pull_request

    def comment(self, pull_request: PullRequest, text: str, *, key: str, is_new: bool = True) -> None:
        """Nothing: there is nobody to say it to."""

    def close(self, pull_request: PullRequest, *, comment: str) -> bool:
        del pull_request, comment
        return False

    def merge_when_green(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        del pull_request, wanted
        return False


def _connect(url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None) -> PlainGit:
    del token, api_url, deadline
    return PlainGit(url)


def _no_host(host: str) -> bool:
    del host
    return False


KIND = ForgeKind(id="git", token_variables=(), git_user="git", hosts=_no_host, connect=_connect)
