"""Which units are rendered by themselves, which are part of others, and what each file of a repository is."""

from __future__ import annotations

import json

import pytest

from gitops_ci.rendering.deployment import Output
from gitops_ci.rendering.discovery import DEEPEST, Deployment
from gitops_ci.rendering.flux_variables import variables_of
from gitops_ci.rendering.parts import roles_of
from tests.unit.rendering.support import CONFIGMAP, URL, repository

HEAD = "apiVersion: %s\nkind: %s\nmetadata: {name: %%s, namespace: %s}\n"
FLUX = HEAD % ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "flux-system") + "spec: {path: %s}\n"
APPLICATION = HEAD % ("argoproj.io/v1alpha1", "Application", "argocd")
APPLICATION += "spec: {source: {repoURL: '" + URL + "', path: %s}}\n"
CHART = "apiVersion: v2\nname: x\nversion: 1.0.0\n"


def played(files, outputs=None, failing=(), links=None):
    """Everything rendered as `outputs` says; the ids in order, and the roles of all files."""
    deployment = Deployment(repository(files, links))
    order = []
    todo = deployment.start()
    while todo:
        more = []
        for found in todo:
            closure = found.closure
            order.append(found.unit.id)
            if closure.refused or closure.error or closure.skip or found.unit.id in failing:
                continue
            more += deployment.follow(found, Output((outputs or {}).get(found.unit.id, "")))
        todo = more or deployment.remaining()
    roles = roles_of(deployment.repository.tree.names, deployment)
    return order, {path: one.role for path, one in roles.items()}, deployment


def test_without_operators_it_is_outermost_kustomizations_and_charts():
    files = {
        "overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "overlay/p.yaml": CONFIGMAP % "x",
        "base/kustomization.yaml": "resources: [x.yaml]\n",
        "base/x.yaml": CONFIGMAP % "x",
        "base/unlisted.yaml": CONFIGMAP % "y",
        "chart/Chart.yaml": CHART,
        "chart/values.yaml": "",
        "chart/templates/x.yaml": "{{ x }}",
        "chart/charts/sub/Chart.yaml": CHART,
        "plain.yaml": CONFIGMAP % "z",
    }
    order, roles, _ = played(files)
    assert order == ["chart:chart", "kustomization:overlay"]
    assert roles == {
        "overlay/kustomization.yaml": "rendered",
        "overlay/p.yaml": "part",
        "base/kustomization.yaml": "rendered",
        "base/x.yaml": "rendered",
        "base/unlisted.yaml": "not-deployed",
        "chart/Chart.yaml": "rendered",
        "chart/values.yaml": "rendered",
        "chart/templates/x.yaml": "rendered",
        "chart/charts/sub/Chart.yaml": "rendered",
        "plain.yaml": "plain",
    }


def test_the_topmost_part_that_can_be_rendered_is():
    files = {
        "top/kustomization.yaml": "resources: ['https://example.com/x?ref=v1', ../mid, own.yaml]\n",
        "top/own.yaml": CONFIGMAP % "o",
        "mid/kustomization.yaml": "resources: [../base]\n",
        "base/kustomization.yaml": "resources: [x.yaml]\n",
        "base/x.yaml": CONFIGMAP % "x",
    }
    order, roles, _ = played(files)
    assert order == ["kustomization:mid", "kustomization:top"]
    assert (roles["base/x.yaml"], roles["top/own.yaml"]) == ("rendered", "part")


def test_what_failed_gives_way_to_its_parts():
    files = {
        "top/kustomization.yaml": "resources: [../base]\n",
        "base/kustomization.yaml": "resources: [x.yaml]\n",
        "base/x.yaml": CONFIGMAP % "x",
    }
    order, roles, _ = played(files, failing={"kustomization:top"})
    assert order == ["kustomization:top", "kustomization:base"]
    assert roles["base/x.yaml"] == "rendered"


def test_what_an_operator_takes_is_not_rendered_alone():
    files = {
        "clusters/apps.yaml": FLUX % ("apps", "./apps"),
        "apps/kustomization.yaml": "resources: [x.yaml]\n",
        "apps/x.yaml": CONFIGMAP % "x",
        "other/kustomization.yaml": "resources: [x.yaml]\n",
        "other/x.yaml": CONFIGMAP % "y",
    }
    order, _, _ = played(files)
    assert order == ["flux-kustomization:flux-system/apps", "kustomization:other"]


def test_the_one_that_flux_begins_with_contains_itself():
    sync = FLUX % ("flux-system", "./clusters/a")
    files = {
        "clusters/a/flux-system/kustomization.yaml": "resources: [gotk-sync.yaml]\n",
        "clusters/a/flux-system/gotk-sync.yaml": sync,
        "clusters/a/apps.yaml": FLUX % ("apps", "./apps"),
        "apps/x.yaml": CONFIGMAP % "x",
    }
    outputs = {"flux-kustomization:flux-system/flux-system": sync + "---\n" + FLUX % ("apps", "./apps")}
    order, roles, _ = played(files, outputs)
    assert order == ["flux-kustomization:flux-system/flux-system", "flux-kustomization:flux-system/apps"]
    assert set(roles.values()) == {"rendered"}


def test_what_a_kustomization_makes_of_an_object_counts():
    files = {
        "clusters/kustomization.yaml": "resources: [apps.yaml]\npatches: [{path: patch.yaml}]\n",
        "clusters/apps.yaml": FLUX % ("apps", "./apps/base"),
        "clusters/patch.yaml": FLUX % ("apps", "./apps/prod"),
        "apps/base/kustomization.yaml": "resources: [x.yaml]\n",
        "apps/base/x.yaml": CONFIGMAP % "x",
        "apps/prod/kustomization.yaml": "resources: [../base]\n",
    }
    order, roles, deployment = played(files, {"kustomization:clusters": FLUX % ("apps", "./apps/prod")})
    assert order == ["kustomization:clusters", "flux-kustomization:flux-system/apps"]
    found = deployment.units["flux-kustomization:flux-system/apps"]
    assert (found.unit.source, found.unit.path, found.within) == (
        "./apps/prod",
        "clusters/apps.yaml",
        "kustomization:clusters",
    )
    assert roles["clusters/patch.yaml"] == "part"


def test_applications_of_a_chart_are_followed():
    files = {
        "apps/Chart.yaml": CHART,
        "apps/templates/apps.yaml": "kind: Application\n{{ x }}",
        "web/Chart.yaml": CHART,
    }
    order, _, deployment = played(files, {"chart:apps": APPLICATION % ("web", "web")})
    assert order == ["chart:apps", "application:argocd/web"]
    assert deployment.units["application:argocd/web"].unit.path == "apps/Chart.yaml"


def test_a_chain_without_end_is_bounded_and_told():
    files = {f"a{n}/x.yaml": CONFIGMAP % "x" for n in range(30)} | {"start.yaml": APPLICATION % ("n0", "a0")}
    outputs = {f"application:argocd/n{n}": APPLICATION % (f"n{n + 1}", f"a{n + 1}") for n in range(30)}
    order, _, deployment = played(files, outputs)
    assert len(order) == DEEPEST + 1
    assert deployment.cycles == [(f"application:argocd/n{DEEPEST}", f"application:argocd/n{DEEPEST + 1}")]


def test_applications_that_make_each_other_end():
    files = {"a/x.yaml": APPLICATION % ("b", "b"), "b/x.yaml": APPLICATION % ("a", "a")}
    outputs = {"application:argocd/a": APPLICATION % ("b", "b"), "application:argocd/b": APPLICATION % ("a", "a")}
    order, _, _ = played(files, outputs)
    assert sorted(order) == ["application:argocd/a", "application:argocd/b"]


def test_objects_of_one_name_are_told_by_their_files():
    files = {f"clusters/{name}/apps.yaml": FLUX % ("apps", f"./apps/{name}") for name in ("a", "b")}
    files |= {f"apps/{name}/x.yaml": CONFIGMAP % name for name in ("a", "b")}
    order, _, _ = played(files)
    assert order == [f"flux-kustomization:flux-system/apps@clusters/{name}/apps.yaml" for name in ("a", "b")]


@pytest.mark.parametrize("count", [1, 40])
def test_kustomizations_that_include_each_other_end(count):
    files = {f"k{n}/kustomization.yaml": f"resources: [../k{(n + 1) % count}]\n" for n in range(count)}
    order, _, _ = played(files)
    assert sorted(set(order)) == sorted(f"kustomization:k{n}" for n in range(count))


def test_each_file_has_a_role_and_each_unit_is_taken_once():
    files = {"fleet/fleet.yaml": "targetCustomizations: [{name: a, yaml: {overlays: [o]}}, {name: b}]\n"}
    files |= {"fleet/x.yaml": CONFIGMAP % "x", "fleet/overlays/o/x_patch.yaml": "data: {a: b}\n"}
    files |= {"fleet/overlays/unused/y.yaml": CONFIGMAP % "y"}
    order, roles, _ = played(files)
    assert order == ["fleet:fleet", "fleet:fleet#a", "fleet:fleet#b"]
    assert roles == {
        "fleet/fleet.yaml": "rendered",
        "fleet/x.yaml": "rendered",
        "fleet/overlays/o/x_patch.yaml": "part",
        "fleet/overlays/unused/y.yaml": "part",
    }


def test_overlays_of_a_chart_that_is_elsewhere_mean_nothing_alone():
    files = {
        "f/fleet.yaml": json.dumps({"helm": {"chart": "oci://x/y"}, "kustomize": {"dir": "o"}}),
        "f/o/kustomization.yaml": "patches: [{path: p.yaml}]\n",
        "f/o/p.yaml": CONFIGMAP % "x",
    }
    order, roles, _ = played(files)
    assert order == ["fleet:f"]
    assert set(roles.values()) == {"part"}


def test_each_cluster_has_the_variables_that_lie_beside_it():
    shared = (FLUX % ("apps", "./apps")).rstrip("}\n")
    shared += ", postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}}\n"
    files = {"base/kustomization.yaml": "resources: [apps.yaml]\n", "base/apps.yaml": shared}
    files["apps/x.yaml"] = CONFIGMAP % "x"
    for name in ("a", "b"):
        files[f"clusters/{name}/kustomization.yaml"] = "resources: [../../base, settings.yaml]\n"
        files[f"clusters/{name}/settings.yaml"] = CONFIGMAP % "settings" + f"data: {{cluster: {name}}}\n"
    outputs = {f"kustomization:clusters/{name}": shared for name in ("a", "b")}
    order, _, deployment = played(files, outputs)
    applications = [one for one in order if one.startswith("flux-")]
    assert applications == [
        "flux-kustomization:flux-system/apps",
        "flux-kustomization:flux-system/apps@kustomization:clusters/b",
    ]
    made = [variables_of(deployment.units[one].unit, deployment.repository).values for one in applications]
    assert made == [{"cluster": "a"}, {"cluster": "b"}]


def test_what_stands_in_a_unit_that_cannot_be_rendered_is_assumed():
    """Its patches may complete what is then rendered by itself, and what that holds."""
    files = {
        "root/kustomization.yaml": "resources: [../a, ../broken]\n",
        "a/kustomization.yaml": "resources: [ks.yaml]\n",
        "a/ks.yaml": FLUX % ("a", "app"),
        "app/x.yaml": CONFIGMAP % "x",
        "broken/kustomization.yaml": "resources: [x.yaml]\n",
        "broken/x.yaml": CONFIGMAP % "x",
        "other/kustomization.yaml": "resources: [x.yaml]\n",
        "other/x.yaml": CONFIGMAP % "x",
    }
    failing = {"kustomization:root", "kustomization:broken"}
    order, _, deployment = played(files, {"kustomization:a": files["a/ks.yaml"]}, failing)
    assumed = [name for name in order if deployment.units[name].unit.is_assumed]
    assert assumed == ["kustomization:a", "flux-kustomization:flux-system/a", "kustomization:broken"]
    assert "kustomization:other" in order
    _, _, deployment = played(files, failing={"kustomization:other"})
    assert not any(one.unit.is_assumed for one in deployment.units.values())
