"""`gitops-ci bump` from the command line to a real repository; plain Git, or pushes straight to the branch."""

import json
import os
import tomllib
from collections import Counter

import pytest

from gitops_ci import yamltext
from tests.support import CHECKOUT
from tests.support.git_repo import commit_files, make_repo, read_folder
from tests.support.manifests import LIMITED

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: shop
          image: "ghcr.io/acme/shop:1.4.1"   # bumped by CI
        - name: worker
          image: ghcr.io/acme/shop-worker:1.4.1
"""
KUSTOMIZATION = """\
resources: [../../base]
images:
  - name: ghcr.io/acme/shop
    newTag: "1.4.1"
"""
FILES = {
    "base/deployment.yaml": DEPLOYMENT,
    "overlays/staging/kustomization.yaml": KUSTOMIZATION,
    "overlays/production/kustomization.yaml": KUSTOMIZATION,
    "README.md": "ghcr.io/acme/shop:1.4.1\n",
}
IMAGE = "ghcr.io/acme/shop:1.5.0"
HEAD = "gitops-ci/all/ghcr.io-acme-shop"


@pytest.fixture
def repo(tmp_path):
    return make_repo(tmp_path / "config.git", FILES)


@pytest.fixture
def bump(run, repo):
    def call(image=IMAGE, *more, **settings):
        return run("bump", image, "--config-repo", repo.path, *more, **settings)

    return call


def test_dry_run_prints_the_diff_and_changes_nothing(bump, repo):
    before = repo.head()
    ran = bump(IMAGE, "--mode", "dry-run")
    assert ran.code == 0, ran.err
    assert '-          image: "ghcr.io/acme/shop:1.4.1"   # bumped by CI' in ran.out
    assert '+          image: "ghcr.io/acme/shop:1.5.0"   # bumped by CI' in ran.out
    assert repo.head() == before
    assert repo.branches() == ["main"]


def test_push_mode_changes_exactly_the_image_and_says_so(bump, repo):
    ran = bump(IMAGE, "--mode", "push", "--output", "json")
    assert ran.code == 0, ran.err
    document = ran.document
    assert document["status"] == "changed"
    assert [(c["path"], c["line"], c["old"], c["new"]) for c in document["changes"]] == [
        ("base/deployment.yaml", 14, "ghcr.io/acme/shop:1.4.1", "ghcr.io/acme/shop:1.5.0"),
        ("overlays/production/kustomization.yaml", 4, "1.4.1", "1.5.0"),
        ("overlays/staging/kustomization.yaml", 4, "1.4.1", "1.5.0"),
    ]
    assert document["commit"] == {"sha": repo.head(), "branch": "main"}
    assert document["pull_request"] is None
    after = {path: text.replace("shop:1.4.1", "shop:1.5.0") for path, text in FILES.items()} | {
        name: text.replace('"1.4.1"', '"1.5.0"') for name, text in FILES.items() if "kustomization" in name
    }
    after["README.md"] = FILES["README.md"]
    assert repo.files() == {path: text.encode() for path, text in after.items()}


def test_a_second_push_has_nothing_to_do(bump, repo):
    bump(IMAGE, "--mode", "push")
    tip = repo.head()
    ran = bump(IMAGE, "--mode", "push", "--output", "json")
    assert (ran.code, ran.document["status"], ran.document["changes"]) == (0, "unchanged", [])
    assert repo.head() == tip


def test_the_commit_carries_trailers(bump, repo):
    environment = {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.example/acme/shop",
        "CI_COMMIT_SHA": "c" * 40,
        "CI_COMMIT_BRANCH": "main",
        "CI_JOB_URL": "https://gitlab.example/acme/shop/-/jobs/7",
    }
    bump(IMAGE, "--mode", "push", environment=environment)
    trailers = repo.git("log", "-1", "--format=%(trailers:only,unfold)").splitlines()
    assert "Image: ghcr.io/acme/shop:1.5.0" in trailers
    assert "Previous-Image: ghcr.io/acme/shop:1.4.1" in trailers
    assert "Source-Repository: https://gitlab.example/acme/shop" in trailers
    assert f"Source-Commit: {'c' * 40}" in trailers
    assert "Pipeline-URL: https://gitlab.example/acme/shop/-/jobs/7" in trailers


def test_plain_git_gets_a_branch_and_the_text_of_the_pull_request(bump, repo):
    ran = bump(IMAGE, "--forge", "git")
    assert ran.code == 0, ran.err
    assert repo.branches() == [HEAD, "main"]
    assert repo.count(HEAD) == 2
    assert "Bump shop to 1.5.0" in ran.out
    assert "| `base/deployment.yaml:14` | `Deployment/shop` |" in ran.out


def test_the_same_again_keeps_the_branch_and_a_newer_image_moves_it(bump, repo):
    bump(IMAGE, "--forge", "git")
    tip = repo.head(HEAD)
    again = bump(IMAGE, "--forge", "git", "--output", "json").document
    assert (again["status"], repo.head(HEAD)) == ("unchanged", tip)
    newer = bump("ghcr.io/acme/shop:1.6.0", "--forge", "git", "--output", "json").document
    assert newer["status"] == "changed"
    assert repo.count(HEAD) == 2
    assert b"shop:1.6.0" in repo.read("base/deployment.yaml", HEAD)


def test_an_older_image_replaces_neither_what_runs_nor_what_is_proposed(bump, repo):
    refused = bump("ghcr.io/acme/shop:1.4.0", "--mode", "push")
    assert refused.code == 1
    assert "--allow-downgrade" in refused.out
    bump("ghcr.io/acme/shop:1.6.0", "--forge", "git")
    tip = repo.head(HEAD)
    late = bump(IMAGE, "--forge", "git")
    assert (late.code, repo.head(HEAD)) == (1, tip)
    assert "proposes a newer image already" in late.out
    meant = bump("ghcr.io/acme/shop:1.4.0", "--mode", "push", "--allow-downgrade")
    assert meant.code == 0
    assert b"shop:1.4.0" in repo.read("base/deployment.yaml")


def test_somebody_elses_commit_on_the_branch_is_never_overwritten(bump, repo):
    bump(IMAGE, "--forge", "git")
    theirs = commit_files(repo, {"notes": "mine"}, branch=HEAD)
    ran = bump("ghcr.io/acme/shop:1.6.0", "--forge", "git")
    assert ran.code == 5
    assert "did not make" in ran.out
    assert repo.head(HEAD) == theirs


def test_a_base_that_moved_is_followed(bump, repo):
    bump(IMAGE, "--forge", "git")
    commit_files(repo, {"base/deployment.yaml": DEPLOYMENT.replace("name: shop\nspec", "name: shop2\nspec")})
    bump(IMAGE, "--forge", "git")
    assert repo.git("rev-parse", f"{HEAD}^") == repo.head()
    assert b"shop:1.5.0" in repo.read("base/deployment.yaml", HEAD)


def test_an_environment_without_definition_is_its_folder(bump, repo):
    ran = bump(IMAGE, "--mode", "push", "--environment", "staging", "--output", "json")
    assert [change["path"] for change in ran.document["changes"]] == ["overlays/staging/kustomization.yaml"]


def test_the_config_repositorys_own_environments_count(bump, repo):
    commit_files(repo, {".gitops-ci.yaml": "environments:\n  live: {paths: ['overlays/production/**'], mode: push}\n"})
    ran = bump(IMAGE, "--environment", "live", "--output", "json")
    assert ran.code == 0, ran.out
    assert ran.document["commit"]["branch"] == "main"
    assert [change["path"] for change in ran.document["changes"]] == ["overlays/production/kustomization.yaml"]
    unknown = bump(IMAGE, "--environment", "life")
    assert unknown.code == 2
    assert "did you mean 'live'" in unknown.out
    assert "Known environments: live" in unknown.out


def test_a_bump_without_an_environment_lists_those_that_it_changes(bump, repo):
    layout = "environments:\n  live: {paths: ['overlays/production/**']}\n  dev: {base: dev}\n  staging: {base: main}\n"
    assert "No environment is named" not in bump(IMAGE, "--mode", "dry-run").err
    commit_files(repo, {".gitops-ci.yaml": layout})
    assert "No environment is named: all are changed (live, staging)." in bump(IMAGE, "--mode", "dry-run").err
    assert "No environment is named" not in bump(IMAGE, "--mode", "dry-run", "--environment", "live").err
    assert "No environment is named" not in bump(IMAGE, "--mode", "dry-run", "--path", "overlays/**").err


def test_the_number_of_skips_is_that_of_the_listed_ones(bump, repo):
    parts = {
        "base/kustomization.yaml": "resources: [deployment.yaml]\nimages: [{name: ghcr.io/acme/shop, newTag: 1.4.1}]\n"
    }
    commit_files(repo, parts | {"base/deployment.yaml": DEPLOYMENT.replace("shop:1.4.1", "shop")})
    ran = bump(IMAGE, "--mode", "dry-run", "--output", "json").document
    assert ran["skipped"]
    assert ran["summary"]["skipped"] == len(ran["skipped"])


def test_options_of_a_pull_request_are_not_dropped_in_silence(bump):
    pushed = bump(IMAGE, "--mode", "push", "--reviewer", "ada", "--draft", "--environment", "staging")
    assert "warning: --reviewer, --draft has no effect with --mode push" in pushed.err
    assert "has no effect" not in bump(IMAGE, "--reviewer", "ada", "--forge", "git").err


def test_flag_beats_environment_variable_beats_file(run, repo, tmp_path):
    commit_files(repo, {"x": "1"}, branch="one", parent="main")
    commit_files(repo, {"x": "1"}, branch="two", parent="main")
    commit_files(repo, {"x": "1"}, branch="three", parent="main")
    (tmp_path / ".gitops-ci.yaml").write_text(f"config-repo: {repo.path}\nmode: push\nbase: one\n")
    assert run("bump", IMAGE, "--output", "json").document["commit"]["branch"] == "one"
    variables = {"GITOPS_CI_BASE": "two"}
    assert run("bump", IMAGE, "--output", "json", environment=variables).document["commit"]["branch"] == "two"
    ran = run("bump", IMAGE, "--base", "three", "--output", "json", environment=variables)
    assert ran.document["commit"]["branch"] == "three"


def test_what_the_edit_breaks_stops_before_anything_is_pushed(bump, repo):
    commit_files(repo, {"base/widget.yaml": LIMITED})
    tip = repo.head()
    ran = bump(IMAGE, "--mode", "push", "--output", "json")
    assert ran.code == 1
    assert ran.document["status"] == "failed"
    (finding,) = ran.document["findings"]
    assert (finding["path"], finding["rule"], finding["field"]) == ("base/widget.yaml", "schema/value", "spec.image")
    assert repo.head() == tip
    assert repo.branches() == ["main"]


BROKEN_BEFORE = {
    "an unknown field": ("base/deployment.yaml", DEPLOYMENT.replace("selector:", "selectr:")),
    "a field of the wrong type beside it": (
        "base/widget.yaml",
        LIMITED.replace(":1[.]4[.]", ":").replace("  image: ghcr", "  size: x\n  image: ghcr"),
    ),
    "an API version that is gone": ("old.yaml", DEPLOYMENT.replace("apps/v1", "apps/v1beta1")),
    "a template outside of a chart": ("app.yaml", "{{- if .Values.on }}\n" + DEPLOYMENT + "{{- end }}\n"),
    "a placeholder where a number belongs": (
        "kind.yaml",
        DEPLOYMENT.replace("spec:", "spec:\n  replicas: ${REPLICAS}", 1),
    ),
}


@pytest.mark.parametrize("kind", BROKEN_BEFORE)
def test_what_was_wrong_before_the_edit_is_a_warning(bump, repo, kind):
    path, text = BROKEN_BEFORE[kind]
    commit_files(repo, {path: text})
    ran = bump(IMAGE, "--mode", "push", "--output", "json")
    assert ran.code == 0, ran.out
    assert ran.document["findings"] == []
    assert b"shop:1.5.0" in repo.read(path)
    assert "before this change" in ran.err
    assert path in ran.err


def test_the_same_error_in_another_file_is_no_excuse(bump, repo):
    before = LIMITED.replace("shop:1.4.1", "shop:1.3.0")  # broken already, and stays so
    commit_files(repo, {"base/before.yaml": before, "base/widget.yaml": LIMITED})
    ran = bump(IMAGE, "--mode", "push", "--output", "json")
    assert ran.code == 1
    errors = [finding for finding in ran.document["findings"] if finding["severity"] == "error"]
    assert [finding["path"] for finding in errors] == ["base/widget.yaml"]


PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {template: {spec: {containers: [{name: shop, image: "ghcr.io/acme/shop:1.4.1"}]}}}
"""


@pytest.mark.parametrize("where", ["overlays/staging/patch.yaml", "overlays/staging/patches/shop.yaml", "parts/p.yaml"])
@pytest.mark.parametrize("spelling", ["patches: [{path: %s}]", "patchesStrategicMerge: [%s]", "patches: [%s]"])
def test_a_patch_of_a_kustomization_is_no_manifest_of_its_own(bump, repo, where, spelling):
    relative = os.path.relpath(where, "overlays/staging")
    kustomization = f"resources: [../../base]\n{spelling % relative}\n"
    commit_files(repo, {where: PATCH, "overlays/staging/kustomization.yaml": kustomization})
    assert bump(IMAGE, "--mode", "push").code == 0
    assert b"shop:1.5.0" in repo.read(where)


def test_the_config_repositorys_own_checks_count(bump, repo):
    commit_files(repo, {"w.yaml": LIMITED, ".gitops-ci.yaml": "validate: {skip-rules: [schema/value]}\n"})
    assert bump(IMAGE, "--mode", "dry-run").code == 0
    for_this_run = bump(IMAGE, "--mode", "dry-run", "--skip-rules", "api/label", "--output", "json")
    assert [finding["rule"] for finding in for_this_run.document["findings"]] == ["schema/value"]
    commit_files(repo, {".gitops-ci.yaml": "validate: {skip-rules: [api/nmae]}\n"})
    mistaken = bump(IMAGE, "--mode", "dry-run")
    assert mistaken.code == 2
    assert ".gitops-ci.yaml: There is no rule 'api/nmae'. Did you mean 'api/name'?" in mistaken.out


def test_a_long_repository_name_is_cut_for_its_branch(run, tmp_path):
    names = [f"ghcr.io/{'/'.join(['team' * 8] * 6)}/{last}" for last in ("shop", "cart")]
    repo = make_repo(tmp_path / "c.git", {"a.yaml": "".join(f"- image: {name}:1.0.0\n" for name in names)})
    for name in names:
        assert run("bump", f"{name}:1.1.0", "--config-repo", str(repo.path), "--forge", "git").code == 0
    first, second = (name for name in repo.branches() if name != "main")
    assert first != second
    assert len(first) < 160


def test_an_unreadable_file_is_listed_and_the_rest_proceeds(bump, repo):
    commit_files(
        repo, {"broken.yaml": "image: ghcr.io/acme/shop:1.4.1\n  x: [\n", "latin.yaml": b"# ghcr.io/acme/shop \xff\n"}
    )
    ran = bump(IMAGE, "--mode", "push", "--output", "json")
    assert ran.code == 1
    assert ran.document["status"] == "changed"
    skipped = {skip["path"]: skip for skip in ran.document["skipped"]}
    assert skipped["broken.yaml"]["line"] in {1, 2}
    assert "UTF-8" in skipped["latin.yaml"]["reason"]
    assert b"shop:1.5.0" in repo.read("base/deployment.yaml")


def test_an_image_that_is_named_nowhere_is_exit_8_with_the_nearest_names(bump):
    ran = bump("ghcr.io/acme/shopp:1.5.0", "--mode", "push")
    assert ran.code == 8
    assert "ghcr.io/acme/shop," in ran.out
    assert bump("ghcr.io/acme/shopp:1.5.0", "--mode", "push", "--allow-empty").code == 0


def test_an_image_outside_of_the_selection_is_pointed_at(bump):
    ran = bump("ghcr.io/acme/shop-worker:1.5.0", "--environment", "staging")
    assert ran.code == 8
    assert "base/deployment.yaml" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "No image is given"),
        (("acme/Shop:1",), 2, "must be lower case"),
        (("acme/shop:1:2",), 2, "is not an image reference"),
        (("acme/shop",), 2, "neither tag nor digest"),
        ((IMAGE,), 2, "No config repository"),
        ((IMAGE, "--config-repo", "ext::sh"), 2, "refused"),
        ((IMAGE, "--config-repo", "https://me:pw@host/x"), 2, "contains credentials"),
        ((IMAGE, "--config-repo", "none.git", "--mode", "push"), 5, "no repository"),
        ((IMAGE, "--config-repo", "x", "--mode", "fast"), 2, "'fast' is not one of"),
        ((IMAGE, "--config-repo", "x", "--base", "--upload-pack=x"), 2, "not a branch name"),
        ((IMAGE, "--nope"), 2, "No such option"),
    ],
)
@pytest.mark.parametrize("output", ["text", "json"])
def test_mistakes_have_a_code_a_message_and_no_traceback(run, arguments, code, message, output):
    ran = run("bump", *arguments, "--output", output)
    assert ran.code == code
    assert "Traceback" not in ran.out + ran.err
    assert "pw@" not in ran.out + ran.err
    if output == "json":
        assert ran.document["error"]["exit_code"] == code
        assert message in ran.document["error"]["message"]
    else:
        assert message in ran.out + ran.err


def test_a_missing_argument_is_shown_in_an_example(run):
    ran = run("release", "--to", "ghcr.io/acme/shop")
    assert (ran.code, "For example: gitops-ci release shop:build" in ran.err) == (2, True)


def test_a_missing_base_branch_is_named(bump):
    ran = bump(IMAGE, "--base", "absent", "--mode", "push")
    assert ran.code == 5
    assert "There is no branch absent" in ran.out
    assert "default branch is main" in ran.out


def test_a_head_that_names_no_branch_is_no_empty_repository(bump, repo):
    repo.git("symbolic-ref", "HEAD", "refs/heads/master")
    ran = bump()
    assert (ran.code, "names no branch" in ran.out, "--base: main." in ran.out) == (5, True, True)
    repo.git("update-ref", "-d", "refs/heads/main")
    assert "is empty" in bump().out


def test_nothing_is_published_for_code_from_outside(bump, repo, tmp_path):
    event = tmp_path / "event.json"
    event.write_text('{"number": 1, "pull_request": {"number": 1, "head": {"repo": {"full_name": "mallory/shop"}}}}')
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_EVENT_PATH": str(event),
    }
    refused = bump(IMAGE, "--forge", "git", environment=environment)
    assert refused.code == 2
    assert repo.branches() == ["main"]
    assert bump(IMAGE, "--mode", "dry-run", environment=environment).code == 0
    assert bump(IMAGE, "--forge", "git", "--allow-untrusted", environment=environment).code == 0


def test_many_images_from_a_file_are_one_commit(run, repo, tmp_path):
    listed = tmp_path / "images.yaml"
    listed.write_text("- ghcr.io/acme/shop:1.5.0\n- ghcr.io/acme/shop-worker:1.7.0\n")
    ran = run("bump", "--from-file", listed, "--config-repo", repo.path, "--mode", "push", "--output", "json")
    assert ran.code == 0, ran.out
    assert repo.count() == 2
    assert b"shop:1.5.0" in repo.read("base/deployment.yaml")
    assert b"shop-worker:1.7.0" in repo.read("base/deployment.yaml")


def test_values_laid_over_others_take_the_image_from_them(run, tmp_path):
    files = {
        "charts/shop/values.yaml": "image:\n  repository: ghcr.io/acme/shop\n  tag: 1.0.0\n",
        "charts/shop/values-staging.yaml": "image:\n  tag: 1.4.1 # staging\n",
        "charts/shop/values-production.yaml": "image:\n  tag: 1.4.0\n",
    }
    repo = make_repo(tmp_path / "charts.git", files)
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push", "--environment", "staging")
    assert ran.code == 0, ran.out
    assert repo.files() == {path: text.encode() for path, text in files.items()} | {
        "charts/shop/values-staging.yaml": b"image:\n  tag: 1.5.0 # staging\n"
    }


def test_a_pointer_finds_what_no_rule_can(run, tmp_path):
    files = {"apps/odd.yaml": "versions:\n  - {name: shop, at: '1.4.1'}\n  - {name: other, at: '1.4.1'}\n"}
    repo = make_repo(tmp_path / "odd.git", files)
    pointer = 'apps/odd.yaml:$.versions[?name=="shop"].at'
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push", "--at", pointer)
    assert ran.code == 0, ran.out
    assert repo.read("apps/odd.yaml") == b"versions:\n  - {name: shop, at: '1.5.0'}\n  - {name: other, at: '1.4.1'}\n"


def test_other_encodings_are_told_apart_from_what_is_no_text(run, tmp_path):
    text = f"image: {IMAGE.replace('1.5.0', '1.4.1')}\n"
    files = {"plain.yaml": text, "binary.bin": b"\xff\xfe\0\0" + bytes(range(256)) + text.encode()}
    files |= {f"{name}.yaml": text.encode(name) for name in ("utf-16", "utf-32")}
    files |= {"be.yaml": b"\xfe\xff" + text.encode("utf-16-be"), "other.yaml": "x: y\n".encode("utf-16")}
    files["latin.yaml"] = f"# caf\xe9\n{text}".encode("latin-1")
    repo = make_repo(tmp_path / "encodings.git", files)
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "dry-run", "--output", "json")
    assert ran.code == 1
    assert [change["path"] for change in ran.document["changes"]] == ["plain.yaml"]
    assert {skip["path"]: skip["reason"] for skip in ran.document["skipped"]} == {
        "be.yaml": "names the image in UTF-16, which is not edited",
        "utf-16.yaml": "names the image in UTF-16, which is not edited",
        "utf-32.yaml": "names the image in UTF-32, which is not edited",
        "latin.yaml": "not UTF-8 text",
    }


def test_an_unknown_format_lists_those_that_there_are(bump):
    ran = bump(IMAGE, "--format", "kustomise")
    assert ran.code == 2
    assert "did you mean 'kustomize'?" in ran.err
    assert "argocd" in ran.err


def test_warnings_are_about_what_was_touched(run, tmp_path):
    other = DEPLOYMENT.replace("name: shop", "name: other").replace('"ghcr.io/acme/shop:1.4.1"', "acme/other:latest")
    repo = make_repo(tmp_path / "two.git", {"apps.yaml": f"{DEPLOYMENT}---\n{other}"})
    for image, warned in ((IMAGE, []), (IMAGE.replace("1.5.0", "latest"), ["Deployment/shop"])):
        document = run("bump", image, "--config-repo", repo.path, "--mode", "dry-run", "--output", "json").document
        warnings = [finding for finding in document["findings"] if finding["rule"] == "repo/mutable-tag"]
        assert [finding["resource"] for finding in warnings] == warned


@pytest.mark.parametrize(
    "case",
    [
        "argocd/chart-of-the-repository", "argocd/overlay-of-an-application", "argocd/override-with-the-tag-alone",
        "argocd/parameters-of-generators", "env/beside-compose", "flux/substitutions-are-set-here",
        "argocd/value-files-of-application-sets", "fleet/values-files-elsewhere",
        "fleet/values-files-of-customizations", "flux/overlay-of-a-release", "flux/patches-of-a-release",
        "flux/policies-name-the-image", "flux/release-over-a-chart-of-the-repository",
        "flux/values-from-a-generated-map", "helm-values/charts-that-depend-on-others",
        "helm-values/helmfile-over-charts", "helm-values/layers-beside-each-other", "kustomize/bases-of-bases",
        "kustomize/charts-with-values",
        "kustomize/replaced-tags", "kustomize/vars",
        "argocd/folders-of-generators", "argocd/parameters-added-by-a-patch-file", "argocd/parameters-called-values",
        "argocd/segments-of-generated-folders", "argocd/values-beside-generated-files",
        "argocd/versions-in-generated-files", "flux/one-value-from-a-map", "flux/patches-over-folders-above",
        "flux/release-over-a-map-with-the-name", "flux/values-from-a-plain-map", "helm-values/charts-without-an-entry",
        "kustomize/inline-values-over-a-file",
    ],
)  # fmt: skip
def test_files_that_name_no_image_are_found_by_what_they_belong_to(run, tmp_path, case):
    folder = CHECKOUT / "tests" / "cases" / case
    repo = make_repo(tmp_path / "case.git", read_folder(folder / "before") | {"other/values.yaml": b"tag: 1\n"})
    image = tomllib.loads((folder / "request.toml").read_text())["image"]
    ran = run("bump", image, "--config-repo", repo.path, "--mode", "dry-run", "--skip-rules", "*/*", "--output", "json")
    planned = json.loads((folder / "outcome.json").read_text())
    changes = [f"{change['path']}:{change['line']}:{change['column']}" for change in ran.document["changes"]]
    assert sorted(changes) == sorted(change["at"] for change in planned["changes"])


TAG_ALONE = "image: {tag: 1.4.1}\n"
RELEASE = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: NAME}\nspec: {values: {VALUES}}\n"


def release(name, values):
    return RELEASE.replace("NAME", name).replace("VALUES", values.strip())


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("apps/prod/shop.yaml", TAG_ALONE, True),
        ("apps/prod/shop.yaml", TAG_ALONE.replace("1.4.1", "1.4.0"), False),
        ("apps/prod/shop.yaml", "main: {image: {tag: 1.4.1}}\n", False),
        ("apps/prod/cart.yaml", TAG_ALONE, False),
        ("apps/cart/shop.yaml", TAG_ALONE, False),
        ("apps/prod/web.yaml", release("web", TAG_ALONE), True),
        ("apps/prod/web.yaml", release("cart", TAG_ALONE), False),
    ],
)
def test_an_old_tag_that_nothing_explains_is_listed(run, tmp_path, path, text, told):
    of_object = "kind:" in text
    named = "image: {repository: ghcr.io/acme/shop, tag: 1.4.1}\n"
    files = {"apps/staging/shop.yaml": release("web", named) if of_object else named, path: text}
    repo = make_repo(tmp_path / "old.git", files)
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "dry-run", "--skip-rules", "*/*", "--output", "json")
    assert ran.code == 0
    assert [change["path"] for change in ran.document["changes"]] == ["apps/staging/shop.yaml"]
    possible = [skip for skip in ran.document["skipped"] if "may be ghcr.io/acme/shop" in skip["reason"]]
    assert [skip["path"] for skip in possible] == ([path] if told else [])


MARK = "gitops-ci: image=ghcr.io/acme/shop"
MARKED = {
    ".env": f"TAG=1.4.1 # {MARK} part=tag\n",
    "params.env": f"# {MARK} part=tag\nSHOP_TAG=1.4.1\n",
    "Dockerfile": f"# {MARK}\nFROM ghcr.io/acme/shop:1.4.1\n",
    "Jenkinsfile": f"def image = 'ghcr.io/acme/shop:1.4.1' // {MARK}\n",
    "Makefile": f"TAG := 1.4.1 # {MARK} part=tag\n",
    "app.cue": f'shop: image: tag: "1.4.1" // {MARK} part=tag\n',
    "app.hcl": f'image = "ghcr.io/acme/shop:1.4.1" # {MARK}\n',
    "app.ini": f"[shop]\nimage = ghcr.io/acme/shop:1.4.1 ; {MARK}\n",
    "app.json5": f'{{image: "ghcr.io/acme/shop:1.4.1"}} // {MARK}\n',
    "app.jsonnet": f"{{ image: 'ghcr.io/acme/shop:1.4.1' }} // {MARK}\n",
    "app.libsonnet": f"{{ tag:: '1.4.1' }} // {MARK} part=tag\n",
    "app.lua": f'image = "ghcr.io/acme/shop:1.4.1" -- {MARK}\n',
    "app.nomad": f'image = "ghcr.io/acme/shop:1.4.1" # {MARK}\n',
    "app.properties": f"# {MARK}\nimage=ghcr.io/acme/shop:1.4.1\n",
    "app.toml": f'tag = "1.4.1" # {MARK} part=tag\n',
    "deploy.sh": f"docker run ghcr.io/acme/shop:1.4.1 # {MARK}\n",
    "main.tf": f'variable "image" {{\n  default = "ghcr.io/acme/shop:1.4.1" # {MARK}\n}}\n',
    "notes.md": f"Runs `ghcr.io/acme/shop:1.4.1` <!-- {MARK} -->\n",
    "vars.yml.j2": f"{{% if prod %}}\ntag: 1.4.1 {{# {MARK} part=tag #}}\n{{% endif %}}\n",
    "values.yaml.gotmpl": f"{{{{ if .Prod }}}}\n{{{{ end }}}}\nimage:\n  tag: 1.4.1 # {MARK} part=tag\n",
    "_helpers.tpl": f'{{{{- define "tag" }}}}1.4.1{{{{ end }}}}\nimage: ghcr.io/acme/shop:1.4.1 {{{{/* {MARK} */}}}}\n',
    "web.container": f"# {MARK}\nImage=ghcr.io/acme/shop:1.4.1\n",
    "group_vars.yml": f"shop_tag: 1.4.1 # {MARK} part=tag\n",
}


@pytest.mark.parametrize("name", MARKED)
def test_a_marked_line_is_bumped_in_any_file(run, tmp_path, name):
    """A file that is not a manifest by its name is not checked as one."""
    text = MARKED[name]
    repo = make_repo(tmp_path / "marked.git", {f"x/{name}": text, "other.yaml": DEPLOYMENT.replace("acme/shop", "a/b")})
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push")
    assert ran.code == 0, ran.out + ran.err
    # Of the helpers only the line of the mark.
    old, new = ("shop:1.4.1", "shop:1.5.0") if "shop:1.4.1" in text else ("1.4.1", "1.5.0")
    assert repo.read(f"x/{name}").decode() == text.replace(old, new)


def test_a_marked_manifest_is_still_checked(run, tmp_path):
    limited = LIMITED.replace("image: ghcr.io/acme/shop:1.4.1", f"image: ghcr.io/acme/shop:1.4.1 # {MARK}")
    repo = make_repo(tmp_path / "marked.git", {"a.yaml": limited, ".env": MARKED[".env"]})
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push")
    assert ran.code == 1
    assert "a.yaml:" in ran.out
    assert repo.count() == 1


WIDGET = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w}\nspec: {%s}\n"
LEFT_ALONE = {
    "a version that something fills in": "image: 'ghcr.io/acme/shop:${TAG}'",
    "a registry that something fills in": "image: '${REGISTRY}/acme/shop:1.4.1'",
    "a key that no format knows": "package: 'ghcr.io/acme/shop:1.4.1'",
    "no version": "image: ghcr.io/acme/shop",
    "an API's version": "image: ghcr.io/acme/shop, kind: Deployment, version: v1",
    "an anchor": "any: &tag 1.4.1, image: {repository: ghcr.io/acme/shop, tag: *tag}",
}


@pytest.mark.parametrize("spec", LEFT_ALONE.values(), ids=LEFT_ALONE)
@pytest.mark.parametrize("mode", ["push", "dry-run", "pull-request"])
def test_an_image_whose_only_place_was_left_alone_is_exit_1(run, tmp_path, spec, mode):
    repo = make_repo(tmp_path / "left.git", {"x/w.yaml": WIDGET % spec})
    arguments = ("bump", IMAGE, "--config-repo", repo.path, "--mode", mode, "--forge", "git")
    ran = run(*arguments)
    assert ran.code == 1
    assert "nothing could be changed. x/w.yaml:4: " in ran.out
    document = run(*arguments, "--output", "json").document
    assert [(skip["path"], skip["line"], bool(skip["hint"])) for skip in document["skipped"]] == [("x/w.yaml", 4, True)]
    assert (document["status"], document["error"]["kind"]) == ("failed", "findings")
    meant = run(*arguments, "--allow-empty", "--output", "json")
    assert (meant.code, meant.document["status"]) == (0, "unchanged")
    assert "were not changed" in meant.err
    assert (repo.count(), repo.branches()) == (1, ["main"])


def test_a_place_that_has_the_version_already_is_enough(run, tmp_path):
    spec = f"image: '{IMAGE}', package: 'ghcr.io/acme/shop:1.4.1'"
    repo = make_repo(tmp_path / "enough.git", {"x/w.yaml": WIDGET % spec})
    assert run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push").code == 0


def test_a_refused_downgrade_is_told_once(run, tmp_path):
    files = {"front.yaml": "image: ghcr.io/acme/front:1.3.0\n", "back.yaml": "image: ghcr.io/acme/back:1.0.0\n"}
    repo = make_repo(tmp_path / "older.git", files)
    where = ("--config-repo", repo.path, "--forge", "git", "--mode", "dry-run")
    said = "front.yaml:1: refusing to downgrade ghcr.io/acme/front from 1.3.0 to 1.1.0"
    for more in ((), ("--quiet",)):
        ran = run("bump", "ghcr.io/acme/front:1.1.0", *where, *more)
        assert (ran.code, (ran.out + ran.err).count(said)) == (1, 1), ran
    ran = run("bump", "ghcr.io/acme/front:1.1.0", "ghcr.io/acme/back:1.2.0", *where)
    assert (ran.code, ran.err.count(said), ran.out.count(said)) == (1, 1, 1), ran
    assert "no place that names it" not in ran.err


def test_of_several_images_each_needs_a_place(bump, repo):
    """One that was left alone makes it exit 1 and holds none of the others back; one that is nowhere is exit 8."""
    commit_files(repo, {"w.yaml": WIDGET % "package: 'ghcr.io/acme/other:1.4.1'"})
    other, nowhere = "ghcr.io/acme/other:1.5.0", "ghcr.io/acme/nowhere:1.5.0"
    ran = bump(IMAGE, other, "--mode", "push", "--output", "json")
    assert (ran.code, ran.document["status"], len(ran.document["changes"])) == (1, "changed", 3)
    assert "warning: ghcr.io/acme/other:1.5.0: no place that names it could be changed" in ran.err
    again = bump(IMAGE, other, "--mode", "push", "--output", "json")
    assert (again.code, again.document["status"]) == (1, "unchanged")
    assert bump(IMAGE, other, "--mode", "push", "--allow-empty").code == 0
    assert bump(IMAGE, nowhere, other, "--mode", "push").code == 8


# What names the image in a text that no format reads, the line, and a word of what is said.
TEXTS = {
    "main.go": ('const image =\n\t"ghcr.io/acme/shop:1.4.1"\n', 2, "Mark the line with"),
    "web.service": ("[Service]\nEnvironment=SHOP=ghcr.io/acme/shop:1.4.1\n", 2, "Mark the line with"),
    "shop.ini": ("# images\nSHOP_IMAGE=ghcr.io/acme/shop:1.4.1\n", 2, "Mark the line with"),
    "shop.toml": ('[image]\nrepository = "ghcr.io/acme/shop"\ntag = "1.4.1"\n', 2, "Mark the line of its version"),
    "app.ts": ("run({ image: 'ghcr.io/acme/shop@sha256:%s' })\n" % ("a" * 64), 1, "Mark the line with"),
    "deploy.sh": ("docker run ghcr.io/acme/shop:$TAG\n", 1, "something fills in"),
    "README.md": ("# Shop\nRuns `ghcr.io/acme/shop:1.4.1`.\n", 2, "Mark the line of its version"),
    "tags.yaml": ("tags: {ghcr.io/acme/shop: 1.4.1}\n", 1, "Mark the line with"),
    "chart.yaml": ("image: {registry: ghcr.io/acme/shop, tag: 1.4.1}\n", 1, "Mark the line of its version"),
    "renovate.yaml": ("# depName=ghcr.io/acme/shop\nversion: 1.4.1\n", 1, "Mark the line of its version"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_an_image_that_any_text_names_is_not_named_nowhere(run, tmp_path, name):
    text, line, said = TEXTS[name]
    repo = make_repo(tmp_path / "texts.git", {f"x/{name}": text, "other.yaml": WIDGET % "image: 'acme/other:1.0'"})
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push", "--output", "json")
    assert ran.code == 1
    assert [(skip["path"], skip["line"]) for skip in ran.document["skipped"]] == [(f"x/{name}", line)]
    skip = ran.document["skipped"][0]
    assert said in skip["reason"] + skip["hint"]
    assert f"x/{name}:{line}: " in ran.document["error"]["message"]
    assert "nowhere" not in ran.document["error"]["message"]
    if "Mark" in said and name != "chart.yaml":
        assert "gitops-ci: image=ghcr.io/acme/shop" in skip["hint"]


def test_texts_that_no_format_reads_are_listed_beside_what_was_changed(run, tmp_path):
    """Documentation only quotes images, and other images of the same last name are other images."""
    spec = "image: 'ghcr.io/acme/shop:1.4.1'"
    others = {
        "go.mod": "ghcr.io/acme/shop-lib v1.4.1\nother.io/acme/shop:1.4.1\n",
        "Makefile": "IMAGE = ghcr.io/acme/shop\n",
    }
    repo = make_repo(
        tmp_path / "texts.git", {n: t for n, (t, _, _) in TEXTS.items()} | {"w.yaml": WIDGET % spec} | others
    )
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push", "--output", "json")
    assert (ran.code, len(ran.document["changes"])) == (0, 1)
    assert {skip["path"] for skip in ran.document["skipped"]} - {"w.yaml"} == {
        "app.ts", "deploy.sh", "main.go", "shop.ini", "tags.yaml", "web.service"
    }  # fmt: skip


def test_a_name_that_no_text_has_is_named_nowhere(run, tmp_path):
    near = "ghcr.io/acme/shop-worker:1\nother.io/acme/shop:1\nacme/shop:1\nshop:1\nghcr.io/acme/shop/api:1\n"
    repo = make_repo(tmp_path / "texts.git", {"near.txt": near, "near.yaml": "".join(f"- {n}\n" for n in near.split())})
    assert run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push").code == 8


FLAVORS = "".join(f"- image: python:{tag}\n" for tag in ("3.12-slim", "3.12-alpine", "3.12", "3.12-bookworm"))


def test_another_flavor_is_another_thing(run, tmp_path):
    repo = make_repo(tmp_path / "flavors.git", {"values.yaml": FLAVORS})
    arguments = ("--config-repo", repo.path, "--mode", "push")
    assert run("bump", "python:3.13-nanoserver", *arguments).code == 0  # the bare one; nothing else has it
    assert run("bump", "python:3.13-slim", *arguments).code == 0
    assert run("bump", "python:3.14-slim-trixie", *arguments).code == 1
    expected = FLAVORS.replace("3.12-slim", "3.13-slim").replace("3.12\n", "3.13-nanoserver\n")
    assert repo.read("values.yaml").decode() == expected
    assert run("bump", "python:3.14-slim-trixie", *arguments, "--any-flavour").code == 0
    assert repo.read("values.yaml").decode() == "- image: python:3.14-slim-trixie\n" * 4


def test_several_flavors_of_one_image_are_bumped_in_one_run(run, tmp_path):
    repo = make_repo(tmp_path / "flavors.git", {"values.yaml": FLAVORS})
    arguments = ("--config-repo", repo.path, "--mode", "push", "--output", "json")
    wanted = ("python:3.13-slim", "python:3.13-alpine", "python:3.13")
    ran = run("bump", *wanted, *arguments)
    assert ran.code == 0, ran.err
    expected = FLAVORS.replace("3.12", "3.13").replace("3.13-bookworm", "3.12-bookworm")
    assert repo.read("values.yaml").decode() == expected
    assert [skip["line"] for skip in ran.document["skipped"]] == [4]
    assert run("bump", *wanted, *arguments).document["status"] == "unchanged"
    # One without a place of its own makes it exit 1; two versions of one flavor are a mistake.
    missing = run("bump", "python:3.14-slim", "python:3.14-nanoserver", *arguments)
    assert (missing.code, len(missing.document["changes"])) == (1, 1)
    mistaken = run("bump", "python:3.14-slim", "python:3.15-slim", *arguments)
    assert (mistaken.code, "two versions of one image" in mistaken.document["error"]["message"]) == (2, True)


def test_a_file_is_parsed_once_between_search_and_plan(bump, repo, monkeypatch):
    """Relations and the plan ask the same parsed text; the second reading is that of the edited file."""
    parsed = Counter()
    read = yamltext.read

    def counted(text, **options):
        parsed[text] += 1
        return read(text, **options)

    kustomization = "resources: [../../base]\nimages: [{name: ghcr.io/acme/shop, newTag: 1.4.1}]\n"
    commit_files(repo, {"overlays/staging/kustomization.yaml": kustomization})
    monkeypatch.setattr(yamltext, "read", counted)
    assert bump(IMAGE, "--mode", "dry-run").code == 0
    manifests = {text: times for text, times in parsed.items() if "ghcr.io/acme/shop" in text}
    assert manifests
    assert set(manifests.values()) == {1}


@pytest.mark.parametrize(
    ("present", "new", "code", "told"),
    [
        ("main-def5678-1700000000", "main-abc1234-1699999999", 1, ""),
        ("build-100", "build-99", 1, ""),
        ("build-99", "build-100", 0, ""),
        ("main-def5678", "main-abc1234", 0, "Cannot tell which is newer"),
        ("latest", "main-abc1234", 0, ""),
        ("nightly-a", "nightly-b", 0, "Could not tell which is newer"),
        ("latest", "1.0.0", 0, ""),
    ],
)
def test_an_older_build_is_refused_in_any_scheme_or_the_run_warns(run, tmp_path, present, new, code, told):
    repo = make_repo(
        tmp_path / "age.git", {"values.yaml": f"image: {{repository: localhost:1/shop, tag: {present}}}\n"}
    )
    ran = run("bump", f"localhost:1/shop:{new}", "--config-repo", repo.path, "--mode", "dry-run")
    assert ran.code == code, ran.err
    assert ("Cannot tell" in ran.err) is bool(told)


@pytest.mark.parametrize(
    ("name", "text", "pattern"),
    [
        ("main.tf", 'image_tag = "1.4.1"\nother_tag = "1.4.1"\n', 'image_tag = "(.+)"'),
        ("values.yaml", "shop: 'v: 1.4.1'\n", "v: ([0-9.]+)"),
        ("Dockerfile", "ARG TAG=1.4.1\r\nRUN x\r\n", "^ARG TAG=(.+)$"),
    ],
)
def test_a_regular_expression_edits_its_group(run, tmp_path, name, text, pattern):
    repo = make_repo(tmp_path / "at.git", {name: text})
    arguments = ("--config-repo", repo.path, "--mode", "push")
    assert run("bump", IMAGE, *arguments, "--at", f"{name}:/{pattern}/").code == 0
    assert repo.read(name) == text.replace("1.4.1", "1.5.0", 1).encode()
    assert run("bump", IMAGE, *arguments, "--at", f"{name}:/nothing (.+)/").code == 2
