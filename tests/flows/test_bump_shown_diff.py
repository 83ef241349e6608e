"""`diff: {comment: …}`: a pull request shows what it does to the rendered objects."""

from __future__ import annotations

import pytest

from tests.flows.test_bump import FILES
from tests.support.git_repo import commit_files
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
    tool("kubectl", "git")
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
