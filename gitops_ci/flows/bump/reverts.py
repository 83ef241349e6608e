"""Whether a person took a version back by `git revert`: the commit of ours that brought it was undone on the branch.

Only commits are fetched. What counts is the newest commit that brought the version; a revert of the revert brings it
back.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from gitops_ci.configrepo import LogEntry
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.trailers import reverted_in, trailer, trailers
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Hold
from gitops_ci.reporting.plaintext import words

__all__ = ["reverted"]

_SPAN = 90 * 86_400  # seconds


@dataclass(frozen=True, slots=True)
class _Step:
    """One commit of the branch, with what it merged: their ids and their messages."""

    entry: LogEntry
    ids: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def undone(self) -> frozenset[str]:
        return frozenset[str]().union(*map(reverted_in, self.messages))

    def undoes(self, other: _Step) -> bool:
        return any(full.startswith(short) for short in self.undone for full in other.ids)


def reverted(to: PublishContext, images: Sequence[ImageRef], tip: str) -> list[Hold]:
    """Blocks for the versions among these that a person took back by a revert, of a base branch at `tip`."""
    log = to.repo.commits(to.base, since=int(time.time()) - _SPAN, tip=tip)
    entries = list(log.entries(lambda _: False))
    merged = log.messages([parent for entry in entries for parent in entry.parents[1:]])
    steps = [
        _Step(
            entry,
            (entry.commit, *entry.parents[1:]),
            (entry.message, *(merged[parent] for parent in entry.parents[1:] if parent in merged)),
        )
        for entry in entries
    ]
    name = to.search.environment or ""
    undone = ((image, _undoing(image, words(name), steps)) for image in images if image.tag)
    return [_block(image, name, undoing) for image, undoing in undone if undoing is not None]


def _block(image: ImageRef, environment: str, undoing: LogEntry) -> Hold:
    return Hold(
        environment=environment,
        image=image.familiar,
        blocked=((image.tag, None),),
        reason=f"reverted by {undoing.commit[:12]}",
        by=undoing.author,
        since=undoing.time,
    )


def _undoing(image: ImageRef, environment: str, steps: Sequence[_Step]) -> LogEntry | None:
    """The commit that undid the newest one which brought an image, unless it was undone itself."""
    brought = [
        number for number, step in enumerate(steps) if any(_brings(m, image, environment) for m in step.messages)
    ]
    if not brought:
        return None
    last, present = steps[brought[-1]], True
    undoing: _Step | None = None
    for step in steps[brought[-1] + 1 :]:
        if present and step.undoes(last):
            present, undoing = False, step
        elif not present and undoing is not None and step.undoes(undoing):
            present, last = True, step
    return None if present or undoing is None else undoing.entry


def _brings(message: str, image: ImageRef, environment: str) -> bool:
    named = (ImageRef.try_parse(value) for key, value in trailers(message) if key == "Image")
    is_meant = any(one and one.same_image(image) and one.tag == image.tag for one in named)
    return is_meant and trailer(message, "Environment") == environment and not reverted_in(message)
