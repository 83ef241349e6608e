"""The fields of GitOps' own kinds and files, one module a tool."""

from __future__ import annotations

from gitops_ci.validation.lint.field_tables import ANY, TEXT, Shape

__all__ = ["HEAD"]

# What every object has beside its spec; SOPS leaves its mark in what it encrypts.
HEAD: dict[str, Shape] = {"apiVersion": TEXT, "kind": TEXT, "metadata": ANY, "status": ANY, "sops": ANY}
