"""Values that a chart of the repository never reads."""

from __future__ import annotations

import pytest

CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "replicas: 1\n",
}
READS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {a: '{{ .Values.color }} {{ index .Values "a-b" }}'}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  destination: {server: https://kubernetes.default.svc, namespace: web}
  source:
    repoURL: https://git.example/acme/config.git
    path: charts/web
    helm:
      valuesObject: {global: {}, color: red, a-b: 1, tags: {}}
      parameters: [{name: 'repicas', value: '3'}, {name: replicas, value: '3'}]
"""


@pytest.fixture
def found(run, tree):
    def call(files: dict[str, str]) -> list[tuple[str, int, str]]:
        tree(CHART | {"apps/web.yaml": APPLICATION} | files)
        ran = run("validate", "--rules", "gitops/values", "--output", "json", "--render", "none")
        return [(one["severity"], one["line"], one["hint"]) for one in ran.document["findings"]]

    return call


def test_a_value_that_no_template_reads_is_a_note(found):
    assert found({"charts/web/templates/a.yaml": READS}) == [("note", 11, "Did you mean 'replicas'?")]


def test_values_in_a_text_are_read_too(found):
    text = APPLICATION.replace(
        "      valuesObject: {global: {}, color: red, a-b: 1, tags: {}}", "      values: 'colr: red'"
    )
    more = {"charts/web/templates/a.yaml": READS, "apps/web.yaml": text}
    assert found(more) == [("note", 10, "Did you mean 'color'?"), ("note", 11, "Did you mean 'replicas'?")]


@pytest.mark.parametrize(
    "text", ["{{ toYaml .Values }}", "{{ include 'x' (dict 'v' .Values) }}", "{{ .Values | quote }}"]
)
def test_nothing_is_told_where_a_template_takes_the_values_as_a_whole(found, text):
    assert found({"charts/web/templates/a.yaml": READS + f"# {text}\n"}) == []


def test_what_belongs_to_a_dependency_is_read_there(found):
    more = "dependencies: [{name: repicas, version: 1.0.0, repository: 'https://charts.example'}]\n"
    assert (
        found({"charts/web/templates/a.yaml": READS, "charts/web/Chart.yaml": CHART["charts/web/Chart.yaml"] + more})
        == []
    )


@pytest.mark.parametrize("overlays", [["a"], ["a", "b"]])
def test_a_release_that_a_kustomization_brings_is_read_as_its_file_has_it(run, tree, tool, overlays):
    """Its patches add values, which are another file's, and several kustomizations may bring it."""
    tool("kubectl", "helm")
    operation = '[{"op": "add", "path": "/spec/source/helm/valuesObject/extra", "value": 1}]'
    patch = f"  - target: {{kind: Application}}\n    patch: '{operation}'\n"
    tree(CHART | {"charts/web/templates/a.yaml": READS, "apps/web.yaml": APPLICATION})
    for name in overlays:
        tree({f"{name}/kustomization.yaml": f"resources: [../apps/web.yaml]\npatches:\n{patch}"})
    ran = run("validate", "--rules", "gitops/values", "--output", "json")
    assert [(one["path"], one["line"], one["hint"]) for one in ran.document["findings"]] == [
        ("apps/web.yaml", 11, "Did you mean 'replicas'?")
    ]
