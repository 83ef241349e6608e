"""Both sides of a change as trees that share what is equal in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.flows.diff.revisions import (
    Blobs,
    CommitFiles,
    Listing,
    WorkingFiles,
    commit_of,
    differing_paths,
    listing,
    start_of,
)
from gitops_ci.rendering.tree import SourceTree

__all__ = ["Trees", "read_trees"]

_READ_BY_ALL = (".yaml", ".yml", ".json", ".tpl", ".txt", ".properties", ".env", ".toml", ".sh", ".conf")


@dataclass(frozen=True, slots=True)
class Trees:
    """`base` and `head` are commits, `head` '' for the working tree. `differing` are paths with other contents.

    `submodules` are those whose commit differs: path -> the commits of both sides, '' where there is none.
    """

    base: str
    head: str
    before: SourceTree
    after: SourceTree
    differing: frozenset[str]
    submodules: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read_trees(root: str, references: tuple[str, ...], head: str) -> Trees:
    """The trees of the commit where the change began, and of its end. Without `head` that is the working tree.

    Raises:
        UsageError: a revision is not here.
        GitError: this is not a repository.
    """
    tip = commit_of(head or "HEAD")
    base = start_of(references, tip)
    listed, blobs = listing(base), Blobs()
    if head:
        new = listing(tip)
        differing, submodules = _differing(listed, new), new.submodules
        blobs.prefetch(new, (path for path in new.files if path.endswith(_READ_BY_ALL)))
        after = SourceTree(CommitFiles(new, blobs))
    else:
        found, tree = differing_paths(root, base, listed)
        differing, submodules = frozenset(found), tree.submodules
        after = SourceTree(WorkingFiles(root, tree, blobs))
    blobs.prefetch(listed, differing)
    before = SourceTree(CommitFiles(listed, blobs), after, differing)
    return Trees(base, tip if head else "", before, after, differing, _moved(listed.submodules, submodules))


def _moved(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    both = ((path, old.get(path, ""), new.get(path, "")) for path in sorted({*old, *new}))
    return {path: (before, after) for path, before, after in both if before != after}


def _differing(old: Listing, new: Listing) -> frozenset[str]:
    both = old.files.keys() | new.files.keys()
    return frozenset(path for path in both if _content(old, path) != _content(new, path))


def _content(listed: Listing, path: str) -> tuple[str, str] | None:
    found = listed.files.get(path)
    return (found[0], found[1]) if found else None
