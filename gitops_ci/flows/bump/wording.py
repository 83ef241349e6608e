"""What a pull request of this tool says, and whose words stay in it."""

from __future__ import annotations

from gitops_ci.flows.bump.publication import PublishContext, facts
from gitops_ci.flows.bump.standing import Standing
from gitops_ci.forges.base import Forge
from gitops_ci.model import Plan, Proposal, PullRequest
from gitops_ci.reporting import description
from gitops_ci.reporting import proposal as texts

__all__ = ["keeps_words", "proposal_of", "room_for"]

_LEAST_WORDS = 1_000  # characters


def proposal_of(head: str, plan: Plan, to: PublishContext, *, limit: int = texts.BODY_LIMIT) -> Proposal:
    said, known = to.publication, facts(plan, to)
    return Proposal(
        head=head,
        base=to.base,
        title=texts.title(said.title or "", known),
        body=texts.body(known, template=said.body, limit=limit),
        labels=said.labels,
        reviewers=said.reviewers,
        assignees=said.assignees,
        milestone=said.milestone,
        draft=said.draft,
    )


def room_for(forge: Forge, there: Standing) -> int:
    """How long this tool's words may be, beside those that people wrote around them."""
    theirs = description.outside(there.latest.body) if there.latest and there.latest.status == "open" else ""
    limit = min(forge.BODY_LIMIT or texts.BODY_LIMIT, texts.BODY_LIMIT)
    return max(limit - description.FRAME - len(theirs.encode()), _LEAST_WORDS)


def keeps_words(latest: PullRequest, proposal: Proposal, to: PublishContext, *, is_old: bool) -> bool:
    """Whether the words stay: those of whoever proposed the last of it, or of a template that this run has not."""
    words = description.ours_in(latest.body) or latest.body
    is_foreign = bool(to.head) and not to.publication.body and not texts.is_usual(words)
    return (is_old or is_foreign) and _tells_the_same(latest.body, proposal.body)


def _tells_the_same(one: str, other: str) -> bool:
    """Whether two descriptions are of the same images in the same files, whoever wrote them."""
    return texts.images_in(one) == texts.images_in(other) and texts.files_in(one) == texts.files_in(other)
