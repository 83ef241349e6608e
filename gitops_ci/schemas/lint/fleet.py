"""Rancher Fleet's GitRepo, beyond its schema. Source: fleet.rancher.io, ref-gitrepo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.lint.base import at, dig
from gitops_ci.schemas.lint.here import is_here
from gitops_ci.schemas.report import Surroundings

__all__ = ["GROUP", "fleet", "paths"]

GROUP = "fleet.cattle.io"


def fleet(document: Document) -> Iterator[Finding]:
    if document.group != GROUP or document.kind != "GitRepo":
        return
    branch, revision = dig(document.value, "spec", "branch"), dig(document.value, "spec", "revision")
    if branch and revision:
        said = "branch and revision exclude each other: the revision is deployed"
        yield at(document, ("spec", "revision"), "gitops/fleet", said, severity="warning", key=True)
    paths = dig(document.value, "spec", "paths")
    for index, path in enumerate(paths if isinstance(paths, list) else ()):
        if isinstance(path, str) and path.startswith("/"):
            yield at(document, ("spec", "paths", index), "gitops/fleet", f"'{path}' must be relative to the repository")


def paths(documents: Sequence[Document], around: Surroundings) -> Iterator[tuple[Finding, Document]]:
    """Folders that a GitRepo of this repository deploys exist in it; a path may be a glob."""
    for document in documents:
        repository, listed = dig(document.value, "spec", "repo"), dig(document.value, "spec", "paths")
        here = isinstance(repository, str) and document.group == GROUP and is_here(repository, around)
        for index, path in enumerate(listed if here and isinstance(listed, list) else ()):
            if around.exists is None or not isinstance(path, str) or any(mark in path for mark in "*?[$"):
                continue
            if not around.exists(path.lstrip("/")):
                said = f"there is no folder '{path}' in this repository"
                yield at(document, ("spec", "paths", index), "gitops/missing-path", said), document
