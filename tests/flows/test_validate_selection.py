"""What `validate` checks, and what ends it with 1: excluded and ignored files, kinds, `--fail-on`."""

from __future__ import annotations

import pytest

from tests.flows.test_validate import BAD, GOOD
from tests.support.workspace import git

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
MUTABLE = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: "ghcr.io/acme/web:latest"}]}
"""
UNKNOWN = "apiVersion: acme.example/v1\nkind: Backup\nmetadata: {name: b}\n"


@pytest.fixture
def found(run):
    """The exit code and the paths of all findings."""

    def call(*arguments: str, **more) -> tuple[int, list[str]]:
        ran = run("validate", *arguments, "--output", "json", **more)
        return ran.code, sorted({one["path"] for one in ran.document["findings"]})

    return call


def test_excluded_files_are_not_checked(found, tree):
    tree({"a.yaml": BAD, "legacy/b.yaml": BAD, "apps/gen/c.yaml": BAD, "apps/ok.yaml": GOOD.format(name="ok")})
    assert found("--exclude", "legacy", "--exclude", "**/gen/**") == (1, ["a.yaml"])
    assert found("--exclude", "legacy/", "apps", "legacy", "--exclude", "apps/gen") == (0, [])
    assert found(environment={"GITOPS_CI_EXCLUDE": "legacy a.yaml"}) == (1, ["apps/gen/c.yaml"])
    assert found("--exclude", "**")[0] == 8


def test_an_exclusion_is_written_into_the_file(found, tree, run):
    tree({"a.yaml": GOOD.format(name="a"), "legacy/b.yaml": BAD})
    tree({".gitops-ci.yaml": "exclude: [legacy/**]\n"})
    assert found() == (1, ["legacy/b.yaml"]), "the key of the top level is about bumps"
    tree({".gitops-ci.yaml": "validate: {exclude: [legacy/**]}\n"})
    assert found() == (0, [])
    assert found("--exclude", "a.yaml") == (1, ["legacy/b.yaml"])
    assert run("plan", "--output", "json").document["summary"]["files"] == 1


@pytest.mark.parametrize("glob", ["../x", "/etc/**", "a/.git/b"])
def test_a_glob_that_can_match_nothing_is_a_mistake(found, tree, glob):
    tree({"a.yaml": GOOD.format(name="a")})
    assert found("--exclude", glob) == (2, [])


def test_what_an_excluded_file_describes_is_not_rendered(tool, found, tree):
    tool("kubectl")
    broken = {"old/kustomization.yaml": "resources: [gone.yaml]\n", "base/d.yaml": BAD}
    tree(
        {"base/kustomization.yaml": "resources: [d.yaml]\n", "app/kustomization.yaml": "resources: [../base]\n"}
        | broken
    )
    assert found() == (1, ["base/d.yaml", "old/kustomization.yaml"])
    assert found("--exclude", "old") == (1, ["base/d.yaml"])
    assert found("--exclude", "old", "--exclude", "app") == (1, ["base/d.yaml"]), "the base is rendered by itself"
    code, paths = found("--exclude", "old", "--exclude", "base")
    assert (code, paths) == (0, []), "what is found in an excluded file of a rendering is not wanted"


def test_files_that_git_ignores_are_no_manifests(found, tree, tmp_path, run):
    tree({".gitignore": "build/\n*.gen.yaml\n", "a.yaml": GOOD.format(name="a"), "tracked.gen.yaml": BAD})
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--force", ".")
    tree({"build/x/b.yaml": BAD, "c.gen.yaml": BAD, "new.yaml": BAD})
    assert found() == (1, ["new.yaml", "tracked.gen.yaml"])
    skipped = {one["path"]: one["reason"] for one in run("validate", "--output", "json").document["skipped"]}
    assert skipped == dict.fromkeys(("build", "c.gen.yaml"), "ignored by Git, so no operator gets it")
    # What is named is meant.
    assert found("build") == (1, ["build/x/b.yaml"])
    assert found("build/x") == (1, ["build/x/b.yaml"])
    assert found("c.gen.yaml") == (1, ["c.gen.yaml"])


def test_a_folder_of_a_repository_ignores_what_its_root_says(found, tree, tmp_path, monkeypatch):
    tree({".gitignore": "*.gen.yaml\n", "apps/a.yaml": GOOD.format(name="a"), "apps/b.gen.yaml": BAD})
    git(tmp_path, "init", "--quiet")
    assert found("apps") == (0, [])
    monkeypatch.chdir(tmp_path / "apps")
    assert found() == (0, [])


def test_ignored_files_can_be_rendered(tool, found, tree, tmp_path):
    """CI fetches a chart's dependencies into an ignored folder before it validates."""
    tool("git", "kubectl", "helm")
    lib = {"web/charts/lib/Chart.yaml": CHART.replace("web", "lib"), "web/charts/lib/templates/c.yaml": BAD}
    tree({".gitignore": "charts/\n", "web/Chart.yaml": f"{CHART}dependencies: [{{name: lib, version: 1.0.0}}]\n"} | lib)
    git(tmp_path, "init", "--quiet")
    assert found()[0] == 1


def test_copies_of_other_projects_are_left_out_and_told_once(found, tree, run):
    tree({"a.yaml": GOOD.format(name="a"), "vendor/k8s.io/testdata/b.yaml": BAD, "vendor/c.yaml": BAD})
    assert found() == (0, [])
    skipped = run("validate", "--output", "json").document["skipped"]
    assert [(one["path"], "copies of other projects" in one["reason"]) for one in skipped] == [("vendor", True)]
    assert found("--fail-on", "skipped")[0] == 0
    assert found("vendor") == (1, ["vendor/c.yaml", "vendor/k8s.io/testdata/b.yaml"])


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        *(("Deployment", 0), ("apps/v1/Deployment", 0), ("Deployment.apps", 0), ("Deploy*", 0)),
        *(("Secret", 1), ("deployment", 1), ("Deployment.batch", 1), ("v1/Deployment", 1)),
    ],
)
def test_objects_of_a_kind_are_not_checked(found, tree, kind, code):
    tree({"a.yaml": BAD, "b.yaml": GOOD.format(name="b")})
    assert found("--skip-kind", kind)[0] == code


def test_kinds_are_left_out_everywhere(run, tree):
    tree({".gitops-ci.yaml": "validate: {skip-kinds: [Pod, Backup]}\n"})
    listed = f"apiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: Pod, spec: 1}}\n---\n{UNKNOWN}"
    tree({"a.yaml": MUTABLE, "b.yaml": MUTABLE, "c.yaml": listed, "d.yaml": GOOD.format(name="d")})
    ran = run("validate", "--fail-on", "skipped,warning", "--output", "json")
    assert (ran.code, ran.document["findings"]) == (0, [])
    reasons = [one["reason"] for one in ran.document["skipped"]]
    assert reasons == ["Pod: left out by --skip-kind", "Backup: left out by --skip-kind"], "each kind is told once"


def test_objects_that_are_left_out_can_be_referred_to(run, tree):
    source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: web, namespace: a}\n"
    release = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a, namespace: a}\n"
        "spec: {interval: 1m, prune: true, sourceRef: {kind: GitRepository, name: NAME}}\n"
    )
    spec = "spec: {interval: 1m, url: 'https://example.com/acme/web'}\n"
    tree({"a.yaml": release.replace("NAME", "web"), "b.yaml": source + spec})

    def rules():
        ran = run("validate", "--skip-kind", "GitRepository", "--output", "json")
        return [one["rule"] for one in ran.document["findings"]]

    assert rules() == []
    tree({"a.yaml": release.replace("NAME", "gone")})
    assert "gitops/missing-source" in rules()


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        (MUTABLE, (), 0),
        (MUTABLE, ("warning",), 1),
        (MUTABLE, ("error",), 0),
        (MUTABLE, ("skipped", "held", "drift", "change"), 0),
        (MUTABLE, ("repo/mutable-tag",), 1),
        (MUTABLE, ("repo/*",), 1),
        (MUTABLE, ("gitops/*",), 0),
        (UNKNOWN, (), 0),
        (UNKNOWN, ("warning",), 0),
        (UNKNOWN, ("skipped",), 1),
        (UNKNOWN, ("warning,skipped",), 1),
        (BAD, ("skipped",), 1),
        ("{a: b}\n", ("skipped",), 0),
    ],
)
def test_what_fails_a_run(run, tree, text, words, code):
    tree({"a.yaml": text, "b.yaml": GOOD.format(name="b")})
    options = [option for word in words for option in ("--fail-on", word)]
    assert run("validate", *options).code == code
    assert run("validate", environment={"GITOPS_CI_FAIL_ON": " ".join(words)}).code == code
    tree({".gitops-ci.yaml": f"validate: {{fail-on: [{', '.join(words)}]}}\n"})
    assert run("validate").code == code


def test_findings_of_a_rule_that_fails_are_errors_in_reports(run, tree):
    tree({"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": GOOD.format(name="a"), "b.yaml": MUTABLE})
    ran = run("validate", "--fail-on", "gitops/not-deployed", "--output", "json", "--report", "github=r.txt")
    assert ran.code == 1
    assert [(one["rule"], one["severity"]) for one in ran.document["findings"]] == [("gitops/not-deployed", "error")]


def test_a_skip_that_fails_is_told_as_an_error(run, tree):
    tree({"a.yaml": UNKNOWN, "b.yaml": GOOD.format(name="b"), "c.yaml": "on: push\n"})
    ran = run("validate", "--fail-on", "skipped", "--output", "json")
    assert [(one["path"], one["failed"]) for one in ran.document["skipped"]] == [("a.yaml", True), ("c.yaml", False)]
    assert ran.document["error"]["message"] == "1 place could not be checked"


@pytest.mark.parametrize(
    ("word", "message"),
    [("skiped", "--fail-on does not accept 'skiped'"), ("repo/mutable", "There is no rule 'repo/mutable'")],
)
def test_a_word_that_means_nothing_is_a_mistake(run, tree, word, message):
    tree({"a.yaml": GOOD.format(name="a")})
    ran = run("validate", "--fail-on", word, "--output", "json")
    assert (ran.code, ran.document["error"]["message"].startswith(message)) == (2, True)


def test_a_part_is_no_skip_that_fails(tool, run, tree):
    """A patch, a component that something includes, a library chart: they are judged where they are used, if at all."""
    tool("kubectl", "helm")
    tree({"app/kustomization.yaml": "resources: [d.yaml]\npatches: [{path: p.yaml}]\ncomponents: [../part]\n"})
    tree({"app/d.yaml": GOOD.format(name="d"), "app/p.yaml": GOOD.format(name="d")})
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {a: b}\n"
    tree({"part/kustomization.yaml": component, "other/kustomization.yaml": component})
    tree({"lib/Chart.yaml": f"{CHART}type: library\n"})
    ran = run("validate", "--fail-on", "skipped", "--output", "json")
    assert (ran.code, ran.document["findings"]) == (0, [])
    assert ran.document["skipped"]


def test_a_remote_base_is_a_skip_that_fails(tool, run, tree):
    tool("kubectl", "helm")
    tree({"kustomization.yaml": "resources: ['https://github.com/acme/x?ref=v1', a.yaml]\n"})
    tree({"a.yaml": GOOD.format(name="a")})
    assert run("validate").code == 0
    assert run("validate", "--fail-on", "skipped").code == 1


def test_changed_files_are_checked_with_what_they_affect(tool, found, tree, run):
    tool("kubectl")
    overlay = {"overlays/a/kustomization.yaml": "resources: [../../base]\nnamePrefix: a-\n"}
    overlay |= {"base/kustomization.yaml": "resources: [d.yaml]\n", "base/d.yaml": BAD, "other/e.yaml": BAD}
    tree({**overlay, "apps/f.yaml": GOOD.format(name="f")})
    assert found("apps/f.yaml", "--changed")[0] == 0
    assert found("./base/d.yaml", "--changed") == (1, ["base/d.yaml"])
    assert found("--changed")[0] == 0, "nothing changed"
    assert run("validate", "--changed", "--changed-since", "HEAD").code == 2


def test_an_error_before_the_command_names_the_whole_command(run):
    assert run("config", "show", "--nonsense", "--output", "json").document["command"] == "config show"
    assert run("validate", "--nonsense", "--output", "json").document["command"] == "validate"
