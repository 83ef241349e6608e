"""What goes with a rollback: the files that block the version taken back, and what was proposed before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.branches import heads
from gitops_ci.flows.bump.holds import change_of, is_blocked
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.trailers import trailers
from gitops_ci.forges.base import Forge
from gitops_ci.imageref import ImageRef
from gitops_ci.model import FileChange, Hold, Plan, PullRequest
from gitops_ci.reporting import commonmark as md

__all__ = ["Blocks"]


@dataclass(frozen=True, slots=True)
class Blocks:
    """`holds` are the files to write, by the image's normalized name; `told` says what happened, as a sentence."""

    head: str
    holds: Mapping[str, Hold]
    told: str
    is_rollback: bool = True

    def files(self, snapshot: Snapshot, plan: Plan, to: PublishContext) -> tuple[FileChange, ...]:
        """The files of the images that the plan changes."""
        images = dict.fromkeys(change.image.with_version(tag=None, digest=None) for change in plan.changes)
        wanted = [(image, self.holds[image.name]) for image in images if image.name in self.holds]
        if not wanted:
            return ()
        proposed = self._proposed(to)
        return tuple(file for image, hold in wanted if (file := change_of(hold, image, snapshot, proposed)))

    def _proposed(self, to: PublishContext) -> Snapshot | None:
        """What this rollback proposes already: the file stays as it is there when it says the same."""
        return to.head_repo.fetch(self.head) if self.head in to.head_repo.refs(self.head).tips else None

    def published(self, plan: Plan, to: PublishContext) -> None:
        """Close the proposals of what was taken back, and tell those of other versions about it."""
        if to.connect is None:
            return
        forge = to.forge
        for image in dict.fromkeys(change.image.with_version(tag=None, digest=None) for change in plan.changes):
            alone = replace(to, head="", search=replace(to.search, images=(image,)))
            names = heads(alone)
            tips = to.head_repo.refs(*names).tips
            for head in (name for name in names if name in tips):
                found = forge.find_open(head=head, base=to.base)
                if found is not None and found.number is not None:
                    self._settle(found, to.head_repo.fetch(head), image, forge, to)

    def _settle(self, found: PullRequest, tip: Snapshot, image: ImageRef, forge: Forge, to: PublishContext) -> None:
        hold = self.holds.get(image.name)
        proposed = list(_images(tip))
        text = f"{md.plain(self.told)}."
        is_taken_back = hold and proposed and all(is_blocked(hold, one) or hold.hold for one in proposed)
        if is_taken_back and not forge.close(found, comment=text):
            to.log.warn(f"#{found.number} proposes what was taken back: close it by hand {found.url}".rstrip())
        elif is_taken_back:
            to.log.step(f"pull request #{found.number} closed: it proposes what was taken back {found.url}")
        else:
            forge.comment(found, text, key="rollback")
            to.log.step(f"pull request #{found.number} commented: {self.told} {found.url}")


def _images(tip: Snapshot) -> Iterator[ImageRef]:
    for key, value in trailers(tip.message.rpartition("\nGitops-Ci-Tree:")[0] or tip.message):
        if key == "Image" and (image := ImageRef.try_parse(value)):
            yield image
