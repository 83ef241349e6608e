"""What the sources of an Argo CD Application are: a chart, a kustomization, or a folder; here or elsewhere.

Source: argo-cd.readthedocs.io (user-guide/helm, kustomize, directory, multiple_sources, parameters); argo-cd
reposerver/repository/repository.go (release 3.6).
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.deployment import Repository
from gitops_ci.rendering.documents import dig, items, text_of
from gitops_ci.rendering.helm_command import merged
from gitops_ci.rendering.kustomization_files import described_in
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["Source", "kind_of", "overridden", "sources_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """One source: where it lies in this repository, or why it does not, and what to do about it.

    One that is `pinned` is elsewhere because it follows other commits of this repository. `references` are the sources
    that `$NAME/…` may name, None where there is one source only; `environment` are the variables of its build.
    """

    value: Mapping[str, Any]
    path: str = "."
    elsewhere: str = ""
    remedy: str = ""
    pinned: bool = False
    references: Mapping[str, str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def sources_of(spec: Any, repository: Repository) -> list[Source]:
    """The sources that make manifests; one with `ref` alone lends its files to the others.

    What the hydrator writes to its branch it renders from the dry source.
    """
    several = items(spec, "sources")
    hydrated = dig(spec, "sourceHydrator", "drySource")
    listed = [one for one in ([hydrated] if hydrated else several or [dig(spec, "source")]) if isinstance(one, dict)]
    # `$ref` -> why it is elsewhere, '' for this repository
    named = {name: _why_elsewhere(one, repository) for one in listed if (name := text_of(one.get("ref")))}
    references = named if several and not hydrated else None
    made = []
    for one in listed:
        if one.get("ref") and not one.get("path") and not one.get("chart"):
            continue
        path = posixpath.normpath(posixpath.join("/", text_of(one.get("path")))).strip("/") or "."
        why = _why_elsewhere(one, repository)
        remedy = (
            "Copy the chart into the repository." if one.get("chart") else "Check it in the checkout of its source."
        )
        made.append(Source(one, path, why, remedy if why else "", _is_pinned(one, repository), references))
    return made


def _is_pinned(source: Mapping[str, Any], repository: Repository) -> bool:
    is_here = not source.get("chart") and repository.is_own(text_of(source.get("repoURL")))
    return is_here and not repository.is_compared(text_of(source.get("targetRevision")))


def _why_elsewhere(source: Mapping[str, Any], repository: Repository) -> str:
    url, revision = text_of(source.get("repoURL")), text_of(source.get("targetRevision"))
    if chart := text_of(source.get("chart")):
        return f"it needs chart {chart} {revision} of {url}".replace("  ", " ")
    if not repository.is_own(url):
        return repository.why_elsewhere(url)
    if not repository.is_compared(revision):
        return f"it follows the revision {revision}"
    return ""


def kind_of(source: Source, tree: SourceTree) -> str:
    """Which tool renders a source: the one whose settings it has, else what lies in its folder."""
    explicit = [name for name in ("helm", "kustomize", "directory", "plugin") if source.value.get(name) is not None]
    if len(explicit) == 1:
        return explicit[0]
    if tree.is_file(join(source.path, CHART)):
        return "helm"
    return "kustomize" if described_in(source.path, tree) else "directory"


def overridden(source: Source, application: str, tree: SourceTree) -> Source:
    """A source with what `.argocd-source.yaml`, and the one with the application's name, lay over it.

    Both are merge patches (RFC 7386) of the source.
    """
    value = dict(source.value)
    for name in (".argocd-source.yaml", f".argocd-source-{application}.yaml"):
        path = join(source.path, name)
        try:
            found = tree.documents(path) if tree.is_file(path) else ()
        except YamlError:
            continue
        if found:
            value = _without_nulls(merged([value, found[0].value]))
    return replace(source, value=value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return value
