"""`diff: {comment: …}`: a pull request shows what it does to the rendered objects."""

from __future__ import annotations

import re

import pytest

from tests.flows.test_bump import FILES
from tests.support.git_repo import commit_files
from tests.support.past import CONFIG, Past, overlay
from tests.support.world import world_on

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: shop}
stringData: {image: "ghcr.io/acme/shop:1.4.1", password: hunter2}
"""
BASE = {
    **FILES,
    "base/kustomization.yaml": "resources: [deployment.yaml]\n",
    "plain/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: lone}\n"
    "spec: {containers: [{name: c, image: 'ghcr.io/acme/shop:1.4.1'}]}\n",
}


@pytest.fixture(params=["github"])
def world(request, run, git_server, tool):
    tool("kubectl", "helm", "git")
    with world_on(request.param, run, git_server, BASE) as made:
        yield made


@pytest.fixture
def bump(world, tmp_path):
    def call(version: str, where: str, more: str = ""):
        (tmp_path / ".gitops-ci.yaml").write_text(f"diff: {{comment: {where}{more}}}\n")
        ran = world.bump(version)
        assert ran.code == 0, ran.err
        [pull] = world.stub.pulls
        return pull

    return call


def writes(world) -> int:
    return sum(request.method != "GET" for request in world.stub.requests)


@pytest.mark.parametrize("world", ["github", "bitbucket"], indirect=True)
def test_one_comment_is_kept_current(bump, world):
    pull = bump("1.5.0", "comment")
    [text] = pull.comments.values()
    assert "Deployment" in text
    assert "| `ghcr.io/acme/shop` | `1.4.1` | `1.5.0` |" in text
    assert "restarts" in text
    assert "`1.5.0`" not in pull.body.partition("(gitops-ci:diff)")[2]
    sent = writes(world)
    assert list(bump("1.5.0", "comment").comments.values()) == [text]
    assert writes(world) == sent, "nothing is new, and nothing is written"
    [newer] = bump("1.6.0", "comment").comments.values()
    assert "`1.6.0`" in newer
    assert "`1.5.0`" not in newer


def test_the_description_holds_it_and_is_no_news_by_itself(bump, world):
    pull = bump("1.5.0", "body")
    assert pull.comments == {}
    own, mark, shown = pull.body.partition("[//]: # (gitops-ci:diff)")
    assert mark
    assert "Updates" in own
    assert "| `ghcr.io/acme/shop` | `1.4.1` | `1.5.0` |" in shown
    sent = writes(world)
    bump("1.5.0", "body")
    assert writes(world) == sent
    pull.status = "closed"
    assert bump("1.5.0", "body").status == "closed", "a person's no is still known by the places"


def test_nothing_is_shown_where_nobody_asks(bump, world):
    pull = bump("1.5.0", "none")
    assert (pull.comments, "gitops-ci:diff" in pull.body) == ({}, False)


def test_a_secret_is_never_shown(bump, world):
    listed = "resources: [deployment.yaml, secret.yaml]\n"
    commit_files(world.repo, {"base/kustomization.yaml": listed, "base/secret.yaml": SECRET})
    pull = bump("1.5.0", "comment")
    assert "hunter2" not in "".join(pull.comments.values())


def test_what_is_folded_and_masked_is_the_files_choice(bump, world):
    [text] = bump("1.5.0", "comment", ", fold: ['kind=Deployment path=*image'], mask: [Pod.spec.*]").comments.values()
    assert "+  image: ghcr.io/acme/shop:1.5.0" not in text
    assert "Folded" in text


def test_it_is_rendered_as_the_config_repository_says(bump, world):
    """With its limits, its files of values and its version of Kubernetes, as `diff` renders there."""
    value = "{{ .Values.image }} on {{ .Capabilities.KubeVersion.Minor }}"
    template = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: %s}}\ndata: {{a: '{value}%s'}}\n"
    files = {
        ".gitops-ci.yaml": "rendering: {output: 4KiB}\nvalidate: {kubernetes-version: '1.30', values: {c: c.yaml}}\n"
    }
    for chart, more in (("c", ""), ("long", "x" * 5_000)):
        files[f"{chart}/Chart.yaml"] = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
        files[f"{chart}/values.yaml"] = "image: ''\n" if chart == "c" else "image: ghcr.io/acme/shop:1.4.1\n"
        files[f"{chart}/templates/c.yaml"] = template % (chart, more)
    commit_files(world.repo, files | {"c.yaml": "image: ghcr.io/acme/shop:1.4.1\n"})
    [text] = bump("1.5.0", "comment").comments.values()
    assert "ghcr.io/acme/shop:1.5.0 on 30" in text
    assert re.search("`chart:long`.* limit under rendering", text)


# The pull requests of other commands

SHOP = "ghcr.io/acme/shop"
STAGES = {
    ".gitops-ci.yaml": CONFIG,
    "apps/shop/base/kustomization.yaml": "resources: [deployment.yaml]\n",
    "apps/shop/base/deployment.yaml": FILES["base/deployment.yaml"],
    **{Past.path("shop", env): overlay(f"{SHOP}:1.5.0") for env in ("dev", "staging", "production")},
}


@pytest.fixture
def shown(run, git_server, tool, tmp_path):
    """Run a command in a world of environments; the one open pull request."""
    tool("kubectl", "git")
    with world_on("github", run, git_server, STAGES) as made:

        def call(*words, where="comment"):
            (tmp_path / ".gitops-ci.yaml").write_text(f"diff: {{comment: {where}}}\n")
            ran = made.call(*words)
            assert ran.code == 0, ran.err
            [pull] = [pull for pull in made.stub.pulls if pull.status == "open"]
            return pull

        call.world = made
        yield call


def test_a_rollback_shows_what_it_takes_back(shown):
    commit_files(shown.world.repo, {Past.path("shop", "production"): overlay(f"{SHOP}:1.6.0")})
    [text] = shown("rollback", SHOP, "--environment", "production").comments.values()
    assert f"| `{SHOP}` | `1.6.0` | `1.5.0` |" in text
    assert "| **older image** | `Deployment shop` |" in text
    assert "holds" not in text, "the file that blocks the version is not a manifest"


def test_a_promotion_shows_what_it_brings(shown):
    commit_files(shown.world.repo, {Past.path("shop", "dev"): overlay(f"{SHOP}:1.6.0")})
    [text] = shown(
        *("promote", SHOP, "--to", "staging", "--skip-gate", "source-agrees", "--reason", "no registry here")
    ).comments.values()
    assert f"| `{SHOP}` | `1.5.0` | `1.6.0` |" in text


def test_a_refreshed_request_shows_what_it_does_to_the_new_base(shown, tmp_path):
    """In the words of a run with a template, which refresh keeps; in a comment; and not at all."""

    def moved(tag):
        commit_files(shown.world.repo, {Past.path("shop", "production"): overlay(f"{SHOP}:{tag}")})

    template = tmp_path / "body.md"
    template.write_text("Ours: {image}\n")
    words = ("bump", f"{SHOP}:1.6.0", "--environment", "production", "--body", str(template))
    assert "`1.5.0` | `1.6.0`" in shown(*words, where="body").body
    moved("1.5.5")
    pull = shown("refresh", where="body")
    assert "Ours: " in pull.body
    assert "`1.5.5` | `1.6.0`" in pull.body
    assert "1.5.0" not in pull.body.partition("(gitops-ci:diff)")[2]
    moved("1.5.6")
    pull = shown("refresh", where="comment")
    assert "Ours: " in pull.body
    assert "gitops-ci:diff" not in pull.body, "it would be about the old base"
    assert "`1.5.6` | `1.6.0`" in "".join(pull.comments.values())


def test_the_versions_of_each_environment_are_a_table(shown, tmp_path):
    """In the pull request, in the job summary and in the page; refresh finds the same words."""
    commit_files(shown.world.repo, {Past.path("shop", "dev"): overlay(f"{SHOP}:1.5.5")})
    reports = {name: tmp_path / name for name in ("markdown", "html")}
    words = [f"--report={name}={path}" for name, path in reports.items()]
    body = shown("bump", f"{SHOP}:1.6.0", *words, where="none").body
    rows = [line for line in body.splitlines() if line.startswith("| ") and "→" in line]
    assert rows == ["| ghcr.io/acme/shop | 1.5.5 → 1.6.0 | 1.5.0 → 1.6.0 | 1.5.0 → 1.6.0 | 1.4.1 → 1.6.0 |"]
    assert "| Image | dev | production | staging | elsewhere |" in body
    assert "`1.5.5 → 1.6.0`" in reports["markdown"].read_text()
    assert ">1.5.5 → 1.6.0</td>" in reports["html"].read_text()
    sent = writes(shown.world)
    assert shown("refresh", where="none").body == body
    assert writes(shown.world) == sent
