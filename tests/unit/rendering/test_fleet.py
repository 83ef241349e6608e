"""Bundles of Fleet: which files are in one, and what it is rendered with.

Expected values follow github.com/rancher/fleet 0.16 (internal/bundlereader, internal/helmdeployer).
"""

from __future__ import annotations

import json
import re

import pytest

from gitops_ci.rendering.fleet import is_fully_known
from gitops_ci.rendering.kinds import closure_of
from tests.unit.rendering.support import CONFIGMAP, repository, unit_of, units

CHART = {"b/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "b/web/values.yaml": "a: 1\n"}


def bundle(text, files=None):
    return repository({"b/fleet.yaml": text, **(files or {})})


def test_hidden_and_ignored_files_are_not_in_a_bundle():
    files = {
        ".fleetignore": "# no comment.yaml\n*.bak.yaml  \n\nskipped/*\n",
        "a.yaml": "",
        "a.bak.yaml": "",
        "skipped/a.yaml": "",
        "sub/skipped/b.yaml": "",
        "sub/.fleetignore": "own.yaml\n",
        "sub/own.yaml": "",
        "own.yaml": "",
        ".hidden.yaml": "",
        ".github/x.yaml": "",
    }
    _, closure, _ = unit_of(bundle("namespace: n\n", {f"b/{name}": text for name, text in files.items()}), "fleet:b")
    assert closure.files == {"b/fleet.yaml", "b/a.yaml", "b/own.yaml"}
    assert {"b/a.bak.yaml", "b/skipped/a.yaml", "b/sub/own.yaml", "b/.hidden.yaml"} <= closure.left_out


def test_files_of_values_may_lie_outside_of_the_bundle():
    text = "helm: {chart: web, valuesFiles: [../shared.yaml]}\n"
    _, closure, recipe = unit_of(bundle(text, {**CHART, "shared.yaml": "a: 2\n"}), "fleet:b")
    assert "shared.yaml" in closure.files
    assert [json.loads(one) for one in recipe.written.values()] == [{"a": 2}]


@pytest.mark.parametrize("chart", ["../web", "../b2/web"])
def test_a_chart_outside_of_the_bundle_is_not_in_it(chart):
    files = {"web/Chart.yaml": "name: web\n", "b2/web/Chart.yaml": "name: web\n"}
    made = bundle(json.dumps({"helm": {"chart": chart}}), files)
    assert "Fleet reads only files of the bundle's folder" in closure_of(units(made)["fleet:b"], made).error


def test_files_of_values_are_read_for_a_chart_that_is_named():
    files = {"b/Chart.yaml": "apiVersion: v2\nname: b\nversion: 1.0.0\n"}
    _, _, recipe = unit_of(bundle("helm: {valuesFiles: [nosuch.yaml], values: {a: 3}}\n", files), "fleet:b")
    assert [json.loads(one) for one in recipe.written.values()] == [{"a": 3}]
    made = bundle("helm: {chart: ., valuesFiles: [nosuch.yaml]}\n", files)
    assert "nosuch.yaml" in closure_of(units(made)["fleet:b"], made).error


@pytest.mark.parametrize(
    ("helm", "is_known"),
    [
        ({"values": {"a": 1}}, True),
        ({"values": {"a": {"b": ["${ .ClusterLabels.x }"]}}}, False),
        ({"values": {"a": "global.fleet.clusterLabels.x"}}, False),
        ({"valuesFrom": [{"secretKeyRef": {"name": "x"}}]}, False),
        ({"templateValues": {"a": "x"}}, False),
    ],
)
def test_values_of_a_cluster_are_not_known(helm, is_known):
    made = bundle(json.dumps({"helm": {"chart": "web"} | helm}), CHART)
    assert is_fully_known(units(made)["fleet:b"]) == is_known


def test_a_schema_may_be_skipped():
    _, _, recipe = unit_of(bundle("helm: {chart: web, skipSchemaValidation: true}\n", CHART), "fleet:b")
    assert "--skip-schema-validation" in recipe.steps[0].arguments


def test_a_target_does_not_skip_a_schema():
    text = "helm: {chart: web}\ntargetCustomizations: [{name: t, helm: {skipSchemaValidation: true, values: {a: 2}}}]\n"
    _, _, recipe = unit_of(bundle(text, CHART), "fleet:b#t")
    assert "--skip-schema-validation" not in recipe.steps[0].arguments
    assert {"a": 2} in [json.loads(one) for one in recipe.written.values()]


@pytest.mark.parametrize(
    ("overlays", "is_patched"), [("[patch, file]", False), ("[file, patch]", True), ("[file]", False)]
)
def test_overlays_are_laid_one_over_the_other(overlays, is_patched):
    """A file that a later overlay replaces has none of the patches before it."""
    files = {
        "b/x.yaml": CONFIGMAP % "x",
        "b/overlays/patch/x_patch.yaml": "data: {a: b}\n",
        "b/overlays/file/x.yaml": CONFIGMAP % "x",
    }
    made = bundle(f"targetCustomizations: [{{name: t, yaml: {{overlays: {overlays}}}}}]\n", files)
    _, _, recipe = unit_of(made, "fleet:b#t")
    assert bool(recipe.steps) == is_patched
    if is_patched:
        assert json.loads(recipe.written[".gitops-ci-unit/0000.yaml"])["metadata"] == {"name": "x"}
    else:
        assert re.findall("^# Source: (.*)$", recipe.text, re.MULTILINE) == ["b/overlays/file/x.yaml"]


def test_a_patch_is_for_the_first_document_of_its_file_alone():
    """Fleet drops the others, and knows the object by its file: another one of a like name is not patched."""
    first = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a.b, namespace: shop}\n"
    files = {
        "b/x.yaml": f"{first}---\n{CONFIGMAP % 'dropped'}",
        "b/y.yaml": f"{CONFIGMAP % 'a-b'}---\n{CONFIGMAP % 'kept'}",
        "b/overlays/o/x_patch.yaml": "data: {a: b}\n---\ndata: {c: d}\n",
    }
    made = bundle("targetCustomizations: [{name: t, yaml: {overlays: [o]}}]\n", files)
    _, _, recipe = unit_of(made, "fleet:b#t")
    assert recipe.copies == {".gitops-ci-unit/0001.yaml": "b/y.yaml"}
    assert json.loads(recipe.written[".gitops-ci-unit/0000.yaml"])["metadata"]["name"] == "a.b"
    value = json.loads(recipe.written[".gitops-ci-unit/kustomization.yaml"])
    assert value["resources"] == ["0000.yaml", "0001.yaml"]
    (patch,) = value["patches"]
    assert patch["target"] == {"version": "v1", "kind": "ConfigMap", "name": r"a\.b", "namespace": "shop"}
    assert json.loads(patch["patch"])["data"] == {"a": "b"}


def test_templates_without_a_chart_are_templated():
    files = {"b/templates/a.yaml": "{{ .Values.a }}", "b/c.yaml": CONFIGMAP % "c"}
    _, _, recipe = unit_of(bundle("namespace: shop\nhelm: {values: {a: 1}}\n", files), "fleet:b")
    assert "b/c.yaml" in recipe.text
    assert "{{" not in recipe.text
    (step,) = recipe.steps
    assert (step.program, step.arguments[-1]) == ("helm", "./.gitops-ci-unit/chart")
    assert recipe.copies[".gitops-ci-unit/chart/templates/a.yaml"] == "b/templates/a.yaml"


@pytest.mark.parametrize(
    ("name", "is_sound"), [("x_patch.yaml", True), ("y_patch.yaml", True), ("z_patch.yaml", False)]
)
def test_a_patch_of_an_overlay_needs_its_file(name, is_sound):
    files = {"b/x.yaml": CONFIGMAP % "x", "b/overlays/o/y.yaml": CONFIGMAP % "y", f"b/overlays/o/{name}": "data: {}\n"}
    made = bundle("targetCustomizations: [{name: t, yaml: {overlays: [o]}}]\n", files)
    assert (not closure_of(units(made)["fleet:b#t"], made).error) == is_sound


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_fleet_knows_one_name_for_a_kustomization(name):
    made = bundle("namespace: n\n", {f"b/{name}": "resources: [x.yaml]\n", "b/x.yaml": CONFIGMAP % "x"})
    _, _, recipe = unit_of(made, "fleet:b")
    assert bool(recipe.steps) == (name == "kustomization.yaml")
