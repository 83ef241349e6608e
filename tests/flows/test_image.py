"""`image tags`, `image push` and `image retag`, against a real Engine and a real registry."""

from __future__ import annotations

import itertools

import pytest
import requests

from tests.support.layouts import LayoutWriter

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
_numbers = itertools.count(1)


@pytest.fixture
def repository(registry):
    """A repository of the registry that no other test uses."""
    return f"{registry}/image-tests/shop-{next(_numbers)}"


@pytest.fixture
def layout(tmp_path):
    """An OCI layout with one image, tagged 1.4.2."""
    writer = LayoutWriter(tmp_path / "build")
    writer.simple("1.4.2", [{"a": b"a" * 10_000}, {"b": b"b"}], labels={"org.opencontainers.image.revision": "3fa9c1e"})
    return "oci:build:1.4.2"


@pytest.fixture
def by_engine(engine, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", engine)


def digest_in_registry(reference):
    host, _, rest = reference.partition("/")
    name, _, tag = rest.rpartition(":")
    answer = requests.head(f"http://{host}/v2/{name}/manifests/{tag}", headers={"Accept": MANIFESTS}, timeout=10)
    return answer.headers["Docker-Content-Digest"] if answer.status_code == 200 else None


def tags_in_registry(repository):
    host, _, name = repository.partition("/")
    return set(requests.get(f"http://{host}/v2/{name}/tags/list", timeout=10).json().get("tags") or ())


def references(ran):
    return {image["tag"]: (image["state"], image["digest"]) for image in ran.document["images"]}


@pytest.mark.engine
def test_an_engine_image_gets_all_its_tags_with_one_digest(run, by_engine, built_image, repository):
    ran = run("image", "push", built_image, "--to", repository, "--version", "1.4.2", "--output", "json")
    assert (ran.code, ran.document["status"]) == (0, "changed"), ran.err
    digest = digest_in_registry(f"{repository}:1.4.2")
    assert references(ran) == dict.fromkeys(("1.4.2", "1.4", "1", "latest"), ("pushed", digest))
    assert {digest_in_registry(f"{repository}:{tag}") for tag in ("1.4", "1", "latest")} == {digest}


@pytest.mark.engine
def test_the_same_engine_image_again_is_there_already(run, by_engine, built_image, repository):
    first = run("image", "push", f"docker:{built_image}", "--to", repository, "--version", "1.4.2", "--output", "json")
    again = run("image", "push", f"docker:{built_image}", "--to", repository, "--version", "1.4.2", "--output", "json")
    assert (again.code, again.document["status"]) == (0, "unchanged")
    assert {state for state, _ in references(again).values()} == {"present"}
    assert again.document["images"][0]["digest"] == first.document["images"][0]["digest"]


@pytest.mark.engine
def test_another_engine_image_under_a_released_tag_is_refused(run, by_engine, make_image, repository):
    make_image("gitops-ci-tests/guard:one", {"one": b"1"})
    make_image("gitops-ci-tests/guard:two", {"two": b"2"})
    assert run("image", "push", "gitops-ci-tests/guard:one", "--to", f"{repository}:1.4.2").code == 0
    before = digest_in_registry(f"{repository}:1.4.2")
    ran = run("image", "push", "gitops-ci-tests/guard:two", "--to", repository, "--version", "1.4.2")
    assert ran.code == 4
    assert before in ran.out
    assert "--allow-move" in ran.out
    assert tags_in_registry(repository) == {"1.4.2"}
    assert digest_in_registry(f"{repository}:1.4.2") == before
    assert run("image", "push", "gitops-ci-tests/guard:two", "--to", f"{repository}:1.4.2", "--allow-move").code == 0
    assert digest_in_registry(f"{repository}:1.4.2") != before


@pytest.mark.engine
def test_an_image_that_the_engine_does_not_have_names_the_nearest(run, by_engine, built_image, repository):
    ran = run("image", "push", f"{built_image}x", "--to", repository, "--version", "1.0.0")
    assert ran.code == 4
    assert f"has no image '{built_image}x'" in ran.out
    assert built_image in ran.out.partition("hint:")[2]


def test_an_engine_that_is_not_there_is_said_so(run, monkeypatch, repository, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    ran = run("image", "push", "shop:build", "--to", repository, "--version", "1.0.0")
    assert ran.code == 4
    assert "does not answer" in ran.out
    assert "DOCKER_HOST" in ran.out


def test_a_layout_is_pushed_as_it_is(run, layout, repository, tmp_path):
    ran = run("image", "push", layout, "--to", repository, "--version", "1.4.2", "--output", "json")
    assert ran.code == 0, ran.err
    digest = LayoutWriter(tmp_path / "again").simple(
        "x", [{"a": b"a" * 10_000}, {"b": b"b"}], labels={"org.opencontainers.image.revision": "3fa9c1e"}
    )
    assert references(ran)["1.4.2"] == ("pushed", digest)
    assert ran.document["summary"]["bytes_sent"] > 0
    assert digest_in_registry(f"{repository}:latest") == digest


def test_a_second_push_sends_nothing(run, layout, repository):
    run("image", "push", layout, "--to", repository, "--version", "1.4.2")
    ran = run("image", "push", layout, "--to", repository, "--version", "1.4.2", "--output", "json")
    assert (ran.code, ran.document["status"], ran.document["summary"]["bytes_sent"]) == (0, "unchanged", 0)


def test_a_tag_in_to_is_the_only_tag(run, layout, repository):
    ran = run("image", "push", layout, "--to", f"{repository}:7.0.0")
    assert ran.code == 0, ran.err
    assert run("image", "push", layout, "--to", f"{repository}:7.0.0", "--version", "v7.0.0").code == 0
    assert tags_in_registry(repository) == {"7.0.0"}


def test_a_name_in_capitals_is_lower_cased_and_a_tag_is_not(run, layout, repository):
    """As `github.repository` has them."""
    ran = run("image", "push", layout, "--to", f"{repository.replace('shop', 'Shop')}:RC-1")
    assert ran.code == 0, ran.out
    assert (
        f"names in registries are lowercase: {repository.replace('shop', 'Shop')}:RC-1 is {repository}:RC-1" in ran.err
    )
    assert tags_in_registry(repository) == {"RC-1"}
    again = run("image", "retag", f"{repository.replace('shop', 'SHOP')}:RC-1", "Stable")
    assert again.code == 0, again.out
    assert tags_in_registry(repository) == {"RC-1", "Stable"}
    listed = run("image", "tags", "--to", repository.replace("shop", "SHOP"), "--version", "1.0.0", "--output", "json")
    assert listed.document["images"][0]["reference"] == f"{repository}:1.0.0"


def test_a_backport_leaves_the_newer_series_alone(run, layout, repository, tmp_path):
    assert run("image", "push", layout, "--to", repository, "--version", "2.0.0").code == 0
    newest = digest_in_registry(f"{repository}:latest")
    LayoutWriter(tmp_path / "old").simple("b", [{"old": b"1"}])
    assert run("image", "push", "oci:old", "--to", repository, "--version", "1.3.9").code == 0
    assert digest_in_registry(f"{repository}:latest") == newest != digest_in_registry(f"{repository}:1.3.9")
    assert digest_in_registry(f"{repository}:1") == digest_in_registry(f"{repository}:1.3.9")


def test_a_branch_build_gets_branch_and_commit(run, layout, repository):
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_SHA": "3fa9c1e0b5d2a7c64e8f1b90d3c2a1f0e9d8c7b6",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_EVENT_NAME": "push",
    }
    ran = run("image", "push", layout, "--to", repository, "--output", "json", environment=github)
    assert ran.code == 0, ran.err
    assert set(references(ran)) == {"main-3fa9c1e"}


def test_a_dry_run_pushes_nothing(run, layout, repository):
    ran = run("image", "push", layout, "--to", repository, "--version", "1.4.2", "--dry-run", "--output", "json")
    assert ran.code == 0, ran.err
    assert ran.document["dry_run"] is True
    assert {state for state, _ in references(ran).values()} == {"planned"}
    assert tags_in_registry(repository) == set()


def test_a_dry_run_sees_a_released_tag_too(run, layout, repository, tmp_path):
    assert run("image", "push", layout, "--to", repository, "--version", "1.4.2").code == 0
    LayoutWriter(tmp_path / "other").simple("b", [{"other": b"1"}])
    ran = run("image", "push", "oci:other", "--to", repository, "--version", "1.4.2", "--dry-run")
    assert ran.code == 4
    assert "2026-11-20T10:00:00" in ran.out, "the age of what is there"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop:build", "--to", "host.example/acme/shop:1.9", "--version", "1.9.1"], "but --version is 1.9.1"),
        (["shop:build", "--to", "host.example/acme/shop", "--version", "1.9"], "'1.9' is not a whole version"),
        (["shop:build", "--to", "host.example/acme/shop", "--version", "latest"], "'latest' is not a version"),
        (["shop:build", "--to", "host.example/acme/shop:a b"], "'a b' is not a tag"),
        (["shop:build", "--to", "host.example/acme/shop", "--version", "1.0.0 beta"], "is not a version"),
        (["shop:build", "--to", "host.example/acme/shop", "--version", "1.0.0-a b"], "is not a tag"),
        (["Shop:build", "--to", "host.example/acme/shop", "--version", "1.0.0"], "must be lower case"),
        (["shop:build", "--to", "host.example/acme/shop", "--tags", "semvar"], "no tag strategy 'semvar'"),
        (["shop:build", "--to", "host.example/acme/shop:1.0.0", "--tags", "semver=minor"], "'semver=minor'"),
        (["shop:build", "--to", "host.example/acme/shop", "--tags", "sha=0"], "'sha=0'"),
        (["shop:build", "--version", "1.0.0"], "No destination"),
        (["oci:", "--to", "host.example/acme/shop", "--version", "1.0.0"], "names no image"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_starts(run, arguments, said):
    ran = run("image", "push", *arguments)
    assert ran.code == 2
    assert said in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_a_registry_that_is_down_is_said_so(run, layout):
    ran = run("image", "push", layout, "--to", "127.0.0.1:1/acme/shop", "--version", "1.0.0")
    assert ran.code == 4
    assert "127.0.0.1:1 refuses connections" in ran.out
    assert "hint:" in ran.out


def test_a_host_that_is_unknown_is_said_so(run, layout):
    ran = run("image", "push", layout, "--to", "registry.invalid/acme/shop", "--version", "1.0.0")
    assert ran.code == 4
    assert "cannot resolve host registry.invalid" in ran.out


def test_an_image_of_another_commit_is_refused(run, layout, repository):
    refused = run("image", "push", layout, "--to", f"{repository}:1.0.0", "--expect-revision", "0" * 40)
    assert refused.code == 4
    assert "3fa9c1e" in refused.out
    assert tags_in_registry(repository) == set()
    commit = "3fa9c1e0b5d2a7c64e8f1b90d3c2a1f0e9d8c7b6"
    assert run("image", "push", layout, "--to", f"{repository}:1.0.0", "--expect-revision", commit).code == 0


def test_retag_adds_tags_by_digest(run, layout, repository):
    run("image", "push", layout, "--to", f"{repository}:1.4.2")
    ran = run("image", "retag", f"{repository}:1.4.2", "stable", "prod", "--output", "json")
    assert ran.code == 0, ran.err
    digest = digest_in_registry(f"{repository}:1.4.2")
    assert references(ran) == {"stable": ("pushed", digest), "prod": ("pushed", digest)}
    assert digest_in_registry(f"{repository}:prod") == digest


def test_promotion_mounts_every_layer(run, layout, repository):
    run("image", "push", layout, "--to", f"{repository}:1.4.2")
    ran = run(
        "image", "retag", f"{repository}:1.4.2", "--to", f"{repository}-prod", "--version", "1.4.2", "--output", "json"
    )
    assert ran.code == 0, ran.err
    assert (ran.document["summary"]["bytes_sent"], ran.document["summary"]["layers_reused"]) == (0, 3)
    assert digest_in_registry(f"{repository}-prod:1.4.2") == digest_in_registry(f"{repository}:1.4.2")


GITHUB_TAG_BUILD = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REF_NAME": "v9.0.0",
    "GITHUB_REF_TYPE": "tag",
    "GITHUB_SHA": "3fa9c1e0b5d2a7c64e8f1b90d3c2a1f0e9d8c7b6",
    "GITHUB_REPOSITORY": "acme/config",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_EVENT_NAME": "push",
}


@pytest.mark.parametrize("environment", [{}, GITHUB_TAG_BUILD], ids=["anywhere", "in a build of another version"])
@pytest.mark.parametrize("configured", ["", "tags: [sha, branch]\n"])
@pytest.mark.parametrize("tag", ["1.5.0", "main-3fa9c1e", "Stable"])
def test_promotion_keeps_the_tag(run, layout, repository, tmp_path, environment, configured, tag):
    """The checkout that a promotion runs in is not the image's."""
    (tmp_path / ".gitops-ci.yaml").write_text(configured)
    run("image", "push", layout, "--to", f"{repository}:{tag}")
    ran = run("image", "retag", f"{repository}:{tag}", "--to", f"{repository}-prod", environment=environment)
    assert ran.code == 0, ran.out + ran.err
    series = {"1.5", "1", "latest"} if tag == "1.5.0" else set()
    assert tags_in_registry(f"{repository}-prod") == {tag, *series}


def test_promotion_to_a_folder_keeps_the_tag(run, layout, repository):
    run("image", "push", layout, "--to", f"{repository}:1.5.0")
    assert run("image", "retag", f"{repository}:1.5.0", "--to", "oci:mirror").code == 0
    assert run("image", "push", "oci:mirror:1.5.0", "--to", f"{repository}:again").code == 0
    assert run("image", "retag", f"{repository}:1.5.0", "stable", "--to", "oci:mirror").code == 0
    assert run("image", "push", "oci:mirror:stable", "--to", f"{repository}:again").code == 0


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("stable",), {"stable"}),
        (("--version", "2.0.0"), {"2.0.0", "2.0", "2", "latest"}),
        (("--tags", "raw=edge"), {"edge"}),
        (("--no-floating",), {"1.5.0"}),
        (("--tag-suffix", "-alpine"), {"1.5.0-alpine", "1.5-alpine", "1-alpine", "latest-alpine"}),
    ],
)
def test_promotion_gets_the_tags_that_are_asked_for(run, layout, repository, more, expected):
    run("image", "push", layout, "--to", f"{repository}:1.5.0")
    assert run("image", "retag", f"{repository}:1.5.0", "--to", f"{repository}-prod", *more).code == 0
    assert tags_in_registry(f"{repository}-prod") == expected


def test_promotion_by_digest_says_which_tag_is_wanting(run, layout, repository):
    run("image", "push", layout, "--to", f"{repository}:1.5.0")
    digest = digest_in_registry(f"{repository}:1.5.0")
    ran = run("image", "retag", f"{repository}@{digest}", "--to", f"{repository}-prod")
    assert ran.code == 2
    assert "There is no tag for this build" in ran.out + ran.err


def test_tags_are_listed_with_their_reasons(run, layout, repository):
    run("image", "push", layout, "--to", repository, "--version", "2.0.0")
    ran = run("image", "tags", "--to", repository, "--version", "1.3.9", "--output", "json")
    assert ran.code == 0, ran.err
    assert set(references(ran)) == {"1.3.9", "1.3", "1"}
    assert [(skip["path"], skip["reason"]) for skip in ran.document["skipped"]] == [
        (f"{repository}:latest", "2.0.0 is newer")
    ]
    assert tags_in_registry(repository) == {"2.0.0", "2.0", "2", "latest"}


def test_tags_are_listed_in_columns(run, layout, repository):
    run("image", "push", layout, "--to", f"{repository}:2.0.0")
    run("image", "push", layout, "--to", f"{repository}:1.3.9")
    ran = run("image", "tags", "--to", repository, "--version", "1.3.9")
    today = digest_in_registry(f"{repository}:1.3.9")[:19]
    assert ran.out.splitlines() == [
        f"Tags of {repository}",
        f"  yes  1.3.9   the version      {today} today",
        "  yes  1.3     newest of 1.3.x",
        "  yes  1       newest of 1.x",
        "  no   latest  2.0.0 is newer",
        "",
        "image tags: 3 tags, 1 skipped",
    ]
    alone = run("image", "tags", "--version", "0.1.0")
    assert alone.out.splitlines()[:2] == ["Tags", "  yes  0.1.0   the version"]


def test_a_folder_serves_as_a_registry(run, layout, tmp_path):
    ran = run("image", "push", layout, "--to", "oci:registry", "--version", "1.4.2", "--output", "json")
    assert ran.code == 0, ran.err
    assert set(references(ran)) == {"1.4.2", "1.4", "1", "latest"}
    again = run("image", "push", "oci:registry:1.4", "--to", "oci:registry", "--version", "1.4.2", "--output", "json")
    assert again.document["status"] == "unchanged"
    LayoutWriter(tmp_path / "other").simple("b", [{"other": b"1"}])
    assert run("image", "push", "oci:other", "--to", "oci:registry", "--version", "1.4.2").code == 4


def test_tags_of_a_retag_are_in_one_place(run, layout, repository):
    run("image", "push", layout, "--to", f"{repository}:1.4.2")
    ran = run("image", "retag", f"{repository}:1.4.2", "stable", "--to", f"{repository}:prod")
    assert ran.code == 2
    assert "stable" in ran.out + ran.err
    assert tags_in_registry(repository) == {"1.4.2"}
