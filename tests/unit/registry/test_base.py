"""Manifests and blobs: what is read of them, and what is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Blob, Descriptor, Manifest, digest_of
from gitops_ci.registry.connection import Access
from gitops_ci.registry.derived import annotated
from gitops_ci.registry.image_config import facts_of
from gitops_ci.registry.sources.reading import open_repository
from tests.support.layouts import LayoutWriter

CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(b"c"), "size": 1}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest_of(b"l"), "size": 1}


def manifest(**data):
    return Manifest(json.dumps(data).encode())


def test_a_manifest_without_a_type_is_told_by_what_it_has():
    assert manifest(config=CONFIG, layers=[]).media_type == "application/vnd.oci.image.manifest.v1+json"
    assert manifest(manifests=[]).media_type == OCI_INDEX
    assert Manifest(b"{}", DOCKER_MANIFEST).media_type == DOCKER_MANIFEST


def test_blobs_are_config_and_layers_each_once():
    assert [b.digest for b in manifest(config=CONFIG, layers=[LAYER, LAYER]).blobs] == [
        CONFIG["digest"],
        LAYER["digest"],
    ]


def test_layers_that_may_not_be_distributed_are_left_out():
    foreign = {**LAYER, "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "urls": ["https://x"]}
    assert [b.digest for b in manifest(config=CONFIG, layers=[foreign]).blobs] == [CONFIG["digest"]]


def test_children_know_their_platform():
    child = {**LAYER, "platform": {"os": "linux", "architecture": "arm64"}}
    assert [c.platform for c in manifest(manifests=[child, LAYER]).children] == ["linux/arm64", ""]


def test_the_digest_is_that_of_the_very_bytes():
    content = b'{"manifests": [],  "mediaType": "' + OCI_INDEX.encode() + b'"}\n'
    assert Manifest(content).digest == digest_of(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"[]",
        b'"x"',
        b"[" * 100_000,
        b'{"mediaType": "application/vnd.docker.distribution.manifest.v1+json"}',
    ],
)
def test_what_is_no_manifest_is_refused(content):
    with pytest.raises(RegistryError):
        Manifest(content)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_no_descriptor_breaks_the_reader(data):
    with contextlib.suppress(RegistryError):
        Descriptor.read(data)


@given(st.binary(max_size=50), st.lists(st.binary(min_size=1, max_size=20)))
def test_a_blob_gives_all_of_its_bytes_or_none_of_the_last(expected, chunks):
    blob = Blob(Descriptor("", digest_of(expected), len(expected)), lambda: iter(chunks), "test")
    got = []
    try:
        got.extend(blob.verified())
    except RegistryError:
        assert b"".join(chunks) != expected
        assert b"".join(got) != expected or not expected
    else:
        assert b"".join(got) == expected


def test_a_blob_never_gives_more_than_announced():
    blob = Blob(Descriptor("", digest_of(b"12"), 2), lambda: iter([b"1", b"2", b"3"]), "test")
    got = []
    with pytest.raises(RegistryError, match="more than"):
        got.extend(blob.verified())
    assert b"".join(got) == b"1"


def test_the_facts_of_a_sparse_index_are_those_of_an_image_that_is_there(tmp_path):
    writer = LayoutWriter(tmp_path / "sparse")
    missing = {**CONFIG, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    image = writer.image(labels={"a": "b"}, architecture="arm64")
    writer.tag("x", writer.index({"linux/amd64": missing, "linux/arm64": image}))
    with open_repository(f"oci:{tmp_path}/sparse:x", Access()) as found:
        facts = facts_of(found.reader, found.reader.manifest(found.digest()))
    assert (facts.labels, facts.created) == ({"a": "b"}, "2026-11-20T10:00:00Z")


def test_annotations_make_a_manifest_one_of_the_specification():
    """Engines before 28 store manifests of the specification whose layers have Docker's types."""
    docker = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    mixed = manifest(mediaType=OCI_MANIFEST, config=CONFIG, layers=[{**LAYER, "mediaType": docker}])
    found = annotated(mixed, {"a": "b"}).data
    assert (found["mediaType"], found["layers"]) == (OCI_MANIFEST, [LAYER])
