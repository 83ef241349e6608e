"""198 Applications that a chart writes for three environments: a change of one renders one, the same each time."""

from __future__ import annotations

import json

import pytest

from gitops_ci.rendering import programs
from tests.flows.test_diff import ORIGIN, lay
from tests.support.workspace import git, make_checkout

ENVIRONMENTS = ("integration", "staging", "production")
APPS = [f"app-{number:02}" for number in range(66)]
ROOT = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {env}, namespace: argocd}}
spec:
  destination: {{name: {env}, namespace: argocd}}
  source:
    repoURL: {origin}
    path: charts/app-config
    helm: {{valueFiles: [values-{env}.yaml]}}
"""
OF_APPS = """\
{{- range $name := .Values.apps }}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: {{ $.Values.env }}-{{ $name }}, namespace: argocd}
spec:
  destination: {name: {{ $.Values.env }}, namespace: apps}
  source:
    repoURL: ORIGIN
    path: charts/generic
    helm:
      releaseName: {{ $name }}
      values: |
        tag: {{ $.Files.Get (printf "image-tags/%s/%s" $.Values.env $name) | trim | quote }}
{{- end }}
"""
OBJECT = """\
apiVersion: {api}
kind: {kind}
metadata: {{name: {{{{ .Release.Name }}}}-{number}, labels: {{version: {{{{ .Values.tag | quote }}}}}}}}
"""
KINDS = (("v1", "ConfigMap"), ("v1", "Service"), ("v1", "ServiceAccount"), ("apps/v1", "Deployment"))


def layout() -> dict[str, str]:
    files = {
        "charts/app-config/Chart.yaml": "apiVersion: v2\nname: app-config\nversion: 1.0.0\n",
        "charts/app-config/templates/apps.yaml": OF_APPS.replace("ORIGIN", ORIGIN),
        "charts/generic/Chart.yaml": "apiVersion: v2\nname: generic\nversion: 1.0.0\n",
        "charts/generic/values.yaml": "tag: ''\n",
        "charts/generic/templates/fixed.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fixed}\n",
    }
    for number in range(6):
        api, kind = KINDS[number % len(KINDS)]
        files[f"charts/generic/templates/{number}.yaml"] = OBJECT.format(api=api, kind=kind, number=number)
    for env in ENVIRONMENTS:
        files[f"roots/{env}.yaml"] = ROOT.format(env=env, origin=ORIGIN)
        files[f"charts/app-config/values-{env}.yaml"] = json.dumps({"env": env, "apps": APPS})
        files |= {f"charts/app-config/image-tags/{env}/{name}": "v1\n" for name in APPS}
    return files


@pytest.fixture
def started(monkeypatch, tool):
    """The names of the programs that were started."""
    tool("kubectl", "helm", "git")
    names: list[str] = []
    run = programs._run

    def counted(step, *others):
        names.append(step.program)
        return run(step, *others)

    monkeypatch.setattr(programs, "_run", counted)
    return names


def test_the_image_of_one_application_is_six_objects_of_one_unit(run, tmp_path, started):
    make_checkout(tmp_path, layout(), origin=ORIGIN)
    lay(tmp_path, {"charts/app-config/image-tags/integration/app-07": "v2\n"})
    ran = run("diff", "--base", "HEAD", "--output", "json")
    found = ran.document["rendered"]
    mine = [one for one in found["objects"] if one["unit"].startswith("application:argocd/integration-app-07")]
    assert len(mine) == 6
    assert [one["name"] for one in found["objects"] if one not in mine] == ["integration-app-07"]
    # The charts of three environments on both sides, and one chart on both sides.
    assert len(started) <= 8
    git(tmp_path, "commit", "--quiet", "--all", "--message=Bump")
    again = run("diff", "--base", "HEAD~1", "--head", "HEAD", "--output", "json").document["rendered"]
    assert {**again, "head": ""} == found


def test_a_template_of_the_shared_chart_reaches_all_and_is_one_group(run, tmp_path, started):
    make_checkout(tmp_path, layout(), origin=ORIGIN)
    text = layout()["charts/generic/templates/0.yaml"].replace("labels: {", "labels: {more: x, ")
    lay(tmp_path, {"charts/generic/templates/0.yaml": text})
    found = run("diff", "--base", "HEAD", "--output", "json").document["rendered"]
    assert found["summary"]["objects"] == 198
    assert [len(group["objects"]) for group in found["groups"]] == [198]
