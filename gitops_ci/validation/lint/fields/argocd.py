"""What Argo CD's controllers ask of their kinds beyond the bundled definitions. A field that is not here is theirs.

Source: argo-cd.readthedocs.io, operator-manual (project.yaml, applicationset.yaml); label selectors are read by
k8s.io/apimachinery.
"""

from __future__ import annotations

import re

from gitops_ci.validation.lint.field_tables import SELECTOR, Shape, Text, with_others

__all__ = ["KINDS"]

# The sync branch is emptied first: a path may not be its root.
_BELOW_THE_ROOT = Text("may not be the root", re.compile(r".{2,}|.*[^./\n]", re.DOTALL))
_SELECTING: dict[str, Shape] = {
    "clusters": with_others({"selector": SELECTOR}),
    "clusterDecisionResource": with_others({"labelSelector": SELECTOR}),
    "selector": SELECTOR,
}
_OF_SEVERAL = with_others({"generators": [with_others(_SELECTING)]})
_OF_SPECS: dict[str, dict[str, Shape]] = {
    "Application": {"sourceHydrator": with_others({"syncSource": with_others({"path": _BELOW_THE_ROOT})})},
    "ApplicationSet": {"generators": [with_others({**_SELECTING, "matrix": _OF_SEVERAL, "merge": _OF_SEVERAL})]},
    "AppProject": {"syncWindows": [with_others({"kind!": ("allow", "deny")})]},
}
# kind -> its shape
KINDS: dict[str, Shape] = {kind: with_others({"spec!": with_others(spec)}) for kind, spec in _OF_SPECS.items()}
