"""Charts that kustomizations inflate. What they render to is compared with kustomize's own in tests/live."""

from __future__ import annotations

import json

import pytest

from gitops_ci.rendering.kinds import closure_of
from tests.unit.rendering.support import CONFIGMAP, repository, unit_of, units, why_not, written_json

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
FILES = {"app/charts/web/Chart.yaml": CHART, "app/charts/web/values.yaml": "a: own\n", "app/d.yaml": CONFIGMAP % "d"}
FILES |= {"app/v.yaml": "a: file\n", "app/charts/web/templates/c.yaml": CONFIGMAP % "c"}
ID = "kustomization:app"


def made(chart, files=FILES, links=None, **more):
    said = {"resources": ["d.yaml"], "helmCharts": [chart], **more}
    return repository({**files, "app/kustomization.yaml": json.dumps(said)}, links)


def closure(*arguments, **more):
    whole = made(*arguments, **more)
    return closure_of(units(whole)[ID], whole)


def test_a_chart_is_inflated_before_the_build():
    chart = {"name": "web", "releaseName": "r", "namespace": "n", "valuesFile": "v.yaml", "includeCRDs": True}
    _, found, recipe = unit_of(made(chart), ID)
    helm, kustomize = recipe.steps
    values = ".gitops-ci-unit/app/0-values-0.yaml"
    assert helm.arguments == (
        *("template", "--include-crds", "--namespace=n", f"--values=./{values}", "--", "r", "./app/charts/web"),
    )
    assert (helm.into, kustomize.program) == ("app/.gitops-ci-chart-0.yaml", "kustomize")
    assert recipe.copies == {values: "app/v.yaml"}
    written = written_json(recipe, "app/kustomization.yaml")
    assert written == {"resources": ["d.yaml", ".gitops-ci-chart-0.yaml"]}
    assert found.omitted == []
    assert {"app/charts/web/templates/c.yaml", "app/v.yaml"} <= found.parts
    # It is rendered with the kustomization, and not by itself.
    assert "app/charts/web" in found.folders


@pytest.mark.parametrize("chart", [{"name": "--post-renderer=x"}, {"name": "web", "releaseName": "--post-renderer=x"}])
def test_no_name_is_an_option(chart):
    files = {path.replace("charts/web", f"charts/{chart['name']}"): text for path, text in FILES.items()}
    _, _, recipe = unit_of(made(chart, files), ID)
    options, _, operands = " ".join(recipe.steps[0].arguments).partition(" -- ")
    assert "post-renderer" not in options
    assert "post-renderer" in operands


@pytest.mark.parametrize(
    ("chart", "more", "links"),
    [
        ({"name": "../../../x"}, {}, {}),
        ({"name": "/etc"}, {}, {}),
        ({"name": ""}, {}, {}),
        ({"name": "web"}, {"helmGlobals": {"chartHome": "../../.."}}, {}),
        ({"name": "web"}, {"helmGlobals": {"chartHome": "/etc"}}, {}),
        ({"name": "out"}, {}, {"app/charts/out": "../../../out"}),
        ({"name": "web", "valuesFile": "../../v.yaml"}, {}, {}),
        ({"name": "web", "valuesFile": "/etc/passwd"}, {}, {}),
        ({"name": "web", "valuesFile": "out.yaml"}, {}, {"app/out.yaml": "/etc/passwd"}),
        ({"name": "web", "additionalValuesFiles": ["v.yaml", "../../v.yaml"]}, {}, {}),
        ({"name": "web", "valuesFile": "../../v.yaml", "valuesInline": {"a": 1}}, {}, {}),
        ({"name": "web"}, {}, {"app/charts/web/files/secret": "/etc/passwd"}),
    ],
)
def test_what_leads_out_of_the_repository_is_refused(chart, more, links):
    assert "app/" in closure(chart, links=links, **more).refused


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        ({"name": "redis", "repo": "https://charts.example.com", "version": "1.2.3"}, "redis 1.2.3 of https://charts"),
        ({"name": "web", "repo": "https://charts.example.com", "version": "1.0.0"}, "web 1.0.0 of https://charts"),
        ({"name": "web", "nameTemplate": "x-{{ randAlpha 3 }}"}, "named by a template"),
        ({"name": "needy"}, "needy, which needs chart redis of https://charts.example.com"),
    ],
)
def test_what_is_not_here_is_left_out_and_the_rest_is_built(chart, reason):
    needs = f"{CHART}dependencies: [{{name: redis, version: 1.0.0, repository: 'https://charts.example.com'}}]\n"
    _, found, recipe = unit_of(made(chart, FILES | {"app/charts/needy/Chart.yaml": needs}), ID)
    assert [reason in one for one in found.omitted] == [True]
    assert [step.program for step in recipe.steps] == ["kustomize"]
    assert written_json(recipe, "app/kustomization.yaml") == {"resources": ["d.yaml"]}


def test_a_chart_that_was_fetched_has_its_version_in_its_path():
    files = {path.replace("charts/web", "charts/web-1.0.0/web"): text for path, text in FILES.items()}
    chart = {"name": "web", "repo": "https://charts.example.com", "version": "1.0.0", "releaseName": "r"}
    _, found, recipe = unit_of(made(chart, files), ID)
    assert recipe.steps[0].arguments[-1] == "./app/charts/web-1.0.0/web"
    assert found.omitted == []


@pytest.mark.parametrize("chart", [{"name": "gone"}, {"name": "web", "valuesFile": "gone.yaml"}])
def test_a_chart_or_values_that_nobody_has_are_an_error(chart):
    assert "gone" in closure(chart).error


def test_without_helm_the_rest_is_built():
    found = closure({"name": "web"}).without_charts()
    assert found.rewritten["app/kustomization.yaml"] == {"resources": ["d.yaml"]}
    assert found.steps == []
    assert "helm is not installed" in found.omitted[0]


def test_flux_inflates_no_chart():
    flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a, namespace: f}\n"
    spec = {"path": "./app", "sourceRef": {"kind": "GitRepository", "name": "x"}}
    whole = made({"name": "web"}, FILES | {"clusters/a.yaml": flux + "spec: " + json.dumps(spec)})
    assert "Flux does not inflate" in closure_of(units(whole)["flux-kustomization:f/a"], whole).error


def test_a_base_brings_its_charts_once():
    bases = {"top/kustomization.yaml": "resources: [../one, ../two]\n"}
    bases |= {f"{name}/kustomization.yaml": "resources: [../app]\nnamePrefix: x-\n" for name in ("one", "two")}
    _, _, recipe = unit_of(made({"name": "web", "releaseName": "r"}, FILES | bases), "kustomization:top")
    assert [step.program for step in recipe.steps] == ["helm", "kustomize"]


def test_a_generator_that_starts_helm_is_left_out():
    generator = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: web\n"
    files = {**FILES, "app/g.yaml": generator, "app/kustomization.yaml": "resources: [d.yaml]\ngenerators: [g.yaml]\n"}
    _, found, recipe = unit_of(repository(files), ID)
    assert written_json(recipe, "app/kustomization.yaml")["generators"] == []
    assert len(found.omitted) == 1


def test_other_forms_of_names_are_read():
    said = "Resources: [d.yaml]\nHelmCharts: [{Name: web, ReleaseName: r}]\n"
    _, _, recipe = unit_of(repository({**FILES, "app/kustomization.yaml": said}), ID)
    assert written_json(recipe, "app/kustomization.yaml") == {"resources": ["d.yaml", ".gitops-ci-chart-0.yaml"]}
    assert why_not(closure({"name": "web"})) == ""


PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: of.it}\n"
TARGET = {"group": "apps", "version": "v1", "kind": "Deployment", "name": r"of\.it"}


@pytest.mark.parametrize(
    ("patches", "expected"),
    [
        ({"patches": [{"path": "p.yaml"}]}, [{"path": "p.yaml", "target": TARGET}]),
        (
            {"patches": [{"patch": PATCH, "options": {"allowNameChange": True}}]},
            [{"patch": PATCH, "options": {"allowNameChange": True}, "target": TARGET}],
        ),
        (
            {"patchesStrategicMerge": ["p.yaml"], "patches": [{"patch": PATCH}]},
            [{"path": "p.yaml", "target": TARGET}, {"patch": PATCH, "target": TARGET}],
        ),
        (
            {"patches": [{"path": "two.yaml"}]},
            [{"patch": f"\n{PATCH}", "target": TARGET}, {"patch": f"\n{PATCH}a: 1\n", "target": TARGET}],
        ),
        ({"patches": [{"path": "p.yaml", "target": {"kind": "Job"}}]}, [{"path": "p.yaml", "target": {"kind": "Job"}}]),
        ({"patches": [{"patch": "- op: remove\n  path: /a\n"}]}, [{"patch": "- op: remove\n  path: /a\n"}]),
        ({"patches": [{"patch": "{{ x"}]}, [{"patch": "{{ x"}]),
    ],
)
def test_patches_for_what_was_left_out_find_nothing(patches, expected):
    files = {
        **FILES,
        "app/p.yaml": f"# A note.\n---\n{PATCH}",
        "app/two.yaml": f"# Two.\n---\n{PATCH}---\n{PATCH}a: 1\n",
    }
    chart = {"name": "redis", "repo": "https://charts.example.com"}
    _, _, recipe = unit_of(made(chart, files, **patches), ID)
    assert written_json(recipe, "app/kustomization.yaml")["patches"] == expected
    whole = {**files, "app/kustomization.yaml": json.dumps({"resources": ["d.yaml"], **patches})}
    assert "app/kustomization.yaml" not in unit_of(repository(whole), ID)[2].written


def test_patches_of_a_kustomization_above_what_was_left_out():
    base = {"helmCharts": [{"name": "redis", "repo": "https://charts.example.com"}], "resources": ["d.yaml"]}
    files = {**FILES, "app/kustomization.yaml": json.dumps(base), "over/kustomization.yaml": "resources: [../app]\n"}
    files["over/kustomization.yaml"] += "patches: [{path: p.yaml}]\n"
    _, _, recipe = unit_of(repository({**files, "over/p.yaml": PATCH}), "kustomization:over")
    assert written_json(recipe, "over/kustomization.yaml")["patches"] == [{"path": "p.yaml", "target": TARGET}]


def test_a_kustomization_that_was_charts_alone_is_not_empty():
    chart = {"name": "redis", "repo": "https://charts.example.com"}
    files = {"app/kustomization.yaml": json.dumps({"kind": "Kustomization", "helmCharts": [chart]})}
    files["over/kustomization.yaml"] = "resources: [../app]\n"
    _, _, recipe = unit_of(repository(files), "kustomization:over")
    assert written_json(recipe, "app/kustomization.yaml") == {"kind": "Kustomization", "resources": []}
