"""GitOps' own kinds and files by their documented fields, where no definition is at hand."""

from __future__ import annotations

import posixpath
import textwrap
from collections.abc import Mapping

import pytest
import yaml

from gitops_ci.model import Finding
from gitops_ci.validation import Surroundings, check
from gitops_ci.validation.lint.descriptions import NAMES, description_findings
from gitops_ci.validation.lint.field_tables import (
    FLAG,
    MAP,
    NOT_BOTH,
    NUMBER,
    ONE,
    SOME,
    TEXT,
    TEXTS,
    Needs,
    find_misfits,
)
from tests.support.rule_tables import changed

SOUND: Mapping[str, str] = {
    "Application": """
        apiVersion: argoproj.io/v1alpha1
        spec:
          project: default
          source: {repoURL: https://github.com/acme/c.git, path: a, targetRevision: main, helm: {valueFiles: [v.yaml]}}
          destination: {server: https://kubernetes.default.svc, namespace: shop}
          syncPolicy: {automated: {prune: true}, syncOptions: [CreateNamespace=true], retry: {limit: 5}}
        """,
    "ApplicationSet": """
        apiVersion: argoproj.io/v1alpha1
        spec:
          goTemplate: true
          generators: [{git: {repoURL: https://github.com/acme/c.git, revision: main, directories: [{path: apps/*}]}}]
          template:
            metadata: {name: '{{.path.basename}}'}
            spec:
              project: default
              source: {repoURL: https://github.com/acme/c.git, path: '{{.path.path}}'}
              destination: {name: in-cluster}
        """,
    "AppProject": """
        apiVersion: argoproj.io/v1alpha1
        spec:
          sourceRepos: ['*']
          destinations: [{server: '*', namespace: '*'}]
          syncWindows: [{kind: allow, schedule: 0 1 * * *, duration: 1h, applications: ['*']}]
        """,
    "GitRepository": """
        apiVersion: source.toolkit.fluxcd.io/v1
        spec: {url: https://github.com/acme/c.git, interval: 1m, ref: {branch: main}, secretRef: {name: token}}
        """,
    "Kustomization": """
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        spec:
          interval: 10m
          path: ./a
          prune: true
          sourceRef: {kind: GitRepository, name: c}
          postBuild: {substitute: {A: b}}
        """,
    "HelmRelease": """
        apiVersion: helm.toolkit.fluxcd.io/v2
        spec:
          interval: 5m
          chart: {spec: {chart: shop, version: 1.x, sourceRef: {kind: HelmRepository, name: acme}}}
          valuesFrom: [{kind: ConfigMap, name: v}]
          values: {image: {tag: 1.0.0}}
        """,
    "ImagePolicy": """
        apiVersion: image.toolkit.fluxcd.io/v1
        spec:
          imageRepositoryRef: {name: shop}
          policy: {semver: {range: 1.x}}
          filterTags: {pattern: '^v(.*)$', extract: $1}
        """,
    "GitRepo": """
        apiVersion: fleet.cattle.io/v1alpha1
        spec: {repo: https://github.com/acme/c, branch: main, paths: [a], targets: [{clusterGroup: dev}]}
        """,
}


def findings(kind: str, change: str = "") -> list[Finding]:
    manifest = {"kind": kind, "metadata": {"name": "x"}, **yaml.safe_load(textwrap.dedent(SOUND[kind]))}
    text = yaml.safe_dump(changed(manifest, change) if change else manifest, sort_keys=False)
    report = check([("a.yaml", text)], None, Surroundings())
    assert report.skipped == (), "it was checked by its documented fields"
    assert report.summary["documents"] == 1
    return list(report.findings)


def test_a_mapping_where_a_list_has_to_be_is_told_once() -> None:
    assert [one.message for one in findings("Kustomization", "spec.components {a: b}")] == [
        "spec.components: must be a list, is a mapping"
    ]


def test_fleet_takes_a_path_from_the_root_of_its_repository() -> None:
    assert findings("GitRepo", "spec.paths [/a]") == []


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_object_has_no_finding(kind: str) -> None:
    assert findings(kind) == []


@pytest.mark.parametrize(
    ("kind", "change", "rule", "message"),
    [
        ("Application", "spec.source.targetRevison main", "unknown-field", "unknown field 'targetRevison'"),
        ("Application", "spec.syncPolicy.automated.prune 'yes'", "field", "must be true or false, is a string"),
        ("Application", "spec.source.helm.valueFiles v.yaml", "field", "must be a list, is a string"),
        ("Application", "spec.destination.name x", "argocd", "server and name exclude each other"),
        ("Application", "spec.project", "field", "required field 'project' is missing"),
        ("ApplicationSet", "spec.generators [{clusters: null}]", "argocd", "needs exactly one generator, has none"),
        ("ApplicationSet", "spec.generators [{matrix: {generators: [{list: {}}]}}]", "argocd", "two generators, has 1"),
        (
            "ApplicationSet",
            "spec.generators.0.git.directories [{exclude: true}]",
            "field",
            "required field 'path' is missing",
        ),
        ("ApplicationSet", "spec.template.spec.sorce {}", "unknown-field", "unknown field 'sorce'"),
        ("ApplicationSet", "spec.syncPolicy {applicationsSync: create}", "field", "'create' is not supported"),
        ("AppProject", "spec.syncWindows.0.kind alow", "field", "'alow' is not supported"),
        ("AppProject", "spec.roles [{policies: []}]", "field", "required field 'name' is missing"),
        ("GitRepository", "spec.interval 10 minutes", "field", "is not a duration"),
        ("GitRepository", "spec.url", "field", "required field 'url' is missing"),
        ("GitRepository", "spec.ref {brunch: main}", "unknown-field", "unknown field 'brunch'"),
        (
            "GitRepository",
            "spec.url git@github.com:acme/c.git",
            "field",
            "must start with http:// or https:// or ssh://",
        ),
        ("GitRepository", "spec.timeout 1h", "field", "is not a duration"),
        ("GitRepository", "spec.sparseCheckout [null]", "field", "must be a string, is null"),
        ("GitRepository", "spec.serviceAccountName a", "field", "'serviceAccountName' needs 'provider: aws or azure'"),
        ("GitRepository", "spec.secretRef {}", "field", "required field 'name' is missing"),
        ("Kustomization", "spec.sourceRef.kind Gitrepository", "field", "'Gitrepository' is not supported"),
        ("Kustomization", "spec.prune", "field", "required field 'prune' is missing"),
        ("Kustomization", "spec.postBuild.substitute {A: 1}", "field", "must be a string, is a number"),
        ("HelmRelease", "spec.chartRef {kind: OCIRepository, name: a}", "field", "exactly one of chart and chartRef"),
        ("HelmRelease", "spec.chart.spec.chart ''", "field", "must not be empty"),
        ("HelmRelease", "spec.install {crds: create}", "field", "'create' is not supported"),
        ("HelmRelease", "spec.chart.spec.verson 1.x", "unknown-field", "unknown field 'verson'"),
        (
            "HelmRelease",
            "spec.chart.spec.sourceRef {kind: HelmRepository}",
            "field",
            "required field 'name' is missing",
        ),
        ("ImagePolicy", "spec.policy {}", "flux", "needs one of semver, alphabetical and numerical"),
        ("ImagePolicy", "spec.interval 1h", "field", "'interval' needs 'digestReflectionPolicy: Always'"),
        (
            "ImagePolicy",
            "spec.digestReflectionPolicy Always",
            "field",
            "'digestReflectionPolicy: Always' needs 'interval'",
        ),
        ("ImagePolicy", "spec.policy {alphabetical: {order: up}}", "field", "'up' is not supported"),
        ("GitRepo", "spec.repo", "field", "required field 'repo' is missing"),
        ("GitRepo", "spec.caBundle '-----BEGIN CERTIFICATE-----'", "field", "is not valid base64"),
        ("GitRepo", "spec.pollingInterval 5 minutes", "field", "is not a duration"),
        ("GitRepo", "spec.path [a]", "unknown-field", "unknown field 'path'"),
        ("GitRepo", "spec.caBundle abc", "field", "'abc' is not valid base64"),
        (
            "GitRepo",
            "spec.targets.0.clusterSelector {matchExpressions: [{key: a, operator: Is}]}",
            "field",
            "'Is' is not",
        ),
        ("Kustomization", "spec.sourceRef.name ''", "field", "must not be empty"),
        ("Kustomization", "spec", "field", "'spec' is required"),
    ],
)
def test_what_its_controller_refuses_is_a_finding(kind: str, change: str, rule: str, message: str) -> None:
    (found,) = findings(kind, change)
    assert (found.rule, found.severity) == (f"gitops/{rule}", "error")
    assert message in found.message


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("ApplicationSet", "spec.generators []", "without a generator no application is made"),
        ("ApplicationSet", "spec.generators [{clusters: {}, list: {}}]", "exactly one generator, has clusters, list"),
        ("AppProject", "spec.destinations [{namespace: a}]", "it matches no cluster"),
        ("ImagePolicy", "spec.policy {semver: {range: 1.x}, numerical: {}}", "semver is used, numerical not"),
    ],
)
def test_what_its_controller_takes_but_nobody_means_is_a_warning(kind: str, change: str, message: str) -> None:
    (found,) = findings(kind, change)
    assert (found.severity, message in found.message) == ("warning", True)


def test_fields_of_beta_versions_are_known_there() -> None:
    manifest = {"kind": "Kustomization", "metadata": {"name": "x"}, **yaml.safe_load(SOUND["Kustomization"])}
    manifest["spec"]["validation"] = "client"
    said = {
        version: len(check([("a.yaml", yaml.safe_dump(manifest | {"apiVersion": version}))]).findings)
        for version in ("kustomize.toolkit.fluxcd.io/v1beta2", "kustomize.toolkit.fluxcd.io/v1")
    }
    assert list(said.values()) == [0, 1]


def test_a_field_of_a_newer_version_is_a_warning() -> None:
    (found,) = findings("Application", "spec.quuxification true")
    assert (found.rule, found.severity) == ("gitops/unknown-field", "warning")


def test_a_definition_at_hand_knows_better() -> None:
    definition = textwrap.dedent("""
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: gitrepos.fleet.cattle.io}
        spec:
          group: fleet.cattle.io
          scope: Namespaced
          names: {kind: GitRepo, plural: gitrepos}
          versions:
            - name: v1alpha1
              served: true
              storage: true
              schema:
                openAPIV3Schema:
                  type: object
                  properties: {spec: {type: object, properties: {quux: {type: string}}}}
        """)
    text = "apiVersion: fleet.cattle.io/v1alpha1\nkind: GitRepo\nmetadata: {name: a}\nspec: {quux: a, repo: b}\n"
    found = check([("a.yaml", text), ("crd.yaml", definition)]).findings
    assert [(one.rule, one.line) for one in found] == [("schema/unknown-field", 4)]


def test_paths_of_this_repository_exist() -> None:
    here = Surroundings(exists=lambda path: path == "a", repository_urls=("git@github.com:acme/c.git",))
    text = SOUND["GitRepo"].replace("[a]", "[a, b, 'c/*']")
    manifest = {"kind": "GitRepo", "metadata": {"name": "x"}, **yaml.safe_load(textwrap.dedent(text))}
    (found,) = check([("a.yaml", yaml.safe_dump(manifest))], None, here).findings
    assert (found.rule, "'b'" in found.message) == ("gitops/missing-path", True)


FILES = ("x/there.yaml", "x/c", "x/overlays/dev")


def described(name: str, text: str) -> list[tuple[str, int, str]]:
    found = description_findings([(f"x/{name}", textwrap.dedent(text))], lambda path: posixpath.normpath(path) in FILES)
    return [(one.rule.removeprefix("gitops/"), one.line, one.message) for one in found]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("kustomization.yaml", "resources: [a.yaml]\nimages: [{name: a, newTag: '1.0'}]\n", []),
        ("kustomization.yaml", "images: [{name: a, newTag: 1.0}]\n", [("field", 1, "must be a string, is a number")]),
        ("kustomization.yaml", "resouces: [a.yaml]\n", [("unknown-field", 1, "unknown field 'resouces'")]),
        ("kustomization.yaml", "resources: a.yaml\n", [("field", 1, "resources: must be a list, is a string")]),
        ("kustomization.yaml", "patches: [a.yaml]\n", [("field", 1, "patches[0]: must be a mapping, is a string")]),
        ("kustomization.yaml", "replicas: [{name: a, count: '3'}]\n", [("field", 1, "whole number")]),
        ("kustomization.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nspec: {}\n", []),
        ("Kustomization", "a: [\n", [("field", 2, "did not find")]),
        ("fleet.yaml", "defaultNamespace: a\nhelm: {chart: ./c, values: {a: 1}, valuesFiles: [there.yaml]}\n", []),
        ("fleet.yaml", "helm: {valuesFiles: [gone.yaml]}\n", [("missing-path", 1, "there is no 'gone.yaml'")]),
        ("fleet.yaml", "helm: {chart: ./gone}\n", [("missing-path", 1, "there is no './gone'")]),
        ("fleet.yaml", "helm: {chart: ./gone, repo: https://charts.example.com}\n", []),
        ("fleet.yaml", "helm: {chart: github.com/acme/c}\n", []),
        ("fleet.yaml", "yaml: {overlays: [dev, prod]}\n", [("missing-path", 1, "there is no 'overlays/prod'")]),
        (
            "fleet.yaml",
            "targetCustomizations:\n- kustomize: {dir: gone}\n- helm:\n    valuesFiles:\n    - gone.yaml\n",
            [
                ("missing-path", 2, "targetCustomizations[0].kustomize.dir: there is no 'gone'"),
                ("missing-path", 5, "targetCustomizations[1].helm.valuesFiles[0]: there is no 'gone.yaml'"),
            ],
        ),
        ("fleet.yaml", "helm: {atomic: 'yes'}\n", [("field", 1, "must be true or false, is a string")]),
        ("fleet.yaml", "targetCustomisations: []\n", [("unknown-field", 1, "unknown field 'targetCustomisations'")]),
        ("fleet.yaml", "targetCustomizations: [{name: a, helm: {values: {}}, clusterSelector: {}}]\n", []),
        ("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: '1.10'\n", []),
        (
            "Chart.yaml",
            "apiVersion: v2\nname: a\nversion: 1.10\n",
            [("field", 3, "version: must be a string, is a number")],
        ),
        ("Chart.yaml", "apiVersion: v2\nname: a\n", [("field", 1, "'version' is required")]),
        (
            "Chart.yaml",
            "apiVersion: v2\nname: a\nversion: 1.0.0\nmaintaners: []\n",
            [("unknown-field", 4, "unknown field")],
        ),
    ],
)
def test_descriptions(name: str, text: str, expected: list[tuple[str, int, str]]) -> None:
    found = described(name, text)
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    assert all(told in message for (_, _, message), (_, _, told) in zip(found, expected, strict=True))
    assert name in NAMES


def test_a_template_of_a_description_is_left_to_its_renderer() -> None:
    assert described("kustomization.yaml", "images: [{newTag: {{ .tag }} }]\n") == []


def test_shapes() -> None:
    shape = {"a!": TEXT, "b": FLAG, "c": NUMBER, "d": TEXTS, "e": MAP, "f": ("x", "y"), "g": [{"h": TEXT}]}
    assert (
        list(find_misfits({"a": "x", "b": None, "c": 1, "d": ["x"], "e": {"z": "y"}, "f": "x", "g": [{}]}, shape)) == []
    )
    wrong = {"b": 1, "c": True, "d": [1], "e": {"z": 1}, "f": "z", "g": [{"i": 1}], "j": 1}
    places = [misfit.keys for misfit in find_misfits(wrong, shape)]
    assert places == [("b",), ("c",), ("d", 0), ("e", "z"), ("f",), ("g", 0, "i"), ("j",), ()]


@pytest.mark.parametrize(
    ("asked", "sound", "wrong"),
    [
        (ONE, [{"a": 1}], [{}, {"a": 1, "b": 1}]),
        (SOME, [{"a": 1}, {"a": 1, "b": 1}], [{}, {"a": None}]),
        (NOT_BOTH, [{}, {"b": 1}], [{"a": 1, "b": 1}]),
    ],
)
def test_how_many_of_some_fields_are_given(
    asked: str, sound: list[dict[str, int]], wrong: list[dict[str, int | None]]
) -> None:
    shape = {"a": NUMBER, "b": NUMBER, ("a", "b"): asked}
    assert not any(list(find_misfits(value, shape)) for value in sound)
    assert all(len(list(find_misfits(value, shape))) == 1 for value in wrong)


def test_a_field_needs_another_one() -> None:
    shape = {"a": TEXT, "b": {"c": TEXT}, ("a",): Needs("b.c", ("x",), without="x", when="on")}
    sound = [{}, {"a": "off", "b": {"c": "y"}}, {"a": "on"}, {"a": "on", "b": {"c": "x"}}]
    assert not any(list(find_misfits(value, shape)) for value in sound)
    (misfit,) = find_misfits({"a": "on", "b": {"c": "y"}}, shape)
    assert (misfit.keys, misfit.message) == (("a",), "'a: on' needs 'b.c: x'")
