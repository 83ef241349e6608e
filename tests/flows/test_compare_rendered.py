"""`compare --what rendered`: two environments of one commit, rendered, and what differs beyond their names."""

import pytest

from gitops_ci.flows.history.counterparts import renaming
from tests.support.git_repo import make_repo

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: ghcr.io/acme/web}]}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: db-{env}, namespace: argocd}}
spec:
  destination: {{server: "https://{env}.clusters.example", namespace: db}}
  source: {{repoURL: "https://git.example/acme/config.git", path: charts/db, helm: {{valueFiles: [values-{env}.yaml]}}}}
"""
TEMPLATE = """\
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {password: {{ .Values.password }}, host: {{ .Values.host }}}
"""


def overlay(env, namespace, *more):
    return "\n".join(
        (
            "apiVersion: kustomize.config.k8s.io/v1beta1",
            "kind: Kustomization",
            "resources: [../../base]",
            f"namespace: {namespace}",
            f"namePrefix: {env}-",
            *more,
            "",
        )
    )


def files(staging=(), production=()):
    found = {
        "apps/web/base/kustomization.yaml": "resources: [d.yaml]\n",
        "apps/web/base/d.yaml": DEPLOYMENT,
        "apps/web/overlays/staging/kustomization.yaml": overlay("staging", "web-stg", *staging),
        "apps/web/overlays/production/kustomization.yaml": overlay("production", "web-live", *production),
        "apps/web/overlays/dev/kustomization.yaml": "resources: [gone.yaml]\n",
        "charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
        "charts/db/values.yaml": "password: x\nhost: x\n",
        "charts/db/templates/secret.yaml": TEMPLATE,
    }
    for env in ("staging", "production"):
        found[f"argocd/{env}.yaml"] = APPLICATION.format(env=env)
        found[f"charts/db/values-{env}.yaml"] = f"password: of-{env}\nhost: db.{env}.example\n"
        found[f"config/{env}/settings.yaml"] = (
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{url: https://{env}.example}}\n"
        )
    return found


@pytest.fixture
def compared(run, tmp_path, tool):
    tool("kubectl", "helm", "git")

    def call(there, *more, code=0, form="json"):
        repo = make_repo(tmp_path / "config.git", there)
        where = ("--config-repo", repo.path, "--output", form)
        ran = run("compare", "staging", "production", "--what", "rendered", *where, *more)
        assert ran.code == code, ran.out + ran.err
        return ran

    return call


def test_environments_that_differ_in_their_names_alone_are_the_same(compared):
    found = compared(files(), "--fail-on", "drift").document["rendered"]
    assert (found["base"], found["head"], found["objects"]) == ("staging", "production", [])
    assert {unit["id"]: unit["state"] for unit in found["units"]} == {
        "application:argocd/db-production": "unchanged",
        "folder:config/production": "unchanged",
        "kustomization:apps/web/overlays/production": "unchanged",
    }


def test_what_differs_else_is_told_and_what_only_one_has(compared):
    replicas = "replicas: [{name: web, count: 5}]"
    there = files(staging=("images: [{name: ghcr.io/acme/web, newTag: 2.0.0}]",), production=(replicas,))
    there["config/staging/more.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
    there["charts/db/values-production.yaml"] = "password: of-production\nhost: other.example\n"
    ran = compared(there, "--fail-on", "drift", code=1)
    told = {
        (one["kind"], one["name"]): (one["state"], [(path["path"], path["old"], path["new"]) for path in one["paths"]])
        for one in ran.document["rendered"]["objects"]
    }
    assert told.pop(("ConfigMap", "more"))[0] == "removed"
    secret = told.pop(("Secret", "db-production"))
    assert [(old, new) for _, old, new in secret[1]] == [(None, None)], "values of Secrets are never shown"
    assert told == {
        ("Deployment", "production-web"): (
            "changed",
            [
                ("spec.replicas", 2, 5),
                ("spec.template.spec.containers[name=web].image", "ghcr.io/acme/web:2.0.0", "ghcr.io/acme/web"),
            ],
        )
    }
    shown = compared(there, form="text").out
    assert "Only in staging\n  - ConfigMap more" in shown
    assert "- staging · + production" in shown


def test_a_unit_that_cannot_be_rendered_is_told_and_not_compared(compared):
    there = files(production=("patches: [{path: gone.yaml}]",))
    found = compared(there).document["rendered"]
    states = {unit["id"]: unit["state"] for unit in found["units"]}
    assert states["kustomization:apps/web/overlays/production"] == "failed"
    assert found["objects"] == []


def test_a_name_is_written_for_another_where_it_is_a_word():
    rename = renaming("staging", "prod", ["apps/*/stg/**", "v/values-stg.yaml"], ["apps/*/prd/**", "v/values-prd.yaml"])
    before = ["staging", "shop-staging.example.com", "stagings", "apps/shop/stg", "v/values-stg.yaml", "costg"]
    after = ["prod", "shop-prod.example.com", "stagings", "apps/shop/prd", "v/values-prd.yaml", "costg"]
    assert [rename(text) for text in before] == after


def test_what_cannot_be_compared(compared):
    assert "goes with --what images" in compared(files(), "--image", "x", code=2).document["error"]["message"]
