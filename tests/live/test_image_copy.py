"""`image copy` between repositories of real registries: the same digest, one platform, all tags; and annotations."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import delivery
from tests.support.fault_proxy import Answer, fault_proxy
from tests.support.layouts import LayoutWriter, layer_of
from tests.support.registry_state import manifest, pulled, size_of, tags

_numbers = itertools.count(1)
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def repository(registry):
    return f"{registry}/copies/shop-{next(_numbers)}"


@pytest.fixture
def elsewhere(repository):
    return f"{repository}-prod"


@pytest.fixture
def image(run):  # noqa: F811
    def call(*arguments, code=0, environment=None):
        ran = run("image", *arguments, "--output", "json", environment=environment)
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


@pytest.fixture
def push(image, repository, tmp_path):
    """Push an image of its own for each name, under exactly these tags; its digest."""

    def call(name, *names, to=repository, created="2026-11-20T10:00:00Z"):
        writer = LayoutWriter(tmp_path / f"{name}-{next(_numbers)}")
        config = {"created": created, "os": "linux", "architecture": "amd64", "config": {"Labels": {"name": name}}}
        digest = _image(writer, name, config)
        image("push", f"oci:{writer.folder}", "--to", to, "--tags", ",".join(f"raw={tag}" for tag in names))
        return digest

    return call


def _image(writer, name, config):
    layer = writer.blob(layer_of({name: name.encode()}), "application/vnd.oci.image.layer.v1.tar+gzip")
    kind = "application/vnd.oci.image.config.v1+json"
    parts = {"config": writer.blob(json.dumps(config).encode(), kind), "layers": [layer]}
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    return writer.tag("x", writer.raw({"schemaVersion": 2, "mediaType": manifest_type, **parts}, manifest_type))


@pytest.mark.parametrize("by", ["argument", "option", "variable"])
def test_a_copy_keeps_digest_and_tag(image, push, repository, elsewhere, by):
    digest = push("a", "main-3fa9c1e")
    more, variables = {
        "argument": ((elsewhere,), {}),
        "option": (("--to", elsewhere), {}),
        "variable": ((), {"GITOPS_CI_TO": elsewhere}),
    }[by]
    document = image("copy", f"{repository}:main-3fa9c1e", *more, environment=variables)
    assert document["command"] == "image copy"
    assert tags(elsewhere) == {"main-3fa9c1e": digest}
    assert pulled(elsewhere, "main-3fa9c1e") == pulled(repository, "main-3fa9c1e")
    assert image("copy", f"{repository}:main-3fa9c1e", *more, environment=variables)["status"] == "unchanged"


@pytest.mark.parametrize("command", ["copy", "retag"])
def test_a_version_takes_its_series_along_by_the_rules_of_the_destination(image, push, repository, elsewhere, command):
    old, new = push("old", "1.4.9"), push("new", "1.5.0")
    copy = lambda tag, *more: image(command, f"{repository}:{tag}", "--to", elsewhere, *more)  # noqa: E731
    copy("1.5.0")
    assert tags(elsewhere) == dict.fromkeys(("1.5.0", "1.5", "1", "latest"), new)
    copy("1.4.9")
    assert tags(elsewhere) == dict.fromkeys(("1.5.0", "1.5", "1", "latest"), new) | dict.fromkeys(("1.4.9", "1.4"), old)


def test_a_leading_v_stays(image, push, repository, elsewhere):
    digest = push("a", "v1.5.0")
    image("copy", f"{repository}:v1.5.0", elsewhere)
    assert tags(elsewhere) == dict.fromkeys(("v1.5.0", "v1.5", "v1", "latest"), digest)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--no-floating",), {"1.5.0"}),
        (("--tags", "raw=edge"), {"edge"}),
        (("--version", "2.0.0"), {"2.0.0", "2.0", "2", "latest"}),
    ],
)
def test_the_tags_of_a_copy_may_be_others(image, push, repository, elsewhere, more, expected):
    push("a", "1.5.0")
    image("copy", f"{repository}:1.5.0", elsewhere, *more)
    assert set(tags(elsewhere)) == expected


def test_a_destination_may_name_a_tag(image, push, repository, elsewhere):
    push("a", "1.5.0")
    image("copy", f"{repository}:1.5.0", f"{elsewhere}:prod")
    assert set(tags(elsewhere)) == {"prod"}


def test_the_checkout_of_a_copy_is_not_the_images(image, push, repository, elsewhere):
    """A build of another version, in a repository whose tags are newer."""
    variables = {
        "GITLAB_CI": "true",
        "CI_COMMIT_TAG": "v9.0.0",
        "CI_COMMIT_SHA": "3fa9c1e0b5d2a7c64e8f1b90d3c2a1f0e9d8c7b6",
    }
    digest = push("a", "1.5.0")
    image("copy", f"{repository}:1.5.0", elsewhere, environment=variables)
    assert tags(elsewhere)["latest"] == digest


def test_a_released_tag_of_the_destination_stays(image, push, repository, elsewhere):
    push("a", "1.5.0")
    there = push("b", "1.5.0", to=elsewhere)
    assert "is released already" in image("copy", f"{repository}:1.5.0", elsewhere, code=4)["error"]["message"]
    assert tags(elsewhere) == {"1.5.0": there}
    image("copy", f"{repository}:1.5.0", elsewhere, "--allow-move")
    assert tags(elsewhere)["1.5.0"] != there


def test_layouts_and_archives_are_copied_too(image, push, repository, elsewhere):
    digest = push("a", "1.5.0")
    image("copy", f"{repository}:1.5.0", "oci:mirror")
    image("copy", "oci:mirror:1.5.0", elsewhere)
    assert tags(elsewhere) == dict.fromkeys(("1.5.0", "1.5", "1", "latest"), digest)
    image("copy", f"oci:mirror@{digest}", f"{elsewhere}:again")
    assert tags(elsewhere)["again"] == digest


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("a/b:1",), "No destination"),
        (("a/b:1", "c/d", "--to", "e/f"), "twice"),
        (("a/b:1", "c/d", "--match", "x"), "--match needs --all-tags"),
        (("a/b:1", "c/d", "--all-tags"), "names one image"),
        (("a/b", "c/d:1", "--all-tags"), "names the tag"),
        (("a/b", "c/d", "--all-tags", "--version", "1.0.0"), "exclude each other"),
        (("oci:x", "c/d", "--all-tags"), "repository of a registry"),
        (("a/b:1", "c/d", "--annotation", "x"), "KEY=VALUE"),
        (("a/b:1", "c/d", "--annotation", "a=1", "--annotation", "a=2"), "two values"),
        # The levels of buildx and of metadata-action's output `annotations`.
        (("a/b:1", "c/d", "--annotation", "index:a=1"), "names a level"),
        (("a/b:1", "c/d", "--annotation", "manifest:org.opencontainers.image.title=shop"), "names a level"),
        (("a/b:1", "c/d", "--annotation", "index,manifest:a=1"), "names a level"),
        (("a/b:1", "c/d", "--annotation", "manifest-descriptor[linux/amd64]:a=1"), "names a level"),
        (("a/b:1", "c/d", "--annotation", "a=1", "--with-referrers"), "changes the digest"),
    ],
)
def test_what_cannot_be_meant_is_refused(image, arguments, word):
    error = image("copy", *arguments, code=2)["error"]
    assert word in error["message"]
    assert error["hint"]


# ------------------------------------------------------------------------------------------------- platforms


@pytest.fixture
def several(image, repository, tmp_path):
    """An index of three platforms with an attestation each, as 1.5.0; the platforms' descriptors."""
    writer = LayoutWriter(tmp_path / "several")
    images = {name: writer.image(architecture=name) for name in ("amd64", "arm64", "s390x")}
    children = []
    for name, descriptor in images.items():
        children.append({**descriptor, "platform": {"os": "linux", "architecture": name}})
        about = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": descriptor["digest"],
        }
        proof = writer.artifact(b"{}", "application/vnd.oci.image.config.v1+json", name.encode(), "text/plain")
        children.append({**proof, "annotations": about, "platform": {"os": "unknown", "architecture": "unknown"}})
    notes = {"org.opencontainers.image.title": "shop"}
    data = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children, "annotations": notes}
    writer.tag("x", writer.raw(data, INDEX))
    image("push", "oci:several", "--to", f"{repository}:1.5.0")
    return images


def test_one_platform_is_the_manifest_of_that_platform(image, several, repository, elsewhere):
    image("copy", f"{repository}:1.5.0", f"{elsewhere}:1.5.0", "--platform", "linux/arm64")
    assert tags(elsewhere) == {"1.5.0": several["arm64"]["digest"]}
    assert len(pulled(elsewhere, "1.5.0")) == 3


def test_some_platforms_are_an_index_of_them_with_what_attests_them(image, several, repository, elsewhere):
    chosen = ("--platform", "linux/arm64", "--platform", "linux/amd64")
    image("copy", f"{repository}:1.5.0", f"{elsewhere}:1.5.0", *chosen)
    found = manifest(elsewhere, "1.5.0")
    listed = [child["digest"] for child in found["manifests"] if child["platform"]["os"] == "linux"]
    assert listed == [several["amd64"]["digest"], several["arm64"]["digest"]]
    assert [
        child["annotations"]["vnd.docker.reference.digest"] for child in found["manifests"] if "annotations" in child
    ] == listed
    assert found["annotations"] == {"org.opencontainers.image.title": "shop"}
    pulled(elsewhere, "1.5.0")
    assert image("copy", f"{repository}:1.5.0", f"{elsewhere}:1.5.0", *chosen)["status"] == "unchanged"


@pytest.mark.parametrize("by", ["push", "push a layout", "retag", "retag in place", "release"])
@pytest.mark.parametrize("chosen", [("arm64",), ("arm64", "amd64")], ids=["one", "two"])
def test_every_way_of_a_push_chooses_platforms(image, run, several, repository, elsewhere, tmp_path, by, chosen):  # noqa: F811
    platforms = [part for name in chosen for part in ("--platform", f"linux/{name}")]
    to, tag = (repository, "small") if by == "retag in place" else (elsewhere, "1.5.0")
    if by == "release":
        _release(run, f"registry:{repository}:1.5.0", f"{to}:{tag}", tmp_path, platforms)
    else:
        arguments = {
            "push": ("push", f"registry:{repository}:1.5.0", "--to", f"{to}:{tag}"),
            "push a layout": ("push", "oci:several", "--to", f"{to}:{tag}"),
            "retag": ("retag", f"{repository}:1.5.0", "--to", f"{to}:{tag}"),
            "retag in place": ("retag", f"{repository}:1.5.0", tag),
        }[by]
        planned = image(*arguments, *platforms, "--dry-run")
        assert tag not in tags(to)
        document = image(*arguments, *platforms)
        size = size_of(to, tag)
        assert planned["summary"]["bytes"] == document["summary"]["bytes"] == size
        assert planned["images"][0]["digest"] == document["images"][0]["digest"] == tags(to)[tag]
        assert image(*arguments, *platforms)["status"] == "unchanged"
    found = manifest(to, tag)
    if len(chosen) == 1:
        assert tags(to)[tag] == several["arm64"]["digest"]
    else:
        listed = {child["digest"] for child in found["manifests"] if child["platform"]["os"] == "linux"}
        assert listed == {several[name]["digest"] for name in chosen}
    pulled(to, tag)


def _release(run, source, to, folder, platforms):  # noqa: F811
    with delivery.github(folder / "git", to.rpartition(":")[0]) as config:
        where = ("--config-repo", config.url, "--forge", "github", "--api-url", config.forge.api_url, "--base", "main")
        token = {"GITOPS_CI_TOKEN": config.token}
        ran = run("release", source, "--to", to, "--environment", "staging", *where, *platforms, environment=token)
        assert ran.code == 0, ran.out + ran.err
        assert len(config.forge.pulls) == 1


@pytest.mark.parametrize("chosen", [("arm64",), ("arm64", "s390x")], ids=["one", "two"])
def test_a_sparse_index_keeps_its_digest_and_some_platforms(image, several, repository, chosen):
    digest = tags(repository)["1.5.0"]
    platforms = [part for name in chosen for part in ("--platform", f"linux/{name}")]
    copied = image("copy", f"{repository}:1.5.0", "oci:mirror", "--sparse", *platforms)
    assert {one["digest"] for one in copied["images"]} == {digest}
    blobs = Path("mirror/blobs/sha256")
    there = {path.name for path in blobs.iterdir()}
    held = {name for name, one in several.items() if one["digest"].removeprefix("sha256:") in there}
    assert held == set(chosen)
    assert json.loads((blobs / digest[7:]).read_text()) == manifest(repository, "1.5.0")
    assert copied["summary"]["bytes"] == sum(path.stat().st_size for path in blobs.iterdir())
    # Each platform with its attestation: two manifests, two configs or one, two layers.
    index = manifest(repository, "1.5.0")["manifests"]
    assert len([child for child in index if child["digest"][7:] in there]) == 2 * len(chosen)
    together = ("--platform", ",".join(f"linux/{name}" for name in chosen))  # as buildx takes them
    assert image("copy", f"{repository}:1.5.0", "oci:mirror", "--sparse", *together)["status"] == "unchanged"


def test_a_sparse_index_goes_on_by_choice_only(image, several, repository, elsewhere):
    """The platforms that are not there are missed, unless they are not wanted."""
    arm = ("--platform", "linux/arm64")
    image("copy", f"{repository}:1.5.0", "oci:mirror", "--sparse", *arm)
    assert "not there" in image("copy", "oci:mirror:1.5.0", "oci:again", code=4)["error"]["message"]
    image("copy", "oci:mirror:1.5.0", "oci:again", "--sparse", *arm)
    # This registry takes no index without its manifests: no tag is left behind.
    error = image("copy", "oci:mirror:1.5.0", elsewhere, "--sparse", *arm, code=4)["error"]
    assert "refused" in error["message"]
    assert "leave --sparse out" in error["hint"], error
    assert tags(elsewhere) == {}
    image("copy", "oci:mirror:1.5.0", elsewhere, *arm)
    assert tags(elsewhere)["1.5.0"] == several["arm64"]["digest"]


def test_a_registry_that_has_the_index_takes_it_with_a_platform_again(image, several, repository):
    """Only what is chosen is looked for."""
    image("retag", f"{repository}:1.5.0", "stable", "--sparse", "--platform", "linux/arm64")
    assert tags(repository)["stable"] == tags(repository)["1.5.0"]


@pytest.mark.parametrize(
    ("source", "more", "code", "word"),
    [
        ("{repository}:1.5.0", (), 2, "--sparse needs --platform"),
        ("{repository}:1.5.0", ("--platform", "linux/riscv64"), 4, "has no platform linux/riscv64"),
        ("{repository}@{arm64}", ("--platform", "linux/arm64"), 4, "is not an index"),
    ],
)
def test_what_cannot_be_sparse(image, several, repository, elsewhere, source, more, code, word):
    name = source.format(repository=repository, arm64=several["arm64"]["digest"])
    assert word in image("copy", name, f"{elsewhere}:1.5.0", "--sparse", *more, code=code)["error"]["message"]
    assert tags(elsewhere) == {}


def test_a_released_tag_is_not_replaced_by_one_of_its_platforms(image, several, repository):
    before = tags(repository)
    error = image("retag", f"{repository}:1.5.0", "1.5.0", "--platform", "linux/arm64", code=4)["error"]
    assert "is released already" in error["message"]
    assert tags(repository) == before


def test_a_platform_that_is_not_there_copies_nothing(image, several, repository, elsewhere):
    error = image("copy", f"{repository}:1.5.0", elsewhere, "--platform", "linux/riscv64", code=4)["error"]
    assert "linux/amd64, linux/arm64, linux/s390x" in error["hint"]
    assert tags(elsewhere) == {}


# ------------------------------------------------------------------------------------------------- all tags


def test_every_tag_is_copied_under_its_name(image, push, repository, elsewhere):
    push("a", "1.4.2", "1.4", "main-3fa9c1e")
    push("b", "1.5.0", "1.5", "1", "latest")
    document = image("copy", repository, elsewhere, "--all-tags")
    assert tags(elsewhere) == tags(repository)
    assert (document["status"], document["summary"]["pushed"]) == ("changed", 7)
    assert pulled(elsewhere, "latest") == pulled(repository, "latest")
    again = image("copy", repository, elsewhere, "--all-tags")
    assert (again["status"], again["summary"]["present"]) == ("unchanged", 7)


def test_only_the_tags_that_fit(image, push, repository, elsewhere):
    push("a", "1.4.2", "pr-1")
    image("copy", repository, elsewhere, "--all-tags", "--match", "1.*")
    assert set(tags(elsewhere)) == {"1.4.2"}
    image("copy", repository, elsewhere, "--all-tags", "--match", "9*", code=4)


def test_a_dry_run_copies_nothing(image, push, repository, elsewhere):
    push("a", "1.4.2", "latest")
    document = image("copy", repository, elsewhere, "--all-tags", "--dry-run")
    assert {one["tag"]: one["state"] for one in document["images"]} == dict.fromkeys(("1.4.2", "latest"), "planned")
    assert tags(elsewhere) == {}


def test_a_tag_that_is_refused_stops_no_other(image, push, repository, elsewhere):
    push("a", "1.4.2")
    new = push("b", "1.5.0", "latest")
    there = push("c", "1.4.2", to=elsewhere)
    document = image("copy", repository, elsewhere, "--all-tags", code=4)
    assert "1.4.2 is released already" in document["error"]["message"]
    assert tags(elsewhere) == {"1.4.2": there, "1.5.0": new, "latest": new}


def test_a_tag_that_moves_does_not_go_back(image, push, repository, elsewhere):
    """The destination has a version that the source does not have yet."""
    push("a", "1.5.0", "1.5", "latest")
    newer = push("b", "1.5.1", "1.5", "latest", to=elsewhere)
    document = image("copy", repository, elsewhere, "--all-tags")
    assert {tag: digest for tag, digest in tags(elsewhere).items() if digest == newer} == dict.fromkeys(
        ("1.5.1", "1.5", "latest"), newer
    )
    assert {skip["path"]: skip["reason"] for skip in document["skipped"]} == dict.fromkeys(
        (f"{elsewhere}:1.5", f"{elsewhere}:latest"), "1.5.1 is newer than 1.5.0"
    )
    image("copy", repository, elsewhere, "--all-tags", "--allow-move")
    assert tags(elsewhere)["latest"] == tags(repository)["latest"]


def test_a_tag_that_moves_goes_on(image, push, repository, elsewhere):
    push("a", "1.4.0", "latest", to=elsewhere)
    push("b", "1.5.0", "latest")
    image("copy", repository, elsewhere, "--all-tags")
    assert tags(elsewhere)["latest"] == tags(repository)["latest"]


def test_without_versions_the_dates_decide(image, push, repository, elsewhere):
    push("a", "main", created="2026-11-20T10:00:00Z")
    there = push("b", "main", to=elsewhere, created="2026-11-21T10:00:00Z")
    assert image("copy", repository, elsewhere, "--all-tags")["skipped"]
    assert tags(elsewhere) == {"main": there}


def test_a_pull_request_moves_no_tag(image, push, repository, elsewhere):
    push("a", "1.4.2", "latest")
    variables = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "7"}
    variables |= {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1", "CI_MERGE_REQUEST_PROJECT_ID": "1"}
    document = image("copy", repository, elsewhere, "--all-tags", environment=variables)
    assert set(tags(elsewhere)) == {"1.4.2"}
    assert [skip["path"] for skip in document["skipped"]] == [f"{elsewhere}:latest"]


def test_a_registry_that_refuses_one_tag_leaves_whole_images(image, push, repository, registry, elsewhere):
    push("a", "1.4.2")
    push("b", "1.5.0")
    with fault_proxy(registry) as proxy:
        proxy.script = lambda asked: Answer(403) if asked.method == "PUT" and asked.path.endswith("/1.5.0") else None
        document = image("copy", repository, elsewhere.replace(registry, proxy.host), "--all-tags", code=4)
    assert "1.5.0" in document["error"]["message"]
    assert set(tags(elsewhere)) == {"1.4.2"}
    pulled(elsewhere, "1.4.2")


# ------------------------------------------------------------------------------------------------- annotations


NOTES = ("--annotation", "org.example.team=Team Shop", "--annotation", "org.opencontainers.image.version=1.5.0")
NOTED = {"org.example.team": "Team Shop", "org.opencontainers.image.version": "1.5.0"}


def test_annotations_are_added_to_a_manifest(image, repository, tmp_path):
    given = LayoutWriter(tmp_path / "build").simple("x")
    document = image("push", "oci:build", "--to", f"{repository}:1.5.0", *NOTES)
    assert manifest(repository, "1.5.0")["annotations"] == NOTED
    [pushed] = document["images"]
    assert pushed["digest"] == tags(repository)["1.5.0"] != given
    pulled(repository, "1.5.0")
    assert image("push", "oci:build", "--to", f"{repository}:1.5.0", *NOTES)["status"] == "unchanged"


def test_annotations_are_added_to_an_index_and_not_to_its_platforms(image, several, repository, elsewhere):
    image("copy", f"{repository}:1.5.0", f"{elsewhere}:1.5.0", *NOTES)
    found = manifest(elsewhere, "1.5.0")
    assert found["annotations"] == {"org.opencontainers.image.title": "shop", **NOTED}
    assert found["manifests"] == manifest(repository, "1.5.0")["manifests"]


@pytest.mark.parametrize("spelling", ["variable", "file"])
def test_annotations_have_blanks_in_variable_and_file(image, repository, tmp_path, spelling):
    LayoutWriter(tmp_path / "build").simple("x")
    lines = "org.example.team=Team Shop\norg.opencontainers.image.version=1.5.0\n"
    variables = {}
    if spelling == "file":
        (tmp_path / ".gitops-ci.yaml").write_text(f"annotations: {json.dumps(lines.splitlines())}\n")
    else:
        variables = {"GITOPS_CI_ANNOTATION": lines}
    image("push", "oci:build", "--to", f"{repository}:1.5.0", environment=variables)
    assert manifest(repository, "1.5.0")["annotations"] == NOTED


@pytest.mark.engine
def test_an_image_of_an_engine_gets_annotations(image, run, engine, make_image, monkeypatch, repository):  # noqa: F811
    monkeypatch.setenv("DOCKER_HOST", engine)
    make_image("gitops-ci-tests/noted:1", {"one": b"1" * 3000})
    image("push", "gitops-ci-tests/noted:1", "--to", f"{repository}:1.5.0", *NOTES)
    found = manifest(repository, "1.5.0")
    assert found["annotations"] == NOTED
    assert found["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert {layer["mediaType"] for layer in found["layers"]} == {"application/vnd.oci.image.layer.v1.tar+gzip"}
    pulled(repository, "1.5.0")
    again = image("push", "gitops-ci-tests/noted:1", "--to", f"{repository}:1.5.0", *NOTES)
    assert again["status"] == "unchanged"
