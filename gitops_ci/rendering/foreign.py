"""Addresses that are not this repository's, as far as its own objects show.

A checkout without a remote does not tell its address. What its objects name is here then: an address below which they
name a folder that is not here is another repository's.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.deployment import DeploymentUnit, Repository
from gitops_ci.rendering.documents import Document, dig, items, text_of

__all__ = ["foreign_addresses"]


def foreign_addresses(documents: Iterable[Document], repository: Repository) -> set[str]:
    """The addresses below which a folder or chart is named that is not in the tree."""
    tree = repository.tree
    return {
        address
        for one in documents
        for address, path, is_chart in _places(one, repository)
        if not any(mark in path for mark in ("${", "{{"))
        and not (tree.is_file(join(path, CHART)) if is_chart else tree.is_folder(path))
    }


def _places(one: Document, repository: Repository) -> Iterator[tuple[str, str, bool]]:
    """(address, path from the root, whether a chart is there) of what an object takes from Git."""
    spec = one.value.get("spec")
    if one.kind == "Application" and one.group == "argoproj.io":
        for source in items(spec, "sources") or [dig(spec, "source")]:
            if (path := text_of(dig(source, "path"))) and not dig(source, "chart"):
                yield text_of(dig(source, "repoURL")), _normal(path), False
    elif one.kind == "Kustomization" and one.group == "kustomize.toolkit.fluxcd.io":
        yield _address(one, dig(spec, "sourceRef"), repository), _normal(text_of(dig(spec, "path"))), False
    elif one.kind == "HelmRelease" and one.group == "helm.toolkit.fluxcd.io":
        chart = dig(spec, "chart", "spec")
        if dig(chart, "sourceRef", "kind") == "GitRepository":
            yield _address(one, dig(chart, "sourceRef"), repository), _normal(text_of(dig(chart, "chart"))), True


def _address(one: Document, reference: object, repository: Repository) -> str:
    """The address of a GitRepository, '' where it is not described."""
    if (text_of(dig(reference, "kind")) or "GitRepository") != "GitRepository":
        return ""
    namespace = text_of(dig(reference, "namespace")) or one.namespace
    found = repository.named("GitRepository", text_of(dig(reference, "name")), namespace, _unit(one))
    return text_of(dig(found.value, "spec", "url")) if found else ""


def _unit(one: Document) -> DeploymentUnit:
    return DeploymentUnit(one.name, "flux-kustomization", one.path)


def _normal(path: str) -> str:
    return posixpath.normpath(posixpath.join("/", path)).strip("/") or "."
