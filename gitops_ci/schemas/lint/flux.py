"""Flux's own kinds, beyond their schema. Source: fluxcd.io/flux/components, the API reference of each controller."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.hints import nearest
from gitops_ci.schemas.lint.base import at, dig
from gitops_ci.schemas.lint.here import is_here
from gitops_ci.schemas.report import Surroundings

__all__ = ["GROUPS", "flux", "references"]

_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+")
_SOURCES = "source.toolkit.fluxcd.io"
# (kind, namespace, name) -> the source
_Sources = Mapping[tuple[str, str, str], Document]
# kind -> (group, fields of spec that must be there)
_KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "GitRepository": (_SOURCES, ("url", "interval")),
    "HelmRepository": (_SOURCES, ("url",)),
    "OCIRepository": (_SOURCES, ("url", "interval")),
    "Bucket": (_SOURCES, ("bucketName", "endpoint", "interval")),
    "HelmChart": (_SOURCES, ("chart", "sourceRef", "interval")),
    "Kustomization": ("kustomize.toolkit.fluxcd.io", ("interval", "prune", "sourceRef")),
    "HelmRelease": ("helm.toolkit.fluxcd.io", ("interval",)),
    "ImageRepository": ("image.toolkit.fluxcd.io", ("image",)),
    "ImagePolicy": ("image.toolkit.fluxcd.io", ("imageRepositoryRef", "policy")),
    "ImageUpdateAutomation": ("image.toolkit.fluxcd.io", ("interval", "sourceRef")),
}

GROUPS = frozenset(group for group, _ in _KINDS.values())


def flux(document: Document) -> Iterator[Finding]:
    group, required = _KINDS.get(document.kind, ("", ()))
    if not group or document.group != group:
        return
    spec = dig(document.value, "spec")
    spec = spec if isinstance(spec, dict) else {}
    for key in required:
        if spec.get(key) in (None, "", {}):
            yield at(document, ("spec",), "gitops/flux", f"'{key}' is required", key=True)
    for key in ("interval", "timeout", "retryInterval"):
        value = spec.get(key)
        if isinstance(value, str) and not _DURATION.fullmatch(value):
            yield at(
                document, ("spec", key), "gitops/flux", f"'{value}' is no duration", hint="Write it as 5m or 1h30m."
            )
    if document.kind == "HelmRelease":
        yield from _release(document, spec)
    if document.kind == "OCIRepository" and isinstance(spec.get("url"), str) and not spec["url"].startswith("oci://"):
        yield at(document, ("spec", "url"), "gitops/flux", "must start with oci://")
    if document.kind == "ImagePolicy" and isinstance(policy := spec.get("policy"), dict):
        chosen = [key for key in ("semver", "alphabetical", "numerical") if key in policy]
        if len(chosen) != 1:
            said = "needs exactly one of semver, alphabetical and numerical"
            yield at(document, ("spec", "policy"), "gitops/flux", said, key=True)
    reference = spec.get("ref")
    if document.kind == "GitRepository" and isinstance(reference, dict) and not reference:
        yield at(document, ("spec", "ref"), "gitops/flux", "needs a branch, tag, semver, name or commit", key=True)


def _release(document: Document, spec: dict[str, Any]) -> Iterator[Finding]:
    if bool(spec.get("chart")) == bool(spec.get("chartRef")):
        yield at(document, ("spec",), "gitops/flux", "needs exactly one of chart and chartRef", key=True)
    chart = dig(spec, "chart", "spec")
    if isinstance(chart, dict):
        for key in ("chart", "sourceRef"):
            if not chart.get(key):
                yield at(document, ("spec", "chart", "spec"), "gitops/flux", f"'{key}' is required", key=True)


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
