"""`docker-archive:`: how its layers are compressed, and what its path looks like."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import struct
import tarfile

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.registry_state import manifest, pulled

_numbers = itertools.count(1)
DOCKER = "application/vnd.docker."
OCI = "application/vnd.oci.image."


@pytest.fixture
def repository(registry):
    return f"{registry}/archives/shop-{next(_numbers)}"


@pytest.fixture
def push(run, repository):  # noqa: F811
    def call(source, *more, code=0):
        ran = run("image", "push", source, "--to", repository, "--tags", "raw=x", "--output", "json", *more)
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


def zstd(content: bytes) -> bytes:
    """A frame of one block that is not compressed (RFC 8878 §3.1.1)."""
    header = struct.pack("<BI", 0b10100000, len(content))
    return b"\x28\xb5\x2f\xfd" + header + struct.pack("<I", 1 | len(content) << 3)[:3] + content


def layer(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(name)
        archive.addfile(member, io.BytesIO(name.encode()))
    return buffer.getvalue()


def save(path, layers, *names):
    """What docker save writes, with layers packed as they are given; `layers` are pairs of unpacked and packed."""
    diff_ids = [f"sha256:{hashlib.sha256(unpacked).hexdigest()}" for unpacked, _ in layers]
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    files = {f"{number}.tar": packed for number, (_, packed) in enumerate(layers)}
    entry = {"Config": "config.json", "RepoTags": list(names), "Layers": list(files)}
    files |= {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps([entry]).encode()}
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


PLAIN, PACKED, NEW = ((data := layer(name), pack(data)) for name, pack in (
    ("plain", bytes), ("packed", gzip.compress), ("new", zstd)
))  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "kind"),
    [([PLAIN], DOCKER), ([PACKED, PLAIN], DOCKER), ([NEW], OCI), ([PLAIN, NEW, PACKED], OCI)],
    ids=["plain", "gzip", "zstd", "all"],
)
def test_a_manifest_has_one_family_of_types(push, repository, tmp_path, layers, kind):
    """Docker's manifest has no type for zstd: one that holds it is read by no other tool."""
    save(tmp_path / "saved.tar", layers, "acme/shop:1")
    push("docker-archive:saved.tar")
    found = manifest(repository, "x")
    types = [found["mediaType"], found["config"]["mediaType"], *(part["mediaType"] for part in found["layers"])]
    assert all(one.startswith(kind) for one in types), types
    assert [one.endswith("zstd") for one in types[2:]] == [one is NEW for one in layers]
    assert len(pulled(repository, "x")) == 2 + len(layers)
    assert push("docker-archive:saved.tar")["status"] == "unchanged"


@pytest.mark.parametrize("folder", ["build:1", "a:b:c", "x@y"])
@pytest.mark.parametrize("name", ["", ":acme/shop:1", ":localhost:5000/acme/shop:2"])
def test_a_path_may_have_colons(push, tmp_path, folder, name):
    (tmp_path / folder).mkdir()
    save(tmp_path / folder / "saved.tar", [PLAIN], "acme/shop:1", "localhost:5000/acme/shop:2")
    push(f"docker-archive:{folder}/saved.tar{name}")


def test_an_archive_that_is_not_there(push):
    assert "none.tar" in push("docker-archive:none.tar:acme/shop:1", code=4)["error"]["message"]
