"""The same image from every kind of source, whole indexes, and what travels beside an image."""

from __future__ import annotations

import gzip
import itertools
import json
import tarfile

import docker
import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.fault_proxy import fault_proxy
from tests.support.layouts import MANIFEST, LayoutWriter, layer_of
from tests.support.quirks import lacks_manifest
from tests.support.registry_state import manifest, pulled, tags

_numbers = itertools.count(1)
PLATFORMS = ("linux/amd64", "linux/arm64")


@pytest.fixture
def repository(registry):
    return f"{registry}/sources/shop-{next(_numbers)}"


@pytest.fixture
def api(engine, monkeypatch):
    """The Engine's own client, to prepare images with; the program under test finds the same Engine."""
    monkeypatch.setenv("DOCKER_HOST", engine)
    client = docker.APIClient(base_url=engine, version="auto")
    yield client
    client.close()


@pytest.fixture
def whole(api):
    """Whether the Engine keeps images as registries do (the containerd store)."""
    return "io.containerd.snapshotter" in str(api.info()["DriverStatus"])


def several_platforms(folder, tag="1.4.2"):
    """A layout with an index of two platforms that share a layer; the index's digest."""
    writer = LayoutWriter(folder)
    shared = layer_of({"shared": b"s" * 5000})
    images = {p: writer.image(shared, layer_of({p[-5:]: p.encode()}), architecture=p[6:]) for p in PLATFORMS}
    return writer.tag(tag, writer.index(images))


def packed(folder, target):
    with tarfile.open(target, "w") as archive:
        archive.add(folder, ".")
    return target


def pushed(run, source, to, *more):  # noqa: F811
    ran = run("image", "push", source, "--to", to, "--version", "1.4.2", "--output", "json", *more)
    assert ran.code == 0, ran.out + ran.err
    return ran.document


def test_an_index_keeps_its_digest_and_all_its_platforms(run, repository, tmp_path):  # noqa: F811
    digest = several_platforms(tmp_path / "built")
    document = pushed(run, "oci:built", repository)
    assert document["images"][0]["digest"] == digest == tags(repository)["latest"]
    assert len(manifest(repository, digest)["manifests"]) == 2
    assert len(pulled(repository, "1.4.2")) == 1 + 2 + 2 + 3


def test_a_layout_and_its_archive_end_in_the_same_state(run, repository, tmp_path):  # noqa: F811
    several_platforms(tmp_path / "built")
    packed(tmp_path / "built", tmp_path / "built.tar")
    (tmp_path / "built.tar.gz").write_bytes(gzip.compress((tmp_path / "built.tar").read_bytes()))
    pushed(run, "oci:built", repository)
    for source in ("oci-archive:built.tar", "oci-archive:built.tar:1.4.2", "oci-archive:built.tar.gz"):
        assert pushed(run, source, repository)["status"] == "unchanged"
        fresh = f"{repository}-{next(_numbers)}"
        pushed(run, source, fresh)
        assert tags(fresh) == tags(repository)


def test_one_of_several_images_has_to_be_named(run, repository, tmp_path):  # noqa: F811
    writer = LayoutWriter(tmp_path / "built")
    writer.simple("1.4.1", [{"a": b"1"}])
    digest = writer.simple("1.4.2", [{"a": b"2"}])
    ran = run("image", "push", "oci:built", "--to", repository, "--version", "1.4.2")
    assert ran.code == 4
    assert "1.4.1, 1.4.2" in ran.out
    assert pushed(run, "oci:built:1.4.2", repository)["images"][0]["digest"] == digest
    assert pushed(run, f"oci:built@{digest}", repository)["status"] == "unchanged"
    missing = run("image", "push", "oci:built:9.9.9", "--to", repository, "--version", "1.4.2")
    assert missing.code == 4
    assert "1.4.1, 1.4.2" in missing.out


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["push", "dry run"])
@pytest.mark.parametrize("missing", [0, 1])
def test_an_index_that_lacks_a_platform_is_not_pushed(run, repository, tmp_path, missing, more):  # noqa: F811
    digest = several_platforms(tmp_path / "built")
    index = json.loads((tmp_path / "built/blobs/sha256" / digest[7:]).read_text())
    (tmp_path / "built/blobs/sha256" / index["manifests"][missing]["digest"][7:]).unlink()
    ran = run("image", "push", "oci:built", "--to", repository, "--version", "1.4.2", *more)
    assert ran.code == 4
    assert PLATFORMS[missing] in ran.out
    assert "gitops-ci image copy SOURCE DESTINATION --platform" in ran.out
    assert tags(repository) == {}
    there = ("--platform", PLATFORMS[1 - missing])
    assert run("image", "copy", "oci:built", f"{repository}:1.4.2", *there).code == 0
    assert tags(repository) == {"1.4.2": index["manifests"][1 - missing]["digest"]}
    assert len(pulled(repository, "1.4.2")) == 4


@pytest.fixture
def sparse(run, registry, repository, tmp_path):  # noqa: F811
    """A repository with an index as 1.4.2, one platform of which is gone; by an address of its own."""
    digest = several_platforms(tmp_path / "built")
    pushed(run, "oci:built", repository)
    gone = manifest(repository, digest)["manifests"][1]["digest"]
    with fault_proxy(registry) as proxy:
        proxy.script = lacks_manifest(gone)
        yield repository.replace(registry, proxy.host)


def test_an_index_that_lacks_a_platform_gets_no_more_tags(run, repository, sparse):  # noqa: F811
    before = tags(repository)
    for arguments in (
        ("retag", f"{sparse}:1.4.2", "stable"),
        ("retag", f"{sparse}:1.4.2", "stable", "--dry-run"),
        ("retag", f"{sparse}:1.4.2", "1.4.2"),
        ("copy", f"{sparse}:1.4.2", f"{sparse}-prod"),
        ("copy", sparse, f"{sparse}-prod", "--all-tags"),
    ):
        ran = run("image", *arguments)
        assert ran.code == 4, arguments
        assert "(linux/arm64), which is not there" in ran.out + ran.err
    assert tags(repository) == before
    assert tags(f"{repository}-prod") == {}


@pytest.mark.parametrize("version", ["1.4.2", "1.4.3"], ids=["the same tags", "another tag"])
def test_a_platform_that_is_gone_is_sent_again(run, sparse, version):  # noqa: F811
    ran = run("image", "push", "oci:built", "--to", sparse, "--version", version, "--output", "json")
    assert ran.code == 0, ran.out + ran.err
    assert len(pulled(sparse, version)) == 1 + 2 + 2 + 3


def test_the_bytes_of_an_index_are_those_of_all_its_parts(run, repository, tmp_path):  # noqa: F811
    several_platforms(tmp_path / "built")
    whole = sum(path.stat().st_size for path in (tmp_path / "built/blobs").rglob("*") if path.is_file())
    for more in (("--dry-run",), (), ()):
        assert pushed(run, "oci:built", repository, *more)["summary"]["bytes"] == whole


def test_promotion_to_another_registry_carries_everything(run, repository, make_registry, tmp_path):  # noqa: F811
    digest = several_platforms(tmp_path / "built")
    pushed(run, "oci:built", repository)
    other = f"{make_registry().host}/prod/shop"
    ran = run("image", "retag", f"{repository}:1.4.2", "--to", other, "--version", "1.4.2", "--output", "json")
    assert ran.code == 0, ran.out
    assert tags(other) == tags(repository)
    assert pulled(other, "1.4.2") == pulled(repository, digest)


@pytest.mark.engine
def test_engine_and_what_it_saves_are_the_same_image(run, api, whole, make_image, repository, tmp_path):  # noqa: F811
    make_image("gitops-ci-tests/saved:1", {"one": b"1" * 3000, "two": b"2"})
    with (tmp_path / "saved.tar").open("wb") as file:
        file.writelines(api.get_image("gitops-ci-tests/saved:1"))
    assert pushed(run, "gitops-ci-tests/saved:1", repository)["status"] == "changed"
    assert pushed(run, "docker-archive:saved.tar", repository)["status"] == "unchanged"
    # And the other way round, where the layers were compressed by us.
    assert pushed(run, "docker-archive:saved.tar", f"{repository}-a")["status"] == "changed"
    # The containerd store knows an image by its manifest only, and ours is another one.
    if not whole:
        assert pushed(run, "gitops-ci-tests/saved:1", f"{repository}-a")["status"] == "unchanged"
    configs = {manifest(name, "1.4.2")["config"]["digest"] for name in (repository, f"{repository}-a")}
    assert len(configs) == 1
    assert len(pulled(f"{repository}-a", "1.4.2")) == 4


@pytest.mark.engine
def test_the_engine_can_run_what_we_compressed(run, api, make_image, repository, tmp_path):  # noqa: F811
    make_image("gitops-ci-tests/back:1", {"one": b"1" * 3000})
    layers = api.inspect_image("gitops-ci-tests/back:1")["RootFS"]
    pushed(run, "gitops-ci-tests/back:1", "oci:folder")
    pushed(run, "oci:folder:1.4.2", repository)
    api.pull(repository, tag="1.4.2")
    try:
        assert api.inspect_image(f"{repository}:1.4.2")["RootFS"] == layers
    finally:
        api.remove_image(f"{repository}:1.4.2")


@pytest.mark.engine
def test_what_is_saved_has_one_platform(run, api, make_image, repository, tmp_path):  # noqa: F811
    image = "gitops-ci-tests/platform:1"
    make_image(image, {"one": b"1"})
    there = "/".join(api.inspect_image(image)[key] for key in ("Os", "Architecture"))
    with (tmp_path / "one.tar").open("wb") as file:
        file.writelines(api.get_image(image))
    for source in ("docker-archive:one.tar", image):
        ran = run("image", "push", source, "--to", repository, "--version", "1.0.0", "--platform", "linux/s390x")
        assert ran.code == 4
        assert f"the image is for {there}, not for linux/s390x" in ran.out
        assert tags(repository) == {}
    for source in ("docker-archive:one.tar", image):
        pushed(run, source, repository, "--platform", there)
    assert len(pulled(repository, "1.4.2")) > 2


@pytest.mark.engine
def test_one_of_several_saved_images_has_to_be_named(run, api, make_image, repository, tmp_path):  # noqa: F811
    make_image("gitops-ci-tests/both:1", {"one": b"1"})
    make_image("gitops-ci-tests/both:2", {"two": b"2"})
    with (tmp_path / "both.tar").open("wb") as file:
        file.writelines(api.get_image("gitops-ci-tests/both"))
    ran = run("image", "push", "docker-archive:both.tar", "--to", repository, "--version", "1.4.2")
    assert ran.code == 4
    assert "gitops-ci-tests/both:2" in ran.out
    pushed(run, "gitops-ci-tests/both:2", repository)
    again = pushed(run, "docker-archive:both.tar:gitops-ci-tests/both:2", repository)
    assert again["status"] == "unchanged"


@pytest.mark.engine
def test_a_part_of_an_index_does_not_go_out_as_the_whole(run, api, whole, repository, tmp_path):  # noqa: F811
    """An Engine keeps one platform of what it pulls; pushed on, the others would be gone."""
    digest = several_platforms(tmp_path / "built")
    pushed(run, "oci:built", repository)
    api.pull(repository, tag="1.4.2")
    try:
        ran = run("image", "push", f"{repository}:1.4.2", "--to", f"{repository}-prod", "--version", "1.4.2")
        assert ran.code == 4
        assert ("does not hold linux/arm64" if whole else "linux/amd64, linux/arm64") in ran.out
        assert f"registry:{repository}@{digest}" in ran.out
        assert tags(f"{repository}-prod") == {}
        if whole:
            the_rest_is_fetched(run, api, repository, digest)
        else:
            the_part_goes_out_by_choice(run, repository)
    finally:
        api.remove_image(f"{repository}:1.4.2", force=True)
    assert pushed(run, f"registry:{repository}@{digest}", f"{repository}-prod")["images"][0]["digest"] == digest


def the_part_goes_out_by_choice(run, repository):  # noqa: F811
    there = manifest(repository, manifest(repository, "1.4.2")["manifests"][0]["digest"])["config"]
    wrong = run("image", "push", f"{repository}:1.4.2", "--to", f"{repository}-part:1", "--platform", "linux/arm64")
    assert wrong.code == 4
    assert "is for linux/amd64, not for linux/arm64" in wrong.out
    chosen = ("--to", f"{repository}-part:1.4.2", "--platform", "linux/amd64")
    assert run("image", "push", f"{repository}:1.4.2", *chosen).code == 0
    assert manifest(f"{repository}-part", "1.4.2")["config"]["digest"] == there["digest"]


def the_rest_is_fetched(run, api, repository, digest):  # noqa: F811
    """The containerd store can hold all platforms: then the index goes out as it came."""
    api.pull(repository, tag="1.4.2", platform="linux/arm64")
    assert pushed(run, f"{repository}:1.4.2", f"{repository}-whole")["images"][0]["digest"] == digest
    assert pulled(f"{repository}-whole", "1.4.2") == pulled(repository, "1.4.2")
    assert pushed(run, f"{repository}:1.4.2", f"{repository}-whole")["status"] == "unchanged"
    assert pushed(run, f"{repository}:1.4.2", "oci:folder")["images"][0]["digest"] == digest


def signature(writer, subject, text):
    """A manifest that says something about another, as cosign and oras write it."""
    config = writer.blob(b"{}", "application/vnd.oci.empty.v1+json")
    layer = writer.blob(text, "application/vnd.example.signature")
    about = {key: subject[key] for key in ("mediaType", "digest", "size")}
    data = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example.signature"}
    return writer.raw({**data, "config": config, "layers": [layer], "subject": about}, MANIFEST)


def test_signatures_travel_with_the_image_when_asked(run, repository, make_registry, tmp_path):  # noqa: F811
    writer = LayoutWriter(tmp_path / "built")
    image = writer.image(layer_of({"a": b"1"}))
    writer.tag("1.4.2", image)
    signed = signature(writer, image, b"signed by one")
    counter = signature(writer, signed, b"countersigned")
    writer.tag("", signed)
    writer.tag("", counter)
    writer.tag(f"sha256-{image['digest'][7:]}.sig", signature(writer, {**image}, b"as cosign does it"))

    pushed(run, "oci:built:1.4.2", repository)
    assert set(tags(repository)) == {"1.4.2", "1.4", "1", "latest"}, "not asked for, not copied"

    pushed(run, "oci:built:1.4.2", repository, "--with-referrers")
    about = manifest(repository, image["digest"].replace(":", "-"))
    assert signed["digest"] in {entry["digest"] for entry in about["manifests"]}
    assert about["manifests"][0]["artifactType"] == "application/vnd.example.signature"
    assert f"sha256-{image['digest'][7:]}.sig" in tags(repository)

    other = f"{make_registry().host}/prod/shop"
    ran = run("image", "retag", f"{repository}:1.4.2", "--to", other, "--version", "1.4.2", "--with-referrers")
    assert ran.code == 0, ran.out
    assert tags(other) == tags(repository)
    assert pulled(other, counter["digest"]) == pulled(repository, counter["digest"])
    again = run("image", "retag", f"{repository}:1.4.2", "--to", other, "--version", "1.4.2", "--with-referrers")
    assert again.code == 0
    assert tags(other) == tags(repository), "the same lists again, nothing twice"
