"""Rules beyond what an API server refuses: `repo/` for what should not be in Git, `gitops/` for what would not deploy.

A document rule sees one object; a repository rule sees all of them and what lies around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from gitops_ci.lazy import LazyModules
from gitops_ci.model import Finding
from gitops_ci.validation.lint import images, secrets
from gitops_ci.validation.lint.argocd_annotations import PREFIX, unknown_annotations
from gitops_ci.validation.lint.duplicates import DUPLICATE, DocumentOf, Resource, duplicates
from gitops_ci.validation.lint.facts import Facts, facts_of
from gitops_ci.validation.lint.server_side_apply import refused_lists
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.report import Checks, Destination, Surroundings

__all__ = [
    "DUPLICATE",
    "FOLLOWED_GROUPS",
    "REFERRED_GROUPS",
    "Facts",
    "Resource",
    "document_findings",
    "facts_of",
    "image_findings",
    "repository_findings",
    "used_images",
]

DocumentRule = Callable[[Document], Iterator[Finding]]
_FLUX = ("source", "kustomize", "helm", "image")
_BY_KIND: Mapping[str, Mapping[str, tuple[DocumentRule, ...]]] = {
    "repo": {
        "Secret": (secrets.plain_secrets,),
        **dict.fromkeys(images.WITH_PODS, (images.mutable_tags,)),
    },
    "gitops": dict.fromkeys(images.WITH_PODS, (images.bad_references,)),
}
_BY_GROUP: Mapping[str, DocumentRule] = LazyModules(
    "validation.lint",
    {
        "argoproj.io": "argocd:argocd",
        "fleet.cattle.io": "fleet:fleet",
        **{f"{part}.toolkit.fluxcd.io": "flux:flux" for part in _FLUX},
    },
)
# Groups whose objects refer to others, and that repository rules therefore want whole.
FOLLOWED_GROUPS = frozenset(_BY_GROUP)
# The groups (or how they end) of the objects that they refer to.
REFERRED_GROUPS = ("toolkit.fluxcd.io", "fleet.cattle.io")


def document_findings(document: Document, checks: Checks) -> list[Finding]:
    """What the document rules of the wanted families find."""
    found: list[Finding] = []
    for family, kinds in _BY_KIND.items():
        if checks.asks_any(family):
            for rule in kinds.get(document.kind, ()):
                found.extend(rule(document))
    if checks.asks_any("repo"):
        found.extend(refused_lists(document))
    if PREFIX in document.piece.text and checks.asks_any("gitops"):
        found.extend(unknown_annotations(document))
    if document.group in _BY_GROUP and checks.asks_any("gitops"):
        found.extend(_BY_GROUP[document.group](document))
    return found


def used_images(document: Document) -> set[str]:
    """The images of a document's containers."""
    return {image for _, image in images.images_of(document)} if document.kind in images.WITH_PODS else set()


def image_findings(
    uses: Sequence[tuple[str, str, str]], document_of: DocumentOf, checks: Checks, around: Surroundings
) -> Iterator[tuple[Finding, Document]]:
    """Findings for images that are not in their registry; `uses` are (image, item, index)."""
    if around.missing_images is None or not checks.wants(images.NOT_FOUND):
        return
    missing = around.missing_images(sorted({image for image, _, _ in uses}))
    for image, item, index in uses:
        if image in missing and (document := document_of(item, index)):
            for finding in images.not_found(document, image, missing[image]):
                yield finding, document


def repository_findings(
    resources: Sequence[Resource],
    followed: Sequence[Document],
    elsewhere: Sequence[Document],
    facts: Sequence[Facts],
    document_of: DocumentOf,
    around: Surroundings,
    *,
    destinations: Mapping[str, Destination] = MappingProxyType({}),
) -> Iterator[tuple[Finding, Document]]:
    """Findings of the rules that see everything, each with the document it is about; none is about `elsewhere`.

    `destinations` are those of units, as far as they are known.
    """
    yield from duplicates(resources, document_of, dict(around.beside))
    if facts:
        from gitops_ci.validation.lint.relations import relation_findings

        yield from relation_findings(facts, document_of, around.made_by_hand)
    if len(destinations) > 1:
        from gitops_ci.validation.lint.owners import shared_objects

        yield from shared_objects(facts, destinations, document_of)
    if followed:
        from gitops_ci.validation.lint import argocd, fleet, flux

        yield from argocd.paths(followed, around)
        yield from fleet.references(followed, elsewhere, around)
        yield from flux.references(followed, elsewhere, around)
