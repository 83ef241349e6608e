"""Pull requests, as they should be and as a host has them."""

from __future__ import annotations

from typing import Literal

from gitops_ci.dataclass import dataclass

__all__ = ["RETIRED", "Proposal", "PullRequest", "Refreshed", "ReviewedChange"]

# In the description of a pull request that this tool closed itself: such an end is nobody's refusal. It is a link
# definition without a link: no renderer shows it, every host keeps it and gives it back.
RETIRED = "[//]: # (gitops-ci:retired)"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request as it should be. `head` and `base` are branch names, `body` is Markdown."""

    head: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    milestone: str = ""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the code host has it. `number` is None where a host has none (plain Git).

    `node_id` is the host's own id where its API wants one besides the number. `state` is what this run did to it,
    `status` what the host says of it. `head_commit` is the head's commit, or how it begins: of a merged one that which
    was merged, "" where the host does not tell. `warnings` are what could not be done and stops nothing (a reviewer
    refused).
    """

    number: int | None
    url: str
    head: str
    base: str
    title: str
    body: str = ""
    labels: tuple[str, ...] = ()
    state: Literal["opened", "updated", "unchanged", "closed"] = "unchanged"
    node_id: str = ""
    status: Literal["open", "closed", "merged"] = "open"
    draft: bool = False
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    milestone: str = ""
    head_commit: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def is_refusal(self) -> bool:
        """Whether a person closed it, as far as it shows."""
        return self.status == "closed" and RETIRED not in self.body


@dataclass(frozen=True, slots=True)
class ReviewedChange:
    """A change of Gerrit, at the `commit` of its newest patch set. `is_retired`: this tool abandoned it.

    `url` is its page where the answer to a push named it.
    """

    number: int
    patch_set: int
    commit: str
    change_id: str
    status: Literal["open", "closed", "merged"]
    head: str
    subject: str
    is_draft: bool = False
    is_retired: bool = False
    hashtags: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A proposal of this tool and what a run did to it; `reason` says why, "" where nothing was to be done.

    A promotion has opened or updated it, or pushed to the branch itself. "left" is what a person works on, or what has
    no pull request yet.
    """

    branch: str
    base: str
    environment: str
    images: tuple[str, ...]
    state: Literal["rebuilt", "closed", "unchanged", "left", "failed", "opened", "updated", "pushed"]
    reason: str = ""
    pull_request: PullRequest | None = None
