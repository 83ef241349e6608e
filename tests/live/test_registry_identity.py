"""Which image is which, on a real registry: what is given is what a new tag names, and a released tag stays."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.layouts import LayoutWriter, layer_of
from tests.support.registry_state import manifest, pulled, tags

_numbers = itertools.count(1)
CHART = json.dumps({"apiVersion": "v2", "name": "shop", "version": "1.0.0"}).encode()
# Kinds of artifacts of which many have one config: its bytes, its type, and the type of the content.
ARTIFACTS = {
    "helm": (CHART, "application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
    "flux": (b"{}", "application/vnd.cncf.flux.config.v1+json", "application/vnd.cncf.flux.content.v1.tar+gzip"),
    "oras": (b"{}", "application/vnd.oci.empty.v1+json", "text/plain"),
    "wasm": (b"{}", "application/vnd.wasm.config.v0+json", "application/wasm"),
    "plain-config": (b"{}", "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
    "too-many-layers": (
        json.dumps({"rootfs": {"type": "layers", "diff_ids": []}}).encode(),
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
}
FLOATING = {"1", "1.0", "latest"}


@pytest.fixture
def repository(registry):
    return f"{registry}/identity/shop-{next(_numbers)}"


@pytest.fixture
def image_push(run):  # noqa: F811
    def call(source, to, *more, code=0):
        ran = run("image", "push", source, "--to", to, "--output", "json", *more)
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


@pytest.fixture(params=ARTIFACTS)
def artifacts(request, tmp_path):
    """Two artifacts with one config and different content, in layouts `one` and `two`; their digests."""
    config, config_type, content_type = ARTIFACTS[request.param]
    return [
        LayoutWriter(tmp_path / name).tag(
            "x", LayoutWriter(tmp_path / name).artifact(config, config_type, f"content {name}".encode(), content_type)
        )
        for name in ("one", "two")
    ]


def content_of(repository, tag):
    [layer] = manifest(repository, tag)["layers"]
    return layer["digest"]


def test_artifacts_with_one_config_are_told_apart(image_push, artifacts, repository):
    image_push("oci:one", repository, "--version", "1.0.0")
    document = image_push("oci:two", repository, "--version", "2.0.0")
    one, two = artifacts
    assert tags(repository) == dict.fromkeys(("1.0.0", "1.0", "1"), one) | dict.fromkeys(
        ("2.0.0", "2.0", "2", "latest"), two
    )
    assert {image["digest"] for image in document["images"]} == {two}
    assert content_of(repository, "1.0.0") != content_of(repository, "2.0.0")


def test_a_released_artifact_is_not_replaced_by_one_with_its_config(image_push, artifacts, repository):
    image_push("oci:one", repository, "--version", "1.0.0")
    document = image_push("oci:two", repository, "--version", "1.0.0", code=4)
    assert artifacts[0] in document["error"]["message"]
    assert artifacts[1] in document["error"]["message"]
    assert set(tags(repository).values()) == {artifacts[0]}
    assert image_push("oci:one", repository, "--version", "1.0.0")["status"] == "unchanged"


def test_promotion_of_an_artifact_carries_that_artifact(run, image_push, artifacts, repository):  # noqa: F811
    image_push("oci:one", f"{repository}:one")
    image_push("oci:two", f"{repository}:two")
    image_push("oci:one", f"{repository}-prod:latest")
    ran = run("image", "retag", f"{repository}:two", "6.0.0", "latest", "--to", f"{repository}-prod")
    assert ran.code == 0, ran.out
    assert tags(f"{repository}-prod") == dict.fromkeys(("6.0.0", "latest"), artifacts[1])
    assert len(pulled(f"{repository}-prod", "6.0.0")) == 3


def test_a_folder_tells_artifacts_apart_too(image_push, artifacts):
    image_push("oci:one", "oci:registry", "--version", "1.0.0")
    document = image_push("oci:two", "oci:registry", "--version", "2.0.0")
    assert {image["digest"] for image in document["images"]} == {artifacts[1]}
    image_push("oci:two", "oci:registry", "--version", "1.0.0", code=4)


def test_an_image_that_was_compressed_differently_is_the_released_one(image_push, repository, tmp_path):
    """Another tool, the same files: no reason to refuse the release, nor to move it."""
    files = {"a": b"a" * 10_000}
    digests = [
        LayoutWriter(tmp_path / name).tag("x", LayoutWriter(tmp_path / name).image(layer_of(files, level=level)))
        for name, level in (("fast", 1), ("small", 9))
    ]
    assert digests[0] != digests[1]
    image_push("oci:fast", repository, "--version", "1.0.0")
    document = image_push("oci:small", repository, "--version", "1.0.0")
    assert document["status"] == "unchanged"
    assert {image["digest"] for image in document["images"]} == {digests[0]}
    assert tags(repository) == dict.fromkeys({"1.0.0", *FLOATING}, digests[0])
