"""Rules beyond what an API server refuses: `repo/` for what should not be in Git, `gitops/` for what would not deploy.

A document rule sees one object; a repository rule sees all of them and what lies around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gitops_ci.model import Finding
from gitops_ci.schemas.documents import Document
from gitops_ci.schemas.lint import argocd, fleet, flux, images, repository, secrets
from gitops_ci.schemas.report import Checks, Surroundings

__all__ = ["document_findings", "repository_findings"]

DocumentRule = Callable[[Document], Iterator[Finding]]
# A finding, and the rendered unit it was made in ('' for none).
InUnit = tuple[Finding, str]
RepositoryRule = Callable[[Sequence[Document], Surroundings], Iterator[InUnit]]

_DOCUMENT_RULES: dict[str, tuple[DocumentRule, ...]] = {
    "repo": (images.mutable_tags, secrets.plain_secrets),
    "gitops": (images.bad_references, argocd.argocd, flux.flux, fleet.fleet),
}
_REPOSITORY_RULES: tuple[RepositoryRule, ...] = (
    repository.duplicates,
    argocd.paths,
    flux.references,
)


def document_findings(document: Document, checks: Checks) -> list[Finding]:
    """What the document rules of the wanted families find."""
    wanted = [rule for family, rules in _DOCUMENT_RULES.items() if checks.wants_any(family) for rule in rules]
    return [finding for rule in wanted for finding in rule(document)]


def repository_findings(documents: Sequence[Document], around: Surroundings) -> Iterator[InUnit]:
    for rule in _REPOSITORY_RULES:
        yield from rule(documents, around)
