"""Argo CD's own kinds, beyond their schema. Source: argo-cd docs, operator-manual/application.yaml and user-guide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.lint.base import at, dig
from gitops_ci.schemas.lint.here import is_here
from gitops_ci.schemas.report import Surroundings

__all__ = ["GROUP", "argocd", "paths"]

GROUP = "argoproj.io"
_TEMPLATED = re.compile(r"\{\{|\$\{")
Keys = tuple[str | int, ...]


def argocd(document: Document) -> Iterator[Finding]:
    if document.group != GROUP:
        return
    spec = dig(document.value, "spec")
    if document.kind == "Application":
        yield from _application(document, spec if isinstance(spec, dict) else {}, ("spec",))
    elif document.kind == "ApplicationSet":
        yield from _application_set(document, spec if isinstance(spec, dict) else {})
    elif document.kind == "AppProject":
        for index, destination in enumerate(_items(dig(spec, "destinations"))):
            if not destination.get("server") and not destination.get("name"):
                yield at(document, ("spec", "destinations", index), "gitops/argocd", "needs a server or a name")


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _application(document: Document, spec: dict[str, Any], place: Keys) -> Iterator[Finding]:
    if not spec.get("project"):
        yield at(document, place, "gitops/argocd", "'project' is required", hint="Use project: default", key=True)
    destination = spec.get("destination")
    if not isinstance(destination, dict):
        yield at(document, place, "gitops/argocd", "'destination' is required", key=True)
    elif destination.get("server") and destination.get("name"):
        said = "server and name exclude each other: the controller refuses the application"
        yield at(document, (*place, "destination"), "gitops/argocd", said, key=True)
    elif not destination.get("server") and not destination.get("name"):
        yield at(document, (*place, "destination"), "gitops/argocd", "needs a server or a name", key=True)
    source, sources = spec.get("source"), spec.get("sources")
    if not source and not sources and not spec.get("sourceHydrator"):
        yield at(document, place, "gitops/argocd", "needs 'source' or 'sources'", key=True)
    for where, one in _sources(spec):
        yield from _source(document, one, (*place, *where))


def _sources(spec: dict[str, Any]) -> Iterator[tuple[Keys, dict[str, Any]]]:
    if isinstance(source := spec.get("source"), dict):
        yield ("source",), source
    if isinstance(sources := spec.get("sources"), list):
        for index, one in enumerate(sources):
            if isinstance(one, dict):
                yield ("sources", index), one


def _source(document: Document, source: dict[str, Any], place: Keys) -> Iterator[Finding]:
    if not source.get("repoURL"):
        yield at(document, place, "gitops/argocd", "'repoURL' is required", key=True)
    if source.get("path") and source.get("chart"):
        yield at(document, (*place, "chart"), "gitops/argocd", "path and chart exclude each other", key=True)
    elif not source.get("path") and not source.get("chart") and not source.get("ref"):
        yield at(document, place, "gitops/argocd", "needs 'path', 'chart' or 'ref'", key=True)
    if source.get("chart") and not source.get("targetRevision"):
        said = "'targetRevision' is required for a chart"
        yield at(document, place, "gitops/argocd", said, hint="Name the chart's version.", key=True)


def _application_set(document: Document, spec: dict[str, Any]) -> Iterator[Finding]:
    if not _items(spec.get("generators")):
        yield at(document, ("spec",), "gitops/argocd", "at least one generator is required", key=True)
    for index, generator in enumerate(_items(spec.get("generators"))):
        if len(generator.keys() - {"selector"}) != 1:
            said = f"needs exactly one generator, has {', '.join(sorted(generator)) or 'none'}"
            yield at(document, ("spec", "generators", index), "gitops/argocd", said, key=True)
    template = dig(spec, "template", "spec")
    if not isinstance(spec.get("template"), dict):
        yield at(document, ("spec",), "gitops/argocd", "'template' is required", key=True)
    elif isinstance(template, dict) and not spec.get("templatePatch"):
        yield from _application(document, template, ("spec", "template", "spec"))


def paths(documents: Sequence[Document], around: Surroundings) -> Iterator[tuple[Finding, Document]]:
    """Paths of applications that live in this repository exist in it."""
    if around.exists is None:
        return
    for document in documents:
        spec = dig(document.value, "spec")
        if document.group != GROUP or document.kind != "Application" or not isinstance(spec, dict):
            continue
        for where, source in _sources(spec):
            path, url = source.get("path"), source.get("repoURL")
            if not isinstance(path, str) or not isinstance(url, str) or _TEMPLATED.search(path):
                continue
            if is_here(url, around) and not around.exists(path):
                said = f"there is no folder '{path}' in this repository"
                yield at(document, ("spec", *where, "path"), "gitops/missing-path", said), document
