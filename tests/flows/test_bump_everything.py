"""All images of a repository in one run: what can be edited lands, and only what the edit breaks stops it."""

from __future__ import annotations

import pytest

from tests.flows.test_bump_gate import (
    APPLICATION,
    DEFINITION,
    DEPLOYMENT,
    MARK,
    RELEASE,
    TEMPLATE,
    VALUES,
    WIDGET,
    WITHOUT_SELECTOR,
)
from tests.flows.test_validate_units import CHART, KUSTOMIZATION
from tests.support.git_repo import make_repo

WORKER = DEPLOYMENT.replace("shop", "worker")
BROKEN_BEFORE = DEPLOYMENT.replace("spec:\n", "spec:\n  replicas: two\n", 1)
FOREIGN = {
    "broken/half.yaml": "image: ghcr.io/acme/shop:1.4.1\n  x: [\n",
    "skeleton/app.yaml": DEPLOYMENT.replace("{name: shop}", "{name: ${{ values.name | dump }}}", 1),
    "tool/app.yaml": "{{- if .Values.on }}\n" + WORKER + "{{- end }}\n",
    ".archive/old.yaml": DEPLOYMENT.replace("apps/v1", "extensions/v1beta1"),
    "vendor/x/app.yaml": BROKEN_BEFORE,
    ".env": f"TAG=1.4.1 {MARK}\n",
    "legacy/kustomization.yaml": "resources: [d.yaml, gone.yaml]\n",
    "legacy/d.yaml": BROKEN_BEFORE,
}
CHART_OF_SHOP = {
    "charts/shop/Chart.yaml": CHART,
    "charts/shop/values.yaml": VALUES,
    "charts/shop/templates/d.yaml": TEMPLATE,
}
SHAPES = {
    "Flux": {
        "clusters/prod/apps.yaml": KUSTOMIZATION + "  postBuild: {substitute: {replicas: '2'}}\n",
        "clusters/prod/release.yaml": RELEASE,
        "apps/d.yaml": WORKER.replace("spec:\n", "spec:\n  replicas: ${replicas}\n", 1),
        "apps/overlay/kustomization.yaml": "resources: [d.yaml]\ncommonLabels: {app: shop}\n",
        "apps/overlay/d.yaml": WITHOUT_SELECTOR,
    },
    "Argo CD": {
        "apps/shop.yaml": APPLICATION,
        "apps/worker.yaml": APPLICATION.replace("shop", "worker").replace("charts/worker", "worker/overlay"),
        "worker/overlay/kustomization.yaml": "resources: [../base]\n"
        "images: [{name: ghcr.io/acme/worker, newTag: 1.4.1}]\n",
        "worker/base/kustomization.yaml": "resources: [d.yaml]\n",
        "worker/base/d.yaml": WORKER.replace(":1.4.1", ""),
    },
    "Fleet": {
        "shop/fleet.yaml": "helm: {chart: chart, values: {image: {repository: ghcr.io/acme/shop, tag: 1.4.1}}}\n",
        "shop/chart/Chart.yaml": CHART,
        "shop/chart/values.yaml": "image: {}\n",
        "shop/chart/templates/d.yaml": TEMPLATE,
        "worker/fleet.yaml": "targetCustomizations: [{name: a, clusterName: a, yaml: {overlays: [a]}}]\n",
        "worker/d.yaml": WORKER,
        "worker/overlays/a/d_patch.yaml": WORKER,
    },
}


@pytest.fixture
def bump(run, tmp_path, tool):
    def call(files):
        call.repo = make_repo(tmp_path / "config.git", files)
        tool("git", "kubectl", "helm")
        images = ("ghcr.io/acme/shop:1.5.0", "ghcr.io/acme/worker:1.5.0")
        return run("bump", *images, "--config-repo", call.repo.path, "--mode", "push", "--output", "json")

    return call


@pytest.mark.parametrize("shape", SHAPES)
def test_everything_that_can_be_edited_lands(bump, shape):
    files = SHAPES[shape] | CHART_OF_SHOP | FOREIGN
    ran = bump(files)
    assert ran.document["status"] == "changed", ran.out + ran.err
    assert [one for one in ran.document["findings"] if one["severity"] == "error"] == []
    told = {skip["path"] for skip in ran.document["skipped"]}
    left = {path for path, text in files.items() if "1.4.1" in text and b"1.4.1" in bump.repo.read(path)}
    assert left == {"broken/half.yaml", "skeleton/app.yaml", "tool/app.yaml"}
    assert left <= told
    assert "before this change" in ran.err


@pytest.mark.parametrize("shape", SHAPES)
def test_only_what_the_edit_breaks_stops_it(bump, shape):
    pattern = {"crds/widgets.yaml": DEFINITION, "widgets/w.yaml": WIDGET}
    ran = bump(SHAPES[shape] | CHART_OF_SHOP | FOREIGN | pattern)
    assert ran.code == 1
    errors = [(one["rule"], one["path"]) for one in ran.document["findings"] if one["severity"] == "error"]
    assert errors == [("schema/value", "widgets/w.yaml")]
    assert len(bump.repo.git("log", "--format=%H", "main").split()) == 1
