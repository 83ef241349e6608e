"""Argo Workflows. Source: argo-workflows.readthedocs.io "Environment variables".

A workflow is started by anything, so that it has no branch or tag of its own: the checkout tells them.
"""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if not (env.get("ARGO_NODE_ID") or env.get("ARGO_TEMPLATE")):
        return None
    return CiContext(provider="argo-workflows", run=env.get("ARGO_NODE_ID", ""), reads_checkout=True)
