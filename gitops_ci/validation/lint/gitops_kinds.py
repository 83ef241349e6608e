"""What GitOps' own kinds are asked beyond their bundled definitions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from gitops_ci.lazy import import_member
from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import at
from gitops_ci.validation.lint.field_tables import Misfit, Shape
from gitops_ci.validation.manifests.documents import Document

__all__ = ["further_shape", "misfit_finding"]

# group -> module below fields/
_GROUPS: Mapping[str, str] = {
    "argoproj.io": "argocd",
    "fleet.cattle.io": "fleet",
    **{f"{part}.toolkit.fluxcd.io": "flux" for part in ("source", "kustomize", "helm", "image", "notification")},
}


def further_shape(document: Document) -> Shape | None:
    """What the controller of an object's kind asks beyond the definition, None where that says all."""
    return _shape(_GROUPS[document.group], document.kind) if document.group in _GROUPS else None


@cache
def _shape(module: str, kind: str) -> Shape | None:
    shape: Shape | None = import_member("validation.lint.fields", module).KINDS.get(kind)
    return shape


def misfit_finding(document: Document, misfit: Misfit, *, strict: bool = False) -> Finding:
    """A misfit as a finding.

    An unknown field may be a newer version's: it is an error where another one was meant, or its reader is strict.
    """
    meant = strict or misfit.hint.startswith("Did you mean")
    severity: Literal["error", "warning"] = "warning" if misfit.is_unknown and not meant else "error"
    rule = "gitops/unknown-field" if misfit.is_unknown else "gitops/field"
    return at(document, misfit.keys, rule, misfit.message, hint=misfit.hint, severity=severity, key=misfit.at_key)
