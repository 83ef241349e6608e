"""What lies on a head branch before a run, and what of it stays there beside the run's own change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitops_ci import plan as planning
from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import FindingsError
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.imageref import ImageRef
from gitops_ci.model import FileChange, Plan, PullRequest
from gitops_ci.plan.standing import Joined, join
from gitops_ci.reporting.plaintext import words

__all__ = ["Standing", "is_about", "joined", "refuse_older", "stand"]

# Our commit and what it stands on; a branch that was brought up to date may have a merge on top for each time.
_DEPTH, _DEPTH_WITH_MERGES = 2, 20


@dataclass(frozen=True, slots=True)
class Standing:
    """The head branch at `tip`, where there is one, and its latest pull request.

    `ours` is the one commit that it is made of, besides merges of the base; None where anything else lies on it.
    """

    head: str
    tip: str | None = None
    current: Snapshot | None = None
    ours: Snapshot | None = None
    latest: PullRequest | None = None

    @property
    def is_shared(self) -> bool:
        """Whether somebody else's work lies on the branch."""
        return self.current is not None and self.ours is None

    @property
    def is_open(self) -> bool:
        """Whether the branch proposes something. Without a pull request, another run is about to open one."""
        return self.current is not None and (self.latest is None or self.latest.status == "open")

    @property
    def is_spent(self) -> bool:
        """Whether it was merged: that is no proposal any more, and a host opens none for the same commit."""
        return self.latest is not None and self.latest.status == "merged"


def stand(to: PublishContext, head: str, tip: str | None) -> Standing:
    """Fetch what lies on a head branch."""
    if tip is None:
        return Standing(head)
    current = to.repo.fetch(head, depth=_DEPTH)
    current = current if current.is_ours else to.repo.fetch(head, depth=_DEPTH_WITH_MERGES)
    return Standing(head, tip, current, _our_commit(current, to))


def refuse_older(there: Standing, plan: Plan, to: PublishContext) -> None:
    """An older build that finishes late must not push its image over the newer one that is proposed already.

    Raises:
        FindingsError: a newer image is proposed.
    """
    if there.current is None:
        return
    read = ((change.path, there.current.read(change.path)) for change in plan.files)
    files = [(path, data.decode("utf-8", "replace")) for path, data in read if data is not None]
    pointers = [at for at in to.search.pointers if at.path in dict(files)]

    def made() -> Plan:
        return planning.make(files, to.search.images, to.search.policy, pointers=pointers, is_older=to.ages)

    found = made()
    refused = made().refused if to.ages.learn() else found.refused
    if refused:
        raise FindingsError(f"{there.head} proposes a newer image already: {refused[0].reason}", hint=refused[0].hint)


def is_about(ours: Snapshot, to: PublishContext) -> bool:
    """Whether a commit of ours proposes this run's images to its environment: a name of old may be another's."""
    environment = next(_trailers(ours, "Environment"), "")
    names = {image.name for image in _images(ours)}
    return environment == words(to.search.environment or "") and any(i.name in names for i in to.search.images)


def joined(ours: Snapshot, base: Snapshot, plan: Plan, to: PublishContext) -> Joined:
    """The plan, and what the standing proposal changes besides, on the base as it is now."""
    proposed = _files(ours)
    read = ((file.path, base.read(file.path)) for file in proposed)
    now = {path: data.decode("utf-8", "replace") for path, data in read if data is not None}
    policy = replace(to.search.policy, formats=(), allow_downgrade=False)

    def replan(path: str, text: str, image: ImageRef) -> Plan:
        return planning.make([(path, text)], (image,), policy, is_older=to.ages)

    whole = join(plan, proposed, now, _images(ours), replan)
    return join(plan, proposed, now, _images(ours), replan) if to.ages.learn() else whole


def _our_commit(current: Snapshot, to: PublishContext) -> Snapshot | None:
    """The one commit of ours on a branch, where it holds nothing besides but merges of the base into it."""
    ours, merged = current, list[Snapshot]()
    while not ours.is_ours:
        if len(parents := ours.ancestors()) != 2:
            return None
        ours, base = parents
        merged.append(base)
    stood_on = ours.parent()
    if not merged:
        return ours
    if stood_on is None:
        return None
    ours_changed = {path: ours.read(path) for path in ours.changed_paths(stood_on)}
    if {path: current.read(path) for path in current.changed_paths(merged[0])} != ours_changed:
        return None
    return ours if all(to.repo.holds(to.base, commit) for commit in merged) else None


def _files(ours: Snapshot) -> list[FileChange]:
    """What a commit of ours changes."""
    before = ours.parent()
    if before is None:
        return []
    pairs = [(path, before.read(path), ours.read(path)) for path in ours.changed_paths(before)]
    return [FileChange(path, old.decode(), new.decode()) for path, old, new in pairs if old is not None and new]


def _images(ours: Snapshot) -> list[ImageRef]:
    read = (ImageRef.try_parse(value) for value in _trailers(ours, "Image"))
    return [image for image in read if image]


def _trailers(commit: Snapshot, key: str) -> Iterator[str]:
    lines = commit.message.rstrip().rpartition("\n\n")[2].splitlines()
    return (line.partition(": ")[2] for line in lines if line.startswith(f"{key}: "))
