"""Units rendered by the programs that people use: what operators would send, and nothing from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gitops_ci.bounded import Limits
from gitops_ci.errors import ProgramError
from gitops_ci.rendering.chart_errors import is_broken
from gitops_ci.rendering.deployment import Repository
from gitops_ci.rendering.discovery import Deployment
from gitops_ci.rendering.kinds import recipe_of
from gitops_ci.rendering.programs import ProgramSettings, render
from gitops_ci.rendering.tree import CheckoutFiles, SourceTree
from tests.support.kubetools import kubernetes_tool

CONFIGMAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  a: {value}\n"
HEAD = "apiVersion: %s\nkind: %s\nmetadata: {name: %s, namespace: %s}\nspec: "
FLUX = HEAD % ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps", "flux-system")
SET = HEAD % ("argoproj.io/v1alpha1", "ApplicationSet", "s", "argocd")
RELEASE = HEAD % ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "web", "apps")
OUTSIDE = "apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: ../../secret.yaml"
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"


@pytest.fixture(autouse=True)
def _programs(tmp_path, monkeypatch):
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("kubectl", "helm"):
        (folder / name).symlink_to(shutil.which(name) or kubernetes_tool(name))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture
def outputs(tmp_path):
    """Render every unit of a tree; the output of each, or the message of its failure."""

    def rendered(files, *, links=None, settings=None, fails=False):
        root = tmp_path / "repository"
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        for path, target in (links or {}).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(target)
        deployment = Deployment(Repository(SourceTree(CheckoutFiles(str(root)))))
        made = {}
        todo = deployment.start()
        while todo:
            more = []
            for found in todo:
                closure = found.closure
                if why := closure.refused or closure.error or closure.skip:
                    made[found.unit.id] = why
                    continue
                recipe = recipe_of(found.unit, closure, deployment.repository)
                try:
                    output = render(recipe, deployment.repository.tree, settings or ProgramSettings())
                except ProgramError as error:
                    if not fails:
                        raise
                    made[found.unit.id] = error.message
                else:
                    made[found.unit.id] = output.text
                    more += deployment.follow(found, output)
            todo = more or deployment.remaining()
        return made

    return rendered


def test_a_flux_kustomization_reads_the_whole_repository_and_fills_in(outputs):
    spec = {
        "path": "./apps/web",
        "targetNamespace": "prod",
        "commonMetadata": {"labels": {"team": "$a"}},
        "postBuild": {"substitute": {"a": "1"}},
    }
    files = {
        "clusters/apps.yaml": FLUX + json.dumps(spec),
        "apps/web/kustomization.yaml": "resources: [../shared/x.yaml]\n",
        "apps/shared/x.yaml": CONFIGMAP.format(name="x", value='"${a}-${b:=2}"'),
    }
    assert outputs(files) == {
        "flux-kustomization:flux-system/apps": "apiVersion: v1\ndata:\n  a: 1-2\nkind: ConfigMap\nmetadata:\n"
        "  labels:\n    team: $a\n  name: x\n  namespace: prod\n"
    }


def test_the_output_of_each_kind_is_that_of_the_program_byte_for_byte(outputs, tmp_path):
    """What a person gets who runs the program in the checkout, with the options that the operator gives it."""
    helm = {"releaseName": "shop", "valueFiles": ["prod.yaml"], "parameters": [{"name": "tag", "value": "3"}]}
    kustomize = {"namePrefix": "x-", "images": ["nginx:2"]}
    own = {"chart": "./charts/web", "sourceRef": {"kind": "GitRepository", "name": "flux-system"}}
    files = {
        "overlay/kustomization.yaml": "resources: [pod.yaml]\nconfigMapGenerator: [{name: c, literals: [a=1]}]\n",
        "overlay/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: c\n"
        "    image: nginx:1  # kept by nobody\n    envFrom: [{configMapRef: {name: c}}]\n",
        "alone/kustomization.yaml": "resources: [../overlay]\nnamespace: other\n",
        "apps/kustomization.yaml": "resources: [../charts/raw.yaml]\n",
        "charts/raw.yaml": CONFIGMAP.format(name="raw", value="y"),
        "lone/Chart.yaml": CHART,
        "lone/templates/x.yaml": CONFIGMAP.format(name="lone", value="{{ .Capabilities.KubeVersion.Minor | quote }}"),
        "charts/web/Chart.yaml": CHART,
        "charts/web/prod.yaml": "tag: 2\nmore: [a]\n",
        "charts/web/crds/c.yaml": CONFIGMAP.format(name="crd", value="y"),
        "charts/web/templates/x.yaml": CONFIGMAP.format(
            name="{{ .Release.Name }}.{{ .Release.Namespace }}", value="{{ toJson .Values | quote }}  # a comment"
        ),
        "fleet/fleet.yaml": "namespace: f\nhelm: {releaseName: f, values: {tag: 4}}\n",
        "fleet/Chart.yaml": CHART,
        "fleet/templates/x.yaml": CONFIGMAP.format(name="{{ .Release.Name }}", value="{{ .Values.tag }}"),
        "k.yaml": FLUX + json.dumps({"path": "apps"}),
        "hr.yaml": RELEASE + json.dumps({"targetNamespace": "prod", "chart": {"spec": own}, "values": {"tag": "5"}}),
    }
    head = HEAD % ("argoproj.io/v1alpha1", "Application", "%s", "argocd")
    for name, source in (
        ("a", {"path": "charts/web", "helm": helm}),
        ("b", {"path": "overlay", "kustomize": kustomize}),
    ):
        spec = {"source": {"repoURL": "x", **source}, "destination": {"namespace": "prod"}}
        files[f"{name}.yaml"] = head % name + json.dumps(spec)
    made = outputs(files)
    edited = tmp_path / "repository/overlay-edited"
    shutil.copytree(tmp_path / "repository/overlay", edited)
    (edited / "kustomization.yaml").write_text(
        files["overlay/kustomization.yaml"] + "namePrefix: x-\nimages: [{name: nginx, newTag: '2'}]\n"
    )
    (tmp_path / "4.yaml").write_text("tag: 4\n")
    template = "helm template --include-crds"
    commands = {
        "kustomization:alone": "kubectl kustomize alone",
        "chart:lone": f"{template} release-name ./lone",
        "application:argocd/a": f"{template} --namespace prod -f charts/web/prod.yaml --set tag=3 shop ./charts/web",
        "application:argocd/b": "kubectl kustomize overlay-edited",
        "flux-kustomization:flux-system/apps": "kubectl kustomize --load-restrictor LoadRestrictionsNone apps",
        "helmrelease:apps/web": f"{template} --namespace prod --set-string tag=5 prod-web ./charts/web",
        "fleet:fleet": f"{template} --namespace f --values ../4.yaml f ./fleet",
    }
    assert made.keys() == commands.keys()
    for unit, command in commands.items():
        ran = subprocess.run(command.split(), cwd=tmp_path / "repository", capture_output=True, check=True)
        assert made[unit].encode() == ran.stdout, unit


def test_a_folder_without_kustomization_is_built_in_its_order(outputs):
    files = {"k.yaml": FLUX + json.dumps({"path": "apps"})}
    files |= {f"apps/{name}.yaml": CONFIGMAP.format(name=name, value=name) for name in ("z", "a")}
    files["apps/m.yaml"] = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: last\n"
    (text,) = outputs(files).values()
    assert [line for line in text.splitlines() if line.startswith("  name:")] == [
        "  name: a",
        "  name: last",
        "  name: z",
    ]


def test_a_program_in_a_kustomization_is_left_out(outputs):
    files = {
        "kustomization.yaml": "generators: [ksops.yaml]\nresources: [x.yaml]\n",
        "ksops.yaml": "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {name: x}\n",
        "x.yaml": CONFIGMAP.format(name="x", value="y"),
    }
    assert "name: x" in outputs(files)["kustomization:."]


def test_what_is_outside_is_never_read(outputs, tmp_path):
    (tmp_path / "secret.yaml").write_text(CONFIGMAP.format(name="x", value="OUTSIDE"))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/kustomization.yaml").write_text("resources: [../secret.yaml]\n")
    files = {
        "a/kustomization.yaml": "resources: [../../secret.yaml]\n",
        "b/kustomization.yaml": "resources: [../../outside]\n",
        "c/kustomization.yaml": "resources: [linked.yaml]\n",
        "d/kustomization.yaml": "resources: [linked]\n",
        "e/kustomization.yaml": f"configMapGenerator: [{{name: x, files: [{tmp_path}/secret.yaml]}}]\n",
        "f/kustomization.yaml": f"transformers: ['{{{OUTSIDE}}}']\n",
        "g/Chart.yaml": CHART,
        "g/templates/x.yaml": 'a: {{ .Files.Get "linked.txt" }}\n',
        "h/Chart.yaml": CHART,
        "h/values.schema.json": json.dumps({"$ref": f"file://{tmp_path}/secret.yaml"}),
        "k.yaml": FLUX + json.dumps({"path": "../outside"}),
    }
    links = {"c/linked.yaml": "../../secret.yaml", "d/linked": "../../outside", "g/linked.txt": "../../secret.yaml"}
    made = outputs(files, links=links)
    assert "OUTSIDE" not in json.dumps(made)
    assert all("kind: ConfigMap" not in one for one in made.values())


def test_a_folder_s_name_is_no_option(outputs, tmp_path):
    target = tmp_path / "overwritten"
    target.write_text("old")
    files = {
        f"--output={target}/kustomization.yaml": "resources: [x.yaml]\n",
        f"--output={target}/x.yaml": CONFIGMAP.format(name="x", value="y"),
        "--post-renderer=./run/Chart.yaml": CHART,
        "--post-renderer=./run/templates/x.yaml": CONFIGMAP.format(name="x", value="y"),
    }
    assert all("name: x" in one for one in outputs(files).values())
    assert target.read_text() == "old"


def test_no_program_reaches_the_network(tmp_path):
    """What would be fetched is told before; a program has none either where the kernel helps."""
    from gitops_ci.rendering.isolation import isolated

    wanted = ["unshare", "--map-root-user", "--net", "--"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*wanted, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this kernel gives no network namespace to everybody")
    prefix = isolated(str(tmp_path), network=False)
    done = subprocess.run([*prefix, "cat", "/proc/net/dev"], capture_output=True, text=True, check=True)
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines()[2:]] in ([], ["lo"])


def test_the_environment_holds_no_token(outputs, tmp_path, monkeypatch):
    monkeypatch.setenv("GITOPS_CI_TOKEN", "hunter2")
    program = tmp_path / "programs/kustomize"
    program.write_text("#!/bin/sh\nenv\necho HOME is $HOME\n")
    program.chmod(0o755)
    (text,) = outputs({"kustomization.yaml": "namePrefix: x\n"}).values()
    assert "hunter2" not in text
    assert f"HOME is {Path.home()}" not in text


def test_a_bomb_is_one_unit_that_failed(outputs):
    files = {
        "bomb/Chart.yaml": CHART,
        "bomb/templates/x.yaml": "{{ range until 100000 }}{{ range until 100000 }}xxxxxxxxxxxxxxxx{{ end }}{{ end }}",
        "good/Chart.yaml": CHART,
        "good/templates/x.yaml": CONFIGMAP.format(name="x", value="y"),
    }
    settings = ProgramSettings(Limits(seconds=30, memory=300 * 1024**2))
    made = outputs(files, settings=settings, fails=True)
    assert "helm was ended" in made["chart:bomb"]
    assert "name: x" in made["chart:good"]


def test_a_local_dependency_is_rendered(outputs):
    files = {
        "charts/web/Chart.yaml": CHART + "dependencies: [{name: lib, version: 1.0.0, repository: 'file://../lib'}]\n",
        "charts/web/templates/x.yaml": '{{ include "lib.x" . }}',
        "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
        "charts/lib/templates/_x.tpl": '{{ define "lib.x" }}' + CONFIGMAP.format(name="x", value="y") + "{{ end }}",
    }
    assert "name: x" in outputs(files)["chart:charts/web"]


BROKEN = {
    "parse": "{{ if }}",
    "include": '{{ include "nosuch" . }}',
    "function": "{{ nosuch . }}",
    "yaml": "a: b: c\n",
}
WANTING = {
    "required": "a: {{ required `set a` .Values.a }}",
    "nil": "a: {{ .Values.a.b.c }}",
    "fail": "{{ fail `set a` }}",
}


@pytest.mark.parametrize("name", [*BROKEN, *WANTING])
def test_a_broken_chart_is_told_from_one_that_wants_values(outputs, name):
    text = BROKEN.get(name) or WANTING[name]
    (message,) = outputs({"web/Chart.yaml": CHART, "web/templates/x.yaml": text}, fails=True).values()
    assert is_broken(message) == (name in BROKEN), message


@pytest.mark.parametrize(
    ("schema", "values", "expected"),
    [
        ({"required": ["host"]}, "", False),
        ({"properties": {"replicas": {"type": "integer"}}}, "replicas: two\n", True),
        ({"properties": {"host": {"type": "string"}}}, "host: null\n", False),
    ],
)
def test_a_chart_whose_own_values_break_its_own_schema(outputs, schema, values, expected):
    files = {
        "web/Chart.yaml": CHART,
        "web/values.yaml": values,
        "web/values.schema.json": json.dumps({"type": "object"} | schema),
        "web/templates/x.yaml": CONFIGMAP.format(name="x", value="y"),
    }
    (message,) = outputs(files, fails=True).values()
    assert is_broken(message) == expected, message


def test_go_templates_of_an_applicationset_are_evaluated(outputs):
    spec = {
        "goTemplate": True,
        "generators": [
            {"git": {"repoURL": "x", "directories": [{"path": "apps/*"}], "values": {"tier": "t-{{ .path.basename }}"}}}
        ],
        "template": {
            "metadata": {
                "name": "{{ .path.basename | normalize }}",
                "labels": {"{{ index .path.segments 0 }}": '{{ .values.tier | upper | quote | replace "\\"" "" }}'},
            },
            "spec": {"source": {"repoURL": "x", "path": "{{ .path.path }}"}},
        },
        "templatePatch": "spec: {destination: {namespace: '{{ .path.basename | trunc 1 }}'}}\n{{ if true }}{{ end }}",
    }
    files = {
        "set.yaml": SET + json.dumps(spec),
        "apps/Web_1/x.yaml": CONFIGMAP.format(name="x", value="y"),
    }
    made = outputs(files)
    assert json.loads(made["applicationset:argocd/s"]) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web-1", "namespace": "argocd", "labels": {"apps": "T-WEB_1"}},
        "spec": {"source": {"repoURL": "x", "path": "apps/Web_1"}, "destination": {"namespace": "W"}},
    }
    assert "name: x" in made["application:argocd/web-1"]


def test_slugify_gives_what_argo_cd_gives(outputs):
    """Expected values are those of SlugifyName of argo-cd 3.1."""
    expected = {
        "{{ slugify .n }}": "feature-login-page-v2-final-version-1234567890",
        "{{ .n | slugify 23 }}": "feature-login-page-v2",
        "{{ .n | slugify 23 true | upper }}": "FEATURE-LOGIN-PAGE-V2",
        "{{ slugify 23 false .n }}": "feature-login-page-v2",
        "{{- if eq (slugify 7 true (slugify 9 .n)) .slug }}{{ .n|slugify 0}}{{ end -}}": (
            "feature-login-page-v2-final-version-1234567890-abcdef-xyz"
        ),
        '{{ printf "slugify %s" (.n | slugify 10) }}': "slugify feature",
        "{{ slugify 5 .n }}": "featu",
        "{{ slugify 19 false .n }}": "feature-login-page",
        "{{ .slugify }} {{ $slugify := .slug }}{{ $slugify }}": "other feature",
    }
    element = {
        "n": "Feature/Login_Page.v2--Final Version 1234567890-abcdef-xyz.",
        "slug": "feature",
        "slugify": "other",
    }
    labels = {f"l{number}": text for number, text in enumerate(expected)}
    spec = {
        "goTemplate": True,
        "generators": [{"list": {"elements": [element]}}],
        "template": {"metadata": {"name": "a", "labels": labels}, "spec": {"project": "default"}},
    }
    (made,) = (text for name, text in outputs({"set.yaml": SET + json.dumps(spec)}).items() if "applicationset" in name)
    assert list(json.loads(made)["metadata"]["labels"].values()) == list(expected.values())


def test_a_release_with_post_renderers(outputs):
    spec = {
        "chart": {"spec": {"chart": "./web", "sourceRef": {"kind": "GitRepository", "name": "flux-system"}}},
        "values": {"a": "from the release"},
        "postRenderers": [
            {
                "kustomize": {
                    "patches": [
                        {
                            "target": {"kind": "ConfigMap"},
                            "patch": '[{"op": "add", "path": "/data/b", "value": "patched"}]',
                        }
                    ]
                }
            }
        ],
    }
    files = {
        "hr.yaml": RELEASE + json.dumps(spec),
        "web/Chart.yaml": CHART,
        "web/templates/x.yaml": CONFIGMAP.format(
            name="{{ .Release.Name }}-{{ .Release.Namespace }}", value="{{ .Values.a }}"
        ),
    }
    assert outputs(files) == {
        "helmrelease:apps/web": "apiVersion: v1\ndata:\n  a: from the release\n  b: patched\n"
        "kind: ConfigMap\nmetadata:\n  name: web-apps\n"
    }


def test_overlays_of_fleet(outputs):
    files = {
        "f/fleet.yaml": "targetCustomizations: [{name: edge, yaml: {overlays: [edge]}}]\n",
        "f/x.yaml": CONFIGMAP.format(name="x", value="base"),
        "f/y.yaml": CONFIGMAP.format(name="y", value="base"),
        "f/overlays/edge/x_patch.yaml": "data: {a: patched}\n",
        "f/overlays/edge/y.yaml": CONFIGMAP.format(name="y", value="replaced"),
    }
    made = outputs(files)
    assert made["fleet:f"].count("a: base") == 2
    assert ("a: patched" in made["fleet:f#edge"], "a: replaced" in made["fleet:f#edge"]) == (True, True)


@pytest.mark.parametrize(("chart", "value"), [("chart: ., ", "file"), ("", "inline")])
def test_values_files_of_fleet_win_and_a_kustomization_comes_after_the_chart(outputs, chart, value):
    """Without `chart` Fleet reads none of them (readResources)."""
    files = {
        "f/fleet.yaml": f"helm: {{{chart}releaseName: r, values: {{a: inline}}, valuesFiles: [v.yaml]}}\n"
        "kustomize: {dir: o}\n",
        "f/v.yaml": "a: file\n",
        "f/Chart.yaml": CHART,
        "f/templates/x.yaml": CONFIGMAP.format(name="{{ .Release.Name }}", value="{{ .Values.a }}"),
        "f/o/kustomization.yaml": "namePrefix: p-\n",
    }
    made = f"apiVersion: v1\ndata:\n  a: {value}\nkind: ConfigMap\nmetadata:\n  name: p-r\n"
    assert outputs(files) == {"fleet:f": made}


@pytest.mark.parametrize(
    "chart",
    [
        {},
        {"namespace": "other", "includeCRDs": True, "skipHooks": True},
        {"valuesFile": "v.yaml", "additionalValuesFiles": ["w.yaml"], "valuesInline": {"a": "inline"}},
        {"valuesInline": {"a": "inline", "l": [], "b": None}},
        {"valuesInline": {"a": "inline", "c": 1}, "valuesMerge": "merge"},
        {"valuesFile": "v.yaml", "valuesInline": {"b": "inline"}, "valuesMerge": "replace"},
        {"skipTests": True, "kubeVersion": "1.30.0", "apiVersions": ["x/v1"]},
    ],
    ids=["plain", "namespace and hooks", "files", "on the spot", "merge", "replace", "capabilities"],
)
def test_a_kustomization_inflates_charts_as_kustomize_does(outputs, tmp_path, chart):
    template = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}-web", namespace: "{{ .Release.Namespace }}"}
data:
  values: {{ toJson .Values | quote }}
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  has: {{ .Capabilities.APIVersions.Has "x/v1" | quote }}
"""
    hooked = CONFIGMAP.replace("metadata:", "metadata:\n  annotations: {{helm.sh/hook: {hook}}}")
    said = {
        "resources": ["d.yaml"],
        "namePrefix": "p-",
        "configMapGenerator": [{"name": "g", "literals": ["a=b"]}],
        "helmCharts": [{"name": "web", "releaseName": "r", **chart}],
    }
    files = {
        "app/kustomization.yaml": json.dumps(said),
        "app/d.yaml": CONFIGMAP.format(name="d", value="1"),
        "app/v.yaml": "a: file\nl: [3]\n",
        "app/w.yaml": "b: more\n",
        "app/charts/web/Chart.yaml": CHART,
        "app/charts/web/values.yaml": "a: own\nb: own\nl: [1, 2]\n",
        "app/charts/web/templates/c.yaml": template,
        "app/charts/web/templates/h.yaml": hooked.format(name="hook", value="1", hook="pre-install"),
        "app/charts/web/templates/t.yaml": hooked.format(name="test", value="1", hook="test"),
        "app/charts/web/crds/a.yaml": CONFIGMAP.format(name="crd", value="1"),
    }
    made = outputs(files)
    # kustomize asks the helm of old for its version in a way that the new one does not answer.
    helm = tmp_path / "old-helm"
    real = shutil.which("helm")
    helm.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v3.18.0 || exec {real} "$@"\n')
    helm.chmod(0o755)
    command = ["kubectl", "kustomize", "--enable-helm", "--helm-command", str(helm), str(tmp_path / "repository/app")]
    expected = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert made == {"kustomization:app": expected}
    assert "p-r-web" in expected
