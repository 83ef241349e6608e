"""The same object from two units that are applied to the same cluster: each overwrites what the other wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gitops_ci.model import Finding
from gitops_ci.validation.kinds import KINDS
from gitops_ci.validation.lint.base import at
from gitops_ci.validation.lint.duplicates import DocumentOf
from gitops_ci.validation.lint.facts import Facts
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.report import Destination

__all__ = ["TWO_OWNERS", "shared_objects"]

TWO_OWNERS = "repo/two-owners"
# Annotations of what is made anew each time, or is meant to be shared.
_NOT_OWNED = ("helm.sh/hook", "argocd.argoproj.io/hook", "kustomize.toolkit.fluxcd.io/ssa")
_Key = tuple[str, str, str, str, str]


def shared_objects(
    facts: Sequence[Facts], destinations: Mapping[str, Destination], document_of: DocumentOf
) -> Iterator[tuple[Finding, Document]]:
    """Each object that a second unit has; `destinations` are those of the units whose cluster is known."""
    owners: dict[_Key, Facts] = {}
    for one in facts:
        to = destinations.get(one.unit)
        if to is None or one.is_assumed or not one.name:
            continue
        first = owners.setdefault(_key(one, to), one)
        # An object that describes a unit may be found on two ways: its id is the same up to the way.
        if first.unit.partition("@")[0] == one.unit.partition("@")[0]:
            continue
        document, other = document_of(*one.place), document_of(*first.place)
        if document is None or other is None or any(map(_is_free, (document, other))):
            continue
        message = f"{first.unit} has this {one.kind}, too: each of them overwrites and prunes what the other applies"
        hint = "Leave it in one of the two units."
        yield at(document, ("metadata", "name"), TWO_OWNERS, message, hint=hint, severity="warning"), document


def _key(one: Facts, to: Destination) -> _Key:
    row = KINDS.get((one.group, one.kind))
    namespace = "" if row and row.cluster_scoped else one.namespace or to.namespace
    return to.cluster, one.group, one.kind, namespace, one.name


def _is_free(document: Document) -> bool:
    return any(document.annotation(name) for name in _NOT_OWNED)
