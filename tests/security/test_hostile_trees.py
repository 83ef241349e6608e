"""Trees that describe units: what leads out of the checkout, or would take for ever, reaches no program."""

from __future__ import annotations

import json
import time

import pytest

from gitops_ci.rendering.deployment import Closure
from gitops_ci.rendering.kinds import closure_of
from tests.unit.rendering.support import CONFIGMAP, URL, repository, units

APPLICATION = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ../../.., namespace: argocd}\nspec: "
)
RELEASE = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: apps}\nspec: "
KUSTOMIZATION = (
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k, namespace: f}\nspec: "
)
SET = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s, namespace: argocd}\nspec: "
CHART = {"c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "c/values.yaml": "a: 1\n"}
OUTSIDE = "../../../../outside/secret.yaml"
LINKS = {"c/out.yaml": OUTSIDE, "m/out.yaml": "/etc/passwd", "b/out": "../../outside", "k/out.yaml": OUTSIDE}
LINKS |= {"b/overlays/o/out.yaml": OUTSIDE}


def application(path: str, **options: object) -> str:
    return APPLICATION + json.dumps({"source": {"repoURL": URL, "path": path, **options}}) + "\n"


def release(**chart: object) -> str:
    reference = {"kind": "GitRepository", "name": "x"}
    return RELEASE + json.dumps({"chart": {"spec": {"chart": "./c", "sourceRef": reference, **chart}}}) + "\n"


def fleet(text: str) -> dict[str, str]:
    return {"b/fleet.yaml": text, **{f"b/{path}": one for path, one in CHART.items()}}


# id -> what describes the unit, and whether a link of LINKS is on the way
TREES: dict[str, dict[str, str]] = {
    "application:values": CHART | {"u.yaml": application("c", helm={"valueFiles": [OUTSIDE]})},
    "application:values-of-a-variable": CHART
    | {"u.yaml": application("c", helm={"valueFiles": ["$ARGOCD_APP_NAME/x.yaml"]})},
    "application:values-of-a-braced-variable": CHART
    | {"u.yaml": application("c", helm={"valueFiles": ["/${ARGOCD_APP_NAME}/x.yaml"]})},
    "application:file-parameter": CHART
    | {"u.yaml": application("c", helm={"fileParameters": [{"name": "a", "path": "$ARGOCD_APP_NAME/x"}]})},
    "application:values-link": CHART | {"u.yaml": application("c", helm={"valueFiles": ["out.yaml"]})},
    "application:component": {
        "k/kustomization.yaml": "resources: []\n",
        "u.yaml": application("k", kustomize={"components": ["../../outside"]}),
    },
    "application:directory-through-a-link": {"b/a.yaml": CONFIGMAP % "a", "u.yaml": application("b/out")},
    "application:values-of-a-chart-elsewhere": {
        "u.yaml": APPLICATION
        + json.dumps(
            {
                "sources": [
                    {
                        "repoURL": "https://charts.example.com",
                        "chart": "c",
                        "helm": {"valueFiles": [f"$here/{OUTSIDE}"]},
                    },
                    {"repoURL": URL, "ref": "here"},
                ]
            }
        )
    },
    "application:directory-link": {"m/a.yaml": CONFIGMAP % "a", "u.yaml": application("m")},
    "flux:component": {
        "k/kustomization.yaml": "{}\n",
        "u.yaml": KUSTOMIZATION + '{"path": "k", "components": ["/etc"]}\n',
    },
    "flux:resource-link": {
        "k/kustomization.yaml": "resources: [out.yaml]\n",
        "u.yaml": KUSTOMIZATION + '{"path": "k"}\n',
    },
    "release:chart-link": CHART | {"u.yaml": release()},
    "fleet:values": fleet(f"helm: {{chart: c, valuesFiles: [{OUTSIDE}]}}\n"),
    "fleet:values-of-a-target": fleet(
        f"targetCustomizations: [{{name: t, helm: {{chart: c, valuesFiles: ['{OUTSIDE}']}}}}]\n"
    ),
    "fleet:folder-link": {"b/fleet.yaml": "namespace: x\n", "b/a.yaml": CONFIGMAP % "a"},
    "fleet:overlay-link": {"b/fleet.yaml": "namespace: x\n", "b/overlays/o/a.yaml": CONFIGMAP % "a"}
    | {"b/fleet.yaml": "targetCustomizations: [{name: t, yaml: {overlays: [o]}}]\n"},
    "fleet:chart": {"b/fleet.yaml": "helm: {chart: ../../outside}\n"},
}


# What leads out is no part of these units, and nobody would read it.
LEFT_OUT = {"fleet:folder-link", "fleet:chart", "application:values-of-a-chart-elsewhere"}


def closures(files: dict[str, str], links: dict[str, str]) -> dict[str, Closure]:
    folders = {path.rpartition("/")[0] for path in files}
    made = repository(files, {path: to for path, to in links.items() if path.rpartition("/")[0] in folders})
    described = {name: one for name, one in units(made).items() if one.kind not in {"chart", "kustomization"}}
    return {name: closure_of(unit, made) for name, unit in described.items()}


@pytest.mark.parametrize("name", TREES)
def test_no_file_outside_is_in_a_unit(name):
    """Either the unit is refused, or what leads out is not part of it."""
    files = TREES[name]
    for unit, closure in closures(files, LINKS if "link" in name else {}).items():
        held = closure.files | closure.parts | set(closure.copies.values())
        assert not any(path.startswith(("..", "/")) for path in held), unit
        may_be_left_out = name in LEFT_OUT or unit == "fleet:b"
        reason = closure.refused or closure.error
        assert (
            any(words in reason for words in ("leads out of the repository", "there is no folder")) or may_be_left_out
        )


def test_the_same_trees_without_what_leads_out_are_taken():
    for name, files in TREES.items():
        harmless = {path: text.replace(OUTSIDE, "c/values.yaml") for path, text in files.items()}
        for unit, closure in closures(harmless, {}).items():
            if "link" in name:
                assert not closure.refused, (name, unit)


def test_a_component_outside_is_named_where_it_is_written():
    found = closures(TREES["flux:component"], {})["flux-kustomization:f/k"]
    assert found.refused == "u.yaml:1: the component '/etc' leads out of the repository"


def test_links_that_lead_to_each_other_lead_out():
    links = {"k/out.yaml": "again.yaml", "k/again.yaml": "out.yaml"}
    started = time.process_time()
    found = closures(TREES["flux:resource-link"], links)
    assert "leads out of the repository" in found["flux-kustomization:f/k"].refused
    assert time.process_time() - started < 1


@pytest.mark.parametrize("path", ["../..", "/etc", "..%2f..", "./../../x"])
def test_a_generator_reads_no_file_outside(path):
    generator = {"git": {"repoURL": URL, "revision": "HEAD", "files": [{"path": f"{path}/*"}]}}
    made = repository({"s.yaml": SET + json.dumps({"generators": [generator]}), "a.yaml": "b: 1\n"})
    assert closure_of(units(made)["applicationset:argocd/s"], made).files == set()


@pytest.mark.parametrize(
    "files",
    [
        {
            "u.yaml": application("m", directory={"recurse": True, "include": "*a" * 40 + "b"}),
            f"m/{'a' * 200}.yaml": "",
        },
        {"u.yaml": application("m", directory={"exclude": "{a,b}" * 40}), f"m/{'a' * 200}.yaml": ""},
        CHART
        | {"u.yaml": application("c", helm={"valueFiles": ["**/" * 40 + "*a" * 40 + "b"]}), "c/" + "a/" * 60 + "a": ""},
        {
            "s.yaml": SET
            + json.dumps({"generators": [{"git": {"repoURL": URL, "files": [{"path": "*a" * 40 + "b"}]}}]}),
            f"{'a' * 200}/{'a' * 200}": "",
        },
        {".sourceignore": "*a" * 40 + "b\n", "u.yaml": KUSTOMIZATION + '{"path": "k"}\n', f"k/{'a' * 200}.yaml": ""},
        fleet("namespace: x\n") | {"b/.fleetignore": "*a" * 40 + "b\n", f"b/{'a' * 200}.yaml": ""},
        CHART
        | {
            "u.yaml": release()[:-2]
            + ', "valuesFrom": [{"kind": "ConfigMap", "name": "v", "targetPath": "a[99999999]"}]}\n',
            "v.yaml": CONFIGMAP % "v, namespace: apps" + "data: {values.yaml: '1'}\n",
        },
    ],
)
def test_no_pattern_or_value_of_a_unit_takes_for_ever(files):
    started = time.process_time()
    closures(files, {})
    assert time.process_time() - started < 5
