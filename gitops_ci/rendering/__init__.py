"""What is deployed is rendered: kustomizations are built and charts are templated by the programs people use for it."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ci.rendering import helm, kustomize
from gitops_ci.rendering.base import BuildError, Renderer, Settings, Tree, Unit
from gitops_ci.rendering.substitute import substitute

__all__ = ["RENDERERS", "BuildError", "Renderer", "Settings", "Tree", "Unit", "substitute"]

RENDERERS: Mapping[str, Renderer] = {"kustomize": kustomize, "helm": helm}
