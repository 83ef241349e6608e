"""Which image is which, on a real registry: what is given is what a new tag names, and a released tag stays."""

from __future__ import annotations

import io
import itertools
import json
import tarfile

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import delivery
from tests.support.layouts import INDEX, LayoutWriter, digest_of, layer_of
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


def test_artifacts_with_one_config_are_told_apart(image_push, artifacts, repository, request):
    image_push("oci:one", repository, "--version", "1.0.0")
    document = image_push("oci:two", repository, "--version", "2.0.0")
    one, two = artifacts
    floating = {"1.0": one, "1": one, "2.0": two, "2": two, "latest": two}
    is_chart = request.node.callspec.params["artifacts"] == "helm"  # helm knows a chart by its version alone
    assert tags(repository) == {"1.0.0": one, "2.0.0": two} | ({} if is_chart else floating)
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


def annotated(folder, version):
    """One image, the same layers and config each time, with annotations of its version; its digest."""
    writer = LayoutWriter(folder)
    notes = {"org.opencontainers.image.version": version}
    return writer.tag("x", writer.image(layer_of({"a": b"a" * 5000}), annotations=notes))


@pytest.fixture
def builds(tmp_path):
    """Two reproducible builds in layouts `a` and `b` that differ in their annotations only; their digests."""
    return annotated(tmp_path / "a", "a"), annotated(tmp_path / "b", "b")


def version_in(repository, tag):
    return manifest(repository, tag)["annotations"]["org.opencontainers.image.version"]


def test_a_new_version_has_its_own_annotations(image_push, builds, repository):
    image_push("oci:a", repository, "--version", "1.0.0")
    document = image_push("oci:b", repository, "--version", "1.0.1")
    assert {(image["digest"], image["state"]) for image in document["images"]} == {(builds[1], "pushed")}
    assert tags(repository) == {"1.0.0": builds[0]} | dict.fromkeys(("1.0.1", *FLOATING), builds[1])
    assert (version_in(repository, "1.0.0"), version_in(repository, "1.0.1")) == ("a", "b")
    assert document["summary"]["bytes_sent"] == 0, "every layer is there"


def test_a_dry_run_announces_the_digest_that_was_given(image_push, builds, repository):
    image_push("oci:a", repository, "--version", "1.0.0")
    document = image_push("oci:b", repository, "--version", "1.0.1", "--dry-run")
    assert {(image["digest"], image["state"]) for image in document["images"]} == {(builds[1], "planned")}


def test_a_release_keeps_its_annotations(image_push, builds, repository):
    image_push("oci:a", repository, "--version", "1.0.0")
    for more in (("--dry-run",), ()):
        document = image_push("oci:b", repository, "--version", "1.0.0", *more)
        assert document["status"] == "unchanged"
        assert {(image["digest"], image["state"]) for image in document["images"]} == {(builds[0], "present")}
    assert tags(repository) == dict.fromkeys({"1.0.0", *FLOATING}, builds[0])


def test_a_release_gets_other_annotations_only_when_it_may_move(image_push, builds, repository):
    image_push("oci:a", repository, "--version", "1.0.0")
    image_push("oci:b", repository, "--version", "1.0.0", "--allow-move")
    assert tags(repository) == dict.fromkeys({"1.0.0", *FLOATING}, builds[1])


def test_a_new_tag_beside_a_release_has_what_was_given(image_push, builds, repository):
    image_push("oci:a", f"{repository}:1.0.0")
    document = image_push("oci:b", repository, "--version", "1.0.0", "--tags", "raw=1.0.0,raw=preview")
    assert {image["tag"]: image["state"] for image in document["images"]} == {"1.0.0": "present", "preview": "pushed"}
    assert tags(repository) == {"1.0.0": builds[0], "preview": builds[1]}


def test_a_floating_tag_alone_gets_what_was_given(image_push, builds, repository):
    image_push("oci:a", f"{repository}:edge")
    document = image_push("oci:b", f"{repository}:edge")
    assert document["images"][0]["digest"] == builds[1]
    assert tags(repository) == {"edge": builds[1]}


def test_promotion_carries_the_annotations(run, image_push, builds, repository):  # noqa: F811
    image_push("oci:b", f"{repository}:2.0.0")
    image_push("oci:a", f"{repository}-prod:latest")
    ran = run("image", "retag", f"{repository}:2.0.0", "2.0.0", "latest", "--to", f"{repository}-prod")
    assert ran.code == 0, ran.out
    assert tags(f"{repository}-prod") == {"2.0.0": builds[1], "latest": builds[1]}


def test_an_index_is_carried_with_its_annotations(image_push, repository, tmp_path):
    digests = []
    for version in ("a", "b"):
        writer = LayoutWriter(tmp_path / version)
        child = {**writer.image(), "platform": {"os": "linux", "architecture": "amd64"}}
        notes = {"org.opencontainers.image.version": version}
        data = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [child], "annotations": notes}
        digests.append(writer.tag("x", writer.raw(data, INDEX)))
    image_push("oci:a", repository, "--version", "1.0.0")
    image_push("oci:b", repository, "--version", "1.0.1")
    assert tags(repository) == {"1.0.0": digests[0]} | dict.fromkeys(("1.0.1", *FLOATING), digests[1])
    image_push("oci:b", repository, "--version", "1.0.0", code=4)


def test_signatures_of_the_image_that_was_given_find_it(run, image_push, builds, repository, tmp_path):  # noqa: F811
    """The release keeps its manifest; what was signed is there too, under its digest."""
    image_push("oci:a", repository, "--version", "1.0.0")
    writer = LayoutWriter(tmp_path / "b", entries=json.loads((tmp_path / "b/index.json").read_text())["manifests"])
    subject = {key: writer.entries[0][key] for key in ("mediaType", "digest", "size")}
    signature = writer.artifact(b"{}", "application/vnd.oci.empty.v1+json", b"signed", "text/plain", subject=subject)
    writer.tag("", signature)
    image_push("oci:b:x", repository, "--version", "1.0.0", "--with-referrers")
    assert tags(repository)["1.0.0"] == builds[0]
    assert len(pulled(repository, builds[1])) == 3
    assert pulled(repository, signature["digest"])


@pytest.mark.engine
def test_an_image_without_a_manifest_gets_no_annotations_of_another(
    image_push, engine, make_image, monkeypatch, repository, tmp_path
):
    """An Engine's image with the layers and config of an annotated one: those notes are not its own."""
    monkeypatch.setenv("DOCKER_HOST", engine)
    make_image("gitops-ci-tests/bare:1", {"one": b"1" * 3000})
    image_push("gitops-ci-tests/bare:1", f"{repository}:bare")
    bare = tags(repository)["bare"]
    image_push(f"registry:{repository}:bare", "oci:noted", "--tags", "raw=bare")
    writer = LayoutWriter(
        tmp_path / "noted", entries=json.loads((tmp_path / "noted/index.json").read_text())["manifests"]
    )
    data = json.loads((tmp_path / "noted/blobs/sha256" / bare[7:]).read_text())
    data["annotations"] = {"org.opencontainers.image.version": "a"}
    writer.tag("noted", writer.raw(data, data["mediaType"]))
    image_push("oci:noted:noted", f"{repository}-other", "--version", "1.0.0")
    image_push("gitops-ci-tests/bare:1", f"{repository}-other", "--version", "1.0.1")
    assert "annotations" not in manifest(f"{repository}-other", "1.0.1")
    assert len({tags(f"{repository}-other")[tag] for tag in ("1.0.1", *FLOATING)}) == 1


def test_a_release_proposes_the_digest_of_what_was_given(run, image_push, builds, repository, tmp_path):  # noqa: F811
    image_push("oci:a", repository, "--version", "1.4.1")
    with delivery.github(tmp_path / "git", repository) as to:
        where = ("--config-repo", to.url, "--forge", "github", "--api-url", to.forge.api_url, "--base", "main")
        build = ("oci:b", "--to", repository, "--version", "1.4.2", "--environment", "staging")
        ran = run("release", *build, *where, environment={"GITOPS_CI_TOKEN": to.token})
        assert ran.code == 0, ran.out + ran.err
        [pull] = to.forge.pulls
        assert f"Image-Digest: {builds[1]}" in to.repo.message(pull.head)
    assert tags(repository)["1.4.2"] == builds[1]


# ------------------------------------------------------------------------- two images of one tag in one place

WORKER, SHOP = "docker.io/acme/worker:1.2.0", "docker.io/acme/shop:1.2.0"
# How tools name the images of a layout: skopeo writes the whole name, an Engine both it and the tag.
NAMING = {"skopeo": lambda full: {"name": full}, "engine": lambda full: {"name": "1.2.0", "full_name": full}}


@pytest.fixture(params=NAMING)
def same_tag(request, tmp_path):
    """A layout `two` with two images of one tag; the digest of each."""
    writer = LayoutWriter(tmp_path / "two")
    return {
        full: writer.tag(descriptor=writer.image(layer_of({"a": full.encode()})), **NAMING[request.param](full))
        for full in (WORKER, SHOP)
    }


def archived(folder, target):
    with tarfile.open(target, "w") as archive:
        archive.add(folder, ".")


@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
@pytest.mark.parametrize("wanted", ["", ":1.2.0"])
def test_a_tag_that_two_images_have_is_refused(image_push, same_tag, repository, tmp_path, kind, wanted):
    archived(tmp_path / "two", tmp_path / "two.tar")
    place = "oci:two" if kind == "oci" else "oci-archive:two.tar"
    document = image_push(f"{place}{wanted}", repository, "--version", "1.2.0", code=4)
    assert WORKER in document["error"]["hint"]
    assert SHOP in document["error"]["hint"]
    assert tags(repository) == {}


@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
@pytest.mark.parametrize("full", [WORKER, SHOP])
def test_the_full_name_or_the_digest_chooses(image_push, same_tag, repository, tmp_path, kind, full):
    archived(tmp_path / "two", tmp_path / "two.tar")
    place = "oci:two" if kind == "oci" else "oci-archive:two.tar"
    digest = same_tag[full]
    for number, chosen in enumerate((f":{full}", f"@{digest}", f":{digest}", f":{full.removeprefix('docker.io/')}")):
        image_push(f"{place}{chosen}", f"{repository}:chosen-{number}")
    assert set(tags(repository).values()) == {digest}
    assert len(tags(repository)) == 4


def test_the_hint_of_a_refusal_works(image_push, same_tag, repository):
    hint = image_push("oci:two", repository, "--version", "1.2.0", code=4)["error"]["hint"]
    for number, full in enumerate((WORKER, SHOP)):
        assert f"oci:two:NAME with one of {SHOP}, {WORKER}." in hint
        image_push(f"oci:two:{full}", f"{repository}:{number}")
    assert set(tags(repository).values()) == set(same_tag.values())


def test_the_hint_of_a_refusal_names_digests_where_there_are_no_names(image_push, repository, tmp_path):
    writer = LayoutWriter(tmp_path / "two")
    digests = [writer.tag(name, writer.image(layer_of({"a": text}))) for name, text in (("", b"1"), ("", b"2"))]
    hint = image_push("oci:two", repository, "--version", "1.2.0", code=4)["error"]["hint"]
    for number, digest in enumerate(digests):
        assert f"oci:two@DIGEST with one of {', '.join(sorted(digests))}." in hint
        image_push(f"oci:two@{digest}", f"{repository}:{number}")
    assert set(tags(repository).values()) == set(digests)


def test_one_full_name_for_two_images_is_refused(image_push, repository, tmp_path):
    writer = LayoutWriter(tmp_path / "two")
    digests = [writer.tag(SHOP, writer.image(architecture=architecture)) for architecture in ("amd64", "arm64")]
    hint = image_push(f"oci:two:{SHOP}", repository, "--version", "1.2.0", code=4)["error"]["hint"]
    assert f"oci:two@DIGEST with one of {', '.join(sorted(digests))}." in hint


def test_one_image_with_two_names_is_no_question(image_push, repository, tmp_path):
    writer = LayoutWriter(tmp_path / "two")
    image = writer.image()
    [digest] = {writer.tag(name, image) for name in (WORKER, SHOP)}
    image_push("oci:two", f"{repository}:a")
    image_push("oci:two:1.2.0", f"{repository}:b")
    assert tags(repository) == {"a": digest, "b": digest}


def test_a_full_name_with_a_port_and_a_folder_with_a_colon(image_push, repository, tmp_path):
    writer = LayoutWriter(tmp_path / "out:put")
    wanted = writer.tag("localhost:5000/acme/shop:1.2.0", writer.image(layer_of({"a": b"1"})))
    writer.tag("localhost:5000/acme/worker:1.2.0", writer.image(layer_of({"a": b"2"})))
    image_push("oci:out:put:localhost:5000/acme/shop:1.2.0", f"{repository}:a")
    assert tags(repository) == {"a": wanted}


def test_a_name_that_is_not_there_lists_the_full_names(image_push, same_tag, repository):
    document = image_push("oci:two:docker.io/acme/other:1.2.0", repository, "--version", "1.2.0", code=4)
    assert "no image 'docker.io/acme/other:1.2.0'" in document["error"]["message"]
    assert SHOP in document["error"]["hint"]
    assert WORKER in document["error"]["hint"]


def test_a_folder_with_two_images_of_a_tag_is_not_written_to(image_push, same_tag, tmp_path):
    """Which of the two would the tag move from? Neither may be lost."""
    LayoutWriter(tmp_path / "one").simple("x", [{"new": b"1"}])
    before = (tmp_path / "two/index.json").read_bytes()
    document = image_push("oci:one", "oci:two", "--version", "1.2.0", code=4)
    assert SHOP in document["error"]["hint"]
    assert (tmp_path / "two/index.json").read_bytes() == before


def saved(target, images):
    """An archive as `docker save` writes it: (names, content of the layer) of each image."""
    entries, files = [], {}
    for number, (names, content) in enumerate(images):
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as archive:
            member = tarfile.TarInfo("a")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        files[f"{number}/layer.tar"] = layer.getvalue()
        rootfs = {"type": "layers", "diff_ids": [digest_of(layer.getvalue())]}
        files[f"{number}.json"] = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode()
        entries.append({"Config": f"{number}.json", "RepoTags": names, "Layers": [f"{number}/layer.tar"]})
    files["manifest.json"] = json.dumps(entries).encode()
    with tarfile.open(target, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return [digest_of(files[f"{number}.json"]) for number in range(len(images))]


@pytest.mark.parametrize("wanted", ["acme/shop", "no name"])
def test_a_name_that_two_saved_images_have_is_refused(image_push, repository, tmp_path, wanted):
    saved(tmp_path / "two.tar", [(["acme/shop:1"], b"1"), (["acme/shop:2", "Not A Name"], b"2")])
    document = image_push(f"docker-archive:two.tar:{wanted}", repository, "--version", "1.2.0", code=4)
    assert "acme/shop:1" in document["error"]["hint"]
    assert "acme/shop:2" in document["error"]["hint"]
    assert tags(repository) == {}


def test_the_name_of_a_saved_image_chooses(image_push, repository, tmp_path):
    configs = saved(tmp_path / "two.tar", [([WORKER], b"1"), ([SHOP], b"2")])
    for number, full in enumerate((WORKER, SHOP)):
        image_push(f"docker-archive:two.tar:{full}", f"{repository}:{number}")
        assert manifest(repository, str(number))["config"]["digest"] == configs[number]
