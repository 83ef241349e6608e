"""What the flows ask of a code host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gitops_ci.model import Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret

__all__ = ["Forge", "ForgeKind"]


class Forge(Protocol):
    """One repository on one code host. Raises ForgeError; never prints, never reads the environment."""

    def default_branch(self) -> str:
        """The branch that pull requests go to when nobody says otherwise."""

    def find_open(self, *, head: str, base: str) -> PullRequest | None:
        """The open pull request from `head` to `base` of this repository, if there is one."""

    def open(self, proposal: Proposal) -> PullRequest:
        """Open a pull request, or adopt the one that was opened in the meantime."""

    def update(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Make title, body, labels and reviewers those of the proposal; `unchanged` when they are already."""

    def merge_when_green(self, pull_request: PullRequest) -> bool:
        """Ask the host to merge once its checks pass. False: this host cannot, and the flow says so."""


@dataclass(frozen=True, slots=True)
class ForgeKind:
    """A kind of code host: how to recognise it, which variables hold its token, how git signs in, how to connect.

    `git_user` is the user name that goes with a token over https (`x-access-token` on GitHub).
    `connect(url, token, api_url)` makes the client; `api_url` None means the host's usual address.
    """

    id: str
    token_variables: tuple[str, ...]
    git_user: str
    hosts: Callable[[str], bool]
    connect: Callable[[RepoUrl, Secret | None, str | None], Forge]
