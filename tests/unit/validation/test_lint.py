"""Rules beyond the API server: what should not be in Git, and what would not deploy."""

from __future__ import annotations

import textwrap

import pytest

from gitops_ci.model import Finding
from gitops_ci.validation import Checks, Suppression, Surroundings, check


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
        ("project: default", "syncPolicy: {}", "spec: 'project' is required"),
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
