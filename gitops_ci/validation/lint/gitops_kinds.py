"""GitOps' own kinds whose definition is not at hand, by their documented fields."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from gitops_ci.lazy import import_member
from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import at
from gitops_ci.validation.lint.field_tables import Misfit, Shape
from gitops_ci.validation.manifests.documents import Document

__all__ = ["documented_shape", "misfit_finding"]

# group -> module below fields/
_GROUPS: Mapping[str, str] = {
    "argoproj.io": "argocd",
    "fleet.cattle.io": "fleet",
    **{f"{part}.toolkit.fluxcd.io": "flux" for part in ("source", "kustomize", "helm", "image", "notification")},
}


def documented_shape(document: Document) -> Shape | None:
    """The documented fields of an object's kind, None where there is no table of them."""
    if document.group not in _GROUPS:
        return None
    return _shape(_GROUPS[document.group], document.kind, is_past="beta" in document.api_version)


@cache
def _shape(module: str, kind: str, *, is_past: bool) -> Shape | None:
    """The shape of a kind; what only its versions before the first stable one have is added for these."""
    fields = import_member("validation.lint.fields", module)
    shape: Shape | None = fields.KINDS.get(kind)
    if shape is None or kind not in fields.PAST or not is_past:
        return shape
    return {**shape, "spec!": {**shape["spec!"], **fields.PAST[kind]}}


def misfit_finding(document: Document, misfit: Misfit, *, strict: bool = False) -> Finding:
    """A misfit as a finding.

    An unknown field may be a newer version's: it is an error where another one was meant, or its reader is strict.
    """
    meant = strict or misfit.hint.startswith("Did you mean")
    severity: Literal["error", "warning"] = "warning" if misfit.is_unknown and not meant else "error"
    rule = "gitops/unknown-field" if misfit.is_unknown else "gitops/field"
    return at(document, misfit.keys, rule, misfit.message, hint=misfit.hint, severity=severity, key=misfit.at_key)
