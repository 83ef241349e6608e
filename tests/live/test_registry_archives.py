"""`docker-archive:`: how its layers are compressed, and what its path looks like."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import lzma
import struct
import subprocess
import sys
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


def test_an_archive_that_is_compressed_with_xz(push, repository, tmp_path):
    save(tmp_path / "plain.tar", [(layer("a"), layer("a"))], "shop:1")
    (tmp_path / "shop.tar.xz").write_bytes(lzma.compress((tmp_path / "plain.tar").read_bytes()))
    push("docker-archive:shop.tar.xz")
    assert len(pulled(repository, "x")) == 3


@pytest.mark.parametrize("make", [lambda data: data[:-30], lambda data: data[:100] + b"\0" * 50 + data[150:]])
def test_an_archive_in_xz_that_is_damaged(push, tmp_path, make):
    save(tmp_path / "plain.tar", [(layer("a"), layer("a"))], "shop:1")
    packed = lzma.compress((tmp_path / "plain.tar").read_bytes())
    (tmp_path / "shop.tar.xz").write_bytes(make(packed))
    assert "shop.tar.xz" in push("docker-archive:shop.tar.xz", code=4)["error"]["message"]


def test_an_archive_that_is_compressed_with_zstd_is_said_so(push, tmp_path):
    (tmp_path / "shop.tar.zst").write_bytes(zstd(b"x" * 100))
    assert "zstd" in push("docker-archive:shop.tar.zst", code=4)["error"]["message"]


@pytest.mark.parametrize("name", ["", ":shop:1"])
def test_an_archive_on_standard_input(repository, tmp_path, name):
    """In a process of its own; the release reads its image twice."""
    save(tmp_path / "plain.tar", [(layer("a"), layer("a"))], "shop:1")
    command = [sys.executable, "-m", "gitops_ci", "image", "push", f"docker-archive:-{name}"]
    command += ["--to", f"{repository}:a", "--to", f"{repository}-two:a"]
    with open(tmp_path / "plain.tar", "rb") as file:
        ran = subprocess.run(command, stdin=file, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(pulled(f"{repository}-two", "a")) == 3
