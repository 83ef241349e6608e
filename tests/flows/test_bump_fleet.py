"""Bundles of Fleet in the gate of `bump`: fleet.yaml with helm, kustomize and overlays, before and after the edit."""

from __future__ import annotations

import pytest

from tests.flows.test_bump_gate import (  # noqa: F401 - `bump` is a fixture
    CONTAINERS,
    DEPLOYMENT,
    JOB,
    MARK,
    OF_CONTAINERS,
    SCHEMA,
    TEMPLATE,
    VALUES,
    WITHOUT_SELECTOR,
    _is_stopped,
    _lands,
    bump,
)
from tests.flows.test_validate_units import CHART

BUNDLE_CHART = {
    "shop/chart/Chart.yaml": CHART,
    "shop/chart/values.yaml": "image: {}\n",
    "shop/chart/values.schema.json": SCHEMA,
    "shop/chart/templates/d.yaml": TEMPLATE,
}
HELM = "helm:\n  chart: ./chart\n  values:\n    image: {repository: ghcr.io/acme/shop, tag: 1.4.1}\n"
TARGET = """\
targetCustomizations:
  - name: prod
    clusterSelector: {matchLabels: {env: prod}}
    helm: {values: {image: {tag: 1.4.1}}}
"""
WITHOUT_TAG = HELM.replace(", tag: 1.4.1", "")
LABELED = "resources: [../base]\ncommonLabels: {app: shop}\n"
WIDGET_OVERLAY = "resources: [w.yaml]\nimages: [{name: ghcr.io/acme/shop, newTag: 1.4.1}]\n"
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {template: {spec: {containers: [{name: shop, image: "ghcr.io/acme/shop:1.4.1"}]}}}
"""

SOUND = {
    "values in fleet.yaml over a chart beside it": BUNDLE_CHART
    | {"shop/fleet.yaml": HELM, "shop/chart/values.schema.json": "{}"},
    "a file of values": BUNDLE_CHART
    | {
        "shop/fleet.yaml": "helm: {chart: chart, valuesFiles: [prod.yaml]}\n",
        "shop/prod.yaml": VALUES,
        "shop/chart/values.schema.json": "{}",
    },
    "labels of a kustomization": {
        "shop/fleet.yaml": "kustomize: {dir: overlay}\n",
        "shop/overlay/kustomization.yaml": LABELED,
        "shop/base/kustomization.yaml": "resources: [d.yaml]\n",
        "shop/base/d.yaml": WITHOUT_SELECTOR,
    },
    "a patch in an overlay": {
        "shop/fleet.yaml": "targetCustomizations: [{name: prod, clusterName: prod, yaml: {overlays: [prod]}}]\n",
        "shop/d.yaml": DEPLOYMENT,
        "shop/overlays/prod/d_patch.yaml": PATCH,
    },
}
BROKEN = {
    "a chart's schema, by the bundle's values": (
        BUNDLE_CHART | {"shop/fleet.yaml": HELM},
        [("gitops/unit-build", "shop/fleet.yaml")],
    ),
    "a chart's schema, by the values of one target": (
        BUNDLE_CHART | {"shop/fleet.yaml": WITHOUT_TAG + TARGET},
        [("gitops/unit-build", "shop/fleet.yaml")],
    ),
    "a chart's schema, by a file of values": (
        BUNDLE_CHART
        | {"shop/fleet.yaml": "helm: {chart: chart, valuesFiles: [prod.yaml]}\n", "shop/prod.yaml": VALUES},
        [("gitops/unit-build", "shop/fleet.yaml")],
    ),
    "a pattern in a definition, by an image of a kustomization": (
        {
            "crds/widgets.yaml": OF_CONTAINERS,
            "shop/fleet.yaml": "kustomize: {dir: prod}\n",
            "shop/prod/kustomization.yaml": WIDGET_OVERLAY,
            "shop/prod/w.yaml": CONTAINERS,
        },
        [("schema/value", "shop/prod/w.yaml")],
    ),
    "a name that is there already, in an overlay": (
        {
            "shop/fleet.yaml": "targetCustomizations: [{name: prod, clusterName: prod, yaml: {overlays: [prod]}}]\n",
            "shop/old.yaml": JOB % "1.5.0",
            "shop/overlays/prod/new.yaml": (JOB % "NAME").replace("{name: NAME}", f"\n  name: 1.4.1 {MARK}"),
        },
        [("repo/duplicate-resource", "shop/old.yaml")],
    ),
}


@pytest.mark.parametrize("kind", SOUND)
def test_what_fleet_completes_is_sound(bump, kind):  # noqa: F811
    files = SOUND[kind]
    ran = bump(files)
    _lands(ran, bump.repo, *(path for path, text in files.items() if "1.4.1" in text and "ghcr.io" in text))
    assert "before this change" not in ran.err


@pytest.mark.parametrize("kind", BROKEN)
def test_what_the_edit_breaks_in_a_bundle_is_stopped(bump, kind):  # noqa: F811
    files, expected = BROKEN[kind]
    assert _is_stopped(bump(files), bump.repo) == expected


def test_what_was_broken_in_a_bundle_is_one_warning(bump):  # noqa: F811
    """The schema refuses the values as they are: no edit made that so."""
    schema = SCHEMA.replace("^1[.]4[.]", "^9[.]")
    ran = bump(BUNDLE_CHART | {"shop/fleet.yaml": HELM, "shop/chart/values.schema.json": schema})
    _lands(ran, bump.repo, "shop/fleet.yaml")
    assert ran.err.count("had 1 error before this change: shop/fleet.yaml") == 1
