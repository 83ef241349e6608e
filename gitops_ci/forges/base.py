"""What the flows ask of a code host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Literal, Protocol, TypeVar, runtime_checkable

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.model import FileChange, Proposal, PullRequest, ReviewedChange
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret

__all__ = [
    "AutoMerge",
    "Changes",
    "CommitStatus",
    "CommitsByApi",
    "Connect",
    "Forge",
    "ForgeKind",
    "KeepsChanges",
    "MergeMethod",
    "Merged",
    "OpensAcross",
    "OpensByPush",
    "ReadsMerges",
    "ReadsStatuses",
    "SignIn",
    "StatusState",
    "owner_and_name",
    "web_origin",
]

T = TypeVar("T")
StatusState = Literal["success", "failure", "pending"]
MergeMethod = Literal["auto", "merge", "squash", "rebase", "fast-forward"]


@dataclass(frozen=True, slots=True)
class AutoMerge:
    """What a host is to merge once its checks pass: `commit` and no other.

    `is_new`: this run pushed it, and what the host shows of the pull request may be about the commit before. `method`
    "auto" is one that the host allows, best one that keeps the commit with its trailers.
    """

    commit: str
    is_new: bool = False
    method: MergeMethod = "auto"

    def choose(self, allowed: Mapping[MergeMethod, T]) -> list[T]:
        """The host's words for the methods to try, from those that it allows, in the order that it prefers."""
        return list(allowed.values()) if self.method == "auto" else [allowed[m] for m in allowed if m == self.method]


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """What somebody reports of a commit under a name, `context`. `by` is the account or app, "" where no host tells."""

    context: str
    state: StatusState
    by: str = ""


@dataclass(frozen=True, slots=True)
class Merged:
    """The pull request that a commit came by, who merged it, and when in seconds since 1970.

    `by` is "" and `time` 0 where no host tells.
    """

    number: int
    by: str
    time: int = 0


class Forge(Protocol):
    """One repository on one code host. Raises ForgeError; never prints, never reads the environment.

    What was refused and stops nothing (a reviewer who is not a collaborator) is in the pull request's `warnings`.
    `BODY_LIMIT` are the characters of a description, `COMMENT_LIMIT` those of a comment, 0 where nobody keeps one.
    """

    BODY_LIMIT: ClassVar[int]
    COMMENT_LIMIT: ClassVar[int]

    def default_branch(self) -> str:
        """The branch that pull requests go to when nobody says otherwise."""

    def find_open(self, *, head: str, base: str) -> PullRequest | None:
        """The open pull request from `head` to `base` of this repository, if there is one."""

    def find_latest(self, *, head: str, base: str) -> PullRequest | None:
        """The open one, else the newest that was closed or merged; `status` says which."""

    def open(self, proposal: Proposal) -> PullRequest:
        """Open a pull request, or adopt the one that was opened in the meantime. Never makes a second one."""

    def update(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Make title and body those of the proposal; `unchanged` when nothing had to be sent.

        A pull request becomes a draft only together with new content, and never ceases to be one: somebody may hold it
        back.
        """

    def complete(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Add the labels, reviewers and assignees that are missing. Never fails: what was refused is a warning.

        Labels and people that somebody added stay. A state of `unchanged` becomes `updated` if any were added.
        """

    def comment(self, pull_request: PullRequest, text: str, *, key: str, is_new: bool = True) -> None:
        """Say `text` under a pull request, once a `key`: what was said before under the same key is replaced.

        Unless `is_new`, nothing is said where nothing was said before.
        """

    def close(self, pull_request: PullRequest, *, comment: str) -> bool:
        """Close without merging, with a comment that says why; nothing when it is not open any more.

        False: this host cannot, and the flow says so.
        """

    def merge_when_green(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        """Ask the host to merge once its checks pass, or merge now where nothing is left to wait for.

        False: this host cannot, and the flow says so. ForgeError: it could, and refuses; the hint says what to set.
        """


@runtime_checkable
class CommitsByApi(Protocol):
    """A code host that can make commits itself, and signs them."""

    def commit(self, *, branch: str, parent: str, message: str, files: tuple[FileChange, ...]) -> str:
        """Put one commit with whole `files` on top of `branch`, which must be at `parent`; the new commit's id.

        Raises ForgeError with status 409 when the branch has moved on.
        """

    def merge(self, *, onto: str, other: str, tree: str, message: str) -> str:
        """Make a commit of two that the host has, with a `tree` that it has; on no branch yet. The new commit's id."""


@runtime_checkable
class ReadsStatuses(Protocol):
    """A code host that keeps what others report of commits."""

    def statuses(self, commit: str) -> Iterable[CommitStatus]:
        """Commit statuses, and check runs where there are any; of one context the newest comes first."""


@runtime_checkable
class ReadsMerges(Protocol):
    """A code host that keeps who merged a pull request."""

    def merged(self, commit: str) -> Merged | None:
        """The merged pull request that brought a commit to its branch; None for one that was pushed."""


@runtime_checkable
class OpensByPush(Protocol):
    """A code host that opens a pull request when a push asks for it: for tokens that may push and not use the API."""

    def push_options(self, proposal: Proposal, *, merge_when_green: bool = False) -> tuple[str, ...]:
        """What `git push -o` has to say."""

    def opened_by_push(self, proposal: Proposal, said: str) -> PullRequest:
        """The pull request as far as it shows in what the host said to the push; `number` is None when it does not."""


@runtime_checkable
class OpensAcross(Protocol):
    """A code host that opens pull requests from a branch of a fork."""

    def use_fork(self, fork: RepoUrl) -> None:
        """Take the heads of all pull requests for branches of `fork`."""


class Changes(Protocol):
    """The changes of Gerrit as their refs show them."""

    def latest(self, head: str) -> ReviewedChange | None:
        """The open change of a head, else the newest one."""


@runtime_checkable
class KeepsChanges(Protocol):
    """A code host where a push to `refs/for/BRANCH` is the request for review (Gerrit)."""

    def over(self, changes: Changes) -> Forge:
        """The same host, which finds these changes."""

    def push_options(self, proposal: Proposal) -> tuple[str, ...]:
        """The options of `refs/for/BRANCH%OPTION,OPTION` for this proposal."""


class Connect(Protocol):
    """Makes the client. `api_url` None is the host's usual address; `deadline` a moment of `time.monotonic`."""

    def __call__(
        self, url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None
    ) -> Forge: ...


SignIn = Callable[[Secret], tuple[str, Secret]]


@dataclass(frozen=True, slots=True)
class ForgeKind:
    """A kind of code host: how to recognize it, which variables hold its token, how git signs in, how to connect.

    `git_user` is the user name that goes with a token over https (`x-access-token` on GitHub); where that depends on
    the token, `sign_in` tells.
    """

    id: str
    token_variables: tuple[str, ...]
    git_user: str
    hosts: Callable[[str], bool]
    connect: Connect
    sign_in: SignIn | None = None

    def git_sign_in(self, token: Secret) -> tuple[str, Secret]:
        """User name and password for git over https; an empty name means `Authorization: Bearer` instead."""
        return self.sign_in(token) if self.sign_in else (self.git_user, token)


def web_origin(url: RepoUrl) -> str:
    """Where the host of a repository is on the web; ssh has a port of its own, which says nothing about that."""
    return url.origin if url.scheme in {"https", "http"} else f"https://{url.code_host}"


def owner_and_name(url: RepoUrl, host: str) -> tuple[str, str]:
    """The last two parts of a repository's path. Raises UsageError when there are no two."""
    owner, name = url.owner.rpartition("/")[2], url.name
    if not owner or not name:
        raise UsageError(f"{url} names no repository on {host}", hint="Its address ends in OWNER/REPOSITORY.")
    return owner, name
