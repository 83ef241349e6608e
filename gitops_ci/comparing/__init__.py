"""Rendered objects of two sides, compared: identity, changes, noise, groups, risks. Pure."""

from __future__ import annotations

from gitops_ci.comparing.compare import Comparison, Settings, Side, compare
from gitops_ci.comparing.list_keys import keys_of_definitions
from gitops_ci.comparing.objects import ManifestObject
from gitops_ci.comparing.risks import HINTS, RISKS

__all__ = ["HINTS", "RISKS", "Comparison", "ManifestObject", "Settings", "Side", "compare", "keys_of_definitions"]
