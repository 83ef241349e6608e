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


# A large upgrade: a vendored chart of 200 objects in which nearly everything changes, and three lines are dangerous.

META = """\
metadata:
  name: part-{{ $n }}
  labels:
    helm.sh/chart: "stack-{{ $.Chart.Version }}"
    app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
"""
WORKLOAD = """\
{{- range $n := until 40 }}
---
apiVersion: apps/v1
kind: Deployment
META
spec:
  replicas: 2
  selector: {matchLabels: {app: part-{{ $n }}}}
  template:
    metadata:
      labels: {app: part-{{ $n }}}
      annotations: {checksum/config: {{ printf "%s %d" $.Chart.Version $n | sha256sum }}}
    spec:
      containers:
        - {name: main, image: "ghcr.io/acme/part-{{ $n }}:{{ $.Chart.AppVersion }}", args: [--old={{ $n }}]}
---
apiVersion: v1
kind: ConfigMap
META
data:
  board.json: |-
    {{ dict "release" $.Chart.AppVersion "rows" (until 60) "expr" (repeat 40 (printf "m%d+" $n)) | toJson }}
---
apiVersion: v1
kind: Service
META
spec: {selector: {app: part-{{ $n }}}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ServiceAccount
META
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
META
rules:
  - {apiGroups: [""], resources: [configmaps], verbs: [get]}
{{- end }}
"""


def chart_of(version: str, edits: tuple[tuple[str, str], ...] = (), more: str = "") -> dict[str, str]:
    text = WORKLOAD
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return {
        "chart/Chart.yaml": f"apiVersion: v2\nname: stack\nversion: {version}\nappVersion: v{version}\n",
        "chart/templates/all.yaml": text.replace("META\n", META),
        "chart/templates/more.yaml": more,
    }


def test_a_large_upgrade_is_one_comment_with_the_danger_in_the_first_screen(run, tmp_path, tool):
    tool("kubectl", "helm", "git")
    claim = (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: history}\nspec: {accessModes: [ReadWriteOnce]}\n"
    )
    make_checkout(tmp_path, chart_of("1.0.0", more=claim), origin=ORIGIN)
    edits = (
        ("--old={{ $n }}", "--new={{ $n }}, --level={{ $n }}"),
        ('"rows" (until 60)', '"rows" (until 61) "id" (mul $n 7)'),
        ("resources: [configmaps]", "resources: [configmaps{{ if eq $n 17 }}, secrets{{ end }}]"),
        ("{matchLabels: {app: part", "{matchLabels: {app: {{ if eq $n 23 }}new-{{ end }}part"),
    )
    lay(tmp_path, chart_of("2.0.0", edits))
    report = tmp_path.parent / f"{tmp_path.name}.md"
    ran = run("diff", "--base", "HEAD", "--report", f"markdown={report}", "--output", "json")
    assert ran.code == 0, ran.err
    assert ran.document["rendered"]["summary"]["objects"] == 201
    text = report.read_text()
    assert len(text.encode()) < 65_536
    assert "more objects: see the report" not in text, "nothing is left out"
    assert text.count("200 objects changed") == 1
    for danger in ("PersistentVolumeClaim history", "ClusterRole part-17", "Deployment part-23"):
        assert [line for line in text.splitlines()[:10] if danger in line], danger
    # What every object has, because the chart and its images have another version, is not to be read.
    assert "app.kubernetes.io/version" not in text.partition("Folded:")[0]
    assert "Service part-0" not in text
