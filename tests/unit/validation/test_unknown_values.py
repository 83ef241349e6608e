"""What only the cluster's side knows is not wrong, and hides nothing beside it."""

from __future__ import annotations

import pytest

from gitops_ci.validation import Checks, check
from gitops_ci.validation.report import Rendered

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      securityContext: {runAsUser: 1000}
      containers:
        - name: shop
          image: ghcr.io/acme/shop:1.4.1
          ports: [{containerPort: 8080}]
          resources: {limits: {memory: 1Gi}}
"""
SOPS = """\
sops:
  mac: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]
  lastmodified: "2026-01-01T00:00:00Z"
"""
ENC = "ENC[AES256_GCM,data:aGVsbG8=,iv:aaaa,tag:bbbb,type:str]"


# With it in the repository Flux substitutes variables.
FLUX = {
    "clusters/a.yaml": """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: a}
spec: {interval: 1m, path: ./a, prune: true, sourceRef: {kind: GitRepository, name: b}, postBuild: {substitute: {A: b}}}
"""
}


def errors(text: str, path: str = "a.yaml", *, more: dict[str, str] = FLUX) -> list[tuple[str, str]]:
    report = check([(path, text), *more.items()], Checks())
    return [(one.rule, one.field) for one in report.findings if one.severity == "error"]


def test_a_variable_that_nothing_substitutes_is_wrong():
    assert errors(DEPLOYMENT.replace("replicas: 2", "replicas: ${REPLICAS}"), more={}) == [
        ("schema/type", "spec.replicas")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replicas: 2", "replicas: ${REPLICAS}"),
        ("replicas: 2", 'replicas: "${REPLICAS:=2}"'),
        ("runAsUser: 1000", "runAsUser: '${UID}'"),
        ("memory: 1Gi", "memory: '${MEM:-1Gi}'"),
        ("metadata: {name: shop}", "metadata: {name: '${APP}-web', namespace: '${NAMESPACE}'}"),
        ("containerPort: 8080", "containerPort: '${PORT}'"),
        ("labels: {app: shop}", "labels: {app: shop, '${KEY}': x}"),
        ("- name: shop", "- name: ${APP}"),
    ],
)
def test_a_variable_is_a_value_of_any_type(old, new):
    assert old in DEPLOYMENT
    assert errors(DEPLOYMENT.replace(old, new)) == []


@pytest.mark.parametrize("written", ["$REPLICAS", "{REPLICAS}", "two", "${}", "${1A}"])
def test_what_is_no_variable_is_still_wrong(written):
    assert errors(DEPLOYMENT.replace("replicas: 2", f"replicas: '{written}'")) == [("schema/type", "spec.replicas")]


def test_a_variable_hides_nothing_beside_it():
    text = DEPLOYMENT.replace("replicas: 2", "replicas: ${REPLICAS}\n  minReadySeconds: -1\n  replcas: 3")
    assert errors(text) == [("api/workload", "spec.minReadySeconds"), ("schema/unknown-field", "spec.replcas")]
    assert errors(text.replace("name: shop\n", "name: ${APP}\n").replace("image:", "imge:")) != []


def test_an_encrypted_secret_is_judged_without_its_values():
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\ndata: {{password: '{ENC}'}}\n"
    assert errors(secret + SOPS) == []
    assert errors(secret) == [("schema/base64", "data.password")]
    assert ("api/name", "metadata.name") in errors(secret.replace("name: db", "name: D_b") + SOPS)
    assert errors(secret + SOPS + "dta: {}\n") == [("schema/unknown-field", "dta")]


def test_any_encrypted_kind_loses_the_mapping_of_sops():
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"
    assert errors(config + SOPS) == []
    assert errors(DEPLOYMENT.replace("replicas: 2", f"replicas: '{ENC}'") + SOPS) == []


def test_an_object_whose_kind_is_encrypted_is_a_skip():
    text = f"apiVersion: '{ENC}'\nkind: '{ENC}'\nmetadata: {{name: '{ENC}'}}\ndata: {{password: '{ENC}'}}\n"
    report = check([("s.yaml", text + SOPS)])
    assert report.findings == ()
    assert ["SOPS encrypted its kind" in one.reason for one in report.skipped] == [True]


def test_a_mapping_called_sops_that_is_none_is_an_unknown_field():
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nsops: {version: 3}\n"
    assert errors(config) == [("schema/unknown-field", "sops")]


SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: <port>}]}\n"
)
VAULT = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {avp.kubernetes.io/path: kv/a}}\ndata: {p: <p>}\n"
)


def test_a_placeholder_of_the_vault_plugin_is_unknown_where_the_plugin_is_used():
    assert errors(VAULT) == []
    assert errors("data: {p: <path:kv/a#b | base64encode>}\n" + VAULT.replace("data: {p: <p>}\n", "")) == []
    assert errors(SERVICE, "app/svc.yaml", more={"app/secret.yaml": VAULT}) == []
    assert errors(SERVICE, "app/svc.yaml", more={"other/secret.yaml": VAULT}) == [("schema/type", "spec.ports[0].port")]


def test_a_variable_of_kustomize_is_unknown_in_what_kustomize_built():
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'i:1', env: [%s]}]}\n"
    text = pod % "{name: A, valueFrom: {secretKeyRef: {name: '$(secret_name)', key: k}}}"
    rendered = Rendered("overlay", "overlay/kustomization.yaml", text)
    assert errors(text) == [("api/env", "spec.containers[0].env[0].valueFrom.secretKeyRef.name")]
    assert check([], Checks(), rendered=[rendered]).findings == ()


def test_the_fields_of_gitops_kinds_may_be_variables():
    kustomization = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n"
        "spec: {interval: 1m, path: ./a, prune: true, sourceRef: {kind: '%s', name: b}}\n"
    )
    assert errors(kustomization % "${source_kind}") == []
    assert errors(kustomization % "source_kind") == [("gitops/field", "spec.sourceRef.kind")]
