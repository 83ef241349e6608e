"""What a promotion says of itself, and what goes with it: the bump that writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace

from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError
from gitops_ci.flows.bump import BumpRequest
from gitops_ci.flows.bump.branches import branch_name, slug
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.bump.stops import EndedBlocks
from gitops_ci.flows.bump.window import never_soaks
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.promote.candidates import Candidate
from gitops_ci.imageref import ImageRef
from gitops_ci.model import FileChange, Gate, Plan
from gitops_ci.moments import rfc3339

__all__ = ["Words", "bump_of"]


@dataclass(frozen=True, slots=True)
class Words:
    """What a promotion reports: the sources of the images, the gates, and why some were skipped.

    It is the same in every run, so that a run that has nothing to do does not write the pull request again.
    """

    candidates: tuple[Candidate, ...]
    gates: tuple[Gate, ...]
    skipped: tuple[Gate, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class _Together:
    """The companion of a set: it goes whole or not at all, and takes the place of its images' own proposals."""

    images: tuple[ImageRef, ...]
    head: str = ""
    is_rollback: bool = False
    ended: EndedBlocks = field(default_factory=EndedBlocks)

    def files(self, snapshot: Snapshot, plan: Plan, to: PublishContext) -> tuple[FileChange, ...]:
        """Raises FindingsError where an image of the set would be left behind."""
        there = {change.image.name for change in plan.changes} | {site.image.name for site in plan.unchanged}
        left = [image for image in self.images if image.name not in there]
        if left or plan.refused:
            which = left[0].familiar if left else plan.refused[0].path
            raise FindingsError(
                f"These images are promoted together, and {which} cannot be promoted to {to.environment.name}",
                hint="Run the command again: the branch was changed during the run, or an image was held.",
            )
        return self.ended.files(snapshot, plan, to)

    def published(self, plan: Plan, to: PublishContext) -> None:
        """Close the pull requests of single images: this one proposes them, too."""
        del plan
        made = to.journal.pull_request
        if to.connect is None or made is None or made.number is None:
            return
        for image in self.images:
            head = branch_name(to.search.environment, (image,), to.base if to.base != to.usual else None)
            if head in to.head_repo.refs(head).tips and (found := to.forge.find_open(head=head, base=to.base)):
                why = f"#{made.number} proposes this image together with others: {made.url}"
                if to.forge.close(found, comment=why):
                    to.log.step(f"pull request #{found.number} closed: #{made.number} has its image")
                else:
                    to.log.warn(f"#{made.number} has the image of #{found.number}: close it by hand {found.url}")


def bump_of(
    bump: BumpRequest,
    environment: Environment,
    images: tuple[ImageRef, ...],
    members: Sequence[str],
    words: Words,
    skips: frozenset[str],
) -> BumpRequest:
    """The bump that writes a promotion, on the branch that a bump of the same image would have."""
    said, search = bump.publication, bump.search
    sources = tuple(dict.fromkeys(one.source_commit for one in words.candidates))
    title = said.title
    if members and not (title or environment.title):
        title = "{environment}: {image} {tag} and {others} more" if len(images) > 1 else "{environment}: {image} {tag}"
    return replace(
        bump,
        search=replace(
            search,
            images=images,
            base=None if environment.base else search.base,
            environment=environment.name or None,
            policy=replace(search.policy, allow_downgrade=search.policy.allow_downgrade or "age" in skips),
            ignore_hold=search.ignore_hold or "hold" in skips,
        ),
        publication=replace(
            said,
            title=title,
            group=slug(tuple(ImageRef.parse(name) for name in members)) if members else said.group,
            source_repository="",
            source_commit=sources[0] if len(sources) == 1 else "",
            source_commit_url="",
            compare_url="",
            git_tag="",
            trailers=(*_trailers(words), *said.trailers),
            notes=(*_notes(words), *said.notes),
        ),
        companion=_Together(images) if members else EndedBlocks(),
        soaking=never_soaks if "soak" in skips else bump.soaking,
        ignore_window=bump.ignore_window or "window" in skips,
    )


def _trailers(words: Words) -> list[tuple[str, str]]:
    found = [("Promoted-From", one.environment) for one in words.candidates]
    found += [("Promoted-Commit", one.commit) for one in words.candidates if one.commit]
    found += [("Gate-Skipped", f"{gate.gate}: {words.reason}") for gate in words.skipped]
    return list(dict.fromkeys(found))


def _notes(words: Words) -> list[str]:
    told = []
    for one in dict.fromkeys(words.candidates):
        name = ImageRef.parse(one.name).familiar
        stayed = f" since {rfc3339(one.since)}" if one.since else ""
        told.append(f"{name} {one.version} has been in {one.environment}{stayed} (commit {one.commit[:12]}).")
    shut = {gate.gate for gate in words.gates if gate.state != "open"}
    asked = dict.fromkeys(gate.gate for gate in words.gates if gate not in words.skipped and gate.gate not in shut)
    told.append(f"Gates that are open: {', '.join(asked)}.")
    told += [f"Gate {gate.gate} was skipped: {words.reason}." for gate in words.skipped]
    return told
