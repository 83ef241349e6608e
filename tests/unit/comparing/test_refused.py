"""Which updates an API server refuses: tests/data/updates.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.comparing.support import one

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "data" / "updates.yaml").read_text("utf-8"))
MANIFESTS = TABLE["manifests"]
JOB = MANIFESTS["job"]


@pytest.mark.parametrize("update", TABLE["updates"])
def test_an_update_is_refused_as_the_server_refuses_it(update):
    name, old, new, field, *_ = update
    manifest = MANIFESTS[name]
    assert old in manifest
    assert refused_field(manifest, manifest.replace(old, new)) == field


@pytest.mark.parametrize(
    "mark",
    [
        "argocd.argoproj.io/sync-options: 'Replace=true,Force=true'",
        "argocd.argoproj.io/hook: Sync",
        "helm.sh/hook: post-upgrade",
        "kustomize.toolkit.fluxcd.io/force: Enabled",
        "kustomize.toolkit.fluxcd.io/reconcile: disabled",
        "kustomize.toolkit.fluxcd.io/ssa: IfNotPresent",
        "kustomize.toolkit.fluxcd.io/ssa: Ignore",
    ],
)
def test_no_update_is_sent_for_what_is_marked_so(mark):
    marked = JOB.replace("namespace: team-a", f"namespace: team-a, annotations: {{{mark}}}")
    assert refused_field(marked, marked.replace("i:1", "i:2")) == ""


def test_to_replace_without_force_is_an_update():
    mark = "argocd.argoproj.io/sync-options: Replace=true"
    marked = JOB.replace("namespace: team-a", f"namespace: team-a, annotations: {{{mark}}}")
    assert refused_field(marked, marked.replace("i:1", "i:2"))


def refused_field(before: str, after: str) -> str:
    found: Any = one(yaml.safe_load(before), yaml.safe_load(after))
    told = [risk.why.removesuffix(" cannot be changed: delete the object first") for risk in found.risks]
    return next((why for risk, why in zip(found.risks, told, strict=True) if risk.name == "refused"), "")
