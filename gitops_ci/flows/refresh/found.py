"""The proposals of this tool among the branches of a repository, as their own commits tell of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from gitops_ci.configrepo import ConfigRepo, Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.branches import PREFIX
from gitops_ci.flows.bump.standing import images_of, trailers
from gitops_ci.imageref import ImageRef

__all__ = ["Found", "candidates", "read"]

_DEPTH = 20  # a branch that was brought up to date has a merge on top for each time


@dataclass(frozen=True, slots=True)
class Found:
    """What the commit of a proposal says of itself. `base` is the branch that its own name tells, "" for the usual."""

    head: str
    commit: Snapshot
    environment: str
    images: tuple[ImageRef, ...]
    group: str = ""
    base: str = ""

    def trailer(self, key: str) -> str:
        return next(trailers(self.commit, key), "")

    @property
    def notes(self) -> tuple[str, ...]:
        """What a promotion says of itself to those who review it."""
        from_where = (f"Promoted from {name}." for name in trailers(self.commit, "Promoted-From"))
        passed = (gate.partition(": ") for gate in trailers(self.commit, "Gate-Skipped"))
        return (*from_where, *(f"Gate {gate} was skipped: {reason}." for gate, _, reason in passed))

    @property
    def text(self) -> str:
        """The message without the trailers of this tool."""
        before, _, last = self.commit.message.rstrip().rpartition("\n\n")
        ours = re.compile(
            r"(?:Image|Image-Digest|Previous-Image|Environment|Group|Source-Repository|Source-Commit|Pipeline-URL"
            r"|Signed-off-by|Change-Id|Gitops-Ci-[A-Za-z]+): "
        )
        kept = [line for line in last.splitlines() if not ours.match(line)]
        return "\n\n".join(filter(None, (before, "\n".join(kept))))


def candidates(branches: Iterable[str], template: str) -> list[str]:
    """The branches whose names this tool gives, by itself or after a template."""
    names = [rf"{re.escape(PREFIX)}.+"]
    if template:
        names.append(".+".join(map(re.escape, re.split(r"\{[^{}]*\}", template))) + r"(?:@.+|-[0-9a-f]{10})?")
    known = re.compile("|".join(f"(?:{name})" for name in names))
    return sorted(name for name in branches if known.fullmatch(name) and not name.endswith(".next"))


def read(repo: ConfigRepo, head: str, branches: Collection[str]) -> Found | None:
    """What a branch proposes; None where nothing on it is a proposal of this tool."""
    commit: Snapshot | None = repo.fetch(head, depth=2)
    if commit is not None and not commit.has_mark:
        commit = repo.fetch(head, depth=_DEPTH)
        while commit is not None and not commit.has_mark:
            commit = commit.parent()
    if commit is None or not (images := tuple(images_of(commit))):
        return None
    environment = next(trailers(commit, "Environment"), "")
    bases = [name for name in branches if re.search(rf"@{re.escape(name)}(?:@group)?(?:/|\Z)", head)]
    group = next(trailers(commit, "Group"), "")
    return Found(head, commit, environment, images, group, max(bases, key=len, default=""))
