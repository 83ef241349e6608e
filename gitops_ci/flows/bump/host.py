"""The code host of a run, and the way around its API once that refuses the token."""

from __future__ import annotations

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.forges.base import Forge, KeepsChanges, OpensByPush
from gitops_ci.model import Proposal, PullRequest

__all__ = ["Host", "way_by_push"]


@dataclass(slots=True)
class Host:
    """The code host, and the way around its API once that refuses the token."""

    forge: Forge
    by_push: OpensByPush | None = None

    @property
    def keeps_changes(self) -> bool:
        return isinstance(self.forge, KeepsChanges)

    @property
    def has_api(self) -> bool:
        """Whether its API writes the pull request, after the push."""
        return bool(self.forge.BODY_LIMIT) and self.by_push is None

    def push_options(self, proposal: Proposal, to: PublishContext) -> tuple[str, ...]:
        """What goes to the host with the push."""
        if isinstance(self.forge, KeepsChanges):
            return self.forge.push_options(proposal)
        waits = to.publication.merge == "when-green"
        return self.by_push.push_options(proposal, merge_when_green=waits) if self.by_push else ()

    def latest(self, head: str, to: PublishContext) -> PullRequest | None:
        if self.by_push is not None:
            return None
        try:
            return self.forge.find_latest(head=head, base=to.base)
        except ForgeError as error:
            self.by_push = way_by_push(self.forge, error, to)
            return None


def way_by_push(forge: Forge, refused: ForgeError, to: PublishContext) -> OpensByPush:
    """The way around an API that refuses the token, where the host offers one; else the refusal stands."""
    if refused.status not in {401, 403} or not isinstance(forge, OpensByPush) or to.publication.commit_with == "api":
        raise refused
    to.log.warn(
        f"{refused.message}: the pull request is opened with push options. It requests no reviews, and "
        "gitops-ci does not notice closed pull requests"
    )
    return forge
