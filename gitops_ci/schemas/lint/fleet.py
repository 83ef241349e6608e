"""Rancher Fleet's GitRepo, beyond its schema. Source: fleet.rancher.io, ref-gitrepo."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.lint.base import at, dig

__all__ = ["GROUP", "fleet"]

GROUP = "fleet.cattle.io"


def fleet(document: Document) -> Iterator[Finding]:
    if document.group != GROUP or document.kind != "GitRepo":
        return
    if not dig(document.value, "spec", "repo"):
        yield at(document, ("spec",), "gitops/fleet", "'repo' is required", key=True)
    branch, revision = dig(document.value, "spec", "branch"), dig(document.value, "spec", "revision")
    if branch and revision:
        said = "branch and revision exclude each other: the revision is deployed"
        yield at(document, ("spec", "revision"), "gitops/fleet", said, severity="warning", key=True)
    paths = dig(document.value, "spec", "paths")
    for index, path in enumerate(paths if isinstance(paths, list) else ()):
        if isinstance(path, str) and path.startswith("/"):
            yield at(document, ("spec", "paths", index), "gitops/fleet", f"'{path}' must be relative to the repository")
