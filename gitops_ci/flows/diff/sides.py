"""Both sides of a change as trees that share what is equal in them."""

from __future__ import annotations

from dataclasses import dataclass

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
    """`base` and `head` are commits, `head` '' for the working tree. `differing` are paths with other contents."""

    base: str
    head: str
    before: SourceTree
    after: SourceTree
    differing: frozenset[str]


def read_trees(root: str, references: tuple[str, ...], head: str) -> Trees:
    """The trees of the commit where the change began, and of its end. Without `head` that is the working tree.

    Raises:
        UsageError: a revision is not here.
        GitError: this is no repository.
    """
    tip = commit_of(head or "HEAD")
    base = start_of(references, tip)
    listed, blobs = listing(base), Blobs()
    if head:
        new = listing(tip)
        differing = _differing(listed, new)
        blobs.prefetch(new, (path for path in new.files if path.endswith(_READ_BY_ALL)))
        after = SourceTree(CommitFiles(new, blobs))
    else:
        found, tree = differing_paths(root, base, listed)
        differing = frozenset(found)
        after = SourceTree(WorkingFiles(root, tree, blobs))
    blobs.prefetch(listed, differing)
    before = SourceTree(CommitFiles(listed, blobs), after, differing)
    return Trees(base, tip if head else "", before, after, differing)


def _differing(old: Listing, new: Listing) -> frozenset[str]:
    both = old.files.keys() | new.files.keys()
    return frozenset(path for path in both if _content(old, path) != _content(new, path))


def _content(listed: Listing, path: str) -> tuple[str, str] | None:
    found = listed.files.get(path)
    return (found[0], found[1]) if found else None
