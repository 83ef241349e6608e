"""Gerrit: a push to `refs/for/BRANCH` makes a change, and each further push of its Change-Id a patch set.

What Gerrit has is seen by Git alone (`Changes`), so an ssh key is enough. With an account for https the REST API
abandons a change that has no purpose any more.

Sources: Gerrit's documentation, user-upload ("Push Options", "Uploading Changes"), rest-api ("Authentication"),
rest-api-changes ("Abandon Change").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError
from gitops_ci.forges.base import AutoMerge, Changes, ForgeKind, web_origin
from gitops_ci.model import RETIRED, Proposal, PullRequest, ReviewedChange
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret

__all__ = ["KIND", "Gerrit"]

_UNFIT = re.compile(r"[^A-Za-z0-9._@/+-]+")


@dataclass(frozen=True, slots=True)
class Gerrit:
    """One repository. `web` is where its pages are, "" where the address does not tell."""

    BODY_LIMIT: ClassVar[int] = 0
    COMMENT_LIMIT: ClassVar[int] = 0

    url: RepoUrl
    web: str
    project: str
    changes: Changes | None = None

    def over(self, changes: Changes) -> Gerrit:
        """As KeepsChanges says."""
        return replace(self, changes=changes)

    def push_options(self, proposal: Proposal) -> tuple[str, ...]:
        """As KeepsChanges says. Commas and blanks end an option or the ref, so names with them do not go along."""
        return (
            f"topic={_fit(proposal.head)}",
            *(f"hashtag={_fit(label)}" for label in proposal.labels),
            *(f"r={name}" for name in _fitting(proposal.reviewers)),
            *(["wip"] if proposal.draft else []),
        )

    def default_branch(self) -> str:
        raise ForgeError(f"Cannot tell the default branch of {self.url}", hint="Name the branch to change with --base.")

    def find_open(self, *, head: str, base: str) -> PullRequest | None:
        found = self.find_latest(head=head, base=base)
        return found if found and found.status == "open" else None

    def find_latest(self, *, head: str, base: str) -> PullRequest | None:
        found = self.changes.latest(head) if self.changes else None
        return self._read(found, base) if found else None

    def open(self, proposal: Proposal) -> PullRequest:
        """The change that the push has made."""
        found = self.find_open(head=proposal.head, base=proposal.base)
        return found or PullRequest(None, "", proposal.head, proposal.base, proposal.title)

    def update(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        del proposal
        return pull_request

    def complete(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Labels and reviewers went with the push; there is no more that a change has."""
        fit = _fitting(proposal.reviewers)
        warnings = [
            f"Reviewer {name} was not added: it has a blank or a comma"
            for name in proposal.reviewers
            if name not in fit
        ]
        warnings += [f"Assignee {name} was not added: Gerrit has no assignees" for name in proposal.assignees]
        if proposal.milestone:
            warnings.append(f"Milestone {proposal.milestone} was not set: Gerrit has no milestones")
        return replace(pull_request, warnings=(*pull_request.warnings, *warnings))

    def comment(self, pull_request: PullRequest, text: str, *, key: str, is_new: bool = True) -> None:
        """Nothing: a comment needs the API."""

    def close(self, pull_request: PullRequest, *, comment: str) -> bool:
        del comment
        return pull_request.status != "open"

    def merge_when_green(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        del pull_request, wanted
        return False

    def _read(self, change: ReviewedChange, base: str) -> PullRequest:
        return PullRequest(
            number=change.number,
            url=change.url or (f"{self.web}/c/{self.project}/+/{change.number}" if self.web else ""),
            head=change.head,
            base=base,
            title=change.subject,
            body=RETIRED if change.is_retired else "",
            status=change.status,
            draft=change.is_draft,
            head_commit=change.commit,
            labels=change.hashtags,
        )


def _fit(text: str) -> str:
    return _UNFIT.sub("_", text)


def _fitting(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not _UNFIT.search(name))


def _sign_in(token: Secret) -> tuple[str, Secret]:
    """An account's name and its HTTP password, as USER:PASSWORD."""
    user, colon, password = token.reveal().partition(":")
    return (user, Secret(password)) if colon and user else ("git", token)


def _connect(url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None) -> Gerrit:
    del token, deadline
    # Over https `/a/` before the name of the repository asks for a sign-in; what is before it is Gerrit's own path.
    before, sign, project = url.path.partition("a/") if url.path.startswith("a/") else url.path.rpartition("/a/")
    above = before.strip("/") if sign else ""
    web = api_url or ("" if url.scheme == "ssh" else f"{web_origin(url)}/{above}")
    return Gerrit(url, web.rstrip("/"), project if sign else url.path)


KIND = ForgeKind(
    id="gerrit",
    token_variables=("GERRIT_TOKEN",),
    git_user="git",
    hosts=lambda host: host.startswith("gerrit.") or host.endswith(".googlesource.com"),
    connect=_connect,
    sign_in=_sign_in,
)
