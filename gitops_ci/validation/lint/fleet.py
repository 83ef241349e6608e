"""Rancher Fleet's GitRepo, beyond its schema. Source: fleet.rancher.io, ref-gitrepo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import at, dig
from gitops_ci.validation.lint.repository_paths import is_here, is_usual, missing_name, missing_path
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.report import Surroundings

__all__ = ["GROUP", "fleet", "references"]

GROUP = "fleet.cattle.io"


def fleet(document: Document) -> Iterator[Finding]:
    if document.group != GROUP or document.kind != "GitRepo":
        return
    branch, revision = dig(document.value, "spec", "branch"), dig(document.value, "spec", "revision")
    if branch and revision:
        said = "branch and revision exclude each other: the revision is deployed"
        yield at(document, ("spec", "revision"), "gitops/fleet", said, severity="warning", key=True)


def references(
    documents: Sequence[Document], elsewhere: Sequence[Document], around: Surroundings
) -> Iterator[tuple[Finding, Document]]:
    """Folders that a GitRepo of this repository deploys exist in it, groups of clusters that it names are here."""
    groups = {one.name for one in (*documents, *elsewhere) if one.group == GROUP and one.kind == "ClusterGroup"}
    for document in documents:
        if document.group == GROUP and document.kind == "GitRepo":
            for finding in (*_paths(document, around), *_targets(document, groups, around)):
                yield finding, document


def _paths(document: Document, around: Surroundings) -> Iterator[Finding]:
    spec = dig(document.value, "spec")
    listed = dig(spec, "paths") if is_here(dig(spec, "repo"), around) else None
    sure = is_usual(dig(spec, "branch"), dig(spec, "revision"))
    for index, path in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(path, str) and not any(mark in path for mark in "*?["):
            # Fleet takes slashes at the beginning off (fleet, internal/cmd/cli/apply: globDirs).
            place = ("spec", "paths", index)
            yield from missing_path(document, place, path.lstrip("/") or ".", around, sure=sure)


def _targets(document: Document, groups: set[str], around: Surroundings) -> Iterator[Finding]:
    listed = dig(document.value, "spec", "targets")
    for index, target in enumerate(listed if isinstance(listed, list) else ()):
        keys = ("spec", "targets", index, "clusterGroup")
        name = dig(target, "clusterGroup")
        yield from missing_name(document, keys, "ClusterGroup", name, {"ClusterGroup": groups}, around)
