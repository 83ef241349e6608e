"""Rules beyond the API server: what should not be in Git, and what would not deploy."""

from __future__ import annotations

import textwrap

import pytest

from gitops_ci.model import Finding
from gitops_ci.validation import Checks, Suppression, Surroundings, check
from gitops_ci.validation.lint.descriptions import description_findings


def found(text: str, path: str = "a.yaml", around: Surroundings | None = None) -> list[Finding]:
    report = check([(path, textwrap.dedent(text))], None, around)
    return [finding for finding in report.findings if finding.rule.startswith(("repo/", "gitops/"))]


def pod(image: str) -> str:
    return f"""\
        apiVersion: v1
        kind: Pod
        metadata:
          name: p
        spec:
          containers:
            - name: c
              image: {image}
        """


@pytest.mark.parametrize(
    ("image", "rule"),
    [
        ("nginx", "repo/mutable-tag"),
        ("nginx:latest", "repo/mutable-tag"),
        ("ghcr.io/acme/shop:1.4.2", None),
        ("nginx@sha256:" + "0" * 64, None),
        ("ghcr.io/acme/Shop:1", "gitops/image-reference"),
        ("r/x:1:2", "gitops/image-reference"),
        ("${IMAGE}", None),
    ],
)
def test_images(image: str, rule: str | None) -> None:
    assert [f.rule for f in found(pod(image))] == ([rule] if rule else [])


def test_a_moving_tag_points_at_the_image() -> None:
    (finding,) = found(pod("nginx"))
    assert (finding.line, finding.column, finding.severity) == (8, 14, "warning")


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("stringData:\n  password: hunter2\n", ["repo/plain-secret"]),
        ("data:\n  password: aHVudGVyMg==\n", ["repo/plain-secret"]),
        ("stringData:\n  password: ${PASSWORD}\n", []),
        ("data:\n  password: ENC[AES256_GCM,data:x]\nsops:\n  mac: x\n", []),
        ("stringData:\n  username: bob\n  AZURE_CLIENT_ID: abc\n  POSTGRES_DB: shop\n  db-host: db\n", []),
        ("stringData:\n  USE_IDENTITY: 'true'\n", []),
        ("data:\n  USE_IDENTITY: dHJ1ZQ==\n", []),
        ("stringData:\n  user-password: hunter2\n  id_rsa: hunter2\n", ["repo/plain-secret"] * 2),
    ],
)
def test_secrets_in_plain_text(body: str, rules: list[str]) -> None:
    findings = found("apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n" + body)
    assert [f.rule for f in findings] == rules
    assert all("hunter2" not in f.message and "aHVudGVyMg" not in f.message for f in findings)


def test_the_same_resource_twice_in_one_folder() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    report = check([("x/a.yaml", text), ("x/b.yaml", text), ("y/a.yaml", text)])
    assert [(f.rule, f.path, f.message) for f in report.findings] == [
        ("repo/duplicate-resource", "x/b.yaml", "metadata.name: ConfigMap/a is also in x/a.yaml:1")
    ]


APPLICATION = """\
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata: {name: shop}
    spec:
      project: default
      source: {repoURL: "https://github.com/acme/config.git", path: apps/shop, targetRevision: main}
      destination: {server: "https://kubernetes.default.svc", namespace: shop}
    """


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("project: default", "syncPolicy: {}", "spec: required field 'project' is missing"),
        ('server: "https://kubernetes.default.svc", ', "", "spec.destination: needs a server or a name"),
        ('{server: "', '{name: in-cluster, server: "', "spec.destination: server and name exclude each other"),
        ("path: apps/shop", "path: apps/shop, chart: shop", "spec.source.path: the path of a chart is not looked at"),
        ("path: apps/shop, ", "", "spec.source: needs 'path' or 'chart'"),
    ],
)
def test_argo_cd_applications(old: str, new: str, message: str) -> None:
    assert found(APPLICATION) == []
    assert [f.message.partition(": the controller")[0] for f in found(APPLICATION.replace(old, new))] == [message]


def test_the_path_of_an_application_exists_in_this_repository() -> None:
    here = ("git@github.com:acme/config",)
    around = Surroundings(exists=lambda path: path == "apps/other", repository_urls=here)
    assert [f.rule for f in found(APPLICATION, around=around)] == ["gitops/missing-path"]
    assert found(APPLICATION.replace("apps/shop", "apps/other"), around=around) == []
    assert found(APPLICATION.replace("acme/config", "acme/elsewhere"), around=around) == []


def test_flux_sources_resolve() -> None:
    text = """\
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata: {name: config, namespace: flux-system}
        spec: {url: "https://github.com/acme/config", interval: 5m}
        ---
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: apps, namespace: flux-system}
        spec:
          interval: 10 minutes
          prune: true
          path: ./apps
          sourceRef: {kind: GitRepository, name: confg}
        """
    assert [(f.rule, f.line, f.hint) for f in found(text)] == [
        ("gitops/field", 10, "Write it as 5m or 1m30s."),
        ("gitops/missing-source", 13, "Did you mean 'config'?"),
    ]


def test_a_comment_an_annotation_and_the_settings_suppress_and_are_counted() -> None:
    text = textwrap.dedent(pod("nginx"))
    for quiet in (
        text.replace("image: nginx", "image: nginx # gitops-ci: ignore=repo/mutable-tag"),
        text.replace("      image", "      # gitops-ci: ignore\n      image"),
        text.replace("  name: p", "  name: p\n  annotations: {gitops-ci/ignore: 'repo/*'}"),
        "# gitops-ci: ignore-file=repo/*\n" + text,
    ):
        report = check([("a.yaml", quiet)])
        assert (report.findings, report.summary["suppressed"]) == ((), 1), quiet
    checks = Checks(suppressions=(Suppression(rule="repo/*", kind="Pod", path="a.*"),))
    assert check([("a.yaml", text)], checks).summary["suppressed"] == 1
    other = Checks(suppressions=(Suppression(rule="repo/*", kind="Job"),))
    assert len(check([("a.yaml", text)], other).findings) == 1


def waiting(name: str, *needs: str, kind: str = "Kustomization", namespace: str = "flux-system") -> str:
    group = "kustomize" if kind == "Kustomization" else "helm"
    listed = ", ".join(f"{{name: {need}}}" for need in needs)
    return (
        f"apiVersion: {group}.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  interval: 1m\n  dependsOn: [{listed}]\n"
    )


def cycles(**files: str) -> list[tuple[str, int, str]]:
    found = check([(f"{name}.yaml", text) for name, text in files.items()], Checks(rules=("gitops/cycle",))).findings
    return [(one.path, one.line, one.message.rpartition(": ")[2]) for one in found]


def test_what_waits_for_each_other_is_never_applied() -> None:
    assert cycles(a=waiting("a", "b"), b=waiting("b", "c"), c=waiting("c", "a")) == [("a.yaml", 6, "a -> b -> c -> a")]
    assert cycles(a=waiting("a", "a")) == [("a.yaml", 6, "a -> a")]
    release = {"kind": "HelmRelease"}
    assert cycles(a=waiting("a", "b", **release), b=waiting("b", "a", **release)) == [("a.yaml", 6, "a -> b -> a")]


def test_what_waits_in_one_direction_is_fine() -> None:
    assert cycles(a=waiting("a", "b", "c"), b=waiting("b", "c"), c=waiting("c")) == []
    assert cycles(a=waiting("a", "b"), b=waiting("b", "a", kind="HelmRelease")) == [], "another kind"
    assert cycles(a=waiting("a", "b"), b=waiting("b", "a", namespace="other")) == [], "another namespace"
    here, there = waiting("a", "b") + "---\n" + waiting("b"), waiting("a") + "---\n" + waiting("b", "a")
    assert cycles(here=here, there=there) == [], "two clusters"


def test_bundles_of_fleet_wait_for_each_other() -> None:
    def bundles(**files: str) -> list[tuple[str, str, str]]:
        texts = [(f"{name.replace('_', '/')}/fleet.yaml", text) for name, text in files.items()]
        found = description_findings(texts, lambda _: True)
        return [(one.rule, one.path, one.hint if one.severity == "warning" else one.message) for one in found]

    circle = "dependsOn[0]: these wait for each other, and none is ever applied: apps/web -> db -> apps/web"
    db = "name: db\ndependsOn: [{selector: {matchLabels: {app: web}}}]\n"
    web = "labels: {app: web}\ndependsOn: [{name: db}]\n"
    assert bundles(apps_web=web, db=db) == [("gitops/cycle", "apps/web/fleet.yaml", circle)]
    assert bundles(apps_web="dependsOn: [{name: config-db}]\n", db="namespace: db\n") == []
    folder = bundles(apps_web="dependsOn: [{name: config-db}]\n", db="dependsOn: [{name: config-apps-web}]\n")
    assert [rule for rule, _, _ in folder] == ["gitops/cycle"]
    near = bundles(web="dependsOn: [{name: databse}]\n", db="name: database\n")
    assert near == [("gitops/missing-source", "web/fleet.yaml", "Did you mean 'database'?")]
    assert bundles(web="dependsOn: [{name: elsewhere}]\n", db="name: database\n") == []
