"""Repositories that never move a tag: the version goes in, a floating tag that is refused is a warning."""

from __future__ import annotations

import itertools

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import delivery
from tests.support.fault_proxy import Answer
from tests.support.layouts import LayoutWriter
from tests.support.quirks import IMMUTABLE, tags_are_immutable
from tests.support.registry_state import tags

_numbers = itertools.count(1)


@pytest.fixture
def name():
    return f"immutable/shop-{next(_numbers)}"


@pytest.fixture
def builds(tmp_path):
    """Two images in layouts `a` and `b`; their digests."""
    return [LayoutWriter(tmp_path / folder).simple("x", [{folder: b"1" * 4000}]) for folder in "ab"]


@pytest.fixture(params=sorted(IMMUTABLE))
def immutable(request, proxy, registry):
    proxy.script = tags_are_immutable(registry, request.param)
    return proxy.host


@pytest.fixture
def image_push(run):  # noqa: F811
    def call(source, to, *more, code=0):
        ran = run("image", "push", f"oci:{source}", "--to", to, "--output", "json", *more)
        assert ran.code == code, ran.out + ran.err
        return ran.document, ran.err

    return call


def test_every_release_goes_in(image_push, immutable, registry, name, builds):
    to = f"{immutable}/{name}"
    image_push("a", to, "--version", "1.2.3")
    document, told = image_push("b", to, "--version", "1.2.4")
    assert [image["tag"] for image in document["images"]] == ["1.2.4"]
    assert {skip["path"] for skip in document["skipped"]} == {f"{to}:{tag}" for tag in ("1.2", "1", "latest")}
    assert all("--no-floating" in skip["hint"] for skip in document["skipped"])
    assert "stays on" in told
    again, _ = image_push("b", to, "--version", "1.2.4")
    assert again["status"] == "unchanged"
    assert tags(f"{registry}/{name}") == {"1.2.4": builds[1]} | dict.fromkeys(
        ("1.2.3", "1.2", "1", "latest"), builds[0]
    )


def test_the_same_image_again_is_there_already(image_push, immutable, name, builds):
    to = f"{immutable}/{name}"
    image_push("a", to, "--version", "1.2.3")
    document, _ = image_push("a", to, "--version", "1.2.3")
    assert (document["status"], document["skipped"]) == ("unchanged", [])


def test_another_image_under_a_version_is_refused(request, image_push, immutable, registry, name, builds):
    to = f"{immutable}/{name}"
    image_push("a", to, "--version", "1.2.3")
    document, _ = image_push("b", to, "--version", "1.2.3", "--allow-move", code=4)
    has_words = "no words" not in request.node.callspec.id
    assert ("new version" in document["error"]["hint"]) == has_words
    assert tags(f"{registry}/{name}")["1.2.3"] == builds[0]


def test_a_build_whose_only_tag_is_refused_fails(image_push, immutable, name, builds):
    to = f"{immutable}/{name}"
    image_push("a", to, "--tags", "raw=next")
    image_push("b", to, "--tags", "raw=next", code=4)


def test_the_version_alone(image_push, proxy, registry, name, builds):
    proxy.script = tags_are_immutable(registry, "ecr")
    to = f"{proxy.host}/{name}"
    for folder, version in (("a", "1.2.3"), ("b", "1.2.4")):
        document, _ = image_push(folder, to, "--version", version, "--no-floating")
        assert [image["tag"] for image in document["images"]] == [version]
        assert document["skipped"] == []
    assert set(tags(f"{registry}/{name}")) == {"1.2.3", "1.2.4"}
    image_push("b", to, "--tags", "raw=next", "--no-floating", code=2)


@pytest.mark.parametrize("more", [(), ("--no-floating",)])
def test_a_release_reaches_git(run, proxy, registry, name, builds, tmp_path, more):  # noqa: F811
    proxy.script = tags_are_immutable(registry, "ecr")
    image = f"{proxy.host}/{name}"
    with delivery.github(tmp_path / "git", image) as to:
        where = ("--config-repo", to.url, "--forge", "github", "--api-url", to.forge.api_url, "--base", "main")
        for folder, version in (("a", "1.4.2"), ("b", "1.4.3")):
            ran = run(
                "release", f"oci:{folder}", "--to", image, "--version", version, "--environment", "staging", *where,
                *more, "--output", "json", environment={"GITOPS_CI_TOKEN": to.token},
            )  # fmt: skip
            assert ran.code == 0, ran.out + ran.err
        assert len(to.forge.pulls) == 1
        assert "1.4.3" in str(to.forge.pulls)
        left = [skip for skip in ran.document["skipped"] if skip["path"].startswith(image)]
        assert len(left) == (0 if more else 3)


def test_a_floating_tag_that_is_refused_for_another_reason_fails(image_push, proxy, registry, name, builds):
    """A right that is missing is not an immutable tag."""
    to = f"{proxy.host}/{name}"
    proxy.script = lambda asked: (
        Answer(403) if asked.method == "PUT" and asked.path.endswith("/manifests/latest") else None
    )
    document, _ = image_push("a", to, "--version", "1.2.3", code=4)
    assert "1.2.3" in {image["tag"] for image in document["images"]}


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_floating_tag_that_is_not_there_and_refused_fails(image_push, proxy, name, builds, status):
    """Nothing is kept as it is: the registry has another reason."""
    refused = lambda asked: asked.method == "PUT" and asked.path.endswith("/manifests/latest")  # noqa: E731
    proxy.script = lambda asked: Answer(status) if refused(asked) else None
    image_push("a", f"{proxy.host}/{name}", "--version", "1.2.3", code=4)
