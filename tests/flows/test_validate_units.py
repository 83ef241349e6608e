"""`validate` judges what Argo CD, Flux, Fleet, kustomize or helm would send to the API server, not what lies in Git."""

from __future__ import annotations

import json
import os

import pytest

from tests.flows.test_validate import DEPLOYMENT, GOOD

KUSTOMIZATION = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1m
  prune: true
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
"""
WITHOUT_SELECTOR = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec: {containers: [{name: web, image: "ghcr.io/acme/web:1.0.0"}]}
"""
SOUND = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"


@pytest.fixture(autouse=True)
def programs(tool):
    tool("kubectl", "helm")


@pytest.fixture
def found(run):
    """The exit code and (rule, path) of all findings."""

    def call(*arguments: str) -> tuple[int, list[tuple[str, str]]]:
        ran = run("validate", *arguments, "--output", "json")
        return ran.code, [(one["rule"], one["path"]) for one in ran.document["findings"]]

    return call


def test_what_a_kustomization_completes_is_sound(found, tree):
    labels = "resources: [d.yaml]\ncommonLabels: {app: web}\n"
    tree({"app/kustomization.yaml": labels, "app/d.yaml": WITHOUT_SELECTOR})
    assert found() == (0, [])


MERGED = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: &some {app: web, tier: front}
data:
"""
BELOW, ABOVE = "  <<: *some\n  app: shop\n", "  app: shop\n  <<: *some\n"


@pytest.mark.parametrize("who", ["kustomize", "flux", "kubectl"])
@pytest.mark.parametrize("text", [BELOW, ABOVE])
def test_a_key_beside_a_merge_key_is_judged_as_its_reader_does(found, tree, who, text):
    listed = {"app/kustomization.yaml": "resources: [a.yaml]\n"} if who == "kustomize" else {}
    applied = {"flux.yaml": KUSTOMIZATION.replace("./apps", "./${cluster}")} if who == "flux" else {}
    tree({"app/a.yaml": MERGED + text, **listed, **applied})
    is_sound = who != "kubectl" and text == BELOW
    code, findings = found("--render", "none")
    assert (code, ("yaml/duplicate-key", "app/a.yaml") in findings) == ((0, False) if is_sound else (1, True))


def test_what_flux_completes_is_sound(found, tree):
    """Patches and variables of the Kustomization in the cluster, in a folder without a kustomization of its own."""
    more = """\
  postBuild: {substitute: {replicas: '2'}}
  patches:
    - target: {kind: Deployment}
      patch: |
        - {op: add, path: /spec/selector, value: {matchLabels: {app: web}}}
        - {op: add, path: /spec/template/metadata, value: {labels: {app: web}}}
"""
    text = WITHOUT_SELECTOR.replace("spec:\n", "spec:\n  replicas: ${replicas}\n", 1)
    tree({"clusters/apps.yaml": KUSTOMIZATION + more, "apps/d.yaml": text})
    assert found() == (0, [])
    assert found("apps/d.yaml") == (0, [])
    tree({"apps/d.yaml": text.replace("${replicas}", "${size}")})
    assert found() == (0, [("gitops/undefined-variable", "clusters/apps.yaml")])
    tree({"apps/d.yaml": text.replace("${replicas}", "two")})
    code, findings = found()
    assert (code, findings) == (1, [("schema/type", "apps/d.yaml")])


def test_flux_takes_files_beside_a_kustomization(found, tree):
    generator = "configMapGenerator: [{name: a, files: [../common.yaml]}]\n"
    tree({"clusters/apps.yaml": KUSTOMIZATION, "apps/kustomization.yaml": generator, "common.yaml": "a: b\n"})
    assert found() == (0, [])


def test_what_is_below_a_remote_base_is_rendered_without_it(run, tree):
    tree({"top/kustomization.yaml": "resources: ['https://github.com/acme/crds?ref=v1', ../app]\n"})
    tree({"app/kustomization.yaml": "resources: [d.yaml]\ncommonLabels: {app: web}\n", "app/d.yaml": WITHOUT_SELECTOR})
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["findings"]) == (0, [])
    assert [one for one in ran.document["skipped"] if "acme/crds" in one["reason"]]
    assert ran.document["summary"]["rendered"]


def test_a_patch_that_nothing_lists_is_a_note(found, tree):
    tree({"kustomization.yaml": "resources: [a.yaml]\n#patches: [{path: p.yaml}]\n", "a.yaml": GOOD.format(name="a")})
    tree({"p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2}\n"})
    assert found() == (0, [("gitops/not-deployed", "p.yaml")])


def test_a_patch_beside_one_that_is_taken_is_a_note(found, tree):
    """Two patches of one object that are switched off are no two objects of one name."""
    off = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2}\n"
    tree(
        {"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: patches/on.yaml, target: {kind: Deployment}}]\n"}
    )
    tree({"a.yaml": DEPLOYMENT, "patches/on.yaml": off, "patches/off.yaml": off, "patches/other.yaml": off})
    assert found() == (0, [("gitops/not-deployed", f"patches/{name}.yaml") for name in ("off", "other")])


@pytest.mark.parametrize(
    "template",
    ["{{ if }}\n", '{{ include "nosuch" . }}\n', "a: b: c\n", "{{ .Values.a | nosuch }}\n"],
    ids=["parse error", "unknown template", "no YAML", "unknown function"],
)
def test_a_chart_that_nobody_can_install_is_an_error(found, tree, template):
    tree({"chart/Chart.yaml": CHART, "chart/templates/c.yaml": template, "a.yaml": GOOD.format(name="a")})
    assert found() == (1, [("gitops/unit-build", "chart/Chart.yaml")])


def test_a_chart_that_lacks_its_users_values_is_a_skip(run, tree):
    template = GOOD.format(name='{{ required "name is needed" .Values.name }}')
    tree({"chart/Chart.yaml": CHART, "chart/templates/c.yaml": template, "a.yaml": GOOD.format(name="a")})
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["findings"]) == (0, [])
    assert [one for one in ran.document["skipped"] if "name is needed" in one["reason"]]


def test_a_chart_is_rendered_as_its_application_installs_it(found, tree):
    application = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  destination: {server: "https://kubernetes.default.svc", namespace: web}
  source:
    repoURL: https://github.com/acme/config
    path: chart
    targetRevision: HEAD
    helm: {valueFiles: [prod.yaml]}
"""
    deployment = DEPLOYMENT.replace("spec:\n", "spec:\n  replicas: {{ .Values.replicas }}\n", 1)
    assert deployment != DEPLOYMENT
    tree({"chart/Chart.yaml": CHART, "chart/values.yaml": "replicas: 1\n", "chart/prod.yaml": "replicas: two\n"})
    tree({"chart/templates/d.yaml": deployment, "apps/web.yaml": application})
    assert found() == (1, [("schema/type", "chart/templates/d.yaml")])
    tree({"chart/prod.yaml": "replicas: 3\n"})
    assert found() == (0, [])


def test_nothing_hangs_on_the_name_that_only_this_tool_gives_a_release(found, tree):
    name = "{{ .Release.Name }}-service-manual-publisher-postgres-dump"
    cron = f"apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: '{name}'}}\nspec:\n  schedule: '* * * * *'\n"
    cron += "  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}}}\n"
    tree({"chart/Chart.yaml": CHART, "chart/templates/c.yaml": cron})
    assert found() == (0, [])
    tree({"chart/templates/c.yaml": cron.replace("* * * * *", "every day")})
    assert found()[0] == 1


def test_a_dependency_beside_the_chart_is_built(found, tree):
    dependency = "dependencies: [{name: lib, version: 1.0.0, repository: 'file://../lib'}]\n"
    helper = '{{- define "lib.name" -}}web{{- end -}}'
    tree(
        {
            "charts/lib/Chart.yaml": CHART.replace("web", "lib") + "type: library\n",
            "charts/lib/templates/_n.tpl": helper,
        }
    )
    tree(
        {
            "charts/web/Chart.yaml": CHART + dependency,
            "charts/web/templates/c.yaml": GOOD.format(name='{{ include "lib.name" . }}'),
        }
    )
    assert found() == (0, [])


def test_a_unit_that_leads_out_of_the_repository_reaches_no_program(run, tree, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text(GOOD.format(name="outside-secret").replace("v1", "v0"))
    tree({"k/kustomization.yaml": f"resources: [../../{outside.name}/secret.yaml]\n", "a.yaml": GOOD.format(name="a")})
    ran = run("validate", "--output", "json")
    assert "outside-secret" not in ran.out + ran.err
    assert [one for one in ran.document["skipped"] if "leads out of the repository" in one["reason"]]


def test_what_a_broken_root_would_complete_is_not_missing(found, tree):
    """One member that cannot be built stops the root, whose patches complete the others; what is wrong there stays."""
    member = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: two}\n"
    tree(
        {
            "root/kustomization.yaml": "resources: [../a, ../b]\ncommonLabels: {app: web}\n",
            "a/kustomization.yaml": "resources: [d.yaml]\n",
            "a/d.yaml": member,
            "b/kustomization.yaml": "resources: [d.yaml]\n",
            "b/d.yaml": "a: *nowhere\n",
        }
    )
    code, findings = found()
    assert code == 1
    assert ("schema/type", "a/d.yaml") in findings
    assert "schema/required" not in {rule for rule, _ in findings}
    tree({"root/kustomization.yaml": "resources: [../b]\n"})
    assert ("schema/required", "a/d.yaml") in found()[1]


def test_hidden_folders_are_left_out_unless_something_takes_them(found, tree):
    tree({".archive/app/kustomization.yaml": "resources: [d.yaml]\n", ".archive/app/d.yaml": WITHOUT_SELECTOR})
    tree({"a.yaml": SOUND})
    assert found() == (0, [])
    assert found(".archive") == (1, [("schema/required", ".archive/app/d.yaml")])
    tree({"clusters/apps.yaml": KUSTOMIZATION.replace("./apps", "./.archive/app")})
    assert found()[0] == 1


@pytest.mark.parametrize("place", [".", "beside/it"])
def test_a_checkout_is_the_same_seen_from_outside(found, tree, tmp_path, monkeypatch, place):
    """Named from a folder around or beside it: what its kustomizations complete is still sound."""
    tree({"config/.git/HEAD": "ref: refs/heads/main\n", "config/base/d.yaml": WITHOUT_SELECTOR, f"{place}/x.txt": ""})
    tree({"config/app/kustomization.yaml": "resources: [../base]\ncommonLabels: {app: web}\n"})
    tree({"config/base/kustomization.yaml": "resources: [d.yaml]\n"})
    monkeypatch.chdir(tmp_path / place)
    config = os.path.relpath(tmp_path / "config")
    assert found(config) == (0, [])
    tree({"config/app/kustomization.yaml": "resources: [../base]\n"})
    assert found(config) == (1, [("schema/required", f"{config}/base/d.yaml")])


def test_a_template_whose_name_flux_fills_in_may_be_patched(found, tree):
    tree({"clusters/apps.yaml": KUSTOMIZATION, "apps/a.yaml": SOUND})
    tree({"templates-of-ours/d.yaml": WITHOUT_SELECTOR.replace("name: web}\n", "name: '${APP}'}\n", 1)})
    assert found() == (0, [])
    tree({"templates-of-ours/d.yaml": WITHOUT_SELECTOR})
    assert found()[0] == 1


def test_what_is_switched_off_would_be_patched_as_the_others_are(found, tree):
    """The root's patches set fields of every Kustomization that it applies; one that it does not list lies there."""
    member = KUSTOMIZATION.replace("name: apps,", "name: member,").replace("  interval: 1m\n  prune: true\n", "")
    patch = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\n"
    patch += "spec: {interval: 1m, prune: true}\n"
    root = f"{KUSTOMIZATION}  patches:\n    - target: {{kind: Kustomization}}\n      patch: {json.dumps(patch)}\n"
    tree({"clusters/apps.yaml": root, "apps/kustomization.yaml": "resources: [../base/on/ks.yaml]\n"})
    tree({"base/on/ks.yaml": member.replace("./apps", "./base/on/app"), "base/on/app/a.yaml": SOUND})
    tree({"base/off/ks.yaml": member.replace("./apps", "./base/off/app"), "base/off/app/a.yaml": SOUND})
    assert found() == (0, [])
    tree({"base/off/ks.yaml": member.replace("./apps", "./base/off/app") + "  timeout: soon\n"})
    assert found() == (1, [("gitops/field", "base/off/ks.yaml")])
    tree({"base/off/ks.yaml": member, "clusters/apps.yaml": root.replace("{kind: Kustomization}", "{kind: Job}")})
    assert {path for _, path in found()[1]} >= {"base/on/ks.yaml", "base/off/ks.yaml"}


@pytest.mark.parametrize("form", ["merge", "operation"])
def test_a_folder_that_is_switched_off_would_be_patched_as_the_others_are(found, tree, form):
    """The root's patches give every Kustomization patches for every HelmRelease, and the folder is in no list now."""
    release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: web}\n"
    release += "spec:\n  chartRef: {kind: OCIRepository, name: web}\n"
    inner = {"target": {"kind": "HelmRelease"}, "patch": release + "  interval: 1m\n"}
    first = {"op": "add", "path": "/spec/patches", "value": [inner]}
    whole = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "x"}}
    outer = [first] if form == "operation" else whole | {"spec": {"patches": [inner], "interval": "1m", "prune": True}}
    patches = [{"target": {"kind": "Kustomization"}, "patch": json.dumps(outer)}]
    root = f"{KUSTOMIZATION}  patches: {json.dumps(patches)}\n"
    tree({"clusters/apps.yaml": root, "apps/a.yaml": SOUND})
    tree({"off/kustomization.yaml": "resources: [ks.yaml]\n", "off/app/hr.yaml": release})
    member = KUSTOMIZATION.replace("name: apps,", "name: off,").replace("./apps", "./off/app")
    tree({"off/ks.yaml": member.replace("  interval: 1m\n  prune: true\n", "")})
    assert found() == (0, [])
    tree({"off/app/hr.yaml": release + "  timeout: soon\n"})
    assert found() == (1, [("gitops/field", "off/app/hr.yaml")])
    # The kustomization that has the patches is judged with them.
    tree({"clusters/apps.yaml": KUSTOMIZATION, "off/app/hr.yaml": release})
    listed = json.dumps(patches).replace("prune", "suspend")
    tree({"off/kustomization.yaml": f"resources: [ks.yaml]\npatches: {listed}\n"})
    code, findings = found()
    assert (code, {rule for rule, _ in findings}) == (1, {"gitops/field"})


PARTIAL = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME, namespace: default}\n"
PARTIAL += "spec: {ipFamilyPolicy: PreferDualStack}\n"


@pytest.mark.parametrize(
    ("owner", "text", "is_refused"),
    [
        ("prune: false", PARTIAL, False),
        ("prune: true", PARTIAL, True),
        ("prune: false", PARTIAL.replace("spec: {", "spec: {selector: {a: b}, "), True),
        ("prune: true", PARTIAL.replace("NAME", "kubernetes"), False),
        (
            "prune: true",
            PARTIAL.replace("NAME,", "NAME, annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge},"),
            False,
        ),
        ("prune: false", PARTIAL.replace("PreferDualStack", "Both"), True),
    ],
)
def test_what_is_merged_into_an_object_that_exists_lacks_nothing(found, tree, owner, text, is_refused):
    """Flux applies by the server's side: with `prune: false` it owns nothing of what others made."""
    tree(
        {"clusters/apps.yaml": KUSTOMIZATION.replace("prune: true", owner), "apps/s.yaml": text.replace("NAME", "web")}
    )
    assert found()[0] == is_refused


def test_the_service_of_every_cluster_lacks_nothing(found, tree):
    tree({"a.yaml": PARTIAL.replace("NAME", "kubernetes"), "b.yaml": PARTIAL.replace("NAME", "web")})
    assert found() == (1, [("api/service", "b.yaml")])


def test_nothing_hangs_on_names_and_secrets_of_empty_values(found, tree):
    name = "{{ .Values.instance }}-{{ .Values.app }}-config"
    values = "instance: ''\napp: ''\nkey: ''\nurl: ''\n"
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: '{name}'}}\ntype: kubernetes.io/dockerconfigjson\n"
    secret += "data: {.dockerconfigjson: '{{ .Values.key }}'}\n"
    application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, namespace: argocd}\n"
    application += "spec:\n  project: default\n  destination: {server: '{{ .Values.url }}', namespace: a}\n"
    application += "  source: {repoURL: 'https://github.com/acme/other', path: apps}\n"
    tree({"c/Chart.yaml": CHART, "c/values.yaml": values, "c/templates/s.yaml": secret})
    tree({"c/templates/a.yaml": application, "apps/a.yaml": SOUND})
    assert found() == (0, [])
    tree({"c/values.yaml": values.replace("key: ''", "key: '!'")})
    assert "schema/base64" in {rule for rule, _ in found()[1]}


NEEDS = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
    - {name: web, image: "a:1.0", envFrom: [{configMapRef: {name: settings}}, {configMapRef: {name: backend-adc}}]}
"""
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {A: b}\n"


@pytest.mark.parametrize(
    ("guide", "rules"),
    [
        ("```sh\nkubectl create --namespace=shop \\\n  configmap backend-adc --from-file=a.json\n```\n", []),
        ("Run `kubectl create cm backend-adc`.\n", []),
        ("kubectl create secret generic backend-adc\n", ["repo/missing-reference"]),
        ("kubectl create configmap backend\n", ["repo/missing-reference"]),
        ("kubectl get configmap backend-adc\n", ["repo/missing-reference"]),
    ],
)
def test_what_a_guide_has_a_person_create_is_not_missing(run, tree, tool, guide, rules):
    files = {"shop/kustomization.yaml": "resources: [pod.yaml, settings.yaml]\n", "shop/pod.yaml": NEEDS}
    tree({".git/HEAD": "ref: refs/heads/main\n", **files, "shop/settings.yaml": SETTINGS, "docs/guide.md": guide})
    tool("kubectl")
    ran = run("validate", "shop", "--rules", "repo/missing-reference", "--output", "json")
    assert [one["rule"] for one in ran.document["findings"]] == rules


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  destination: {server: "https://kubernetes.default.svc", namespace: web}
  source: {repoURL: "https://example.com/acme/config", path: app, %s}
"""


def test_an_edit_that_argo_cd_cannot_make_is_an_error(found, tree):
    labels = "resources: [a.yaml]\ncommonLabels: {app: web}\n"
    tree({"app/kustomization.yaml": labels, "app/a.yaml": SOUND})
    tree({"web.yaml": APPLICATION % "kustomize: {commonLabels: {app: shop}}"})
    assert found() == (1, [("gitops/unit-build", "web.yaml")])
    tree({"web.yaml": APPLICATION % "kustomize: {commonLabels: {app: shop}, forceCommonLabels: true}"})
    assert found() == (0, [])


def test_argo_cd_ignores_files_without_an_object(found, tree):
    wrong = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: x}]}\n"
    tree({"app/a.yaml": SOUND, "app/values.yaml": "a: b: c\n", "app/README.md": "- [x\n", "app/s.yaml.sealed": wrong})
    tree({"web.yaml": APPLICATION % "directory: {recurse: true}"})
    assert found() == (0, [])
    tree({"web.yaml": APPLICATION % "directory: {disableExtensionFilter: true}"})
    assert found() == (1, [("schema/type", "app/s.yaml.sealed")])


def test_functions_of_a_variable_that_nothing_defines_are_empty(found, tree):
    post = "  postBuild: {substitute: {other: b}%s}\n"
    tree({"apps/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'a${X#*@}', labels: {v: '${X#*@}_'}}\n"})
    tree({"clusters/apps.yaml": KUSTOMIZATION + post % ""})
    code, findings = found()
    assert code == 1, "a label may not end with _"
    assert ("gitops/undefined-variable", "clusters/apps.yaml") in findings
    tree({"clusters/apps.yaml": KUSTOMIZATION + post % ", substituteFrom: [{kind: Secret, name: gone}]"})
    assert found() == (0, [])
