"""What users of GitOps keep in repositories, and what `validate .` answers: exit code, findings, skips."""

from __future__ import annotations

import json

import pytest

from tests.flows.test_validate import GOOD
from tests.flows.test_validate_units import CHART, KUSTOMIZATION, WITHOUT_SELECTOR

ENCRYPTED = "ENC[AES256_GCM,data:c2VjcmV0,iv:aXY=,tag:dGFn,type:str]"
SOPS = f"sops: {{version: 3.9.1, lastmodified: '2026-02-03T04:05:06Z', mac: '{ENCRYPTED}'}}\n"
APP = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n"
POD = "  selector: {matchLabels: {app: api}}\n  template:\n    metadata: {labels: {app: api}}\n"
POD += '    spec: {containers: [{name: api, image: "ghcr.io/acme/api:IMAGE"}]}\n'
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: queues.acme.example}
spec:
  group: acme.example
  names: {kind: Queue, plural: queues}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: SCHEMA}}]
"""
QUEUE = "apiVersion: acme.example/v1\nkind: Queue\nmetadata: {name: q}\nspec: {depth: deep}\n"
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: api, namespace: api}
spec:
  interval: 5m
  chart: {spec: {chart: ./charts/api, sourceRef: {kind: GitRepository, name: config}}}
  values: {replicas: many}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: config, namespace: api}
spec: {interval: 1m, url: "https://git.example.com/acme/config"}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: other, namespace: api}
spec: {interval: 1m, prune: true, path: PATH, sourceRef: {kind: GitRepository, name: config}}
"""
LIBRARY = {
    "charts/common/Chart.yaml": CHART.replace("web", "common") + "type: library\n",
    "charts/common/templates/_name.tpl": '{{- define "common.name" -}}api{{- end -}}\n',
    "charts/api/Chart.yaml": CHART.replace("web", "api")
    + "dependencies: [{name: common, version: 1.x.x, repository: 'file://../common'}]\n",
    "charts/api/values.yaml": "replicas: 2\n",
    "charts/api/templates/d.yaml": APP.replace("{name: api}", '{name: {{ include "common.name" . }}}')
    + "  replicas: {{ .Values.replicas }}\n"
    + POD,
}
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: apps, namespace: argocd}
spec:
  project: default
  destination: {server: "https://kubernetes.default.svc", namespace: apps}
  SOURCE
"""


@pytest.fixture(autouse=True)
def programs(tool):
    tool("kubectl", "helm", "git")


@pytest.fixture
def validated(run, tree):
    """Write files and validate: the exit code, the rule and path of each finding, and every skip as one text."""

    def call(files: dict[str, str], *arguments: str) -> tuple[int, list[tuple[str, str]], str]:
        tree(files)
        ran = run("validate", *(arguments or (".",)), "--output", "json")
        skips = "\n".join(f"{one['path']}: {one['reason']}" for one in ran.document["skipped"])
        return ran.code, [(one["rule"], one["path"]) for one in ran.document["findings"]], skips

    return call


@pytest.mark.parametrize(
    "secret",
    [
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{token: '{ENCRYPTED}'}}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{token: '{ENCRYPTED}'}}\n",
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{x: '{ENCRYPTED}'}}\n",
        f"{APP}  replicas: '{ENCRYPTED}'\n{POD}",
    ],
)
def test_encrypted_values_are_unknown(validated, secret):
    assert validated({"a.yaml": secret + SOPS}) == (0, [], "")
    code, findings, _ = validated({"a.yaml": secret.replace("apiVersion", "extra: 1\napiVersion") + SOPS})
    assert (code, findings) == (1, [("schema/unknown-field", "a.yaml")]), "everything else is checked"


def test_variables_of_flux_have_their_values_and_defaults(validated, run, tree, monkeypatch):
    files = {
        "clusters/apps.yaml": KUSTOMIZATION + "  postBuild: {substitute: {tag: 1.0.0, count: '3'}}\n",
        "apps/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
        "apps/a.yaml": f"{APP}  replicas: ${{count}}\n{POD.replace('IMAGE', '${tag}')}",
        "apps/b.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: '${name:=api}'}\nspec:\n  ports:\n"
        "  - port: ${port:=80}\n",
    }
    assert validated(files)[:2] == (0, [])
    assert validated({}, "apps/b.yaml")[:2] == (0, [])
    assert validated({}, "apps/a.yaml")[:2] == (0, [])


def test_a_base_beside_the_folder_is_built_for_flux(validated):
    generator = "configMapGenerator: [{name: a, envs: [../../settings.env]}]\nresources: [../shared/d.yaml]\n"
    files = {"clusters/apps.yaml": KUSTOMIZATION.replace("./apps", "./apps/api"), "settings.env": "A=b\n"}
    files |= {"apps/api/kustomization.yaml": generator, "apps/shared/d.yaml": GOOD.format(name="d")}
    assert validated(files)[:2] == (0, [])


@pytest.mark.parametrize("base", ["https://example.com/acme/crds//config?ref=v2", "github.com/acme/crds?ref=v1"])
def test_a_remote_base_leaves_the_local_one(validated, base):
    files = {"top/kustomization.yaml": f"resources: ['{base}', ../app]\n", "app/d.yaml": WITHOUT_SELECTOR}
    code, findings, skips = validated(
        {**files, "app/kustomization.yaml": "resources: [d.yaml]\ncommonLabels: {a: b}\n"}
    )
    assert (code, findings) == (0, [])
    assert base in skips


def test_what_no_kustomization_lists_is_a_note(validated):
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {template: {spec: {}}}\n"
    files = {"config/kustomization.yaml": "resources: [d.yaml]\n", "config/d.yaml": APP + POD, "config/p.yaml": patch}
    assert validated(files)[:2] == (0, [("gitops/not-deployed", "config/p.yaml")])


@pytest.mark.parametrize(
    "broken",
    [
        {"templates/c.yaml": "{{ range }}\n"},
        {"templates/c.yaml": '{{ template "absent" . }}\n'},
        {"templates/c.yaml": "kind: {{ .Values.a }}: x: y\n", "values.yaml": "a: b\n"},
        {
            "values.schema.json": '{"properties": {"size": {"type": "integer"}}}',
            "values.yaml": "size: large\n",
            "templates/c.yaml": GOOD.format(name="a"),
        },
    ],
    ids=["parse error", "unknown template", "no YAML", "its own schema"],
)
def test_a_chart_that_nobody_can_install_is_an_error_beside_sound_files(validated, broken):
    files = {f"chart/{name}": text for name, text in broken.items()}
    code, findings, _ = validated({"chart/Chart.yaml": CHART, "ok.yaml": GOOD.format(name="ok"), **files})
    assert (code, findings) == (1, [("gitops/unit-build", "chart/Chart.yaml")])


def test_placeholders_of_the_vault_plugin_are_unknown(validated):
    secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  annotations: {avp.kubernetes.io/path: kv/a}\n"
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: <port>}]}\n"
    assert validated({"a.yaml": f"{secret}data: {{a: <path:kv/a#b | base64encode>}}\n{service}"}) == (0, [], "")


def test_a_schema_location_that_gives_nothing_is_not_silent(validated, tree, run):
    tree({"q.yaml": QUEUE, "ok.yaml": GOOD.format(name="ok"), "schemas/queue_v1.json": "<html>log in</html>"})
    assert run("validate", ".", "--schema-location", "absent").code == 2
    template = "schemas/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"
    _, findings, _ = validated({}, ".", "--schema-location", template, "--exclude", "schemas")
    assert [rule for rule, _ in findings] == ["gitops/schema-location"]


@pytest.mark.parametrize(("one", "two"), [("a", "b"), ("b", "a")])
def test_two_definitions_of_a_kind_are_told_in_any_order(validated, run, one, two):
    strict = "{type: object, properties: {spec: {type: object, properties: {depth: {type: integer}}}}}"
    open_ = "{type: object, x-kubernetes-preserve-unknown-fields: true}"
    files = {f"{one}/crd.yaml": CRD.replace("SCHEMA", strict), f"{two}/crd.yaml": CRD.replace("SCHEMA", open_)}
    code, findings, _ = validated({**files, "q.yaml": QUEUE})
    assert (code, findings) == (0, [("gitops/crd-differs", "b/crd.yaml")])
    assert "a/crd.yaml" in run("validate", ".").out


def test_a_dependency_beside_the_chart_is_built_and_installed(validated):
    """A checkout without a remote: an address below which a path is named that is not here is another repository's."""
    there, elsewhere = RELEASE.replace("PATH", "./charts"), RELEASE.replace("PATH", "./absent")
    code, findings, skips = validated({**LIBRARY, "releases/api.yaml": elsewhere})
    assert (code, findings) == (0, [])
    assert "releases/api.yaml: not rendered: its source is https://git.example.com/acme/config" in skips
    assert validated({}, "charts/api")[:2] == (0, [])
    assert ("schema/type", "charts/api/templates/d.yaml") in validated({"releases/api.yaml": there})[1]


def test_the_address_of_a_remote_says_what_is_here(validated, tmp_path):
    from tests.support.workspace import git

    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "git@git.example.com:acme/config.git")
    found = validated({**LIBRARY, "releases/api.yaml": RELEASE.replace("PATH", "./absent")})[1]
    assert ("gitops/missing-path", "releases/api.yaml") in found
    assert ("schema/type", "charts/api/templates/d.yaml") in found


def test_a_missing_folder_is_told_once(validated, tmp_path):
    from tests.support.workspace import git

    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "git@git.example.com:acme/config.git")
    source = "{repoURL: 'https://git.example.com/acme/config', path: nowhere}"
    for said in (f"source: {source}", f"sources: [{source}]", f"source: {source.replace('nowhere', 'nowhere/')}"):
        found = validated({"apps.yaml": APPLICATION.replace("SOURCE", said)})[1]
        assert found == [("gitops/missing-path", "apps.yaml")]


def test_a_chart_is_judged_with_its_tests_values(validated):
    template = APP.replace("{name: api}", "{name: '{{ .Release.Name }}-of-a-service-with-a-very-long-name'}")
    image = POD.replace("ghcr.io/acme/api:IMAGE", "{{ .Values.image }}")
    files = {"Chart.yaml": CHART, "values.yaml": 'image: ""\n', "templates/d.yaml": template + image}
    assert validated({**files, "ci/default-values.yaml": "image: ghcr.io/acme/api:1.0.0\n"}) == (0, [], "")
    assert validated({"ci/other-values.yaml": "image: 'a:b:c'\n"})[0] == 1, "each file of values is tried"


@pytest.mark.parametrize("has_helm", [True, False])
def test_charts_of_a_kustomization_are_inflated_where_they_are(validated, tool, has_helm):
    tool("kubectl", "git", *(["helm"] if has_helm else []))
    said = {
        "resources": ["ok.yaml"],
        "helmCharts": [{"name": "api", "releaseName": "r"}, {"name": "x", "repo": "https://c"}],
    }
    files = {f"k/{path}": text for path, text in LIBRARY.items()} | {"k/kustomization.yaml": json.dumps(said)}
    code, findings, skips = validated({**files, "k/ok.yaml": GOOD.format(name="ok")})
    assert (code, findings) == (0, [])
    assert "without the chart x of https://c" in skips
    assert ("helm is not installed" in skips) is not has_helm
    found = validated({"k/charts/api/values.yaml": "replicas: many\n"})
    assert found[1] == ([("schema/type", "k/kustomization.yaml")] if has_helm else [])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"patches": [{"path": "p.yaml"}]},
        {"patchesStrategicMerge": ["p.yaml"]},
        {"configMapGenerator": [{"name": "c", "behavior": "merge", "literals": ["a=b"]}]},
        {
            "replacements": [
                {
                    "source": {"kind": "Deployment", "name": "x", "fieldPath": "spec.replicas"},
                    "targets": [{"select": {"kind": "Deployment"}, "fieldPaths": ["spec.replicas"]}],
                }
            ]
        },
    ],
)
@pytest.mark.parametrize("key", ["helmCharts", "generators"])
def test_a_kustomization_of_what_is_not_here_is_no_error(validated, key, more):
    """Nothing is left of it, or what it changes is in a chart of a registry, or in the output of a program."""
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 3}\n"
    said = {key: [{"name": "x", "repo": "https://c"}] if key == "helmCharts" else ["g.yaml"], **more}
    program = "apiVersion: acme.example/v1\nkind: Program\nmetadata: {name: g}\n"
    files = {"k/kustomization.yaml": json.dumps(said), "k/p.yaml": patch, "k/g.yaml": program}
    code, findings, skips = validated({**files, "ok/ok.yaml": GOOD.format(name="ok")})
    assert (code, [one for one in findings if one[0] != "gitops/not-deployed"]) == (0, [])
    assert "without" in skips
    broken = {**said, "patches": [{"path": "absent.yaml"}]}
    assert validated({"k/kustomization.yaml": json.dumps(broken)})[0] == 1, "what is in Git is still judged"


@pytest.mark.parametrize(
    "text",
    [
        (
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: a, namespace: b}\n"
            "spec: {url: https://charts.example.com, interval: 5m}\n"
        ),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: a, namespace: argocd}\n"
            "spec: {sourceRepos: ['*']}\n"
        ),
    ],
)
def test_objects_of_the_operators_are_checked_without_a_definition(run, tree, text):
    tree({"argocd/a.yaml": text})
    for more in ((), ("--missing-schema", "ignore"), ("--fail-on", "skipped")):
        done = run("validate", "argocd", "--output", "json", *more)
        assert (done.code, done.document["summary"]["valid"], done.document["skipped"]) == (0, 1, [])
    assert run("validate", "argocd", "--missing-schema", "fail").code == 1


def test_unknown_kinds_that_are_ignored_are_not_called_absent_files(run, tree):
    tree({"a.yaml": QUEUE})
    done = run("validate", ".", "--missing-schema", "ignore")
    assert done.code == 8
    assert "1 document without a schema" in done.out + done.err


def test_documents_of_talos_are_no_manifests(run, tree):
    talos = "apiVersion: v1alpha1\nkind: WatchdogTimerConfig\ndevice: /dev/watchdog0\ntimeout: 2m\n"
    tree({"talos/watchdog.yaml": talos, "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"})
    ran = run("validate", ".", "--output", "json")
    assert ran.code == 0
    assert "Talos" in next(one["reason"] for one in ran.document["skipped"])
    tree({"talos/watchdog.yaml": talos + "metadata: {name: a}\n"})
    assert run("validate", ".").code == 1


FLEET = {
    "b/fleet.yaml": "helm: {chart: web, values: {replicas: VALUE}}\n",
    "b/web/Chart.yaml": CHART,
    "b/web/templates/d.yaml": APP.replace("{name: api}", "{name: x}") + "  replicas: {{ .Values.replicas }}\n" + POD,
}


@pytest.mark.parametrize("value", ["'${ .ClusterValues.replicas }'", "global.fleet.clusterLabels.replicas"])
def test_what_fleet_fills_in_for_each_cluster_is_unknown(validated, value):
    files = {path: text.replace("VALUE", value) for path, text in FLEET.items()}
    assert validated(files)[:2] == (0, [])
    files = {path: text.replace("VALUE", "many") for path, text in FLEET.items()}
    assert validated(files)[:2] == (1, [("schema/type", "b/web/templates/d.yaml")])


def test_a_chart_that_lacks_what_the_cluster_gives_is_a_skip(validated):
    files = {**FLEET, "b/fleet.yaml": "helm: {chart: web, valuesFrom: [{configMapKeyRef: {name: v}}]}\n"}
    files["b/web/templates/d.yaml"] = 'a: {{ required "give it" .Values.x }}\n'
    code, findings, skips = validated({**files, "d.yaml": GOOD.format(name="d")})
    assert (code, findings) == (0, [])
    assert "give it" in skips


def test_what_an_application_leaves_out_is_not_judged(validated):
    source = "source: {repoURL: 'https://git.example.com/acme/x', path: m, directory: {exclude: 'b.*', recurse: true}}"
    files = {"a.yaml": APPLICATION.replace("SOURCE", source), "m/a.yaml": GOOD.format(name="d")}
    files |= {"m/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ntypo: 1\n"}
    code, findings, skips = validated(files)
    assert (code, findings) == (0, [])
    assert "m/b.yaml: application:argocd/apps leaves it out" in skips


@pytest.mark.parametrize(
    ("decryption", "expected"),
    [("", [("gitops/no-decryption", "apps/a.yaml")]), ("  decryption: {provider: sops}\n", [])],
)
def test_an_encrypted_file_that_no_kustomization_decrypts(validated, decryption, expected):
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{token: '{ENCRYPTED}'}}\n{SOPS}"
    files = {"clusters/apps.yaml": KUSTOMIZATION + decryption, "apps/a.yaml": secret, "plain.yaml": secret}
    assert validated(files)[:2] == (0, expected)


def test_clusters_of_a_file_make_applications(validated):
    template = "{metadata: {name: '{{name}}'}, spec: {project: default, destination: {name: '{{name}}'}, SOURCE}}"
    source = "source: {repoURL: 'https://git.example.com/acme/x', path: 'm/{{name}}'}"
    text = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s, namespace: argocd}\nspec:\n"
    text += "  generators: [{clusters: {selector: {matchLabels: {env: prod}}}}]\n  template: "
    files = {"s.yaml": text + template.replace("SOURCE", source) + "\n", "m/eu/a.yaml": GOOD.format(name="d")}
    files["clusters.yml"] = "[{name: eu, labels: {env: prod}}, {name: us}]\n"
    code, findings, skips = validated(files)
    assert (code, findings) == (0, [])
    assert "give it with --clusters" in skips
    assert validated({}, ".", "--clusters", "clusters.yml")[:2] == (0, [])
    files["m/eu/a.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ntypo: 1\n"
    assert validated(files, ".", "--clusters", "clusters.yml")[:2] == (1, [("schema/unknown-field", "m/eu/a.yaml")])
    files["clusters.yml"] = "[{name: us, labels: {env: prod}}]\n"
    assert validated(files, ".", "--clusters", "clusters.yml")[1][-1] == ("gitops/missing-path", "s.yaml")
