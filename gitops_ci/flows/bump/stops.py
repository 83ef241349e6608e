"""Which of a run's images may not be proposed now, and what a proposal does to the files that say so."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.branches import kind_branch
from gitops_ci.flows.bump.holds import hold_of, refusal, stopping
from gitops_ci.flows.bump.publication import PublishContext, PublishSettings
from gitops_ci.flows.bump.search import Search
from gitops_ci.imageref import ImageRef
from gitops_ci.model import FileChange, Hold, Log, Plan

__all__ = ["Companion", "EndedBlocks", "Obedience", "pending"]


class Companion(Protocol):
    """What goes with a change of images: files of its commit, and what is to be done once it is published."""

    @property
    def head(self) -> str:
        """The branch of the proposal, '' for that of the images."""

    @property
    def is_rollback(self) -> bool:
        """Whether the change goes back to what ran before: holds do not stop it, and findings are warnings."""

    def files(self, snapshot: Snapshot, plan: Plan, to: PublishContext) -> tuple[FileChange, ...]:
        """The files beside those of the plan."""

    def published(self, plan: Plan, to: PublishContext) -> None:
        """See to what the proposal makes obsolete."""


class Obedience:
    """Takes images out of a search that are held on the branch; `more` are holds that are not there yet.

    `held` are the holds that stop images, `ignored` those that the run was told to pass over.
    """

    def __init__(self, more: Iterable[Hold], log: Log) -> None:
        self._more = tuple(more)
        self._log = log
        self._told = set[str]()
        self.held: tuple[Hold, ...] = ()
        self.ignored: tuple[Hold, ...] = ()

    def __call__(self, snapshot: Snapshot, search: Search) -> Search:
        found = [(image, hold) for image in search.images if (hold := self._stopping(image, snapshot, search))]
        holds = tuple(dict.fromkeys(hold for _, hold in found))
        self.held, self.ignored = ((), holds) if search.ignore_hold else (holds, ())
        for image, hold in found:
            passed = f"--ignore-hold: {image.familiar} is proposed in spite of {hold.path or hold.reason}"
            self._tell(passed if search.ignore_hold else refusal(hold, image))
        if search.ignore_hold:
            return search
        stopped = {image for image, _ in found}
        return replace(search, images=tuple(image for image in search.images if image not in stopped))

    def learn(self, holds: Iterable[Hold]) -> bool:
        """Obey these as well; whether any of them is new."""
        new = [hold for hold in holds if hold not in self._more]
        self._more = (*self._more, *new)
        return bool(new)

    def recorded_in(self, said: PublishSettings) -> PublishSettings:
        """What the commit says of holds that were passed over."""
        more = tuple(("Hold-Ignored", hold.path or hold.reason) for hold in self.ignored)
        return replace(said, trailers=(*said.trailers, *more)) if more else said

    def _stopping(self, image: ImageRef, snapshot: Snapshot, search: Search) -> Hold | None:
        on_base = hold_of(snapshot, search.environment or "", image)
        known = [*([on_base] if on_base else []), *(hold for hold in self._more if _is_of(hold, image))]
        now = time.time()
        return next((left for hold in known if (left := stopping(hold, image, now))), None)

    def _tell(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self._log.warn(message)


def _is_of(hold: Hold, image: ImageRef) -> bool:
    named = ImageRef.try_parse(hold.image)
    return named is not None and named.same_image(image)


def pending(to: PublishContext) -> list[Hold]:
    """Blocks of rollbacks that are proposed and not merged yet: the version must not come back meanwhile."""
    names = {kind_branch("rollback", to.search.environment, (image,)): image for image in to.search.images}
    found = []
    for head in (name for name in names if name in to.head_repo.refs_at_start.tips):
        tip = to.head_repo.fetch(head)
        hold = hold_of(tip, to.search.environment or "", names[head])
        if hold is not None and tip.is_ours and not to.repo.holds(to.base, tip) and _is_open(head, to):
            found.append(hold)
    return found


def _is_open(head: str, to: PublishContext) -> bool:
    if to.connect is None:
        return True
    latest = to.forge.find_latest(head=head, base=to.base)
    return latest.status == "open" if latest else not to.forge.BODY_LIMIT


@dataclass(frozen=True, slots=True)
class EndedBlocks:
    """What goes with a bump: a version that is not blocked ends the block, in its own commit."""

    head: str = ""
    is_rollback: bool = False

    def files(self, snapshot: Snapshot, plan: Plan, to: PublishContext) -> tuple[FileChange, ...]:
        now, gone = time.time(), []
        for image in dict.fromkeys(change.image for change in plan.changes):
            hold = hold_of(snapshot, to.search.environment or "", image)
            if hold is None or stopping(hold, image, now):
                continue
            before = snapshot.read(hold.path) or b""
            gone.append(FileChange(hold.path, before.decode("utf-8", "replace"), ""))
        return tuple(gone)

    def published(self, plan: Plan, to: PublishContext) -> None:
        """Nothing: what is obsolete is seen to with the pull request."""
