"""`image prune` on a real registry and a real config repository: the oldest go, and nothing that somebody needs."""

from __future__ import annotations

import itertools

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.fault_proxy import Answer, fault_proxy
from tests.support.git_repo import commit_files, make_repo
from tests.support.layouts import LayoutWriter, layer_of
from tests.support.registry_state import pulled, tags

_numbers = itertools.count(1)


@pytest.fixture
def repository(registry):
    return f"{registry}/prune/shop-{next(_numbers)}"


@pytest.fixture
def pushed(run, repository, tmp_path):  # noqa: F811
    """Push an image of its own under these tags, built on a day of November; its digest."""

    def call(day, *names, folder=None, **more):
        writer = LayoutWriter(tmp_path / (folder or f"build-{next(_numbers)}"))
        labels = {"org.opencontainers.image.created": f"2026-11-{day:02}T10:00:00Z"} if day else {}
        digest = writer.simple("x", [{"day": str((day, names)).encode()}], labels=labels, **more)
        tags = ",".join(f"raw={name}" for name in names)
        assert run("image", "push", f"oci:{writer.folder}", "--to", repository, "--tags", tags).code == 0
        return digest

    return call


@pytest.fixture
def config(tmp_path):
    """A config repository with these files; `branch` may be another one beside main."""
    repo = make_repo(tmp_path / "config.git", {"README.md": b"nothing is deployed\n"})
    return repo, str(tmp_path / "config.git")


@pytest.fixture
def prune(run, repository, config):  # noqa: F811
    def call(*arguments, code=0, where=repository, environment=None):
        ran = run(
            "image", "prune", where, "--config-repo", config[1], "--output", "json", *arguments, environment=environment
        )
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


def names(document):
    return {image["tag"] for image in document["images"]}


def reasons(document):
    return {skip["path"].rpartition(":")[2]: skip["reason"] for skip in document["skipped"]}


PRS = ("--match", "pr-*", "--keep", "2")


def test_the_oldest_go_and_the_newest_stay(prune, pushed, repository):
    for number, day in ((1, 5), (2, 3), (10, 4), (9, 6)):
        pushed(day, f"pr-{number}")
    pushed(1, "main", "1.0.0", "latest")
    document = prune(*PRS, "--dry-run")
    assert (names(document), document["status"]) == ({"pr-2", "pr-10"}, "changed")
    assert {image["state"] for image in document["images"]} == {"planned"}
    assert len(tags(repository)) == 7
    document = prune(*PRS)
    assert names(document) == {"pr-2", "pr-10"}
    assert {image["state"] for image in document["images"]} == {"deleted"}
    assert set(tags(repository)) == {"pr-1", "pr-9", "main", "1.0.0", "latest"}
    assert prune(*PRS)["status"] == "unchanged"
    assert pulled(repository, "pr-1")


def test_versions_and_what_moves_with_them_are_never_deleted(prune, pushed, repository):
    kept = ("1.0.0", "1.0", "1", "v2.0.0-rc.1", "latest", "shop-1.2.3", "2026.11.30")
    pushed(1, *kept)
    pushed(2, "old")
    assert names(prune("--match", "*", "--keep", "0")) == {"old"}
    assert set(tags(repository)) == set(kept)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apps/shop/kustomization.yaml", "images:\n  - name: shop\n    newTag: {tag}\n"),
        ("apps/values.yaml", "image:\n  repository: ghcr.io/acme/shop\n  tag: '{tag}'\n"),
        ("apps/deep/er/any.txt", "TAG={tag}\n"),
        ("apps/d.yaml", "image: shop@{digest}\n"),
        ("no-newline", "{tag}"),
    ],
)
def test_what_a_file_names_stays(prune, pushed, repository, config, path, text):
    digest = pushed(1, "pr-1")
    pushed(2, "pr-2")
    commit_files(config[0], {path: text.format(tag="pr-1", digest=digest).encode()})
    document = prune("--match", "pr-*", "--keep", "0")
    assert names(document) == {"pr-2"}
    assert path in reasons(document)["pr-1"]
    assert set(tags(repository)) == {"pr-1"}


def test_other_words_with_the_tag_in_them_keep_nothing(prune, pushed, config):
    pushed(1, "pr-1")
    commit_files(config[0], {"a.yaml": b"tag: pr-12\nother: xpr-1\n"})
    assert names(prune("--match", "pr-*", "--keep", "0")) == {"pr-1"}


def test_every_branch_counts(prune, pushed, config):
    pushed(1, "pr-1")
    commit_files(config[0], {"a.yaml": b"tag: pr-1\n"}, branch="gitops-ci/staging/shop", parent="main")
    assert "gitops-ci/staging/shop" in reasons(prune("--match", "pr-*", "--keep", "0"))["pr-1"]


def test_every_repository_counts(prune, pushed, tmp_path):
    pushed(1, "pr-1")
    make_repo(tmp_path / "other.git", {"a.yaml": b"tag: pr-1\n"})
    more = ("--also-named-in", str(tmp_path / "other.git"))
    assert names(prune("--match", "pr-*", "--keep", "0", *more)) == set()


def test_a_config_repository_that_cannot_be_read_deletes_nothing(prune, pushed, repository, tmp_path):
    pushed(1, "pr-1")
    more = ("--also-named-in", str(tmp_path / "missing.git"))
    assert prune("--match", "pr-*", "--keep", "0", *more, code=5)["images"] == []
    assert set(tags(repository)) == {"pr-1"}


def test_an_image_that_a_kept_tag_has_too_stays(prune, pushed, repository):
    digest = pushed(1, "pr-1", "main")
    document = prune("--match", "pr-*", "--keep", "0")
    assert "has the same image" in reasons(document)["pr-1"]
    assert tags(repository) == {"pr-1": digest, "main": digest}


def test_the_platforms_of_a_kept_index_stay(prune, pushed, run, repository, tmp_path):  # noqa: F811
    writer = LayoutWriter(tmp_path / "index")
    child = writer.image(layer_of({"a": b"a"}))
    writer.tag("x", writer.index({"linux/amd64": child}))
    assert run("image", "push", "oci:index", "--to", f"{repository}:main").code == 0
    assert run("image", "copy", f"{repository}:main", f"{repository}:pr-1", "--platform", "linux/amd64").code == 0
    assert names(prune("--match", "pr-*", "--keep", "0")) == set()
    pulled(repository, "main")


def test_two_old_tags_of_one_image_both_go(prune, pushed, repository):
    pushed(1, "pr-1", "pr-2")
    pushed(2, "main")
    assert names(prune("--match", "pr-*", "--keep", "0")) == {"pr-1", "pr-2"}
    assert set(tags(repository)) == {"main"}


def test_an_image_without_a_date_stays(prune, run, repository, tmp_path):  # noqa: F811
    writer = LayoutWriter(tmp_path / "artifact")
    writer.tag("x", writer.artifact(b"{}", "application/vnd.oci.empty.v1+json", b"x", "text/plain"))
    assert run("image", "push", "oci:artifact", "--to", f"{repository}:pr-1").code == 0
    assert reasons(prune("--match", "pr-*", "--keep", "0")) == {"pr-1": "its image has no date"}


def test_a_registry_that_deletes_tags_is_asked_for_no_more(prune, pushed, registry, repository):
    pushed(1, "pr-1")
    with fault_proxy(registry) as proxy:
        proxy.script = lambda asked: Answer(202) if asked.method == "DELETE" else None
        prune("--match", "pr-*", "--keep", "0", where=repository.replace(registry, proxy.host))
        deletes = [asked.path.rpartition("/")[2] for asked in proxy.asked if asked.method == "DELETE"]
    assert deletes == ["pr-1"]


@pytest.mark.parametrize("status", [401, 403, 405])
def test_a_registry_that_deletes_nothing_is_an_error(prune, pushed, registry, repository, status):
    pushed(1, "pr-1")
    pushed(2, "pr-2")
    with fault_proxy(registry) as proxy:
        proxy.script = lambda asked: Answer(status) if asked.method == "DELETE" else None
        document = prune("--match", "pr-*", "--keep", "0", where=repository.replace(registry, proxy.host), code=4)
    assert str(status) in document["error"]["message"]
    assert document["images"] == []


def test_what_is_done_before_a_refusal_is_reported(prune, pushed, registry, repository):
    pushed(1, "pr-1")
    second = pushed(2, "pr-2")
    with fault_proxy(registry) as proxy:
        proxy.script = lambda asked: Answer(403) if asked.method == "DELETE" and second in asked.path else None
        document = prune("--match", "pr-*", "--keep", "0", where=repository.replace(registry, proxy.host), code=4)
    assert (names(document), document["status"]) == ({"pr-1"}, "failed")
    assert set(tags(repository)) == {"pr-2"}


def test_lines_for_people(run, pushed, repository, config):  # noqa: F811
    pushed(1, "pr-1")
    pushed(2, "pr-2")
    commit_files(config[0], {"a.yaml": b"tag: pr-2\n"})
    arguments = ("image", "prune", repository, "--match", "pr-*", "--keep", "0", "--config-repo", config[1])
    lines = run(*arguments, "--dry-run").out.splitlines()
    assert lines[0].startswith(f"would delete  {repository}:pr-1  sha256:")
    assert lines[1].startswith(f"kept          {repository}:pr-2  a.yaml:1 on main names it")
    assert lines[2] == "image prune: would delete 1 tag of 2"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("a/b", "--keep", "2", "--config-repo", "x"), "No tags are chosen"),
        (("a/b", "--match", "x", "--config-repo", "x"), "No number of tags to keep"),
        (("a/b", "--match", "x", "--keep", "2"), "No config repository"),
        (("a/b:1", "--match", "x", "--keep", "2", "--config-repo", "x"), "names one image"),
        (("a/b", "--match", "x", "--keep", "-1", "--config-repo", "x"), "-1"),
    ],
)
def test_what_is_missing_is_said(run, arguments, word):  # noqa: F811
    ran = run("image", "prune", *arguments)
    assert ran.code == 2
    assert word in ran.err


def test_code_from_outside_deletes_nothing(prune, pushed, repository):
    pushed(1, "pr-1")
    variables = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "7"}
    variables |= {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1", "CI_MERGE_REQUEST_PROJECT_ID": "2"}
    prune("--match", "pr-*", "--keep", "0", code=2, environment=variables)
    assert names(prune("--match", "pr-*", "--keep", "0", "--dry-run", environment=variables)) == {"pr-1"}
    assert set(tags(repository)) == {"pr-1"}
