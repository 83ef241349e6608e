"""`image list`, `image digest` and `image inspect` on a real registry, and on layouts and archives."""

from __future__ import annotations

import hashlib
import itertools
import json
import tarfile

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.fault_proxy import Answer, fault_proxy
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import manifest, tags

_numbers = itertools.count(1)
LABELS = {"org.opencontainers.image.revision": "3fa9c1e", "team": "shop"}


@pytest.fixture
def repository(registry):
    return f"{registry}/lookup/shop-{next(_numbers)}"


@pytest.fixture
def call(run):  # noqa: F811
    def call(*arguments, code=0, environment=None):
        ran = run("image", *arguments, environment=environment)
        assert ran.code == code, ran.out + ran.err
        return ran

    return call


@pytest.fixture
def image(call, repository, tmp_path):
    """An image with several platforms in the registry, as 1.4.2; the layout's writer and the platforms' descriptors."""
    writer = LayoutWriter(tmp_path / "build")
    names = ("linux/amd64", "linux/arm64")
    platforms = {name: writer.image(labels=LABELS, architecture=name.partition("/")[2]) for name in names}
    writer.tag("1.4.2", writer.index(platforms))
    call("push", "oci:build", "--to", repository, "--version", "1.4.2")
    return writer, platforms


def test_tags_are_a_line_each_and_in_the_order_of_their_numbers(call, repository, tmp_path):
    LayoutWriter(tmp_path / "build").simple("x")
    for tag in ("1.10.0", "1.9.0", "pr-12", "pr-2", "latest"):
        call("push", "oci:build", "--to", f"{repository}:{tag}")
    assert call("list", repository).out.splitlines() == ["1.9.0", "1.10.0", "latest", "pr-2", "pr-12"]
    assert call("list", repository, "--match", "pr-*", "--match", "1.9*").out.split() == ["1.9.0", "pr-2", "pr-12"]


def test_tags_with_their_digests(call, repository, image):
    document = call("list", repository, "--digests", "--output", "json").document
    assert {one["tag"]: one["digest"] for one in document["images"]} == tags(repository)
    assert {one["state"] for one in document["images"]} == {"present"}
    lines = dict(line.split() for line in call("list", repository, "--digests").out.splitlines())
    assert lines == tags(repository)


def test_a_glob_that_fits_nothing_is_an_empty_list_and_a_warning(call, repository, image):
    ran = call("list", repository, "--match", "pr-*")
    assert ran.out == ""
    assert "no tag of" in ran.err


def test_a_repository_that_is_not_there(call, repository):
    assert "not there" in call("list", repository, code=4).err


@pytest.mark.parametrize("status", [401, 403, 405])
def test_tags_that_nobody_may_list(call, registry, repository, image, status):
    with fault_proxy(registry) as proxy:
        proxy.script = lambda asked: Answer(status) if "/tags/list" in asked.path else None
        ran = call("list", repository.replace(registry, proxy.host), code=4)
    assert "list its tags" in ran.err


def test_what_is_no_tag_is_not_listed(call, registry, repository, image):
    """A registry may say anything: its tags become parts of addresses and lines of a terminal."""
    listed = {"tags": ["ok", "../../v2/other/manifests/x", "a\nb", "\x1b[31m", "", 7, None, "x" * 129]}
    with fault_proxy(registry) as proxy:
        body = json.dumps(listed).encode()
        proxy.script = lambda asked: Answer(200, {}, body) if "/tags/list" in asked.path else None
        assert call("list", repository.replace(registry, proxy.host)).out == "ok\n"


def test_the_digest_and_nothing_else(call, repository, image):
    assert call("digest", f"{repository}:1.4.2").out == tags(repository)["1.4.2"] + "\n"
    assert call("digest", repository).out == tags(repository)["latest"] + "\n"
    document = call("digest", f"registry:{repository}:1.4", "--output", "json").document
    [found] = document["images"]
    assert (found["digest"], found["tag"]) == (tags(repository)["1.4"], "1.4")


@pytest.mark.parametrize(
    ("asked", "platform"),
    [("linux/amd64", "linux/amd64"), ("linux/arm64", "linux/arm64"), ("linux/arm64/v8", "linux/arm64")],
)
def test_the_digest_of_a_platform(call, repository, image, asked, platform):
    _, platforms = image
    assert call("digest", f"{repository}:1.4.2", "--platform", asked).out.strip() == platforms[platform]["digest"]


@pytest.mark.parametrize("asked", ["linux/s390x", "windows/amd64", "arm64", "linux"])
def test_a_platform_that_is_not_there_names_those_that_are(call, repository, image, asked):
    ran = call("digest", f"{repository}:1.4.2", "--platform", asked, code=4)
    assert "linux/amd64, linux/arm64" in ran.err


def test_a_platform_of_an_image_that_has_one(call, repository, tmp_path):
    digest = LayoutWriter(tmp_path / "one").simple("x", architecture="arm64")
    call("push", "oci:one", "--to", f"{repository}:x")
    assert call("digest", f"{repository}:x", "--platform", "linux/arm64").out.strip() == digest
    assert "linux/arm64" in call("digest", f"{repository}:x", "--platform", "linux/amd64", code=4).err


def test_variants_are_told_apart(call, tmp_path):
    writer = LayoutWriter(tmp_path / "arm")
    children = []
    for variant in ("v6", "v7"):
        platform = {"os": "linux", "architecture": "arm", "variant": variant}
        children.append({**writer.image(labels={"variant": variant}), "platform": platform})
    writer.tag("x", writer.raw({"schemaVersion": 2, "manifests": children}, "application/vnd.oci.image.index.v1+json"))
    assert call("digest", "oci:arm:x", "--platform", "linux/arm/v7").out.strip() == children[1]["digest"]
    assert "linux/arm/v6, linux/arm/v7" in call("digest", "oci:arm:x", "--platform", "linux/arm", code=4).err


def test_digests_of_layouts_and_archives(call, image, tmp_path):
    digest = call("digest", "oci:build:1.4.2").out
    with tarfile.open(tmp_path / "build.tar", "w") as archive:
        archive.add(tmp_path / "build", ".")
    assert call("digest", "oci-archive:build.tar").out == digest
    assert call("list", "oci-archive:build.tar").out == "1.4.2\n"


def test_an_image_that_is_not_there_lists_what_is(call, repository, image):
    assert "1.4.2" in call("digest", f"{repository}:9.9.9", code=4).err
    assert call("digest", f"{repository}:9.9.9", code=4).out == ""


@pytest.mark.parametrize("text", ["docker:shop:build", "docker-archive:shop.tar"])
def test_what_has_no_manifest_has_no_digest(call, text):
    assert "has no manifest yet" in call("digest", text, code=4).err


@pytest.mark.parametrize("text", ["oci:", "UPPER CASE", "ghcr.io/acme/shop:"])
def test_texts_that_name_nothing(call, text):
    call("digest", text, code=2)


def test_an_image_as_json(call, repository, image):
    _, platforms = image
    document = call("inspect", f"{repository}:1.4.2", "--output", "json").document
    [found] = document["inspected"]
    assert found["digest"] == tags(repository)["1.4.2"]
    assert {part["platform"]: part["digest"] for part in found["platforms"]} == {
        name: descriptor["digest"] for name, descriptor in platforms.items()
    }
    assert found["labels"] == LABELS
    assert found["created"] == "2026-11-20T10:00:00Z"
    assert found["manifest"] == manifest(repository, "1.4.2")
    assert found["config"]["rootfs"]["type"] == "layers"
    one = call("inspect", f"{repository}:1.4.2", "--platform", "linux/arm64", "--output", "json").document
    [found] = one["inspected"]
    assert found["digest"] == platforms["linux/arm64"]["digest"]
    assert found["config"]["architecture"] == "arm64"
    assert (len(found["layers"]), found["platforms"]) == (1, [])


def test_the_size_counts_everything_once(call, repository, image):
    """Both platforms share their layer."""
    writer, _ = image
    document = call("inspect", f"{repository}:1.4.2", "--output", "json").document
    files = [path for path in writer.folder.rglob("*") if path.is_file() and "blobs" in path.parts]
    assert document["inspected"][0]["size"] == sum(path.stat().st_size for path in files)


def test_an_image_for_people(call, repository, image):
    out = call("inspect", f"{repository}:1.4.2").out
    for text in (tags(repository)["1.4.2"], "linux/arm64", "team=shop", "2026-11-20"):
        assert text in out


def test_the_exact_bytes_of_a_manifest(call, repository, image):
    printed = call("inspect", f"{repository}:1.4.2", "--show", "manifest").out.rstrip("\n")
    assert "sha256:" + hashlib.sha256(printed.encode()).hexdigest() == tags(repository)["1.4.2"]
    assert json.loads(call("inspect", f"{repository}:1.4.2", "--show", "config").out)["os"] == "linux"


def test_signatures_are_listed(call, tmp_path):
    writer = LayoutWriter(tmp_path / "build")
    subject = writer.image()
    writer.tag("x", subject)
    signature = writer.artifact(b"{}", "application/vnd.oci.empty.v1+json", b"s", "text/plain", subject=subject)
    writer.tag("", {**signature, "artifactType": "application/vnd.example.signature"})
    [found] = call("inspect", "oci:build:x", "--output", "json").document["inspected"]
    assert [(part["digest"], part["artifact_type"]) for part in found["referrers"]] == [
        (signature["digest"], "application/vnd.example.signature")
    ]


def test_an_artifact_has_its_type_and_no_config_of_an_image(call, tmp_path):
    writer = LayoutWriter(tmp_path / "chart")
    kind = "application/vnd.cncf.helm.config.v1+json"
    writer.tag("x", writer.artifact(b'{"name": "shop"}', kind, b"chart", "text/plain"))
    [found] = call("inspect", "oci:chart", "--output", "json").document["inspected"]
    assert (found["artifact_type"], found["labels"], found["config"]) == (kind, {}, {"name": "shop"})


def test_words_of_others_do_no_harm(call, tmp_path):
    labels = {"a": "x\x1b[2J\n::error::y", "b": "##[command]rm"}
    LayoutWriter(tmp_path / "evil").simple("x", labels=labels)
    for arguments in ((), ("--show", "manifest"), ("--show", "config")):
        out = call("inspect", "oci:evil", *arguments).out
        assert "\x1b" not in out
        assert "\n::error" not in out
        assert "##[" not in out


def test_an_index_that_lacks_a_platform_is_shown_all_the_same(call, tmp_path):
    writer = LayoutWriter(tmp_path / "sparse")
    missing = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "0" * 64, "size": 9}
    writer.tag("x", writer.index({"linux/amd64": writer.image(), "linux/arm64": missing}))
    ran = call("inspect", "oci:sparse")
    assert "linux/arm64" in ran.out
    assert "is not there" in ran.err
    assert "is not there" in call("digest", "oci:sparse", "--platform", "linux/arm64", code=4).err
