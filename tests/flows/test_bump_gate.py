"""The gate of `bump` judges what an operator would send, and only what the edit makes worse stops it."""

from __future__ import annotations

import pytest

from gitops_ci.rendering.kinds import recipe_of
from tests.flows.test_bump import IMAGE
from tests.flows.test_validate_units import CHART, KUSTOMIZATION
from tests.support.git_repo import make_repo
from tests.support.manifests import LIMITED

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "ghcr.io/acme/shop:1.4.1"}]}
"""
BLOCK = DEPLOYMENT.replace("{containers: [{name: shop, image: ", "\n      containers:\n        - image: ").replace(
    "}]}", ""
)
WITHOUT_SELECTOR = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec: {containers: [{name: shop, image: "ghcr.io/acme/shop:1.4.1"}]}
"""
DEFINITION, WIDGET = LIMITED.split("---\n")
OF_CONTAINERS = DEFINITION.replace(
    'image: {type: string, pattern: "^.*:1[.]4[.].*$"}',
    'containers: {type: array, items: {type: object, properties: {image: {type: string, pattern: "^.*:1[.]4[.].*$"}}}}',
)
CONTAINERS = """\
apiVersion: acme.example/v1
kind: Widget
metadata: {name: shop}
spec: {containers: [{image: ghcr.io/acme/shop}]}
"""
OVERLAY = "resources: [../../base]\nimages: [{name: ghcr.io/acme/shop, newTag: 1.4.1}]\n"
TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers: [{name: shop, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}]
"""
VALUES = "image: {repository: ghcr.io/acme/shop, tag: 1.4.1}\n"
SCHEMA = '{"properties": {"image": {"properties": {"tag": {"type": "string", "pattern": "^1[.]4[.]"}}}}}'
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: shop}
spec:
  interval: 1m
  chart: {spec: {chart: ./charts/shop, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}
  values:
    image: {repository: ghcr.io/acme/shop, tag: 1.4.1}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  source:
    repoURL: https://git.example.com/acme/config.git
    path: charts/shop
    helm: {valuesObject: {image: {repository: ghcr.io/acme/shop, tag: 1.4.1}}}
"""


@pytest.fixture
def bump(run, tmp_path, tool):
    """Bump in a repository of these files; with the programs that render."""

    def call(files, *more, programs=("git", "kubectl", "helm")):
        call.repo = make_repo(tmp_path / "config.git", files)
        tool(*programs)
        return run("bump", IMAGE, "--config-repo", call.repo.path, "--mode", "push", "--output", "json", *more)

    return call


def _lands(ran, repo, *paths) -> None:
    assert ran.code == 0, ran.out + ran.err
    assert ran.document["findings"] == []
    for path in paths:
        assert b"1.5.0" in repo.read(path), path


def _is_stopped(ran, repo) -> list[tuple[str, str]]:
    assert ran.code == 1, ran.out + ran.err
    assert "nothing was pushed" in ran.document["error"]["message"]
    assert len(repo.git("log", "--format=%H", "main").split()) == 1
    return [(one["rule"], one["path"]) for one in ran.document["findings"] if one["severity"] == "error"]


PATCHED = (
    KUSTOMIZATION
    + """\
  patches:
    - target: {kind: Deployment}
      patch: |
        - {op: add, path: /spec/selector, value: {matchLabels: {app: shop}}}
        - {op: add, path: /spec/template/metadata, value: {labels: {app: shop}}}
"""
)
SOUND = {
    "labels of a kustomization": {
        "app/kustomization.yaml": "resources: [d.yaml]\ncommonLabels: {app: shop}\n",
        "app/d.yaml": WITHOUT_SELECTOR,
    },
    "patches of Flux in a folder without a kustomization": {
        "clusters/apps.yaml": PATCHED,
        "apps/d.yaml": WITHOUT_SELECTOR,
    },
    "variables of Flux": {
        "clusters/apps.yaml": KUSTOMIZATION + "  postBuild: {substitute: {replicas: '2'}}\n",
        "apps/d.yaml": DEPLOYMENT.replace("spec:\n", "spec:\n  replicas: ${replicas}\n", 1),
    },
    "a base that its overlay completes": {
        "base/kustomization.yaml": "resources: [d.yaml]\n",
        "base/d.yaml": WITHOUT_SELECTOR,
        "overlays/prod/kustomization.yaml": "resources: [../../base]\ncommonLabels: {app: shop}\n",
    },
    "a folder that Flux takes once a cluster has patched its path": {
        "clusters/prod/kustomization.yaml": "resources: [../base]\npatches: [{path: path.yaml}]\n",
        "clusters/base/kustomization.yaml": "resources: [apps.yaml]\n",
        "clusters/base/apps.yaml": PATCHED.replace("./apps", "./nowhere"),
        "clusters/prod/path.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        "metadata: {name: apps, namespace: flux-system}\nspec: {path: ./apps/prod}\n",
        "nowhere/kustomization.yaml": "resources: []\n",
        "apps/prod/kustomization.yaml": "resources: [../d.yaml]\n",
        "apps/d.yaml": WITHOUT_SELECTOR,
    },
    "a patch that nobody lists": {
        "app/kustomization.yaml": "resources: []\n",
        "app/d.yaml": "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: shop}\n"
        "spec: {template: {spec: {containers: [{name: a, image: ghcr.io/acme/shop:1.4.1}]}}}\n",
    },
}


@pytest.mark.parametrize("kind", SOUND)
def test_what_the_operator_completes_is_sound(bump, kind):
    files = SOUND[kind]
    ran = bump(files)
    _lands(ran, bump.repo, *(path for path, text in files.items() if "shop:1.4.1" in text))
    assert ran.err.count("before this change") == 0


FLUX = {"clusters/shop.yaml": RELEASE, "charts/shop/Chart.yaml": CHART, "charts/shop/values.yaml": "image: {}\n"}
ARGO = {"apps/shop.yaml": APPLICATION, "charts/shop/Chart.yaml": CHART, "charts/shop/values.yaml": "image: {}\n"}
MARK = "# gitops-ci: image=ghcr.io/acme/shop part=tag"
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: %s}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
"""
BROKEN = {
    "a pattern in a definition, by an image of an overlay": (
        {
            "crds/widgets.yaml": OF_CONTAINERS,
            "base/kustomization.yaml": "resources: [w.yaml]\n",
            "base/w.yaml": CONTAINERS,
            "overlays/prod/kustomization.yaml": OVERLAY,
        },
        ("schema/value", "base/w.yaml"),
    ),
    "a pattern in a definition, by Flux' images": (
        {
            "crds/widgets.yaml": OF_CONTAINERS,
            "apps/w.yaml": CONTAINERS,
            "clusters/apps.yaml": KUSTOMIZATION + "  images: [{name: ghcr.io/acme/shop, newTag: 1.4.1}]\n",
        },
        ("schema/value", "apps/w.yaml"),
    ),
    "a pattern in a definition elsewhere, in a plain file": (
        {"crds/widgets.yaml": DEFINITION, "w.yaml": WIDGET},
        ("schema/value", "w.yaml"),
    ),
    "a chart's schema, by the values of a HelmRelease": (
        FLUX | {"charts/shop/templates/d.yaml": TEMPLATE, "charts/shop/values.schema.json": SCHEMA},
        ("gitops/unit-build", "clusters/shop.yaml"),
    ),
    "a chart's schema, by the values of an Application": (
        ARGO | {"charts/shop/templates/d.yaml": TEMPLATE, "charts/shop/values.schema.json": SCHEMA},
        ("gitops/unit-build", "apps/shop.yaml"),
    ),
    "a chart's schema, by the chart's own values": (
        {
            "shop/Chart.yaml": CHART,
            "shop/values.yaml": VALUES,
            "shop/templates/d.yaml": TEMPLATE,
            "shop/values.schema.json": SCHEMA,
        },
        ("gitops/unit-build", "shop/Chart.yaml"),
    ),
    "a template that a version fails": (
        FLUX
        | {
            "charts/shop/templates/d.yaml": '{{ if eq .Values.image.tag "1.5.0" }}{{ fail "no" }}{{ end }}\n' + TEMPLATE
        },
        ("gitops/unit-build", "clusters/shop.yaml"),
    ),
    "a name that is there already": (
        ARGO
        | {
            "charts/shop/templates/old.yaml": JOB % "migrate-1.5.0",
            "charts/shop/templates/new.yaml": JOB % "migrate-{{ .Values.image.tag }}",
        },
        ("repo/duplicate-resource", "charts/shop/templates/old.yaml"),
    ),
    "a kustomization that cannot be built any more": (
        {
            "app/kustomization.yaml": "resources: [old.yaml, new.yaml]\n",
            "app/old.yaml": JOB % "1.5.0",
            "app/new.yaml": (JOB % "NAME").replace("{name: NAME}", f"\n  name: 1.4.1 {MARK}"),
        },
        ("gitops/kustomize-build", "app/kustomization.yaml"),
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_the_edit_breaks_is_stopped(bump, kind):
    files, expected = BROKEN[kind]
    assert _is_stopped(bump(files), bump.repo) == [expected]


BROKEN_BEFORE = {
    "in the rendered output": {
        "app/kustomization.yaml": "resources: [d.yaml, s.yaml]\n",
        "app/d.yaml": DEPLOYMENT,
        "app/s.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: x}]}\n",
    },
    "a kustomization that nobody can build": {
        "app/kustomization.yaml": "resources: [d.yaml, gone.yaml]\n",
        "app/d.yaml": DEPLOYMENT,
    },
    "a chart that nobody can render": {
        "shop/Chart.yaml": CHART,
        "shop/values.yaml": VALUES,
        "shop/templates/d.yaml": TEMPLATE + '{{ include "gone" . }}',
    },
    "a generated name": {
        "app/kustomization.yaml": "resources: [d.yaml]\nconfigMapGenerator: [{name: shop, files: [values.yaml]}]\n"
        "patches: [{target: {kind: ConfigMap}, patch: '[{op: add, path: /wrong, value: 1}]'}]\n",
        "app/values.yaml": VALUES,
        "app/d.yaml": DEPLOYMENT,
    },
    "a template of another tool": {
        "app/app.yaml": "{{- if .Values.on }}\n" + BLOCK + "{{- end }}\n",
        "app/d.yaml": DEPLOYMENT,
        "clusters/apps.yaml": KUSTOMIZATION.replace("./apps", "./app"),
    },
}


@pytest.mark.parametrize("kind", BROKEN_BEFORE)
def test_what_was_broken_before_is_one_warning(bump, kind):
    files = BROKEN_BEFORE[kind]
    ran = bump(files)
    _lands(ran, bump.repo, *(path for path, text in files.items() if "1.4.1" in text))
    warnings = [line for line in ran.err.splitlines() if line.startswith("warning: ")]
    assert [line for line in warnings if " had 1 error before this change" in line] == warnings
    assert len(warnings) == 1
    assert "gitops-ci validate" in warnings[0]


def test_what_the_edit_breaks_beside_what_was_broken_is_stopped(bump):
    """Nothing that stands in the file already is an excuse for the same error elsewhere."""
    files = BROKEN["a pattern in a definition, by an image of an overlay"][0]
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: x}]}\n"
    more = {"base/kustomization.yaml": "resources: [w.yaml, s.yaml]\n", "base/s.yaml": service}
    ran = bump(files | more)
    assert _is_stopped(ran, bump.repo) == [("schema/value", "base/w.yaml")]
    assert "had 1 error before this change: base/s.yaml" in ran.err


def test_a_unit_that_lacks_values_and_could_be_rendered_before_is_stopped(bump):
    """Where values are in a Secret, a refusal alone says nothing; that it came with the edit does."""
    fails = '{{ if eq .Values.image.tag "1.5.0" }}{{ fail "no" }}{{ end }}\n' + TEMPLATE
    release = RELEASE + "  valuesFrom: [{kind: Secret, name: shop}]\n"
    ran = bump(FLUX | {"clusters/shop.yaml": release, "charts/shop/templates/d.yaml": fails})
    assert _is_stopped(ran, bump.repo) == [("gitops/unit-build", "clusters/shop.yaml")]
    assert "could be rendered before the edit" in ran.document["findings"][0]["message"]


def test_only_units_that_hold_an_edited_file_are_rendered(bump, monkeypatch):
    """Flux' first Kustomization makes all others, and they are not built for one image."""
    files = {"clusters/prod/kustomization.yaml": "resources: [shop.yaml, a.yaml, b.yaml]\n"}
    files["clusters/prod/root.yaml"] = KUSTOMIZATION.replace("name: apps", "name: root").replace(
        "apps", "clusters/prod"
    )
    for name in ("shop", "a", "b"):
        files[f"clusters/prod/{name}.yaml"] = KUSTOMIZATION.replace("apps", name)
        files[f"{name}/d.yaml"] = DEPLOYMENT if name == "shop" else DEPLOYMENT.replace("/shop:", f"/{name}:")
    built: list[str] = []

    def recording(unit, closure, repository):
        built.append(unit.id)
        return recipe_of(unit, closure, repository)

    monkeypatch.setattr("gitops_ci.flows.validate.rendering.recipe_of", recording)
    _lands(bump(files), bump.repo, "shop/d.yaml")
    assert sorted(built) == ["flux-kustomization:flux-system/root", "flux-kustomization:flux-system/shop"]


def test_an_application_made_by_a_set_is_the_same_before_and_after(bump):
    """What is made of an edited object is looked for on both sides, by the old value and by the new one."""
    made = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop, namespace: argocd}
spec:
  goTemplate: true
  generators:
    - list:
        elements:
          - name: a
            tag: 1.4.1  MARK
  template:
    metadata: {name: "{{ .name }}"}
    spec:
      project: default
      destination: {server: https://kubernetes.default.svc, namespace: shop}
      source:
        repoURL: https://git.example.com/acme/config.git
        path: gone
        helm: {parameters: [{name: image.repository, value: ghcr.io/acme/shop}, {name: image.tag, value: "{{ .tag }}"}]}
""".replace("MARK", MARK)
    ran = bump({"as.yaml": made})
    _lands(ran, bump.repo, "as.yaml")
    assert "had 1 error before this change" in ran.err


@pytest.mark.parametrize("programs", [("git",), ("git", "helm")])
@pytest.mark.parametrize("is_sound", [True, False])
def test_without_a_renderer_files_are_judged_as_they_lie(bump, programs, is_sound):
    files = {
        "crds/widgets.yaml": DEFINITION,
        "app/kustomization.yaml": "resources: [d.yaml, w.yaml]\npatches: [{path: p.yaml}]\n",
        "other/kustomization.yaml": "resources: [../app]\n",
        "app/p.yaml": DEPLOYMENT.replace("  selector: {matchLabels: {app: shop}}\n", ""),
        "app/d.yaml": DEPLOYMENT,
        "app/w.yaml": WIDGET.replace("shop", "cart") if is_sound else WIDGET,
    }
    ran = bump(files, programs=programs)
    if is_sound:
        _lands(ran, bump.repo, "app/p.yaml", "app/d.yaml")
    else:
        assert _is_stopped(ran, bump.repo) == [("schema/value", "app/w.yaml")]
    assert ran.err.count("is not installed") == 1


def test_a_repository_without_units_starts_no_program(bump):
    ran = bump({"a/d.yaml": DEPLOYMENT, "b/kustomization.yaml": "resources: [x.yaml]\n"}, programs=("git",))
    _lands(ran, bump.repo, "a/d.yaml")
    assert "not installed" not in ran.err


def test_only_what_validate_would_check_is_checked(bump):
    marked = f"TAG=1.4.1 {MARK}\n"
    ran = bump({".env": marked, "main.tf": f'tag = "1.4.1" {MARK}\n', "app/Dockerfile": f"ARG TAG=1.4.1 {MARK}\n"})
    _lands(ran, bump.repo, ".env", "main.tf", "app/Dockerfile")


def test_a_foreign_file_does_not_hold_back_the_good_places(bump):
    files = {
        "app/kustomization.yaml": "resources: [d.yaml]\n",
        "app/d.yaml": DEPLOYMENT,
        "broken.yaml": "image: ghcr.io/acme/shop:1.4.1\n  x: [\n",
        "skeleton/app.yaml": DEPLOYMENT.replace("{name: shop}", "{name: ${{ values.name | dump }}}"),
    }
    ran = bump(files)
    assert b"shop:1.5.0" in bump.repo.read("app/d.yaml")
    assert ran.document["status"] == "changed"
    assert "broken.yaml" in [skip["path"] for skip in ran.document["skipped"]]


def test_links_and_odd_names_are_never_followed_out(bump, tmp_path):
    """A repository is data: a link out of it refuses the unit, and the file is judged as it lies."""
    outside = tmp_path / "secret.yaml"
    outside.write_text("kind: Secret\n")
    ran = bump({"app/kustomization.yaml": f"resources: [d.yaml, ../../..{outside}]\n", "app/d.yaml": DEPLOYMENT})
    _lands(ran, bump.repo, "app/d.yaml")
