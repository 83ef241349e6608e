"""Repositories to run a test over: the project's own cases, and other people's where they lie beside the checkout.

A test over somebody else's repository is marked `corpus`. Without the repositories it is not collected, and pytest's
last line counts those that were left out.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import CHECKOUT

__all__ = ["EACH", "OTHERS", "OWN", "is_here", "repository"]

_BESIDE = CHECKOUT.parent / "shared" / "corpus"
OWN = ("own cases",)
OTHERS = (
    "argocd-example-apps",
    "examples",
    "fleet-examples",
    "flux2-kustomize-helm-example",
    "flux2-multi-tenancy",
    "microservices-demo",
    "podinfo",
)
EACH = [*OWN, *(pytest.param(name, marks=pytest.mark.corpus) for name in OTHERS)]


def is_here() -> bool:
    return _BESIDE.is_dir()


def repository(name: str) -> Path:
    """The folder of a repository, by a name of `OWN` or `OTHERS`."""
    return CHECKOUT / "tests" / "cases" if name in OWN else _BESIDE / name
