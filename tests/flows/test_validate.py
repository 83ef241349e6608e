"""`validate`: what it says, where it points, and its exit codes, through the command line."""

from __future__ import annotations

import json
import os
import re
import sys

import pytest

from gitops_ci.validation import check
from tests.support.workspace import git

GOOD = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
data:
  key: value
"""
BAD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: three
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          imag: shop:1.4.2
"""


def rules(ran) -> list[tuple[str, int, str]]:
    return [(one["path"], one["line"], one["rule"]) for one in ran.document["findings"]]


def test_sound_manifests_end_with_0(run, tree):
    tree({"k8s/a.yaml": GOOD.format(name="a"), "k8s/b.yml": GOOD.format(name="b")})
    ran = run("validate", "k8s", "--output", "json")
    assert (ran.code, ran.document["summary"]["valid"]) == (0, 2)


def test_findings_end_with_1_and_name_the_place(run, tree):
    tree({"k8s/a.yaml": BAD})
    ran = run("validate", "--output", "json")
    assert ran.code == 1
    assert [(one["line"], one["column"]) for one in ran.document["findings"]] == [(6, 13), (13, 11)]
    assert "image" in ran.document["findings"][1]["hint"]


@pytest.mark.parametrize("text", ["a:\n  b: [1\nc: 2\n", "a: 1\n b: 2\n", "a: 'x\n"])
def test_a_file_that_is_named_alone_and_cannot_be_read_is_an_invalid_manifest(run, tree, text):
    """Among others it may be any file, and is left alone."""
    tree({"k8s/broken.yaml": text})
    ran = run("validate", "k8s/broken.yaml", "--output", "json")
    assert ran.code == 1
    [one] = ran.document["findings"]
    assert (one["rule"], one["severity"]) == ("yaml/syntax", "error")
    assert one["line"] > 0
    assert one["column"] > 0
    ran = run("validate", "k8s")
    assert ran.code == 8
    assert re.search(r"the first is k8s/broken\.yaml:[1-9]: no Kubernetes object", ran.err + ran.out)
    tree({"k8s/good.yaml": GOOD.format(name="a")})
    assert run("validate", "k8s").code == 0


def test_a_path_that_is_not_there_ends_with_2(run):
    ran = run("validate", "nowhere")
    assert ran.code == 2
    assert "There is no file or folder nowhere" in ran.out + ran.err


@pytest.mark.parametrize("files", [{}, {"values.yaml": "image: {tag: 1}\n"}, {"deploy/README.yaml": "# nothing\n"}])
def test_nothing_to_validate_ends_with_8(run, tree, files):
    tree(files)
    assert run("validate").code == 8
    assert run("validate", "--allow-empty").code == 0


def test_standard_input(run, tmp_path, monkeypatch):
    (tmp_path / "in").write_text(BAD)
    with (tmp_path / "in").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        ran = run("validate", "-", "--output", "json")
    assert ran.code == 1
    assert {path for path, _, _ in rules(ran)} == {"-"}


def test_a_file_that_cannot_be_read_hides_no_other_and_fails(run, tree, tmp_path):
    tree({"a.yaml": BAD})
    (tmp_path / "b.yaml").write_bytes(b"a: \xff\n")
    ran = run("validate", "--output", "json")
    assert ran.code == 1
    assert len(ran.document["findings"]) == 2
    assert [one["path"] for one in ran.document["skipped"] if "UTF-8" in one["reason"]] == ["b.yaml"]
    os.unlink(tmp_path / "a.yaml")
    assert run("validate").code == 1


def test_links_and_hidden_folders_are_not_walked(run, tree, tmp_path):
    tree({"k8s/a.yaml": GOOD.format(name="a"), "k8s/.hidden/b.yaml": BAD, "elsewhere/b.yaml": BAD})
    (tmp_path / "k8s/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "k8s/link.yaml").symlink_to(tmp_path / "elsewhere/b.yaml")
    ran = run("validate", "k8s", "--output", "json")
    assert (ran.code, ran.document["summary"]["files"]) == (0, 1)
    links = [(one["path"], one["reason"]) for one in ran.document["skipped"]]
    assert links == [(path, "a symbolic link, not followed") for path in ("k8s/link", "k8s/link.yaml")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_read_as_kubectl_reads_it(run, tmp_path, encoding):
    text = BAD if encoding == "utf-16" else f"\ufeff{BAD}"
    (tmp_path / "a.yaml").write_bytes(text.encode(encoding))
    assert rules(run("validate", "--output", "json"))[0] == ("a.yaml", 6, "schema/type")


def test_a_folder_that_cannot_be_read_is_told(run, tree, tmp_path, monkeypatch):
    tree({"k8s/a.yaml": GOOD.format(name="a"), "k8s/shut/b.yaml": BAD})
    scan = os.scandir

    def refuse(folder):
        if str(folder).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr("os.scandir", refuse)
    ran = run("validate", "k8s", "--output", "json")
    assert (ran.code, [one["path"] for one in ran.document["skipped"]]) == (1, ["k8s/shut"])


def test_a_version_and_a_range_of_versions(run, tree):
    cron = """\
        apiVersion: batch/v1beta1
        kind: CronJob
        metadata: {name: nightly}
        spec:
          schedule: "0 3 * * *"
          jobTemplate:
            spec:
              template:
                spec:
                  restartPolicy: Never
                  containers: [{name: c, image: "c:1"}]
        """
    tree({"a.yaml": cron})
    ran = run("validate", "--kubernetes-version", "1.33", "--output", "json")
    assert (ran.code, rules(ran)[0][:2]) == (1, ("a.yaml", 1))
    assert run("validate", "--kubernetes-version", "1.33..1.35").code == 1
    assert run("validate", "--kubernetes-version", "0.1").code == 2


def test_rules_can_be_chosen_and_skipped(run, tree):
    tree({"a.yaml": BAD})
    ran = run("validate", "--skip-rules", "schema/*", "--output", "json")
    assert (ran.code, ran.document["summary"]["suppressed"]) == (0, 2)
    assert run("validate", "--rules", "yaml/*").code == 0
    assert run("validate", "--rules", "schema/*").code == 1


def test_a_rule_that_does_not_exist_is_a_mistake_wherever_it_is_written(run, tree):
    tree({"a.yaml": BAD, ".gitops-ci.yaml": "validate: {skip-rules: [schemas/type]}\n"})
    ran = run("validate", "--output", "json")
    assert ran.code == 2
    assert ran.document["error"]["message"].startswith(".gitops-ci.yaml: There is no rule 'schemas/type'")
    assert "Did you mean 'schema/type'?" in ran.document["error"]["message"]
    tree({".gitops-ci.yaml": "validate: {}\n"})
    ran = run("validate", "--rules", "schemas/type", "--output", "json")
    assert (ran.code, ran.document["error"]["message"][:13]) == (2, "There is no r")


def test_warnings_fail_when_asked(run, tree):
    tree({"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: c}]}\n"})
    assert run("validate").code == 0
    assert run("validate", "--fail-on", "warning").code == 1


def test_a_comment_suppresses_with_a_reason(run, tree):
    tree({"a.yaml": BAD.replace("three", "three # gitops-ci:ignore schema/type -- filled in by a generator")})
    ran = run("validate", "--output", "json")
    assert [line for _, line, _ in rules(ran)] == [13]
    assert ran.document["summary"]["suppressed"] == 1


@pytest.mark.parametrize(
    "comment",
    ["gitops-ci: ignore", "gitops-ci: ignore=schema/*", "gitops-ci:ignore schema/type, api/x -- it is generated"],
)
def test_ways_to_write_a_comment(run, tree, comment):
    tree({"a.yaml": BAD.replace("three", f"three # {comment}").replace("imag:", "image:")})
    assert run("validate").code == 0
    tree({"a.yaml": BAD.replace("three", "three # gitops-ci: ignore api/other").replace("imag:", "image:")})
    assert run("validate").code == 1


def test_options_and_the_configuration_accept_findings(run, tree):
    tree({"dev/a.yaml": BAD, "prod/a.yaml": BAD})
    ran = run("validate", "--ignore", "schema/* path=dev/* kind=Deployment", "--output", "json")
    assert {path for path, _, _ in rules(ran)} == {"prod/a.yaml"}
    assert ran.document["summary"]["suppressed"] == 2
    tree({".gitops-ci.yaml": "validate:\n  ignore: ['schema/* path=dev/*', 'schema/* path=prod/* name=shop']\n"})
    assert run("validate").code == 0
    assert run("validate", "--ignore", "schema").code == 2
    assert run("validate", "--ignore", "schema/* color=red").code == 2


def test_images_are_looked_up_when_asked(run, tree, open_registry):
    host = open_registry.host
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec:\n  containers:\n    - name: c\n      image: "
    tree(
        {
            "a.yaml": f"{pod}{host}/shop:9.9.9\n".replace("NAME", "a"),
            "b.yaml": f"{pod}127.0.0.1:1/shop:1.0.0\n".replace("NAME", "b"),
        }
    )
    assert run("validate").code == 0
    ran = run("validate", "--check-images", "--insecure", host, "--output", "json")
    assert (ran.code, rules(ran)) == (1, [("a.yaml", 7, "repo/image-not-found")])
    assert [one["path"] for one in ran.document["skipped"]] == ["127.0.0.1:1/shop:1.0.0"]
    assert run("validate", "--check-images", "--offline").code == 0


def test_resources_without_a_schema_are_told(run, tree):
    tree({"a.yaml": "apiVersion: acme.example/v1\nkind: Widget\nmetadata: {name: w}\n"})
    assert run("validate").code == 8  # nothing was judged
    tree({"b.yaml": GOOD.format(name="b")})
    ran = run("validate", "--output", "json")
    assert ran.code == 0
    assert "acme.example/v1" in json.dumps(ran.document["skipped"])
    assert run("validate", "--missing-schema", "fail").code == 1


def test_a_kustomization_is_built_and_its_findings_point_into_its_files(run, tree, tool):
    tool("kubectl")
    tree(
        {
            "base/kustomization.yaml": "resources: [deployment.yaml]\n",
            "base/deployment.yaml": BAD.replace("three", "3"),
            "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]\nnamePrefix: prod-\n",
            "prod/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {replicas: 2}\n",
        }
    )
    ran = run("validate", "--output", "json")
    assert ran.code == 1
    assert [(path, line) for path, line, _ in rules(ran)] == [
        ("base/deployment.yaml", 12),
        ("base/deployment.yaml", 13),
    ]
    assert ran.document["summary"]["rendered"] == 1
    assert run("validate", "--render", "none").code == 1


def test_a_patch_is_one_whether_anything_is_rendered_or_not(run, tree):
    tree(
        {
            "base/kustomization.yaml": "resources: [deployment.yaml]\n",
            "base/deployment.yaml": GOOD.format(name="shop"),
            "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]\n",
            "prod/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {replicas: 2}\n",
        }
    )
    ran = run("validate", "--render", "none", "--output", "json")
    assert ran.code == 0, ran.out
    assert ("prod/patch.yaml", "a part of prod/kustomization.yaml, not a manifest of its own") in [
        (skip["path"], skip["reason"]) for skip in ran.document["skipped"]
    ]


def test_descriptions_are_checked_and_comments_in_them_count(run, tree):
    tree({"k8s/kustomization.yaml": "resources: [a.yaml]\nimages: [{name: a, newTag: 1.0}]\n"})
    tree({"k8s/a.yaml": GOOD.format(name="a"), "chart/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.10\n"})
    tree({"fleet/fleet.yaml": "helm: {valuesFiles: [gone.yaml]}\n"})
    ran = run("validate", "--output", "json")
    assert rules(ran) == [
        ("chart/Chart.yaml", 3, "gitops/field"),
        ("fleet/fleet.yaml", 1, "gitops/missing-path"),
        ("k8s/kustomization.yaml", 2, "gitops/field"),
    ]
    tree({"k8s/kustomization.yaml": "resources: [a.yaml]\nimages: [{name: a, newTag: 1.0}] # gitops-ci: ignore\n"})
    ran = run("validate", "k8s", "--output", "json")
    assert (ran.code, ran.document["summary"]["suppressed"]) == (0, 1)


def test_a_patch_alone_is_no_manifest(run, tree, tool):
    tool()
    tree(
        {
            "kustomization.yaml": "resources: [a.yaml]\npatches: [{path: patch.yaml}]\n",
            "a.yaml": GOOD.format(name="a"),
            "patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {replicas: 2}\n",
        }
    )
    ran = run("validate", "--output", "json")
    assert (ran.code, rules(ran)) == (0, [])


def test_a_missing_renderer_is_told_once(run, tree, tool):
    tool()
    for name in ("a", "b"):
        tree({f"{name}/kustomization.yaml": "resources: [cm.yaml]\n", f"{name}/cm.yaml": GOOD.format(name=name)})
    ran = run("validate", "--output", "json")
    told = [one for one in ran.document["skipped"] if "not installed" in one["reason"]]
    assert (ran.code, len(told)) == (0, 1)
    assert ran.document["summary"]["documents"] == 2  # judged as they are written


def test_what_a_kustomization_names_must_be_there(run, tree, tool):
    tool("kubectl")
    tree({"kustomization.yaml": "resources:\n  - a.yaml\n  - b.yaml\nnamespce: x\n", "a.yaml": GOOD.format(name="a")})
    ran = run("validate", "--output", "json")
    assert rules(ran) == [
        ("kustomization.yaml", 3, "gitops/missing-path"),
        ("kustomization.yaml", 4, "gitops/unknown-field"),
    ]


def test_a_build_that_fails_is_a_finding(run, tree, tool):
    tool("kubectl")
    patch = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n"
    tree(
        {
            "kustomization.yaml": "resources: [a.yaml]\npatchesStrategicMerge: [patch.yaml]\n",
            "a.yaml": GOOD.format(name="a"),
            "patch.yaml": patch,
        }
    )
    ran = run("validate", "--output", "json")
    assert (ran.code, [rule for _, _, rule in rules(ran)]) == (1, ["gitops/kustomize-build"])


def test_kustomizations_that_include_each_other_are_found_out(run, tree, tool):
    tool("kubectl")
    tree({"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"})
    ran = run("validate", "--output", "json")
    assert {path for path, _, _ in rules(ran)} == {"a/kustomization.yaml", "b/kustomization.yaml"}


def test_many_ways_to_the_same_base_cost_nothing(run, tree, tool):
    tool()
    depth = 40
    for level in range(depth):
        both = "resources: []\n" if level == depth - 1 else f"resources: [../{level + 1}x, ../{level + 1}y]\n"
        tree({f"{level}x/kustomization.yaml": both, f"{level}y/kustomization.yaml": both})
    assert run("validate", "--allow-empty").code == 0


@pytest.mark.parametrize(
    "more",
    [
        "resources: ['https://github.com/acme/base?ref=v1', a.yaml]\n",
        "resources: [a.yaml]\nconfigMapGenerator: [{name: b, files: ['b.json=https://example.com/acme/base.json']}]\n",
    ],
)
def test_a_remote_base_or_file_is_not_fetched_unless_allowed(run, tree, tool, more):
    tool("kubectl")
    tree({"kustomization.yaml": more, "a.yaml": GOOD.format(name="a")})
    ran = run("validate", "--output", "json")
    assert ran.code == 0
    (told,) = [one for one in ran.document["skipped"] if "acme/base" in one["reason"]]
    assert "--allow-remote" in told["hint"]


def test_a_renderer_sees_no_token(run, tree, tmp_path, monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bin")
    (folder / "kustomize").write_text(f"#!/bin/sh\n/usr/bin/env > {tmp_path}/seen\n")
    (folder / "kustomize").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    tree({"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": GOOD.format(name="a")})
    run("validate", "--allow-empty", environment={"GITHUB_TOKEN": "ghp_secret", "AWS_SECRET_ACCESS_KEY": "hidden"})
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "ghp_secret" not in seen
    assert "hidden" not in seen


CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "chart/values.yaml": "replicas: 2\n",
    "chart/templates/deployment.yaml": BAD.replace("three", "{{ .Values.replicas }}").replace("imag:", "image:"),
    "chart/templates/_helpers.tpl": '{{- define "x" }}{{ end }}\n',
}


def test_a_chart_is_templated(run, tree, tool):
    tool("helm")
    tree(CHART)
    assert run("validate").code == 0
    tree({"chart/values.yaml": "replicas: two\n"})
    ran = run("validate", "--output", "json")
    assert ran.code == 1
    assert {path for path, _, _ in rules(ran)} == {"chart/templates/deployment.yaml"}


def test_templates_of_a_chart_are_no_manifests(run, tree, tool):
    tool()
    tree({**CHART, "a.yaml": GOOD.format(name="a")})
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["summary"]["documents"]) == (0, 1)


def test_a_chart_with_a_link_out_of_it_is_not_templated(run, tree, tool, tmp_path):
    tool("helm")
    tree({**CHART, "secret.yaml": GOOD.format(name="a")})
    (tmp_path / "chart/templates/link.yaml").symlink_to("/etc/hostname")
    ran = run("validate", "--output", "json")
    assert [one["path"] for one in ran.document["skipped"] if "leads out" in one["reason"]] == ["chart/Chart.yaml"]


@pytest.fixture
def repository(tmp_path, tree):
    tree({f"team-{name}/cm.yaml": GOOD.format(name=name) for name in "abcd"})
    tree({"team-a/broken.yaml": BAD})
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=Files")
    git(tmp_path, "checkout", "--quiet", "-b", "change")
    return tmp_path


def test_only_what_a_change_reaches(run, tree, repository):
    ran = run("validate", "--changed-since", "main", "--output", "json")
    assert (ran.code, ran.document["summary"]["documents"]) == (0, 0)
    tree({"team-b/new.yaml": BAD})
    ran = run("validate", "--changed-since", "main", "--output", "json")
    assert ran.code == 1
    assert {path for path, _, _ in rules(ran)} == {"team-b/new.yaml"}
    git(repository, "rm", "--quiet", "team-c/cm.yaml")
    assert run("validate", "--changed-since", "nowhere").code == 2
    assert run("validate", "--changed-since", "--help").code == 2


def test_a_change_of_a_base_reaches_what_is_built_on_it(run, tree, tool, repository):
    tool("kubectl", "git")
    tree(
        {
            "base/kustomization.yaml": "resources: [cm.yaml]\n",
            "base/cm.yaml": GOOD.format(name="base"),
            "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\n",
        }
    )
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=Base")
    git(repository, "branch", "--force", "main")
    tree({"base/cm.yaml": GOOD.format(name="changed")})
    ran = run("validate", "--changed-since", "main", "--output", "json")
    assert ran.document["summary"]["rendered"] == 1


def test_shares_cover_everything_once(run, repository):
    whole = run("validate", "--output", "json").document
    parts = [run("validate", "--shard", f"{number}/3", "--output", "json").document for number in (1, 2, 3)]
    assert sum(part["summary"]["documents"] for part in parts) == whole["summary"]["documents"]
    assert [one for part in parts for one in part["findings"]] == whole["findings"]
    assert run("validate", "--shard", "4/3").code == 2


PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {replicas: 2}\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "acme/shop:1"}]}
"""
SOURCE = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: SOURCE}\nspec: {}\n"
FOLLOWER = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\n"


@pytest.fixture
def overlays(tree):
    """Four overlays of one base, each with a patch; sources of Flux in one folder, their users in others."""
    tree({"base/kustomization.yaml": "resources: [deployment.yaml]\n", "base/deployment.yaml": DEPLOYMENT})
    for name in "abcd":
        kustomization = "resources: [../../base]\npatches: [{path: patch.yaml}]\n"
        tree({f"o/{name}/kustomization.yaml": kustomization, f"o/{name}/patch.yaml": PATCH})
        reference = f"spec: {{path: ./base, sourceRef: {{kind: GitRepository, name: {name}}}}}\n"
        tree({f"s/{name}.yaml": SOURCE.replace("SOURCE", name), f"f/{name}/x.yaml": FOLLOWER + reference})
    tree({"f/e/x.yaml": FOLLOWER + "spec: {path: ./base, sourceRef: {kind: GitRepository, name: aa}}\n"})


@pytest.mark.parametrize("renderer", ["kubectl", None])
def test_shares_say_what_the_whole_says(run, tool, overlays, renderer):
    tool(*filter(None, [renderer]))
    whole = run("validate", "--output", "json").document
    assert {found["rule"] for found in whole["findings"]} == {"gitops/field", "gitops/missing-source"}
    for total in (2, 5, 9):
        parts = [run("validate", "--shard", f"{one}/{total}", "--output", "json") for one in range(1, total + 1)]
        findings = [found for part in parts for found in part.document["findings"]]
        assert sorted(findings, key=str) == sorted(whole["findings"], key=str)
        skipped = {skip["path"] for part in parts for skip in part.document["skipped"] if skip["line"]}
        assert skipped == {skip["path"] for skip in whole["skipped"] if skip["line"]}
        for name in ("documents", "rendered"):
            assert sum(part.document["summary"][name] for part in parts) == whole["summary"][name]


def test_a_change_is_judged_with_what_it_refers_to(run, tree, tool, overlays, tmp_path):
    tool("kubectl", "git")
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=Files")
    tree({"o/a/patch.yaml": PATCH.replace("2", "3")})
    ran = run("validate", "--changed-since", "main", "--output", "json")
    assert (ran.code, ran.document["findings"]) == (0, [])
    assert ran.document["summary"]["rendered"] == 1
    tree({"f/a/x.yaml": FOLLOWER + "spec: {path: ./base, sourceRef: {kind: GitRepository, name: b}}\n"})
    ran = run("validate", "--changed-since", "main", "--output", "json")
    assert "gitops/missing-source" not in {found["rule"] for found in ran.document["findings"]}


def test_auto_follows_pull_requests_and_merge_queues(run, tree, repository, tmp_path):
    base = git(repository, "rev-parse", "HEAD").strip()
    for name in "bcd":  # a queue that rebases lays all commits of a pull request on the target
        tree({f"team-{name}/new.yaml": BAD})
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", f"--message={name}")
    head = git(repository, "rev-parse", "HEAD").strip()
    event = tmp_path.parent / "event.json"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": head, "GITHUB_EVENT_PATH": str(event)}

    def broken(name, payload, more=()):
        event.write_text(json.dumps(payload))
        environment = github | {"GITHUB_EVENT_NAME": name} | dict(more)
        ran = run("validate", "--changed-since", "auto", "--output", "json", environment=environment)
        return {path for path, _, _ in rules(ran)}

    added = {f"team-{name}/new.yaml" for name in "bcd"}
    assert broken("merge_group", {"merge_group": {"base_sha": base}}) == added
    target = {"pull_request": {"base": {"sha": base}}}
    assert broken("pull_request", target, {"GITHUB_SHA": "e" * 40}.items()) == added  # its merge is not in the checkout
    git(repository, "checkout", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--message=Merge", "change")
    merge = git(repository, "rev-parse", "HEAD").strip()
    assert broken("pull_request", {}, {"GITHUB_SHA": merge}.items()) == added
    assert broken("push", {}) == {*added, "team-a/broken.yaml"}
    train = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    ran = run("validate", "--changed-since", "auto", "--output", "json", environment=train)
    assert {path for path, _, _ in rules(ran)} == added


def test_what_cannot_be_read_fails_the_job_it_belongs_to(run, repository):
    (repository / "team-d" / "latin.yaml").write_bytes(b"a: \xe9")
    codes = [run("validate", "--shard", f"{one}/4", "--skip-rules", "*").code for one in (1, 2, 3, 4)]
    assert sorted(codes) == [0, 0, 0, 1]
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=Latin")
    git(repository, "branch", "--force", "main")
    assert run("validate", "--changed-since", "main").code == 0


def test_a_job_of_a_parallel_matrix_takes_its_share(run, repository):
    counts = [
        run("validate", "--output", "json", environment={"CI_NODE_INDEX": str(one), "CI_NODE_TOTAL": "2"}).document
        for one in (1, 2)
    ]
    assert sum(one["summary"]["documents"] for one in counts) == 5


def test_variables_are_filled_in(run, tree):
    tree({"a.yaml": BAD.replace("three", "${REPLICAS}").replace("imag:", "image:")})
    assert run("validate").code == 1
    assert run("validate", "--substitute", "REPLICAS=3").code == 0
    assert run("validate", "--substitute", "REPLICAS").code == 2


def test_many_files_are_judged_alike_in_many_processes(monkeypatch):
    filler = "".join(f"  key-{number}: some text that makes this long\n" for number in range(200))
    files = []
    for number in range(3 * 1024 * 1024 // len(filler)):
        text = GOOD.format(name=f"cm-{number % 7}") + filler
        files.append((f"{number % 13}/{number}.yaml", BAD if number % 50 == 0 else text))
    many = check(files)
    assert len(many.findings) > 100
    monkeypatch.setattr("gitops_ci.validation.run._WORTH_SHARING", sys.maxsize)
    assert check(reversed(files)) == many


def test_a_file_with_an_absolute_path_outside_of_a_repository(run, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    file = tmp_path / "map.yaml"
    file.write_text(GOOD.format(name="one"))
    assert run("validate", str(file), "--output", "json").document["summary"]["valid"] == 1
