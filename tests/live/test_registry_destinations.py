"""One image to several registries: all of them have it, one of them is the one that manifests name."""

from __future__ import annotations

import itertools

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import delivery
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import tags

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def other(make_registry):
    return make_registry(users={"bot": "word-of-the-bot"})


@pytest.fixture(scope="module")
def second(make_registry):
    return make_registry().host


@pytest.fixture
def name():
    return f"several/shop-{next(_numbers)}"


@pytest.fixture
def builds(tmp_path):
    """Two images in layouts `a` and `b`; their digests."""
    return [LayoutWriter(tmp_path / folder).simple("x", [{folder: b"1" * 4000}]) for folder in "ab"]


@pytest.fixture
def push(run):  # noqa: F811
    def call(source, *options, code=0, environment=None):
        ran = run("image", "push", f"oci:{source}", "--output", "json", *options, environment=environment)
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


def test_every_destination_gets_the_image(push, registry, second, name, builds):
    to = ("--to", f"{registry}/{name}", "--to", f"{second}/{name}-mirror", "--to", "oci:out")
    document = push("a", *to, "--version", "1.4.2")
    four = ["1.4.2", "1.4", "1", "latest"]
    assert [image["tag"] for image in document["images"]] == four * 3
    assert document["images"][0]["reference"] == f"{registry}/{name}:1.4.2"
    assert tags(f"{registry}/{name}") == tags(f"{second}/{name}-mirror") == dict.fromkeys(four, builds[0])
    assert push("a", *to, "--version", "1.4.2")["status"] == "unchanged"


@pytest.mark.parametrize("spelling", ["variable, words", "variable, lines", "file"])
def test_the_variable_and_the_file_name_several(push, registry, second, name, builds, tmp_path, spelling):
    both = [f"{registry}/{name}", f"{second}/{name}"]
    variables = {}
    if spelling == "file":
        (tmp_path / ".gitops-ci.yaml").write_text(f"image: [{', '.join(both)}]\n")
    else:
        variables["GITOPS_CI_TO"] = ("\n" if "lines" in spelling else " ").join(both)
    push("a", "--tags", "raw=x", environment=variables)
    assert tags(both[0]) == tags(both[1]) == {"x": builds[0]}


def test_each_has_its_own_newest_version(push, registry, second, name, builds):
    push("a", "--to", f"{registry}/{name}", "--version", "2.0.0")
    push("b", "--to", f"{registry}/{name}", "--to", f"{second}/{name}", "--version", "1.4.2")
    assert tags(f"{registry}/{name}")["latest"] == builds[0]
    assert tags(f"{second}/{name}")["latest"] == builds[1]


def test_what_one_of_them_refuses_reaches_none(push, registry, second, name, builds):
    push("a", "--to", f"{second}/{name}", "--version", "1.4.2")
    document = push("b", "--to", f"{registry}/{name}", "--to", f"{second}/{name}", "--version", "1.4.2", code=4)
    assert "is released already" in document["error"]["message"]
    assert document["images"] == []


def test_a_dry_run_pushes_nowhere(push, registry, second, name, builds):
    document = push("a", "--to", f"{registry}/{name}", "--to", f"{second}/{name}", "--tags", "raw=x", "--dry-run")
    assert {image["state"] for image in document["images"]} == {"planned"}


def test_a_destination_is_given_once(push, registry, name, builds):
    document = push("a", "--to", f"{registry}/{name}", "--to", f"{registry}/{name.upper()}", "--tags", "sha", code=2)
    assert "twice" in document["error"]["message"]


def test_the_account_is_for_the_first_registry_only(push, registry, other, name, builds):
    """No registry gets the password of another."""
    account = {"GITOPS_CI_REGISTRY_USER": "bot", "GITOPS_CI_REGISTRY_PASSWORD": "word-of-the-bot"}
    first, later = ("--to", f"{other.host}/{name}"), ("--to", f"{registry}/{name}")
    push("a", *first, *later, "--tags", "raw=x", environment=account)
    document = push("a", *later, *first, "--tags", "raw=y", environment=account, code=4)
    assert "401" in document["error"]["message"]
    push("a", *later, *first, "--tags", "raw=y", environment=account | {"GITOPS_CI_REGISTRY": other.host})


def test_tags_of_every_destination(run, registry, second, name, builds):  # noqa: F811
    to = ("--to", f"{registry}/{name}", "--to", f"{second}/{name}")
    ran = run("image", "tags", *to, "--tags", "raw=x", "--output", "json")
    assert [image["reference"] for image in ran.document["images"]] == [f"{registry}/{name}:x", f"{second}/{name}:x"]


def test_promotion_to_several(run, push, registry, second, name, builds):  # noqa: F811
    push("a", "--to", f"{registry}/{name}", "--tags", "raw=1.4.2")
    to = ("--to", f"{registry}/{name}-prod", "--to", f"{second}/{name}-prod")
    assert run("image", "retag", f"{registry}/{name}:1.4.2", *to).code == 0
    pushed = dict.fromkeys(("1.4.2", "1.4", "1", "latest"), builds[0])
    assert tags(f"{registry}/{name}-prod") == tags(f"{second}/{name}-prod") == pushed


@pytest.mark.parametrize("named", ["first", "second", "another"])
def test_the_bump_names_one_of_them(run, registry, second, name, builds, tmp_path, named):  # noqa: F811
    both = [f"{registry}/{name}", f"{second}/{name}"]
    image = {"first": both[0], "second": both[1], "another": "ghcr.io/acme/shop"}[named]
    with delivery.github(tmp_path / "git", image) as to:
        where = ("--config-repo", to.url, "--forge", "github", "--api-url", to.forge.api_url, "--base", "main")
        which = () if named == "first" else ("--image-name", image)
        ran = run(
            "release", "oci:a", "--to", both[0], "--to", both[1], *which, "--version", "1.4.2", *where,
            "--environment", "staging", "--output", "json", environment={"GITOPS_CI_TOKEN": to.token},
        )  # fmt: skip
        assert ran.code == 0, ran.out + ran.err
        assert ran.document["images"][0]["reference"] == f"{both[named == 'second']}:1.4.2"
        assert len(to.forge.pulls) == 1
    assert tags(both[0]) == tags(both[1])


@pytest.mark.parametrize(
    "to",
    [
        "oci-archive:shop.tar",
        "docker-archive:shop.tar:acme/shop:1.5.0",
        "docker-archive:/tmp/shop.tar",
        "chart:shop.tgz",
        "docker:shop",
        "dir:shop",
        "docker-daemon:shop:1.5.0",
        "containers-storage:shop",
    ],
)
@pytest.mark.parametrize("options", [(), ("--version", "1.5.0"), ("--dry-run",)], ids=["tag", "version", "dry run"])
def test_what_is_only_read_is_no_destination(push, builds, to, options):
    """Each of these is a name in Docker Hub, too: `docker.io/library/oci-archive:shop.tar`."""
    error = push("a", "--to", to, *options, code=2)["error"]
    assert "is not a destination" in error["message"]
    assert "oci:DIR" in error["hint"]


def test_all_tags_have_no_archive_either(run, registry, push, name, builds):  # noqa: F811
    push("a", "--to", f"{registry}/{name}:1.0.0")
    ran = run("image", "copy", f"{registry}/{name}", "oci-archive:/tmp/shop.tar", "--all-tags", "--output", "json")
    assert ran.code == 2
    assert "is not a destination" in ran.document["error"]["message"]


def test_the_scheme_of_skopeo_is_named(run, registry, push, name, builds):  # noqa: F811
    push("a", "--to", f"{registry}/{name}:1.0.0")
    there = f"docker://{registry}/{name}:1.0.0"
    for arguments in (("push", there, "--to", f"{registry}/{name}-2"), ("digest", there), ("inspect", there)):
        ran = run("image", *arguments, "--output", "json")
        assert ran.code == 2
        assert "scheme" in ran.document["error"]["message"] + ran.document["error"]["hint"]


def test_what_a_later_destination_refuses_is_told_with_what_is_pushed(push, make_registry, registry, name, builds):
    """A mirror looks like a registry until somebody pushes to it; the next run has only that one left to do."""
    mirror = make_registry(read_only=True).host
    to = ("--to", f"{registry}/{name}", "--to", f"{mirror}/{name}", "--version", "1.4.2")
    four = ["1.4.2", "1.4", "1", "latest"]
    for state in ("pushed", "present"):
        document = push("a", *to, code=4)
        assert document["status"] == "failed"
        assert f"{mirror}/{name}" in document["error"]["message"]
        assert [(image["tag"], image["state"]) for image in document["images"]] == [(tag, state) for tag in four]
    assert tags(f"{registry}/{name}") == dict.fromkeys(four, builds[0])


@pytest.mark.parametrize(
    "twice",
    [
        ("acme/shop", "docker.io/acme/shop"),
        ("index.docker.io/acme/shop", "registry-1.docker.io/acme/shop"),
        ("docker.io/shop", "docker.io/library/shop"),
        ("ghcr.io/Acme/Shop", "ghcr.io/acme/shop"),
        ("ghcr.io/acme/shop:1.4.2", "ghcr.io/acme/shop:1.4.2"),
        ("oci:out", "oci:./out"),
    ],
)
def test_a_destination_in_two_spellings_is_given_twice(push, builds, twice):
    one, other = twice
    document = push("a", "--to", one, "--to", other, "--tags", "raw=x", "--dry-run", code=2)
    assert "twice" in document["error"]["message"]


def test_the_tags_of_one_repository_may_be_two_destinations(push, registry, name, builds):
    push("a", "--to", f"{registry}/{name}:1.4.2", "--to", f"{registry}/{name}:edge")
    assert tags(f"{registry}/{name}") == {"1.4.2": builds[0], "edge": builds[0]}
