"""Edge cases of `diff` beside those in `test_diff.py`."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.flows.test_diff import (  # noqa: F401
    APPLICATION,
    CHART,
    DEPLOYMENT,
    FLUX,
    FOLDER,
    NEWER,
    ORIGIN,
    changed,
    commented,
    lay,
    objects,
    programs,
    units,
)
from tests.support.workspace import git, make_checkout

HOOK = (
    "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{{key}: {when}}}}}\n"
    "spec: {{template: {{spec: {{containers: [{{name: a, image: 'a:{{{{ .Values.tag }}}}'}}]}}}}}}\n"
)


def test_hooks_are_shown_as_such(changed, run):  # noqa: F811
    """A hook is not part of the release: helm and Argo CD run it at a moment of their own."""

    def hook(name, key, when):
        return {f"charts/web/templates/{name}.yaml": HOOK.format(name=name, key=key, when=when)}

    before = {**CHART, **hook("migrate", "helm.sh/hook", "pre-upgrade")}
    before |= {**hook("sync", "argocd.argoproj.io/hook", "PreSync"), **hook("gone", "helm.sh/hook", "post-install")}
    after = {"charts/web/values.yaml": "tag: 2.0.0\n", "charts/web/templates/gone.yaml": None}
    found = changed(before, after)
    assert ("removed", "Job", "gone") in objects(found)
    text = run("diff", "--base", "HEAD").out
    assert "Job migrate (chart:charts/web, hook pre-upgrade)" in text
    assert "Job sync (chart:charts/web, hook PreSync)" in text
    assert "- Job gone (chart:charts/web, hook post-install)" in text


def test_a_deleted_comment_is_made_again_and_an_edited_one_is_replaced(commented, tmp_path):  # noqa: F811
    lay(tmp_path, NEWER)
    _, [text] = commented()
    there = commented.stub.pull(7).comments
    [name] = there
    there[name] = f"{text.partition(chr(10))[0]}\n\n{text.splitlines()[-1]}\nI know better"
    assert commented()[1] == [text]
    there.clear()
    assert commented()[1] == [text]
    assert commented()[1] == [text]


def test_an_edit_that_takes_the_mark_away_makes_a_comment_of_a_person_of_it(commented, tmp_path):  # noqa: F811
    """It stays as it is, and a new one is made once."""
    lay(tmp_path, NEWER)
    _, [text] = commented()
    there = commented.stub.pull(7).comments
    [name] = there
    there[name] = "Looks good"
    for _ in range(2):
        assert sorted(commented()[1]) == sorted(["Looks good", text])


def test_what_follows_another_revision_is_named_where_its_folder_changes(changed):  # noqa: F811
    pinned = APPLICATION.format(name="pinned", tag="1").replace(
        "path: charts/web", "path: charts/web\n    targetRevision: v1"
    )
    source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n"
    source += "metadata: {name: flux-system, namespace: flux-system}\n"
    source += f"spec: {{url: {ORIGIN}, ref: {{tag: v1}}}}\n"
    files = {**CHART, **FOLDER, "argo/pinned.yaml": pinned, "flux/s.yaml": source, "flux/apps.yaml": FLUX}
    files["apps/d.yaml"] = DEPLOYMENT.format(tag="1")
    found = changed(files, NEWER)
    assert found["notes"] == [], "the change is elsewhere"
    found = changed(files, {"charts/web/values.yaml": "tag: 2.0.0\n", "apps/d.yaml": DEPLOYMENT.format(tag="2")})
    [note] = found["notes"]
    assert note == (
        "2 units of changed folders not compared, another revision is deployed: application:argocd/pinned "
        "(it follows the revision v1), flux-kustomization:flux-system/apps (it follows the tag v1)"
    )
    found = changed(files, {"argo/pinned.yaml": pinned.replace("targetRevision: v1", "targetRevision: v2")})
    assert ("changed", "Application", "pinned") in objects(found)


@pytest.mark.parametrize("told", ["origin", "checked out", "job", "target"])
def test_the_branch_of_the_change_is_what_an_application_follows(run, tmp_path, told, monkeypatch):
    """Not each repository has a branch called main."""
    text = APPLICATION.format(name="a", tag="1").replace(
        "path: charts/web", "path: charts/web\n    targetRevision: trunk"
    )
    make_checkout(tmp_path, {**CHART, "apps/a.yaml": text}, origin=ORIGIN)
    environment = {}
    if told == "origin":
        git(tmp_path, "update-ref", "refs/remotes/origin/trunk", "HEAD")
        git(tmp_path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    elif told == "checked out":
        git(tmp_path, "checkout", "-q", "-b", "trunk")
    elif told == "job":
        environment = {"GITLAB_CI": "true", "CI_DEFAULT_BRANCH": "trunk"}
    else:
        environment = {
            "JENKINS_URL": "https://ci.example",
            "BUILD_NUMBER": "1",
            "CHANGE_ID": "7",
            "CHANGE_TARGET": "trunk",
        }
    lay(tmp_path, {"charts/web/values.yaml": "tag: 2.0.0\nmore: 1\n", "charts/web/templates/more.yaml": "# none\n"})
    lay(
        tmp_path,
        {"charts/web/templates/cm.yaml": CHART["charts/web/templates/cm.yaml"].replace("data: {", "data: {n: x, ")},
    )
    found = run("diff", "--base", "HEAD", "--output", "json", environment=environment).document["rendered"]
    assert units(found)["application:argocd/a"] == "changed"
    checked = run("validate", "--output", "json", environment=environment)
    assert "it follows the revision" not in checked.out
    git(tmp_path, "checkout", "-q", "-B", "other")
    git(tmp_path, "symbolic-ref", "--delete", "refs/remotes/origin/HEAD") if told == "origin" else None
    assert "follows the revision" in run("diff", "--base", "HEAD").out, "where nobody names it, it may be another one"


REGISTRY = "https://charts.example"
FAR = {
    "fleet": (
        {
            "web/fleet.yaml": f"helm: {{chart: web, repo: {REGISTRY}, version: VERSION, values: {{size: SIZE}}, "
            "valuesFiles: [v.yaml]}\n",
            "web/v.yaml": "color: COLOR\n",
        },
        ("fleet:web", "Bundle", ["helm.version", "helm.values.size", "values[web/v.yaml].color"]),
    ),
    "kustomize": (
        {
            "base/kustomization.yaml": f"helmCharts: [{{name: web, repo: {REGISTRY}, version: VERSION, "
            "valuesInline: {size: SIZE}, additionalValuesFiles: [v.yaml]}]\n",
            "base/v.yaml": "color: COLOR\n",
            "prod/kustomization.yaml": "resources: [../base]\nnamespace: prod\n",
        },
        (
            "kustomization:prod",
            "Kustomization",
            ["helmCharts[name=web].version", "helmCharts[name=web].valuesInline.size", "values[base/v.yaml].color"],
        ),
    ),
    "argo": (
        {
            "apps/a.yaml": APPLICATION.partition("  source:")[0].format(name="a")
            + f"  sources:\n    - {{repoURL: {REGISTRY}, chart: web, targetRevision: VERSION, "
            "helm: {valueFiles: [$here/env/*.yaml], parameters: [{name: size, value: 'SIZE'}]}}\n"
            f"    - {{repoURL: {ORIGIN}, ref: here}}\n",
            "env/v.yaml": "color: COLOR\n",
        },
        (
            "application:argocd/a",
            "Values",
            ["values[env/v.yaml].color"],
        ),
    ),
}


@pytest.mark.parametrize("name", FAR)
def test_of_a_chart_of_a_registry_version_and_values_are_compared(changed, run, name):  # noqa: F811
    """Most charts are not in the repository: to say "no change" of another version of one would be wrong."""
    files, (unit, kind, paths) = FAR[name]

    def made(**words):
        texts = dict(files)
        for word, value in {"VERSION": "1.0.0", "SIZE": "1", "COLOR": "red", **words}.items():
            texts = {path: text.replace(word, value) for path, text in texts.items()}
        return texts

    one_by_one = [made(VERSION="2.0.0"), made(SIZE="2"), made(COLOR="blue")]
    for after in one_by_one:
        found = changed(made(), after)
        assert found["summary"]["changed"] == 1, found["units"]
        assert {one["unit"] for one in found["objects"]} == {unit}
        assert "no change" not in run("diff", "--base", "HEAD").out
        assert "web 2.0.0" in str(found["units"]) or "web 1.0.0" in str(found["units"]), "it is told what is missing"
    found = changed(made(), made(VERSION="2.0.0", SIZE="2", COLOR="blue"))
    [one] = [one for one in found["objects"] if one["kind"] == kind]
    assert (one["unit"], sorted(path["path"] for path in one["paths"])) == (unit, sorted(paths))
    assert "v.yaml" not in run("validate").out.partition("Skipped")[0]


def test_of_variables_out_of_an_encrypted_secret_only_names_are_known(changed):  # noqa: F811
    """Flux decrypts it in the cluster: a variable of it stays as it is written, and nothing is undefined."""
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: vars, namespace: flux-system}}\n"
        "stringData: {{HOST: 'ENC[AES256_GCM,data:{one},type:str]'}}\nsops: {{mac: 'ENC[AES256_GCM,data:{one}]'}}\n"
    )
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {url: 'https://${HOST}/${PATH_OF:=a}'}\n"
    files = {"clusters/apps.yaml": FLUX, "clusters/vars.yaml": secret.format(one="b25l"), "apps/c.yaml": config}
    found = changed(files, {"clusters/vars.yaml": secret.format(one="dHdv"), "apps/c.yaml": config.replace("=a", "=b")})
    assert units(found)["flux-kustomization:flux-system/apps"] == "changed"
    [one] = [one for one in found["objects"] if one["kind"] == "ConfigMap"]
    assert [(path["old"], path["new"]) for path in one["paths"]] == [("https://${HOST}/a", "https://${HOST}/b")]
    for word in ("b25l", "dHdv", "ENC["):
        assert word not in str(found)


def test_a_unit_that_takes_too_long_is_told_and_the_others_are_compared(run, tmp_path, monkeypatch):
    """A renderer that never ends for one folder."""
    folder = Path(os.environ["PATH"].split(os.pathsep)[0])
    real = os.readlink(folder / "kubectl")
    (folder / "kubectl").unlink()
    script = '#!/bin/sh\nfor last; do :; done\n/usr/bin/grep -rqs endless "$last" && exec /bin/sleep 600\n'
    script += f'exec {real} "$@"\n'
    (folder / "kubectl").write_text(script)
    (folder / "kubectl").chmod(stat.S_IRWXU)
    slow = {path.replace("app/", "slow/"): text for path, text in FOLDER.items()}
    settings = {".gitops-ci.yaml": "rendering: {timeout: 1}\n"}
    make_checkout(tmp_path, {**FOLDER, **slow, **settings}, origin=ORIGIN)
    lay(tmp_path, {**NEWER, "slow/d.yaml": f"# endless\n{NEWER['app/d.yaml']}"})
    ran = run("diff", "--base", "HEAD", "--output", "json")
    assert ran.code == 0, ran.out + ran.err
    found = {one["id"]: one for one in ran.document["rendered"]["units"]}
    assert (found["kustomization:app"]["state"], found["kustomization:slow"]["state"]) == ("changed", "skipped")
    assert "1 s" in found["kustomization:slow"]["reason"]


def test_a_submodule_that_moves_is_named_and_is_no_file(run, tmp_path):
    first, second = (c * 40 for c in "ab")
    make_checkout(tmp_path, {**FOLDER, "lib/kustomization.yaml": "resources: [../vendor/base]\n"}, origin=ORIGIN)

    def at(commit):
        git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{commit},vendor")
        git(tmp_path, "commit", "--quiet", "--message", "Submodule")

    at(first)
    at(second)
    for head in ((), ("--head", "HEAD")):
        ran = run("diff", "--base", "HEAD~1", *head, "--output", "json")
        [one] = ran.document["rendered"]["units"]
        assert (one["id"], one["state"], ran.code) == ("submodule:vendor", "skipped", 0)
        assert f"changes from {first[:12]} to {second[:12]}" in one["reason"]
    assert "submodule:vendor" in run("diff", "--base", "HEAD~1").out
    assert run("diff", "--base", "HEAD~1", "--fail-on", "skipped").code == 1
    assert run("diff", "--base", "HEAD", "--output", "json").document["rendered"]["units"] == []
    git(tmp_path, "rm", "--quiet", "--cached", "vendor")
    git(tmp_path, "commit", "--quiet", "--message", "Gone")
    assert "it is removed" in run("diff", "--base", "HEAD~1").out


def test_what_a_pointer_of_lfs_stands_for_is_shown_as_the_pointer(changed):  # noqa: F811
    """Operators that do not smudge send the pointer; nothing is fetched for it."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12\n"
    before = {"k/kustomization.yaml": "configMapGenerator: [{name: a, files: [big.bin]}]\n"}
    found = changed({**before, "k/big.bin": pointer.format("a" * 64)}, {"k/big.bin": pointer.format("b" * 64)})
    assert objects(found) == [("changed", "ConfigMap", "a-" + found["objects"][0]["name"][2:])]
    assert "oid sha256:" in found["objects"][0]["paths"][-1]["old"] + found["objects"][0]["paths"][0]["old"]


def test_a_merge_group_of_several_commits_is_compared_with_its_base(run, tmp_path):
    """Of the queue before it, nothing is shown; of its own commits, all of them."""
    make_checkout(tmp_path, {**FOLDER, "other/kustomization.yaml": "resources: [c.yaml]\n"}, origin=ORIGIN)

    def commit(files):
        lay(tmp_path, files)
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", "Change")

    config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n"
    commit({"other/c.yaml": config_map.format("ahead-in-the-queue")})
    base = git(tmp_path, "rev-parse", "HEAD").strip()
    commit(NEWER)
    commit({"app/kustomization.yaml": "resources: [d.yaml, c.yaml]\n", "app/c.yaml": config_map.format("mine")})
    event = tmp_path.parent / f"{tmp_path.name}.json"
    event.write_text(json.dumps({"merge_group": {"base_sha": base, "base_ref": "refs/heads/main"}}))
    job = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "merge_group", "GITHUB_EVENT_PATH": str(event)}
    ran = run("diff", "--output", "json", environment=job)
    assert ran.document["rendered"]["base"] == base
    assert sorted(objects(ran.document["rendered"])) == [
        ("added", "ConfigMap", "mine"),
        ("changed", "Deployment", "web"),
    ]


_BELOW = ("x", *(f"*{letter}" for letter in "abcde"))
LAUGHS = "".join(f"{key}: &{key} [{', '.join([of] * 9)}]\n" for key, of in zip("abcdef", _BELOW, strict=True))
PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"


@pytest.mark.parametrize(
    "text", ["data: [\n", LAUGHS, f"data: {'{a: ' * 3000}1{'}' * 3000}\n"], ids=["cut", "laughs", "deep"]
)
def test_a_manifest_that_nobody_can_read_any_more_is_no_removed_object(changed, text):  # noqa: F811
    before = {"plain/a.yaml": PLAIN, "plain/b.yaml": PLAIN.replace("settings", "other")}
    found = changed(before, {"plain/a.yaml": PLAIN + text}, code=1)
    assert found["objects"] == []
    [one] = found["units"]
    assert (one["id"], one["state"], "plain/a.yaml:" in one["reason"]) == ("folder:plain", "failed", True)


def test_a_manifest_that_is_repaired_is_told_and_not_compared(changed):  # noqa: F811
    found = changed({"plain/a.yaml": f"{PLAIN}data: [\n"}, {"plain/a.yaml": PLAIN})
    assert found["objects"] == []
    assert [(one["state"], "before this change" in one["reason"]) for one in found["units"]] == [("skipped", True)]


def test_a_file_that_never_was_a_manifest_may_be_no_yaml(changed):  # noqa: F811
    assert changed({"plain/a.yaml": "{{ jinja }}: [\n"}, {"plain/a.yaml": "{{ jinja }}: [[\n"})["units"] == []


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_bombs_in_texts_are_compared_as_texts(changed, name):  # noqa: F811
    def settings(text):
        return f"{PLAIN}data:\n  {name}: {json.dumps(text)}\n"

    bomb = LAUGHS if name == "x.yaml" else "[" * 5000 + "]" * 5000
    found = changed({"plain/a.yaml": settings("{}")}, {"plain/a.yaml": settings(bomb)})
    assert objects(found) == [("changed", "ConfigMap", "settings")]


@pytest.mark.parametrize("revision", ["--output=x", "-Ox", "HEAD:app", "@{u}", "HEAD..", "a b", "HEAD^{tree}"])
def test_what_is_no_commit_is_no_base(run, tmp_path, revision):
    make_checkout(tmp_path, FOLDER, origin=ORIGIN)
    assert run("diff", "--base", revision).code == 2
    assert not (tmp_path / "x").exists()
