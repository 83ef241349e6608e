"""With a `--path` that begins with a folder, a bump fetches the rest only once something is edited, for its check."""

from __future__ import annotations

import pytest

from tests.flows.test_bump import IMAGE
from tests.flows.test_bump_gate import BROKEN, DEPLOYMENT, PATCHED, SCHEMA, SOUND, TEMPLATE, VALUES
from tests.flows.test_validate_units import CHART

# Kind of the tables of `test_bump_gate` -> the path that the run is about.
NARROW_AND_SOUND = {
    "patches of Flux in a folder without a kustomization": "apps/**",
    "a base that its overlay completes": "base/**",
    "a folder that Flux takes once a cluster has patched its path": "apps/**",
}
NARROW_AND_BROKEN = {
    "a pattern in a definition, by an image of an overlay": "overlays/prod",
    "a pattern in a definition, by Flux' images": "clusters/apps.yaml",
    "a chart's schema, by the values of a HelmRelease": "clusters/**",
    "a pattern in a definition elsewhere, in a plain file": "w.yaml",
}


@pytest.fixture
def bump(run, git_server, tool):
    """Bump what a path selects, in a repository of these files that is served over HTTP."""

    def call(files, path):
        call.repo = git_server.make_repo("acme/config", files)
        tool("git", "kubectl", "helm")
        url = git_server.url_of("acme/config")
        environment = {"GITOPS_CI_TOKEN": git_server.token}
        arguments = ("--config-repo", url, "--mode", "push", "--output", "json", "--path", path)
        return run("bump", IMAGE, *arguments, environment=environment)

    return call


@pytest.mark.parametrize("kind", NARROW_AND_SOUND)
def test_what_is_completed_outside_of_the_path_is_sound(bump, kind):
    ran = bump(SOUND[kind], NARROW_AND_SOUND[kind])
    assert (ran.code, ran.document["findings"], ran.document["skipped"]) == (0, [], []), ran.err
    assert "before this change" not in ran.err


@pytest.mark.parametrize("kind", NARROW_AND_BROKEN)
def test_what_the_edit_breaks_outside_of_the_path_is_stopped(bump, kind):
    files, (rule, path) = BROKEN[kind]
    ran = bump(files, NARROW_AND_BROKEN[kind])
    assert ran.code == 1, ran.out + ran.err
    assert [(one["rule"], one["path"]) for one in ran.document["findings"]] == [(rule, path)]


def test_values_of_an_environment_are_judged_with_their_chart(bump, git_server):
    application = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  source: {repoURL: SERVER, path: charts/shop, helm: {valueFiles: [../../envs/prod/shop.yaml]}}
""".replace("SERVER", git_server.url_of("acme/config"))
    files = {
        "apps/shop.yaml": application,
        "charts/shop/Chart.yaml": CHART,
        "charts/shop/values.yaml": "image: {}\n",
        "charts/shop/values.schema.json": SCHEMA,
        "charts/shop/templates/d.yaml": TEMPLATE,
        "envs/prod/shop.yaml": VALUES,
    }
    ran = bump(files, "envs/prod")
    assert ran.code == 1, ran.out + ran.err
    assert [(one["rule"], one["path"]) for one in ran.document["findings"]] == [("gitops/unit-build", "apps/shop.yaml")]


def test_what_is_not_read_of_a_large_repository_is_told(bump, monkeypatch):
    """Neither a refusal for what an operator completes, nor silence."""
    for module in ("gate", "search"):
        monkeypatch.setattr(f"gitops_ci.flows.bump.{module}.MOST", 5)
    files = {"apps/prod/d.yaml": DEPLOYMENT, "clusters/apps.yaml": PATCHED}
    files |= {f"other/{n}.yaml": "a: 1\n" for n in range(9)}
    ran = bump(files, "apps/prod")
    assert ran.code == 0, ran.err
    (told,) = ran.document["skipped"]
    assert told["path"] == "apps/prod/d.yaml"
    assert "not rendered" in told["reason"]
    assert "gitops-ci validate" in told["hint"]


def test_a_run_that_changes_nothing_fetches_nothing_more(bump, git_server):
    files = {"apps/d.yaml": DEPLOYMENT.replace("1.4.1", "1.5.0")}
    files |= {f"other/{n}.yaml": f"a: {n}\n" for n in range(9)}
    ran = bump(files, "apps/d.yaml")
    assert (ran.code, ran.document["status"]) == (0, "unchanged")
    assert "other" not in ran.out
