"""What lies on a head branch before a run, and what of it stays there beside the run's own change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gitops_ci import plan as planning
from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.trailers import trailers as every_trailer
from gitops_ci.imageref import ImageRef
from gitops_ci.known_files import OWN_FOLDER
from gitops_ci.model import RETIRED, FileChange, Plan, PullRequest, Skip
from gitops_ci.plan.standing import Joined, join, only_versions_differ
from gitops_ci.reporting import proposal as texts
from gitops_ci.reporting.plaintext import words

__all__ = ["Standing", "images_of", "is_about", "joined", "refuse_older", "stand", "stands_on", "trailers"]

# Our commit and what it stands on; a branch that was brought up to date may have a merge on top for each time, and one
# that may not be replaced has every commit that it ever had.
_DEPTH, _DEPTH_WITH_MERGES, _DEPTH_WITH_OTHERS = 2, 20, 400


@dataclass(frozen=True, slots=True)
class Standing:
    """The head branch at `tip`, where there is one, and its latest pull request.

    `ours` is the one commit that it is made of, besides merges of the base; None where anything else lies on it.
    `is_spent`: all of it was merged. It is not a proposal any more, and nothing is lost when it is replaced.
    """

    head: str
    tip: str | None = None
    current: Snapshot | None = None
    ours: Snapshot | None = None
    latest: PullRequest | None = None
    is_spent: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether somebody else's work lies on the branch."""
        return self.current is not None and self.ours is None and not self.is_spent

    @property
    def is_open(self) -> bool:
        """Whether the branch proposes something. Without a pull request, another run is about to open one."""
        is_closed = self.latest is not None and self.latest.status == "closed"
        return self.current is not None and not self.is_spent and not is_closed


def stand(to: PublishContext, head: str, tip: str | None, latest: PullRequest | None = None) -> Standing:
    """Fetch what lies on a head branch; `latest` is its latest pull request."""
    if tip is None:
        return Standing(head, latest=latest)
    current = to.head_repo.fetch(head, depth=_DEPTH)
    for depth in (_DEPTH_WITH_MERGES, _DEPTH_WITH_OTHERS):
        if not current.is_ours or current.made_from() is None:
            current = to.head_repo.fetch(head, depth=depth)
    ours = _our_commit(current, to)
    latest = _described(latest, ours)
    return Standing(head, tip, current, ours, latest, is_spent=_was_merged(current, ours, latest, to))


def _described(latest: PullRequest | None, ours: Snapshot | None) -> PullRequest | None:
    """A pull request with what it is about where it has no description: its commit tells it, too."""
    if latest is None or ours is None or latest.head_commit != ours.commit:
        return latest
    if latest.body.replace(RETIRED, "").strip() or (before := ours.made_from()) is None:
        return latest
    paths = [path for path in ours.changed_paths(before) if not path.startswith(OWN_FOLDER)]
    return replace(latest, body=f"{texts.about(images_of(ours), paths)}\n\n{latest.body}")


def _was_merged(current: Snapshot, ours: Snapshot | None, latest: PullRequest | None, to: PublishContext) -> bool:
    """Whether all that lies on a branch was merged: by what the host merged, or by the history of the base."""
    if latest is not None and latest.status != "merged":
        return False
    if latest is not None and latest.head_commit:
        return current.commit.startswith(latest.head_commit) or to.repo.holds(to.base, current)
    # A host that does not tell what it merged: a commit of ours is taken for it, a person's is not.
    return to.repo.holds(to.base, current) or (latest is not None and ours is not None)


def refuse_older(there: Standing, plan: Plan, to: PublishContext) -> None:
    """An older build that finishes late must not push its image over the newer one that is proposed already.

    Raises:
        FindingsError: a newer image is proposed.
    """
    # What this tool closed proposes nothing any more, though its branch is there.
    is_retired = there.latest is not None and there.latest.status == "closed" and not there.latest.is_refusal
    if there.current is None or there.is_spent or is_retired:
        return
    base = stands_on(there.current) if there.ours is not None else None
    # What the branch has from its base it does not propose: the base may have gone back since.
    known = {skip.reason for skip in _refused(base, plan, to)} if base is not None else ()
    refused = [skip for skip in _refused(there.current, plan, to) if skip.reason not in known]
    if refused:
        raise FindingsError(f"{there.head} proposes a newer image already: {refused[0].reason}", hint=refused[0].hint)


def _refused(commit: Snapshot, plan: Plan, to: PublishContext) -> Sequence[Skip]:
    """The places in the files of a plan that have a newer image in this commit."""
    read = ((change.path, commit.read(change.path)) for change in plan.files)
    files = [(path, data.decode("utf-8", "replace")) for path, data in read if data is not None]
    paths = [path for path, _ in files]
    pointers = [*(at for at in to.search.pointers if at.path in paths), *to.search.pointed(paths)]

    def made() -> Plan:
        return planning.make(files, to.search.images, to.search.policy, pointers=pointers, is_older=to.ages)

    found = made()
    return made().refused if to.ages.learn() else found.refused


def stands_on(current: Snapshot) -> Snapshot | None:
    """The commit of the base branch that a branch was made from, or brought up to."""
    if current.is_ours:
        return current.made_from()
    ancestors = current.ancestors()
    return ancestors[-1] if ancestors else None


def is_about(ours: Snapshot, to: PublishContext) -> bool:
    """Whether a commit of ours proposes this run's images to its environment: a name of old may be another's."""
    environment = next(trailers(ours, "Environment"), "")
    if next(trailers(ours, "Group"), "") != words(to.publication.group):
        return False
    if to.publication.group:
        return environment == words(to.search.environment or "")
    names = {image.name for image in images_of(ours)}
    return environment == words(to.search.environment or "") and any(i.name in names for i in to.search.images)


def joined(ours: Snapshot, base: Snapshot, plan: Plan, to: PublishContext) -> Joined:
    """The plan and the other changes of the open proposal, applied to the base as it is now."""
    proposed = _files(ours)
    read = ((file.path, base.read(file.path)) for file in proposed)
    now = {path: data.decode("utf-8", "replace") for path, data in read if data is not None}
    policy = replace(to.search.policy, formats=(), allow_downgrade=False)

    def replan(path: str, text: str, image: ImageRef) -> Plan:
        pointers = to.search.pointed([path], [image])
        files = planning.parse([(path, text)], (image,), policy)
        return planning.make_from(files, (image,), policy, pointers=pointers, is_older=to.ages, has_twin=to.twins)

    whole = join(plan, proposed, now, images_of(ours), replan)
    learned = (to.ages.learn(), to.twins.learn())
    return join(plan, proposed, now, images_of(ours), replan) if any(learned) else whole


def _our_commit(current: Snapshot, to: PublishContext) -> Snapshot | None:
    """Our one commit on a branch, if the branch otherwise has only merges of the base."""
    ours, merged = current, list[Snapshot]()
    while not (ours.is_ours or _is_rebased(ours, to)):
        if len(parents := ours.ancestors()) != 2:
            return None
        ours, base = parents
        merged.append(base)
    stood_on = ours.made_from()
    if not merged:
        return ours
    if stood_on is None:
        return None
    if not _brings_the_same(current, merged[0], ours, stood_on):
        return None
    return ours if all(to.repo.holds(to.base, commit) for commit in merged) else None


def _brings_the_same(current: Snapshot, base: Snapshot, ours: Snapshot, stood_on: Snapshot) -> bool:
    """Whether a branch that the base was merged into differs from it by what our commit changes, and nothing else."""
    paths = ours.changed_paths(stood_on)
    if {path: current.read(path) for path in current.changed_paths(base)} == {path: ours.read(path) for path in paths}:
        return True
    # The base changed other lines of the same files.
    images = [*images_of(ours), *_digests(ours)]
    files = _changes_between(base, current)
    is_whole = len(files) == len(current.changed_paths(base)) and {file.path for file in files} <= {*paths}
    return is_whole and all(only_versions_differ(file, images) for file in files)


def _is_rebased(commit: Snapshot, to: PublishContext) -> bool:
    """Whether this is a commit of ours that was put on a newer base, as hosts do by a button.

    It has another tree than the one that it names. What it changes are the versions that it names, and nothing else.
    """
    before = commit.parent() if len(commit.parents) == 1 and commit.has_mark else None
    if before is None or not to.repo.holds(to.base, before):
        return False
    files, images = _files(commit), [*images_of(commit), *_digests(commit)]
    changed = [path for path in commit.changed_paths(before) if not path.startswith(OWN_FOLDER)]
    return len(files) == len(changed) and all(only_versions_differ(f, images) for f in files)


def _digests(commit: Snapshot) -> list[ImageRef]:
    images = images_of(commit)
    return [image.with_version(tag=None, digest=d) for d in trailers(commit, "Image-Digest") for image in images]


def _files(ours: Snapshot) -> list[FileChange]:
    """What a commit of ours changes."""
    before = ours.made_from()
    if before is None:
        return []
    return [file for file in _changes_between(before, ours) if not file.path.startswith(OWN_FOLDER)]


def _changes_between(before: Snapshot, after: Snapshot) -> list[FileChange]:
    pairs = [(path, before.read(path), after.read(path)) for path in after.changed_paths(before)]
    return [FileChange(path, old.decode(), new.decode()) for path, old, new in pairs if old is not None and new]


def images_of(ours: Snapshot) -> list[ImageRef]:
    """The images that a commit of ours names."""
    read = (ImageRef.try_parse(value) for value in trailers(ours, "Image"))
    return [image for image in read if image]


def trailers(commit: Snapshot, key: str) -> Iterator[str]:
    """The values of a trailer of a commit."""
    return (value for name, value in every_trailer(commit.message) if name == key)
