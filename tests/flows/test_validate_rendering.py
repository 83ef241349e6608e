"""What the user gives to what `validate` renders: values of charts, Flux variables, limits of programs."""

from __future__ import annotations

import time

import pytest

from tests.flows.test_validate import GOOD
from tests.flows.test_validate_units import CHART, KUSTOMIZATION

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {a: {{ required "a is needed" .Values.a }}}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: ${port}\n    name: ${name}\n"


@pytest.fixture(autouse=True)
def programs(tool):
    tool("kubectl", "helm")


@pytest.fixture
def found(run):
    """The exit code and (rule, path) of all findings."""

    def call(*arguments: str, **more) -> tuple[int, list[tuple[str, str]]]:
        ran = run("validate", *arguments, "--output", "json", **more)
        return ran.code, [(one["rule"], one["path"]) for one in ran.document["findings"]]

    return call


@pytest.fixture
def chart(tree):
    tree({"charts/a/Chart.yaml": CHART, "charts/a/templates/c.yaml": TEMPLATE, "b.yaml": GOOD.format(name="b")})
    tree({"one.yaml": "a: text\n", "two.yaml": "a: 1\n", "none.yaml": "b: 1\n"})


def test_a_chart_is_rendered_with_given_values(found, chart, tree):
    assert found("--fail-on", "skipped")[0] == 1, "without values it is a skip"
    assert found("--values", "charts/a=one.yaml", "--fail-on", "skipped") == (0, [])
    assert found("--values", "./charts/a/=./two.yaml")[1] == [("schema/type", "charts/a/templates/c.yaml")]
    assert found("--values", "charts/a=two.yaml", "--values", "charts/a=one.yaml") == (0, []), "in order"
    assert found(environment={"GITOPS_CI_VALUES": "charts/a=two.yaml"})[0] == 1
    assert found("--values", "charts/a=none.yaml") == (1, [("gitops/unit-build", "charts/a/Chart.yaml")])


def test_values_of_the_file_hold_for_charts_that_the_command_line_does_not_name(found, chart, tree):
    tree({"charts/b/Chart.yaml": CHART, "charts/b/templates/c.yaml": TEMPLATE})
    tree({".gitops-ci.yaml": "validate: {values: {charts/a: two.yaml, charts/b: [two.yaml, one.yaml]}}\n"})
    assert found()[1] == [("schema/type", "charts/a/templates/c.yaml")]
    assert found("--values", "charts/a=one.yaml", "--fail-on", "skipped") == (0, [])


def test_given_values_are_used_although_an_operator_installs_the_chart(found, chart, tree):
    application = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  destination: {server: "https://kubernetes.default.svc", namespace: web}
  source:
    repoURL: https://example.com/acme/config
    path: charts/a
    helm: {valuesObject: {a: text}}
"""
    tree({"app.yaml": application})
    assert found() == (0, [])
    assert found("--values", "charts/a=two.yaml")[1] == [("schema/type", "charts/a/templates/c.yaml")]


@pytest.mark.parametrize(
    "text",
    [
        *("charts/a", "=one.yaml", "charts/a=", "charts/b=one.yaml", "charts=one.yaml", "charts/a=gone.yaml"),
        *("charts/a=/etc/hosts", "charts/a=../one.yaml", "../a=one.yaml", "charts/a=leads-out.yaml"),
    ],
)
def test_values_that_are_not_there_are_a_mistake(found, chart, tmp_path, text):
    (tmp_path / "leads-out.yaml").symlink_to("/etc/hosts")
    assert found("--values", text) == (2, [])


@pytest.mark.parametrize("what", ["b.yaml", "plain"])
def test_wrong_values_are_a_mistake_also_where_nothing_is_rendered(found, chart, tree, what):
    """This folder is no Git repository, and the file alone is of no unit."""
    tree({"plain/c.yaml": GOOD.format(name="c")})
    assert found(what, "--values", "charts/a=one.yaml") == (0, [])
    assert found(what, "--values", "charts/b=one.yaml") == (2, [])
    assert found(what, "--values", "charts/a=gone.yaml") == (2, [])


def test_flux_variables_of_the_user(found, tree):
    manifest = SERVICE.replace("${name}", "${name/x/z}")
    post = "  postBuild: {substitute: {other: b}, substituteFrom: [{kind: Secret, name: gone}]}\n"
    tree({"clusters/apps.yaml": KUSTOMIZATION + post, "apps/s.yaml": manifest})
    assert found() == (0, [])
    assert found("--substitute", "port=80", "--substitute", "name=x") == (0, [])
    assert found("--substitute", "port=eighty")[1] == [("schema/type", "apps/s.yaml")]
    assert found("--substitute", "name=X-X")[1] == [("api/service-port", "apps/s.yaml")], "functions are evaluated"
    tree({".gitops-ci.yaml": "validate: {substitute: {port: eighty, name: x}}\n"})
    assert found()[1] == [("schema/type", "apps/s.yaml")]
    assert found("--substitute", "port=80") == (0, []), "name by name"


def test_what_git_defines_goes_before_the_users_variables(found, tree):
    post = "  postBuild: {substitute: {port: '80'}}\n"
    tree({"clusters/apps.yaml": KUSTOMIZATION + post, "apps/s.yaml": SERVICE})
    assert found() == (0, [("gitops/undefined-variable", "clusters/apps.yaml")])
    assert found("--substitute", "port=eighty", "--substitute", "name=x") == (0, [])


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ("timeout: 1s", "did not finish within 1 s"),
        ("memory: 20MiB", "used more than 20 MiB of memory"),
        ("output: 1MiB", "printed more than 1 MiB"),
    ],
)
def test_limits_of_programs_are_the_files(run, tree, tmp_path, monkeypatch, limits, reason):
    body = {
        "timeout": "exec sleep 30",
        "memory": "exec awk 'BEGIN { while (1) a[i++] = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" }'",
        "output": "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done",
    }[limits.partition(":")[0]]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").write_text(f"#!/bin/sh\n{body}\n")
    (tmp_path / "bin" / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    tree({"work/k/kustomization.yaml": "resources: [a.yaml]\n", "work/k/a.yaml": GOOD.format(name="a")})
    tree({"work/b.yaml": GOOD.format(name="b")})
    monkeypatch.chdir(tmp_path / "work")
    tree({"work/.gitops-ci.yaml": f"rendering: {{{limits}}}\n"})
    started = time.monotonic()
    ran = run("validate", "--fail-on", "skipped", "--output", "json")
    assert time.monotonic() - started < 20
    assert ran.code == 1
    assert [one for one in ran.document["skipped"] if reason in one["reason"]]


def test_a_limit_that_is_none_is_a_mistake(run, tree):
    tree({".gitops-ci.yaml": "rendering: {timeout: soon}\n", "a.yaml": GOOD.format(name="a")})
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["error"]["message"]) == (2, ".gitops-ci.yaml:1:22: rendering.timeout is 'soon'")
    assert run("config", "check").code == 2
