"""Flux's own kinds, beyond their schema. Source: fluxcd.io/flux/components, the API reference of each controller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.hints import nearest
from gitops_ci.schemas.lint.base import at, dig
from gitops_ci.schemas.lint.here import is_here
from gitops_ci.schemas.report import Surroundings

__all__ = ["flux", "references"]

_SOURCES = "source.toolkit.fluxcd.io"
# (kind, namespace, name) -> the source
_Sources = Mapping[tuple[str, str, str], Document]
_POLICIES = ("semver", "alphabetical", "numerical")


def flux(document: Document) -> Iterator[Finding]:
    """What no definition says: an ImagePolicy takes the first policy it has (image-reflector-controller, policy)."""
    policy = dig(document.value, "spec", "policy")
    if document.kind != "ImagePolicy" or not isinstance(policy, dict):
        return
    chosen = [key for key in _POLICIES if policy.get(key) is not None]
    if not chosen:
        said = f"needs one of {', '.join(_POLICIES[:-1])} and {_POLICIES[-1]}"
        yield at(document, ("spec", "policy"), "gitops/flux", said, key=True)
    elif len(chosen) > 1:
        said = f"{chosen[0]} is used, {' and '.join(chosen[1:])} not"
        yield at(document, ("spec", "policy", chosen[1]), "gitops/flux", said, severity="warning", key=True)


def references(
    documents: Sequence[Document], elsewhere: Sequence[Document], around: Surroundings
) -> Iterator[tuple[Finding, Document]]:
    """Source references resolve, and paths of this repository exist in it."""
    sources = {(one.kind, one.namespace, one.name): one for one in (*documents, *elsewhere) if one.group == _SOURCES}
    for document in documents:
        for finding in _of_document(document, sources, around):
            yield finding, document


def _of_document(document: Document, sources: _Sources, around: Surroundings) -> Iterator[Finding]:
    if document.group == "kustomize.toolkit.fluxcd.io" and document.kind == "Kustomization":
        yield from _reference(document, ("spec", "sourceRef"), sources)
        yield from _path(document, sources, around)
    elif document.group == "helm.toolkit.fluxcd.io" and document.kind == "HelmRelease":
        yield from _reference(document, ("spec", "chart", "spec", "sourceRef"), sources)


def _reference(document: Document, keys: tuple[str, ...], sources: _Sources) -> Iterator[Finding]:
    reference = dig(document.value, *keys)
    if not isinstance(reference, dict) or not sources:
        return
    kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
    known = {one for source_kind, _, one in sources if source_kind == kind}
    # A namespace is often set by a kustomization: only the name is compared. The bootstrap's own source is made by it.
    if name and known and name not in {*known, "flux-system"}:
        near = nearest(name, known)
        said = f"there is no {kind} '{name}' here"
        hint = f"Did you mean '{near}'?" if near else f"Known: {', '.join(sorted(known))}."
        yield at(document, (*keys, "name"), "gitops/missing-source", said, hint=hint, severity="warning")


def _path(document: Document, sources: _Sources, around: Surroundings) -> Iterator[Finding]:
    path, reference = dig(document.value, "spec", "path"), dig(document.value, "spec", "sourceRef")
    if around.exists is None or not isinstance(path, str) or not isinstance(reference, dict) or "${" in path:
        return
    if reference.get("kind") != "GitRepository":
        return
    urls = [
        dig(one.value, "spec", "url")
        for key, one in sources.items()
        if key[0] == "GitRepository" and key[2] == reference.get("name")
    ]
    if any(isinstance(url, str) and is_here(url, around) for url in urls) and not around.exists(path):
        said = f"there is no folder '{path}' in this repository"
        yield at(document, ("spec", "path"), "gitops/missing-path", said)
