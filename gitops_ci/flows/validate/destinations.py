"""Which cluster a unit is applied to, as far as the repository shows."""

from __future__ import annotations

import posixpath

from gitops_ci.rendering.discovery import Deployment, Found
from gitops_ci.rendering.documents import dig, text_of
from gitops_ci.validation import Destination

__all__ = ["destination_of"]

# The cluster that Argo CD itself runs in: another one for each Argo CD.
_OWN = {"", "https://kubernetes.default.svc", "in-cluster"}


def destination_of(found: Found, deployment: Deployment) -> Destination | None:
    """The cluster and default namespace of an operator's unit.

    Two units go to one cluster where both name it, or where the operator that applies them is the same: the one that
    applies what they stand in, else the one that is given the folder of their descriptions.
    """
    unit = found.unit
    if unit.kind == "application":
        to = dig(unit.value, "spec", "destination")
        cluster = text_of(dig(to, "server")) or text_of(dig(to, "name"))
        namespace = text_of(dig(to, "namespace"))
        if cluster not in _OWN:
            return Destination(cluster, namespace)
        cluster = ""
    elif unit.kind in {"flux-kustomization", "helmrelease"}:
        cluster = text_of(dig(unit.value, "spec", "kubeConfig", "secretRef", "name"))
        own = text_of(dig(unit.value, "metadata", "namespace")) if unit.kind == "helmrelease" else ""
        namespace = text_of(dig(unit.value, "spec", "targetNamespace")) or own
    else:
        return None
    return Destination(f"{cluster} by {_operator(found, deployment)}", namespace)


def _operator(found: Found, deployment: Deployment) -> str:
    top = found
    while top.within:
        top = deployment.units[top.within]
    return top.unit.id if top is not found else posixpath.dirname(top.unit.path)
