"""`diff` over real checkouts: what is compared, what is rendered, what is told."""

from __future__ import annotations

import base64
import json
import os
import re

import pytest
from markdown_it import MarkdownIt

from tests.support.forge_github import GitHubStub
from tests.support.workspace import git, make_checkout

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: "ghcr.io/acme/web:{tag}"}}]}}
"""
FOLDER = {"app/kustomization.yaml": "resources: [d.yaml]\n", "app/d.yaml": DEPLOYMENT.format(tag="1.0.0")}
NEWER = {"app/d.yaml": DEPLOYMENT.format(tag="1.1.0")}
CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "tag: 1.0.0\n",
    "charts/web/templates/cm.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"
        "data: {tag: {{ .Values.tag | quote }}}\n"
    ),
}
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  destination: {{server: https://kubernetes.default.svc, namespace: {name}}}
  source:
    repoURL: https://git.example/acme/config.git
    path: charts/web
    helm: {{parameters: [{{name: tag, value: "{tag}"}}]}}
"""
ORIGIN = "https://git.example/acme/config"


@pytest.fixture(autouse=True)
def programs(tool):
    tool("kubectl", "helm", "git")


@pytest.fixture
def changed(tmp_path, run):
    """Commit files, lay others over them (None removes), and give what `diff` reports."""

    def call(before, after, *arguments, code=0, origin=ORIGIN):
        if not (tmp_path / ".git").exists():
            make_checkout(tmp_path, before, origin=origin)
        lay(tmp_path, after)
        ran = run("diff", "--base", "HEAD", *arguments, "--output", "json")
        assert ran.code == code, ran.out + ran.err
        return ran.document["rendered"] if code in {0, 1} else ran.document

    return call


def lay(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


def objects(rendered):
    return [(one["state"], one["kind"], one["name"]) for one in rendered["objects"]]


def units(rendered):
    return {one["id"]: one["state"] for one in rendered["units"]}


def test_a_new_image_is_one_changed_object(changed):
    found = changed(FOLDER, NEWER)
    assert units(found) == {"kustomization:app": "changed"}
    [one] = found["objects"]
    assert (one["unit"], one["kind"], one["state"]) == ("kustomization:app", "Deployment", "changed")
    assert [(path["old"], path["new"]) for path in one["paths"]] == [
        ("ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:1.1.0")
    ]
    assert one["paths"][0]["base_pointer"] == "/spec/template/spec/containers/0/image"


def test_the_order_of_files_on_disk_has_no_influence(run, tmp_path, monkeypatch):
    before = {
        **CHART,
        **FOLDER,
        **{f"apps/{name}.yaml": APPLICATION.format(name=name, tag="1") for name in "dbac"},
        **{f"plain/{name}.yaml": DEPLOYMENT.format(tag="1.0.0").replace("web}", f"{name}}}") for name in "zyx"},
    }
    after = {
        **NEWER,
        "charts/web/values.yaml": "tag: 1.0.1\n",
        "apps/b.yaml": APPLICATION.format(name="b", tag="2"),
        "plain/y.yaml": None,
        "plain/w.yaml": before["plain/x.yaml"].replace("name: x", "name: w"),
        "plain/z.yaml": before["plain/z.yaml"].replace("1.0.0", "1.1.0"),
    }
    seen = set()
    for folder, order in (("one", 1), ("one", 1), ("other", -1)):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        if not (tmp_path / folder / ".git").exists():
            make_checkout(tmp_path / folder, dict([*before.items()][::order]), origin=ORIGIN)
            lay(tmp_path / folder, dict([*after.items()][::order]))
        ran = run("diff", "--base", "HEAD", "--output", "json", "--report", "html=page.html")
        assert ran.code == 0, ran.err
        page = (tmp_path / folder / "page.html").read_text()
        (tmp_path / folder / "page.html").unlink()
        seen.add((json.dumps(ran.document["rendered"]), page))
    assert len(seen) == 1


def test_nothing_changed(changed):
    found = changed(FOLDER, {})
    assert (found["units"], found["objects"]) == ([], [])


def test_a_renamed_file_changes_nothing(changed):
    found = changed(
        FOLDER,
        {"app/d.yaml": None, "app/e.yaml": FOLDER["app/d.yaml"], "app/kustomization.yaml": "resources: [e.yaml]\n"},
    )
    assert objects(found) == []


def test_a_comment_changes_nothing(changed):
    assert objects(changed(FOLDER, {"app/d.yaml": f"# why\n{FOLDER['app/d.yaml']}"})) == []


def test_commits_are_compared_where_the_change_began(run, tmp_path):
    """What came to the target meanwhile is nobody's change here."""
    make_checkout(tmp_path, FOLDER, origin=ORIGIN)
    git(tmp_path, "checkout", "-q", "-b", "change")
    lay(tmp_path, NEWER)
    git(tmp_path, "commit", "-qam", "Change")
    git(tmp_path, "checkout", "-q", "main")
    lay(tmp_path, {"app/kustomization.yaml": "resources: [d.yaml]\nnamespace: other\n"})
    git(tmp_path, "commit", "-qam", "Other")
    ran = run("diff", "--base", "main", "--head", "change", "--output", "json")
    assert [len(one["paths"]) for one in ran.document["rendered"]["objects"]] == [1]
    again = run("diff", "--base", "main", "--head", "change", "--output", "json")
    assert again.out == ran.out


def test_untracked_files_count_and_ignored_ones_do_not(changed):
    found = changed(
        {**FOLDER, ".gitignore": "build/\n"},
        {
            "new/kustomization.yaml": "resources: [d.yaml]\n",
            "new/d.yaml": FOLDER["app/d.yaml"],
            "build/kustomization.yaml": "{}\n",
        },
    )
    assert units(found) == {"kustomization:new": "added"}


def test_a_removed_overlay_is_a_removed_unit(changed):
    overlay = {"prod/kustomization.yaml": "resources: [../app]\nnamespace: prod\n"}
    found = changed({**FOLDER, **overlay}, {"prod/kustomization.yaml": None})
    assert units(found)["kustomization:prod"] == "removed"


def test_a_base_of_many_overlays_is_one_group(changed):
    overlays = {f"env{n}/kustomization.yaml": f"resources: [../app]\nnamespace: env{n}\n" for n in range(4)}
    found = changed({**FOLDER, **overlays}, NEWER)
    assert len(found["units"]) == 4
    assert [len(group["objects"]) for group in found["groups"]] == [4]


def test_plain_manifests_are_compared_as_they_lie(changed):
    found = changed(
        {"k8s/d.yaml": DEPLOYMENT.format(tag="1"), "x.yaml": "a: 1\n"},
        {"k8s/d.yaml": DEPLOYMENT.format(tag="2"), "x.yaml": "a: 2\n"},
    )
    assert units(found) == {"folder:k8s": "changed"}
    assert objects(found) == [("changed", "Deployment", "web")]


# Argo CD


def apps(**tags):
    return {f"apps/{name}.yaml": APPLICATION.format(name=name, tag=tag) for name, tag in tags.items()}


def test_only_the_application_whose_values_change_is_rendered(changed):
    found = changed({**CHART, **apps(a="1", b="1")}, apps(a="2"))
    assert units(found) == {"application:argocd/a": "changed"}
    assert objects(found) == [("changed", "Application", "a"), ("changed", "ConfigMap", "a")]
    assert found["objects"][1]["namespace"] == "a"


def test_a_template_of_a_shared_chart_reaches_all_of_its_applications(changed):
    text = CHART["charts/web/templates/cm.yaml"].replace("data: {", "data: {more: x, ")
    found = changed({**CHART, **apps(a="1", b="1", c="1")}, {"charts/web/templates/cm.yaml": text})
    assert len(found["units"]) == 3
    assert [len(group["objects"]) for group in found["groups"]] == [3]


def test_an_application_of_a_chart_is_followed_and_only_the_changed_one(changed):
    """A chart of Applications, each with inline values of a chart beside it."""
    files = {
        **CHART,
        "root/Chart.yaml": "apiVersion: v2\nname: root\nversion: 1.0.0\n",
        "root/values.yaml": json.dumps({"apps": {"a": "1", "b": "1"}}),
        "root/templates/apps.yaml": (
            "{{- range $name, $tag := .Values.apps }}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\n"
            "metadata: {name: {{ $name }}, namespace: argocd}\nspec:\n"
            "  destination: {namespace: {{ $name }}, name: prod}\n"
            f"  source: {{repoURL: {ORIGIN}, path: charts/web, "
            f"helm: {{valuesObject: {{tag: {{{{ $tag | quote }}}}}}}}}}\n"
            "{{- end }}\n"
        ),
    }
    found = changed(files, {"root/values.yaml": json.dumps({"apps": {"a": "1", "b": "2"}})})
    assert units(found) == {"application:argocd/b": "changed", "chart:root": "changed"}
    assert objects(found) == [("changed", "Application", "b"), ("changed", "ConfigMap", "b")]


def test_a_chart_below_an_unchanged_root_is_followed(changed):
    root = {
        "root/kustomization.yaml": "resources: [a.yaml]\n",
        "root/a.yaml": APPLICATION.format(name="a", tag="1"),
    }
    text = CHART["charts/web/templates/cm.yaml"].replace("data: {", "data: {more: x, ")
    found = changed({**CHART, **root}, {"charts/web/templates/cm.yaml": text})
    assert units(found) == {"application:argocd/a": "changed"}


def test_another_cluster_is_removed_there_and_added_here(changed):
    files = {**CHART, **apps(a="1")}
    moved = files["apps/a.yaml"].replace("https://kubernetes.default.svc", "https://other.example")
    found = changed(files, {"apps/a.yaml": moved})
    assert sorted(objects(found)) == [
        ("added", "ConfigMap", "a"),
        ("changed", "Application", "a"),
        ("removed", "ConfigMap", "a"),
    ]


def test_two_applications_of_one_set_with_one_name_are_told(changed):
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set, namespace: argocd}\nspec:\n"
        "  generators: [{list: {elements: [{tag: '1'}, {tag: '2'}]}}]\n"
        "  template:\n    metadata: {name: same}\n    spec:\n      project: default\n"
        "      destination: {name: prod, namespace: x}\n"
        f"      source: {{repoURL: {ORIGIN}, path: charts/web, "
        f"helm: {{parameters: [{{name: tag, value: '{{{{tag}}}}'}}]}}}}\n"
    )
    found = changed(CHART, {"set.yaml": text})
    assert any("same is 2 times in applicationset:argocd/set" in note for note in found["notes"])


def test_another_generator_with_the_same_result_changes_no_application(changed):
    def made(generators):
        return (
            "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set, namespace: argocd}\nspec:\n"
            f"  generators: {generators}\n"
            "  template:\n    metadata: {name: '{{path.basename}}'}\n    spec:\n      project: default\n"
            "      destination: {name: prod, namespace: x}\n"
            f"      source: {{repoURL: {ORIGIN}, path: '{{{{path}}}}'}}\n"
        )

    old = made("[{list: {elements: [{path: charts/web, path.basename: web}]}}]")
    new = made(f"[{{git: {{repoURL: {ORIGIN}, directories: [{{path: charts/*}}]}}}}]")
    found = changed({**CHART, "set.yaml": old}, {"set.yaml": new})
    assert objects(found) == [("changed", "ApplicationSet", "set")]


def set_of(name, generator, of, path, *, go=True, **more):
    """An ApplicationSet of one generator; `of` is the name of its Applications."""
    template = {
        "metadata": {"name": of, "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {"project": "default", "destination": {"name": "in-cluster"}, "sources": []}
        | {"source": {"repoURL": f"{ORIGIN}.git", "targetRevision": "HEAD", "path": path}},
    }
    options = {"goTemplate": True, "goTemplateOptions": ["missingkey=error"]} if go else {}
    spec = {**options, "generators": [generator], "template": template, **more}
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet"}
    return json.dumps({**head, "metadata": {"name": name, "namespace": "argocd"}, "spec": spec})


def test_sets_as_other_tools_test_them_make_the_same_applications(run, tmp_path):
    """Shapes and names as in argocd-diff-preview (examples/*) and kubechecks (localdev/test_appsets)."""
    segments = {"name": "{{ index .path.segments 2 }}"}
    folders = {"repoURL": f"{ORIGIN}.git", "revision": "HEAD", "directories": [{"path": "git/resources/**"}]}
    environments = {"list": {"elements": [{"env": "production"}, {"env": "staging"}]}}
    development = {"matchLabels": {"environment": "development"}}
    clusters = {"clusters": {"selector": development, "values": {"cluster": "in-cluster", "url": "https://a.example"}}}
    overlays = {"git": {"repoURL": ORIGIN, "directories": [{"path": "overlay/*"}]}}
    sets = {
        "list": set_of("list", environments, "my-service-{{.env}}", "overlay/{{.env}}/"),
        "empty": set_of("empty", {"list": {"elements": []}}, "{{ .name }}", "{{ .path }}"),
        "git": set_of("git", {"git": folders | {"values": segments}}, "{{ .values.name }}", "{{ .path.path }}"),
        "plain": set_of("plain", environments, "in-cluster-{{ env }}-dump", "overlay/{{ env }}/", go=False),
        "clusters": set_of(
            "clusters", clusters, "echo-{{ metadata.labels.environment }}", "apps/{{ values.cluster }}", go=False
        ),
        "matrix": set_of(
            "matrix",
            {"matrix": {"generators": [{"list": {"elements": [{"n": "a"}, {"n": "b"}]}}, overlays]}},
            "{{ .n }}-{{ .path.basename }}",
            "{{ .path.path }}",
        ),
    }
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"
    there = (
        "git/resources/folder1",
        "git/resources/folder2",
        "overlay/production",
        "overlay/staging",
        "apps/in-cluster",
    )
    make_checkout(tmp_path, {f"{folder}/one.yaml": one for folder in there}, origin=ORIGIN)
    known = [{"name": "dev-1", "labels": {"environment": "development"}}, {"name": "prod-1", "labels": {}}]
    lay(tmp_path, {f"sets/{name}.yaml": text for name, text in sets.items()} | {"clusters.json": json.dumps(known)})
    ran = run("diff", "--base", "HEAD", "--clusters", "clusters.json", "--output", "json")
    assert ran.code == 0, ran.out
    made = [unit for unit in ran.document["rendered"]["units"] if unit["kind"] == "application"]
    assert {unit["id"].removeprefix("application:argocd/"): unit["source"] for unit in made} == {
        "my-service-production": "overlay/production",
        "my-service-staging": "overlay/staging",
        "folder1": "git/resources/folder1",
        "folder2": "git/resources/folder2",
        "in-cluster-production-dump": "overlay/production",
        "in-cluster-staging-dump": "overlay/staging",
        "echo-development": "apps/in-cluster",
        **{f"{n}-{env}": f"overlay/{env}" for n in "ab" for env in ("production", "staging")},
    }
    assert [unit for unit in made if unit["state"] != "added"] == []


def test_what_an_application_ignores_is_folded(changed):
    more = "  ignoreDifferences: [{group: '', kind: ConfigMap, jsonPointers: [/data/tag]}]\n"
    files = {**CHART, "apps/a.yaml": APPLICATION.format(name="a", tag="1") + more}
    found = changed(files, {"apps/a.yaml": APPLICATION.format(name="a", tag="2") + more})
    [paths] = [one["paths"] for one in found["objects"] if one["kind"] == "ConfigMap"]
    assert [path["noise"] for path in paths] == ["yours"]


# Flux

FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1m
  prune: true
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
  postBuild: {substitute: {tag: 1.0.0}, substituteFrom: [{kind: Secret, name: vars}]}
"""


def test_a_variable_of_flux_changes_what_it_is_filled_in(changed):
    files = {"clusters/apps.yaml": FLUX, "apps/d.yaml": DEPLOYMENT.format(tag="${tag}")}
    found = changed(files, {"clusters/apps.yaml": FLUX.replace("1.0.0", "1.1.0")})
    assert units(found) == {"flux-kustomization:flux-system/apps": "changed"}
    [one] = [one for one in found["objects"] if one["kind"] == "Deployment"]
    assert one["paths"][0]["new"] == "ghcr.io/acme/web:1.1.0"


def test_what_flux_prunes_is_told(changed):
    files = {
        "clusters/apps.yaml": FLUX,
        "apps/d.yaml": DEPLOYMENT.format(tag="1"),
        "apps/e.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\n",
    }
    found = changed(files, {"apps/e.yaml": None})
    [one] = found["objects"]
    assert [risk["risk"] for risk in one["risks"]] == ["pruned"]


def test_a_release_with_a_foreign_chart_shows_its_values_and_why_it_is_not_rendered(changed):
    release = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: db, namespace: x}}\n"
        "spec:\n  interval: 1m\n"
        "  chart: {{spec: {{chart: redis, version: {version}, sourceRef: {{kind: HelmRepository, name: bitnami}}}}}}\n"
        "  values: {{size: {size}}}\n"
    )
    found = changed(
        {"apps/r.yaml": release.format(version="1.0.0", size=1)},
        {"apps/r.yaml": release.format(version="2.0.0", size=1)},
    )
    [one] = found["objects"]
    assert [(path["path"], path["new"]) for path in one["paths"]] == [("spec.chart.spec.version", "2.0.0")]
    [unit] = found["units"]
    assert (unit["state"], "redis 2.0.0" in unit["reason"]) == ("skipped", True)


# What cannot be rendered


def test_a_change_that_breaks_a_unit_fails(changed):
    found = changed(FOLDER, {"app/kustomization.yaml": "resources: [nowhere.yaml]\n"}, code=1)
    assert units(found) == {"kustomization:app": "failed"}
    assert found["objects"] == []


def test_a_change_that_repairs_a_unit_is_welcome(changed):
    found = changed(
        {**FOLDER, "app/kustomization.yaml": "resources: [nowhere.yaml]\n"},
        {"app/kustomization.yaml": "resources: [d.yaml]\n"},
    )
    assert units(found) == {"kustomization:app": "skipped"}
    assert "could not be rendered before" in found["units"][0]["reason"]


def test_what_was_broken_before_stops_nothing(changed):
    broken = {**FOLDER, "app/kustomization.yaml": "resources: [nowhere.yaml]\n"}
    found = changed(broken, {"app/kustomization.yaml": "resources: [nowhere.yaml, other.yaml]\n"})
    assert found["notes"] == ["1 unit could not be rendered before this change, and cannot be now"]


def test_a_chart_that_lacks_a_dependency_is_told(changed):
    more = "dependencies: [{name: redis, version: 1.0.0, repository: https://charts.example}]\n"
    files = {**CHART, "charts/web/Chart.yaml": CHART["charts/web/Chart.yaml"] + more}
    found = changed(files, {"charts/web/values.yaml": "tag: 2.0.0\n"}, "--fail-on", "skipped", code=1)
    assert [(one["state"], "redis" in one["reason"]) for one in found["units"]] == [("skipped", True)]


def test_tests_of_charts_are_left_out_and_counted(changed):
    hook = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, annotations: {helm.sh/hook: '%s'}}\n"
    hook += "spec: {a: {{ .Values.tag }}}\n"
    hooks = {"check": "pre-install, test", "pre-install": "pre-install"}
    more = {f"charts/web/templates/{name}.yaml": hook % pair for name, pair in zip(hooks, hooks.items(), strict=True)}
    after = {"charts/web/values.yaml": "tag: 2\n"}
    found = changed({**CHART, **more}, after)
    assert objects(found) == [("changed", "ConfigMap", "release-name"), ("changed", "Pod", "pre-install")]
    assert found["notes"] == ["1 test of charts left out: --tests compares them"]
    found = changed({**CHART, **more}, after, "--tests")
    assert (len(found["objects"]), found["notes"]) == (3, [])


def test_odd_contents_in_one_change(changed, tmp_path):
    """Lists, binary data, variables that nobody fills in, a Secret without data, LFS pointers, circles, bytes."""

    def application(name, path, revision=""):
        text = APPLICATION.format(name=name, tag="1").replace("charts/web", path).partition("    helm:")[0]
        return text + (f"    targetRevision: {revision}\n" if revision else "")

    def one(kind, name, more):
        return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{more}\n"

    def files(n):
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{n * 64}\nsize 12345\n"
        listed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "listed"}, "data": {"a": n}}
        return {
            "p/list.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": [listed]}),
            "p/binary.yaml": one("ConfigMap", "binary", f"binaryData: {{a: AAE{n}}}"),
            "p/empty.yaml": one("Secret", "empty", f"type: {n}\ndata: null"),
            "p/open.yaml": one("ConfigMap", "open", f"data: {{a: '${{TAG}}-{n}'}}"),
            "k/kustomization.yaml": "resources: [big.yaml]\n",
            "k/big.yaml": pointer,
            "argo/a.yaml": application("a", "circle/a"),
            "circle/a/b.yaml": application("b", "circle/b"),
            "circle/b/a.yaml": application("a", "circle/a"),
            "circle/b/c.yaml": one("ConfigMap", "c", f"data: {{a: '{n}'}}"),
            "argo/pinned.yaml": application("pinned", "pinned", "v1.0.0"),
            "pinned/c.yaml": one("ConfigMap", "pinned", f"data: {{a: '{n}'}}"),
        }

    make_checkout(tmp_path, files("1"), origin=ORIGIN)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    found = changed({}, files("2"))
    units = {f"{one['kind']} {one['name']}": one["unit"] for one in found["objects"]}
    names = ("ConfigMap listed", "ConfigMap binary", "Secret empty", "ConfigMap open")
    assert units == {
        **dict.fromkeys(names, "folder:p"),
        "ConfigMap c": "application:argocd/b",
        "ConfigMap pinned": "folder:pinned",
    }
    pinned, broken = found["notes"]
    assert "application:argocd/pinned (it follows the revision v1.0.0)" in pinned
    assert broken == "1 unit could not be rendered before this change, and cannot be now"


def test_of_a_chart_that_is_not_rendered_versions_and_values_are_compared(changed):
    """A chart around another one of a registry, alone and as an Application with values of its own."""
    more = "dependencies: [{name: redis, version: %s, repository: https://charts.example}]\n"
    chart = "charts/web/Chart.yaml"
    text = APPLICATION.format(name="a", tag="1").replace("{parameters", "{valueFiles: [../../prod.yaml], parameters")
    files = {**CHART, chart: CHART[chart] + more % "1.0.0", "apps/a.yaml": text, "prod.yaml": "redis: {size: 1}\n"}
    found = changed(files, {chart: CHART[chart] + more % "2.0.0"})
    one, alone = found["objects"]
    assert (alone["unit"], len(found["groups"])) == ("chart:charts/web", 1)
    assert (one["unit"], one["kind"], one["name"]) == ("application:argocd/a", "Chart", "charts/web")
    assert [(path["path"], path["new"]) for path in one["paths"]] == [("dependencies[name=redis].version", "2.0.0")]
    assert (found["units"][0]["state"], found["summary"]["units"]) == ("skipped", 2)
    found = changed(
        files, {chart: files[chart], "prod.yaml": "redis: {size: 2}\n", "charts/web/templates/cm.yaml": "# no\n"}
    )
    assert [(path["path"], path["new"]) for path in found["objects"][0]["paths"]] == [
        ("values[../../prod.yaml].redis.size", 2)
    ]
    assert changed(files, {"prod.yaml": files["prod.yaml"]})["objects"] == []
    lone = {"lone/Chart.yaml": files[chart], "lone/values.yaml": "redis: {size: 1}\n", "prod.yaml": files["prod.yaml"]}
    [one] = [one for one in changed(files, lone)["objects"] if one["unit"] == "chart:lone"]
    assert (one["state"], one["kind"]) == ("added", "Chart")


def test_random_passwords_are_no_change(changed):
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
        "data: {p: {{ randAlphaNum 20 | quote }}, t: {{ .Values.tag | quote }}}\n"
    )
    files = {**CHART, "charts/web/templates/cm.yaml": template}
    found = changed(files, {"charts/web/values.yaml": "tag: 2.0.0\n"})
    [one] = found["objects"]
    assert {path["path"]: path["noise"] for path in one["paths"]} == {"data.p": "unstable", "data.t": ""}


# Options and errors


def test_risks_fail_where_they_are_named(changed):
    claim = (
        "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
        "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
    )
    files = {**FOLDER, "app/d.yaml": FOLDER["app/d.yaml"] + claim}
    gone = {"app/d.yaml": FOLDER["app/d.yaml"]}
    assert changed(files, gone)["summary"]["risks"] == 1
    changed(files, gone, "--fail-on", "wider-rights,exposure")
    changed(files, gone, "--fail-on", "refused", "--fail-on", "deletes-data", code=1)
    changed(files, gone, "--fail-on", "risk", code=1)
    changed(files, gone, "--fail-on", "change", code=1)


def test_a_risk_that_is_none_is_a_mistake(changed, run):
    found = changed(FOLDER, NEWER, "--fail-on", "deletes_data", code=2)
    assert "deletes-data" in found["error"]["hint"]


def test_units_and_paths_narrow_the_run(changed):
    files = {**FOLDER, "other/kustomization.yaml": "resources: [d.yaml]\n", "other/d.yaml": FOLDER["app/d.yaml"]}
    after = {**NEWER, "other/d.yaml": NEWER["app/d.yaml"]}
    assert set(units(changed(files, after))) == {"kustomization:app", "kustomization:other"}
    assert set(units(changed(files, after, "--unit", "kustomization:o*"))) == {"kustomization:other"}
    assert set(units(changed(files, after, "app"))) == {"kustomization:app"}


def test_a_base_that_is_not_in_a_shallow_clone_says_how_deep(run, tmp_path, monkeypatch):
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    make_checkout(origin, FOLDER, origin="")
    first = git(origin, "rev-parse", "HEAD").strip()
    lay(origin, NEWER)
    git(origin, "commit", "-qam", "Two")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{origin}", str(clone))
    monkeypatch.chdir(clone)
    ran = run("diff", "--base", first)
    assert ran.code == 2
    assert "fetch-depth" in ran.out


def test_the_base_of_a_pull_request_is_that_of_the_provider(run, tmp_path):
    make_checkout(tmp_path, FOLDER, origin=ORIGIN)
    base = git(tmp_path, "rev-parse", "HEAD").strip()
    lay(tmp_path, NEWER)
    git(tmp_path, "commit", "-qam", "Two")
    environment = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    ran = run("diff", "--output", "json", environment=environment)
    assert ran.document["rendered"]["base"] == base


def test_a_value_for_another_command_is_no_base(run, tmp_path):
    make_checkout(tmp_path, {**FOLDER, ".gitops-ci.yaml": "base: nowhere\n"}, origin="")
    assert run("diff", environment={"GITOPS_CI_BASE": "nowhere"}).code == 0


def test_outside_of_a_repository_and_before_the_first_commit(run, tmp_path):
    assert run("diff").code == 2
    git(tmp_path, "init", "-q")
    ran = run("diff")
    assert (ran.code, "Traceback" in ran.err) == (2, False)


@pytest.mark.parametrize("form", ["summary", "paths", "yaml"])
def test_each_form_shows_the_change_and_no_secret(run, tmp_path, form):
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {value}}}\n"
    make_checkout(tmp_path, {**FOLDER, "k/s.yaml": secret.format(value="opensesame1")}, origin="")
    lay(tmp_path, {**NEWER, "k/s.yaml": secret.format(value="opensesame2")})
    ran = run("diff", "--base", "HEAD", "--form", form)
    assert ran.code == 0, ran.err
    assert "ghcr.io/acme/web:1.1.0" in ran.out
    assert "opensesame" not in ran.out + ran.err
    assert "changed)" in ran.out


def test_links_out_of_the_repository_reach_no_output(changed, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "planted"
    outside.write_text("planted-secret-text")
    files = {
        **CHART,
        "charts/web/templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
        'data: {f: {{ .Files.Get "link" | quote }}}\n',
    }
    here = os.getcwd()
    changed(files, {})
    os.symlink(outside, os.path.join(here, "charts/web/link"))
    found = changed(files, {"charts/web/values.yaml": "tag: 2\n"})
    assert "planted-secret-text" not in json.dumps(found)


def test_a_working_folder_below_the_root_sees_the_whole_change(run, tmp_path, monkeypatch):
    make_checkout(tmp_path, FOLDER, origin="")
    lay(tmp_path, {**NEWER, "new/kustomization.yaml": "configMapGenerator: [{name: c, literals: [a=1]}]\n"})
    monkeypatch.chdir(tmp_path / "app")
    ran = run("diff", "--base", "HEAD", "--output", "json")
    assert set(units(ran.document["rendered"])) == {"kustomization:app", "kustomization:new"}


# The comment


@pytest.fixture
def commented(run, tmp_path):
    """Run `diff --comment` for a pull request on a code host; give the texts of its comments."""
    make_checkout(tmp_path, FOLDER, origin=ORIGIN)
    base = git(tmp_path, "rev-parse", "HEAD").strip()
    event = tmp_path.parent / f"{tmp_path.name}-event.json"
    event.write_text(json.dumps({"number": 7, "pull_request": {"number": 7, "base": {"sha": base}}}))
    with GitHubStub(token="stub-token-0123") as stub:
        stub.OWNER, stub.NAME = "acme", "shop-config"
        while not stub.pulls or stub.pulls[-1].number < 7:
            stub.add_pull()
        variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/shop-config",
            "GITHUB_RUN_ID": "99",
            "GITOPS_CI_API_URL": stub.api_url,
            "GITOPS_CI_TOKEN": stub.token,
        }

        def call(*arguments, **more):
            ran = run("diff", "--comment", *arguments, environment={**variables, **more})
            return ran, list(stub.pull(7).comments.values())

        call.stub = stub
        yield call


def test_one_comment_is_kept_current(commented, tmp_path):
    assert commented()[1] == []  # nothing changes, nothing is said
    lay(tmp_path, NEWER)
    ran, [text] = commented()
    assert ran.code == 0, ran.err
    assert "`1.1.0`" in text
    assert "https://github.com/acme/shop-config/actions/runs/99" in text
    assert commented()[1] == [text]
    assert [asked.method for asked in commented.stub.requests if asked.method != "GET"] == ["POST"]
    assert len(commented("--comment-key", "prod")[1]) == 2
    lay(tmp_path, FOLDER)
    assert "no change to the rendered objects" in commented()[1][0]


def test_a_comment_that_the_host_refuses_is_a_warning(commented, tmp_path):
    lay(tmp_path, NEWER)
    ran, comments = commented(GITOPS_CI_TOKEN="another-token-0123")
    assert (ran.code, comments) == (0, [])
    assert "The comment on pull request #7 was not made" in ran.err


def test_without_a_pull_request_there_is_no_comment(commented, tmp_path):
    lay(tmp_path, NEWER)
    ran, comments = commented(GITHUB_EVENT_NAME="push", GITHUB_EVENT_PATH="")
    assert (ran.code, comments) == (0, [])
    assert "no pull request" in ran.err


@pytest.mark.parametrize("key", ["a b", "x)\n"])
def test_a_key_is_a_word(commented, key):
    assert commented("--comment-key", key)[0].code == 2


# The configuration file


def test_what_the_file_folds_is_counted_and_not_shown(changed):
    settings = {".gitops-ci.yaml": "diff:\n  fold: ['kind=Deployment path=spec.template.*.image']\n"}
    found = changed({**FOLDER, **settings}, NEWER)
    assert [path["noise"] for path in found["objects"][0]["paths"]] == ["yours"]
    assert found["groups"] == []


def test_what_the_file_masks_is_hidden(changed):
    files = {"k/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {pw: opensesame1, a: x}\n"}
    found = changed(
        {**files, ".gitops-ci.yaml": "diff: {mask: ConfigMap.data.pw}\n"},
        {"k/c.yaml": files["k/c.yaml"].replace("opensesame1", "opensesame2").replace("a: x", "a: y")},
    )
    assert "opensesame" not in json.dumps(found)
    assert len(found["objects"][0]["paths"]) == 2


def test_a_big_change_is_told(changed):
    found = changed({**FOLDER, ".gitops-ci.yaml": "diff: {large: 0}\n"}, NEWER)
    assert found["notes"] == ["big: 1 objects differ, more than 0"]


@pytest.mark.parametrize("text", ["diff: {fold: 'kind=X'}", "diff: {fold: 'nonsense path=a'}", "diff: {large: many}"])
def test_a_setting_that_is_none_is_a_mistake(changed, text):
    changed({**FOLDER, ".gitops-ci.yaml": f"{text}\n"}, NEWER, code=2)


# Secrets (40 of them, in each place that has some)

PLANTED = [f"planted{number:02}value" for number in range(40)]


def test_no_value_of_a_secret_is_in_any_output(run, tmp_path):
    """In plain or base64 form, or as a hash that tells it: on stdout, stderr and in each report."""

    def secrets(values):
        lines = []
        for number, value in enumerate(values[:10]):
            encoded = base64.b64encode(value.encode()).decode()
            applied = json.dumps({"kind": "Secret", "stringData": {"a": value}})
            meta = {"name": f"s{number}", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}}
            one = {"apiVersion": "v1", "kind": "Secret", "metadata": meta}
            one |= {"data": {"a": encoded}} if number % 2 else {"stringData": {"a": value, f"more-{number}": value}}
            lines.append(json.dumps(one))
        return "\n---\n".join(lines)

    def files(values):
        generated = [f"  - {{name: g{n}, literals: [password={value}]}}\n" for n, value in enumerate(values[10:15])]
        users = "".join(
            f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{n}}}\nspec: {{containers: [{{name: a, image: a:1, "
            f"envFrom: [{{secretRef: {{name: g{n}}}}}]}}]}}\n"
            for n in range(5)
        )
        flux = FLUX.replace("{substitute: {tag: 1.0.0}, ", "{")
        variables = json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "vars", "namespace": "flux-system"},
                "stringData": {f"V{n}": value for n, value in enumerate(values[15:20])},
            }
        )
        used = "".join(f"  v{n}: ${{V{n}}}\n" for n in range(5))
        return {
            "k/secrets.yaml": secrets(values),
            "g/kustomization.yaml": f"secretGenerator:\n{''.join(generated)}resources: [p.yaml]\n",
            "g/p.yaml": users,
            "clusters/flux.yaml": flux,
            "clusters/vars.yaml": variables,
            "apps/c.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{used}",
        }

    make_checkout(tmp_path, files(PLANTED[:20]), origin="")
    lay(tmp_path, files(PLANTED[20:]))
    reports = {name: tmp_path.parent / f"{tmp_path.name}.{name}" for name in ("html", "markdown", "json")}
    seen = []
    for form in ("summary", "paths", "yaml"):
        given = [f"--report={name}={path}" for name, path in reports.items()]
        ran = run("diff", "--base", "HEAD", "--form", form, "--show-noise", "--verbose", *given)
        assert ran.code == 0, ran.err
        seen += [ran.out, ran.err, *(path.read_text() for path in reports.values())]
    found = json.loads(reports["json"].read_text())["rendered"]
    assert len([one for one in found["objects"] if one["kind"] == "Secret"]) == 16
    hashes = re.findall(r"g\d-[bcdfghkmt2456789]{10}", "".join(seen))
    assert hashes == []
    for value in PLANTED:
        for spelled in (value, base64.b64encode(value.encode()).decode()):
            assert [text for text in seen if spelled in text] == []


def test_what_an_untrusted_job_computed_is_posted_by_another(commented, run, tmp_path):
    """The file is a stranger's: what it says is escaped, and it names no pull request."""
    lay(tmp_path, NEWER)
    report = tmp_path.parent / f"{tmp_path.name}.json"
    run("diff", "--base", "HEAD", "--report", f"json={report}")
    document = json.loads(report.read_text())
    document["rendered"]["notes"] = ["@everyone <img src=x> [click](https://evil.example)", "::error::x"]
    document["rendered"]["objects"][0]["name"] = "a`</details>b"
    document["number"] = document["rendered"]["pull_request"] = 6
    report.write_text(json.dumps(document))
    ran, [text] = commented("--from", str(report))
    assert ran.code == 0, ran.err
    assert commented.stub.pull(6).comments == {}
    assert "`1.1.0`" in text
    shown = MarkdownIt("commonmark", {"html": True}).render(text)
    assert not [one for one in ("@everyone", "<img", "</details>b", 'href="https://evil') if one in shown]


@pytest.mark.parametrize("text", ["", "{}", '{"rendered": null}', '{"rendered": {"objects": 1}}', "[" * 100_000])
def test_a_file_that_is_no_diff_is_refused(run, tmp_path, text):
    (tmp_path / "diff.json").write_text(text)
    ran = run("diff", "--from", "diff.json")
    assert ran.code == 2
    assert "is not a JSON report of diff" in ran.out
    assert run("diff", "--from", "nowhere.json").code == 2
