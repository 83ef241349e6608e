"""What GitOps' own objects refer to in the repository at hand: folders, values, generators' paths, other objects."""

from __future__ import annotations

import posixpath
import textwrap
from collections.abc import Collection

import pytest

from gitops_ci.validation import Surroundings, check

HERE = ("git@github.com:acme/config.git",)
THERE = {"apps", "apps/shop", "apps/shop/values.yaml", "envs/prod.yaml", "charts/shop", "clusters", "."}


def told(text: str, there: Collection[str] = frozenset(THERE)) -> list[tuple[int, str, str]]:
    around = Surroundings(exists=lambda path: posixpath.normpath(path) in there, repository_urls=HERE)
    found = check([("a.yaml", textwrap.dedent(text))], None, around).findings
    return [(one.line, one.severity, one.message.rpartition(": ")[2]) for one in found]


APPLICATION = """\
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata: {{name: shop}}
    spec:
      project: default
      destination: {{name: in-cluster}}
      sources:
        - repoURL: {repository}
          targetRevision: {revision}
          path: apps/shop
          helm:
            valueFiles:
              - {values}
        - repoURL: https://github.com/acme/config
          ref: config
    """


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ("values.yaml", ""),
        ("gone.yaml", "apps/shop/gone.yaml"),
        ("../shop/values.yaml", ""),
        ("../shop/gone.yaml", "apps/shop/../shop/gone.yaml"),
        ("/envs/prod.yaml", ""),
        ("/envs/gone.yaml", "envs/gone.yaml"),
        ("$config/envs/prod.yaml", ""),
        ("$config/envs/gone.yaml", "envs/gone.yaml"),
        ("$ARGOCD_ENV_STAGE/gone.yaml", ""),
        ("values-*.yaml", ""),
        ("https://example.com/values.yaml", ""),
        ("'{{ .Values.file }}'", ""),
    ],
)
def test_values_files_of_an_application(values: str, missing: str) -> None:
    text = APPLICATION.format(repository="https://github.com/acme/config", revision="HEAD", values=values)
    assert told(text) == ([(13, "error", f"there is no file '{missing}' in this repository")] if missing else [])


def test_values_of_a_chart_from_elsewhere_may_lie_here() -> None:
    text = APPLICATION.format(repository="https://charts.example.com", revision="1.0.0", values="$config/gone.yaml")
    chart = text.replace("path: apps/shop", "chart: shop")
    assert [line for line, _, _ in told(chart)] == [13]
    assert told(chart.replace("$config/gone.yaml", "gone.yaml")) == []
    assert told(chart.replace("valueFiles:", "ignoreMissingValueFiles: true\n            valueFiles:")) == []


def test_another_revision_may_hold_what_this_one_does_not() -> None:
    text = APPLICATION.format(repository=HERE[0], revision="v1.2.0", values="gone.yaml")
    assert [severity for _, severity, _ in told(text)] == ["warning"]
    assert told(text.replace("v1.2.0", "main"))[0][1] == "error"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("directories: [{path: apps/*}]", ""),
        ("directories: [{path: apps/shop}]", ""),
        ("directories: [{path: apps/shpo}]", "there is no folder 'apps/shpo' in this repository"),
        ("directories: [{path: aps/*}]", "there is no folder 'aps' in this repository"),
        ("directories: [{path: apps/*}, {path: apps/shpo, exclude: true}]", ""),
        ("files: [{path: '**/config.json'}]", ""),
        ("files: [{path: 'apps/{a,b}/config.json'}]", ""),
        ("files: [{path: clusters/gone.json}]", "there is no file 'clusters/gone.json' in this repository"),
        ("files: [{path: '{{ .name }}/config.json'}]", ""),
    ],
)
def test_paths_of_git_generators(items: str, message: str) -> None:
    git = f"git: {{repoURL: https://github.com/acme/config, revision: HEAD, {items}}}"
    for generator in (git, f"matrix: {{generators: [{{{git}}}, {{clusters: {{}}}}]}}"):
        text = f"""\
            apiVersion: argoproj.io/v1alpha1
            kind: ApplicationSet
            metadata: {{name: shops}}
            spec:
              generators:
                - {generator}
              template:
                metadata: {{name: '{{{{.path.basename}}}}'}}
                spec:
                  project: default
                  destination: {{name: in-cluster}}
                  source: {{repoURL: https://github.com/acme/config, path: '{{{{.path.path}}}}'}}
            """
        assert told(text) == ([(6, "warning", message)] if message else [])


FLUX = """\
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: GitRepository
    metadata: {name: config}
    spec: {url: 'https://github.com/acme/config', interval: 5m, ref: {branch: main}}
    ---
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata: {name: infra}
    spec: {interval: 5m, prune: true, path: ./clusters, sourceRef: {kind: GitRepository, name: config}}
    ---
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata: {name: apps}
    spec:
      interval: 5m
      prune: true
      path: ./apps
      dependsOn: [{name: infra}]
      sourceRef: {kind: GitRepository, name: config}
    ---
    apiVersion: helm.toolkit.fluxcd.io/v2
    kind: HelmRelease
    metadata: {name: shop}
    spec:
      interval: 5m
      chart:
        spec:
          chart: ./charts/shop
          valuesFiles: [envs/prod.yaml]
          sourceRef: {kind: GitRepository, name: config}
    ---
    apiVersion: image.toolkit.fluxcd.io/v1
    kind: ImageRepository
    metadata: {name: shop}
    spec: {image: ghcr.io/acme/shop, interval: 5m}
    ---
    apiVersion: image.toolkit.fluxcd.io/v1
    kind: ImagePolicy
    metadata: {name: shop}
    spec: {imageRepositoryRef: {name: shop}, policy: {semver: {range: 1.x}}}
    ---
    apiVersion: image.toolkit.fluxcd.io/v1
    kind: ImageUpdateAutomation
    metadata: {name: all}
    spec: {interval: 5m, sourceRef: {kind: GitRepository, name: config}, update: {path: ./apps}}
    """
IGNORED = "ignoreMissingValuesFiles: true\n          valuesFiles: [gone.yaml]"


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("{branch: main}", "{tag: v1}", (), ""),
        ("path: ./apps\n", "path: ./aps\n", (17, "error"), "there is no folder './aps' in this repository"),
        ("path: ./apps\n", "path: ./${stage}\n", (), ""),
        ("dependsOn: [{name: infra}]", "dependsOn: [{name: a}]", (18, "warning"), "there is no Kustomization 'a' here"),
        ("dependsOn: [{name: infra}]", "dependsOn: [{name: flux-system}]", (), ""),
        ("./charts/shop", "./charts/a", (28, "error"), "there is no folder './charts/a' in this repository"),
        ("[envs/prod.yaml]", "[gone.yaml]", (29, "error"), "there is no file 'gone.yaml' in this repository"),
        ("valuesFiles: [envs/prod.yaml]", IGNORED, (), ""),
        ("Ref: {name: shop}", "Ref: {name: shpo}", (40, "warning"), "there is no ImageRepository 'shpo' here"),
        ("update: {path: ./apps}", "update: {path: ./a}", (45, "error"), "there is no folder './a' in this repository"),
    ],
)
def test_what_objects_of_flux_refer_to(old: str, new: str, place: tuple[int, str], said: str) -> None:
    assert told(FLUX) == []
    assert old in FLUX
    assert told(FLUX.replace(old, new)) == ([(*place, said)] if said else [])


def test_a_path_of_another_revision_is_a_warning() -> None:
    text = FLUX.replace("{branch: main}", "{branch: production}").replace("path: ./clusters", "path: ./gone")
    assert [(line, severity) for line, severity, _ in told(text)] == [(9, "warning")]


def test_names_are_not_looked_for_in_a_part_of_a_repository() -> None:
    text = textwrap.dedent(FLUX.replace("[{name: infra}]", "[{name: inra}]"))
    assert len(check([("a.yaml", text)]).findings) == 1
    assert check([("a.yaml", text)], None, Surroundings(is_whole=False)).findings == ()
    rest = ("b.yaml", text.split("---\n")[1].replace("infra", "inra"))
    assert check([("a.yaml", text)], None, Surroundings(elsewhere=(rest,))).findings == ()


def test_a_group_of_clusters_is_here() -> None:
    text = """\
        apiVersion: fleet.cattle.io/v1alpha1
        kind: ClusterGroup
        metadata: {name: staging}
        spec: {selector: {matchLabels: {stage: staging}}}
        ---
        apiVersion: fleet.cattle.io/v1alpha1
        kind: GitRepo
        metadata: {name: shop}
        spec:
          repo: https://github.com/acme/config
          paths: [apps]
          targets:
            - clusterGroup: staging
            - clusterGroup: stagin
            - clusterGroup: default
        """
    assert told(text) == [(14, "warning", "there is no ClusterGroup 'stagin' here")]
