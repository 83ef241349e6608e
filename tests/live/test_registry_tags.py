"""Which tags a push gives and leaves on a real registry: schemes beside each other, pipelines that run again."""

from __future__ import annotations

import itertools
import subprocess

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import tags

_numbers = itertools.count(1)
REVISION = "org.opencontainers.image.revision"
CREATED = "org.opencontainers.image.created"


@pytest.fixture
def repository(registry):
    return f"{registry}/tags/shop-{next(_numbers)}"


@pytest.fixture
def push(run, repository, tmp_path):  # noqa: F811
    def call(folder, *options, code=0, labels=None, environment=None):
        LayoutWriter(tmp_path / folder).simple("x", [{folder: b"1"}], labels=labels or {})
        more = ("--output", "json", *options)
        ran = run("image", "push", f"oci:{tmp_path / folder}", "--to", repository, *more, environment=environment)
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


def given(document):
    return [image["tag"] for image in document["images"]]


# ---------------------------------------------------------------------------------------------------- schemes


def test_nightly_dates_never_hold_latest_back(push):
    push("one", "--version", "1.4.2")
    push("night", "--tags", "date=%Y.%m.%d", environment={"SOURCE_DATE_EPOCH": "1796004000"})
    assert given(push("two", "--version", "1.5.0")) == ["1.5.0", "1.5", "1", "latest"]


def test_a_date_that_every_release_gets_does_not_hold_latest_back(push):
    tags_of_all = ("--tags", "semver,date=%Y.%m.%d")
    push("one", "--version", "1.4.2", *tags_of_all, environment={"SOURCE_DATE_EPOCH": "1796004000"})
    push("two", "--version", "1.5.0", *tags_of_all, environment={"SOURCE_DATE_EPOCH": "1796090400"})
    assert "latest" in given(push("three", "--version", "1.5.1"))


@pytest.mark.parametrize(("old", "new"), [("2026.11.30", "1.0.0"), ("7.0.0", "2026.11.30"), ("1.2.3.4", "2.0.0")])
def test_latest_of_another_scheme_is_moved_once_by_hand(run, push, repository, old, new):  # noqa: F811
    """Nobody can tell which of the two is newer: a backport of the old scheme must not take it."""
    push("one", "--version", old)
    document = push("two", "--version", new)
    assert "latest" not in given(document)
    [left] = [choice for choice in document["skipped"] if choice["path"].endswith(":latest")]
    assert old in left["reason"]
    assert run("image", "retag", f"{repository}:{new}", "latest").code == 0
    document = push("three", "--version", f"{new[:-1]}9")
    assert "latest" in given(document)
    assert "latest" not in given(push("four", "--version", f"{old[:-1]}9"))


# ---------------------------------------------------------------------------------------------------- branches


@pytest.fixture
def commits(tmp_path, monkeypatch):
    """Two commits of a branch, the older one first."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet", "-b", "main")
    found = []
    for word in ("one", "two"):
        git("commit", "--quiet", "--allow-empty", "-m", word)
        found.append(git("rev-parse", "HEAD"))
    return found


def pipeline(commit):
    return {
        "GITLAB_CI": "true",
        "CI_COMMIT_SHA": commit,
        "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main",
    }


MOVING = ("--tags", "sha,branch,edge,raw=next-{branch}")


@pytest.mark.parametrize("label", [True, False], ids=["label", "no label"])
def test_an_old_pipeline_that_runs_again_moves_no_tag_back(push, repository, commits, label):
    """The image is built again, so its own date says nothing: the commits decide."""
    old, new = commits
    push("new", *MOVING, labels={REVISION: new}, environment=pipeline(new))
    newest = tags(repository)
    document = push("old", *MOVING, labels={REVISION: old} if label else {}, environment=pipeline(old))
    assert given(document) == [f"main-{old[:7]}"]
    assert {skip["path"].rpartition(":")[2] for skip in document["skipped"]} == {"main", "edge", "next-main"}
    assert new[:12] in document["skipped"][0]["reason"]
    assert tags(repository) == newest | {f"main-{old[:7]}": document["images"][0]["digest"]}


def test_a_newer_commit_moves_the_tags(push, repository, commits):
    old, new = commits
    push("old", *MOVING, labels={REVISION: old}, environment=pipeline(old))
    document = push("new", *MOVING, labels={REVISION: new}, environment=pipeline(new))
    assert given(document) == [f"main-{new[:7]}", "main", "edge", "next-main"]


def test_a_dry_run_shows_the_same(push, repository, commits):
    old, new = commits
    push("new", *MOVING, labels={REVISION: new}, environment=pipeline(new))
    document = push("old", *MOVING, "--dry-run", environment=pipeline(old))
    assert given(document) == [f"main-{old[:7]}"]


def test_tags_go_back_on_request(push, repository, commits):
    old, new = commits
    push("new", *MOVING, labels={REVISION: new}, environment=pipeline(new))
    document = push("old", *MOVING, "--allow-move", labels={REVISION: old}, environment=pipeline(old))
    assert "main" in given(document)


def test_a_run_that_would_only_move_a_tag_back_fails(push, repository, commits):
    old, new = commits
    push("new", "--tags", "branch", labels={REVISION: new}, environment=pipeline(new))
    document = push("old", "--tags", "branch", labels={REVISION: old}, environment=pipeline(old), code=4)
    assert "comes after" in document["error"]["message"]
    assert "--allow-move" in document["error"]["hint"]


def test_without_history_the_dates_of_the_images_decide(push, repository, commits):
    """A shallow clone does not have the other commit."""
    here, elsewhere = commits[1], "f" * 40
    newer = {REVISION: elsewhere, CREATED: "2026-11-20T10:00:00Z"}
    push("new", "--tags", "sha,branch", labels=newer, environment=pipeline(elsewhere))
    older = {REVISION: here, CREATED: "2026-11-19T10:00:00Z"}
    assert given(push("old", "--tags", "sha,branch", labels=older, environment=pipeline(here))) == [f"main-{here[:7]}"]
    older[CREATED] = "2026-11-21T10:00:00Z"
    assert "main" in given(push("newest", "--tags", "sha,branch", labels=older, environment=pipeline(here)))


# ------------------------------------------------------------------------------------------------- components


def test_a_git_tag_of_another_component_is_no_version(push, repository, run):  # noqa: F811
    tagged = {"GITLAB_CI": "true", "CI_COMMIT_SHA": "a" * 40, "CI_COMMIT_TAG": "worker/v9.0.0"}
    document = push("one", code=2, environment=tagged)
    assert "worker/" in document["error"]["hint"]
    assert given(push("one", "--tags", "sha", environment=tagged)) == ["sha-aaaaaaa"]
    assert "9.0.0" in given(push("one", "--tag-prefix", "worker/", environment=tagged))
    assert "1.4.2" in given(
        push("two", "--tag-match", "shop@(.+)", environment=tagged | {"CI_COMMIT_TAG": "shop@1.4.2"})
    )


def test_the_version_of_a_file(push, repository, tmp_path):
    (tmp_path / "package.json").write_text('{"version": "1.4.2"}')
    assert given(push("one", "--version-from", "package.json", "--no-floating")) == ["1.4.2"]
    assert given(push("two", "--version-from", "package.json", "--version", "1.4.3", "--no-floating")) == ["1.4.3"]
