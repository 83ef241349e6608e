"""Hostile images: archives and layouts that lie, escape or explode are refused, with nothing written and no tag set."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import lzma
import os
import tarfile
import time

import pytest
import requests

from gitops_ci.registry import archive_file, tar
from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.layouts import CONFIG, INDEX, MANIFEST, LayoutWriter, digest_of, layer_of
from tests.support.registry_state import tags

_numbers = itertools.count(1)


@pytest.fixture
def repository(registry):
    return f"{registry}/hostile/shop-{next(_numbers)}"


@pytest.fixture
def refused(run, repository, tmp_path):  # noqa: F811
    """Push a source; it has to end in exit 4 with these words, without a tag and without a file anywhere else."""

    def check(source, *words):
        before = listing(tmp_path)
        began = time.monotonic()
        ran = run("image", "push", source, "--to", repository, "--version", "1.0.0")
        assert ran.code == 4, ran.out + ran.err
        assert time.monotonic() - began < 60
        for word in words:
            assert word in ran.out
        assert "root:" not in ran.out, "nothing of /etc/passwd is shown"
        assert listing(tmp_path) == before, "nothing was written"
        assert tags(repository) == {}

    return check


def listing(folder):
    return {os.path.join(at, name) for at, _, names in os.walk(folder) for name in names}


class Archive:
    """A tar archive, member by member."""

    def __init__(self, path):
        self.path = path
        self.tar = tarfile.open(path, "w")  # noqa: SIM115

    def file(self, name, content, **attributes):
        member = tarfile.TarInfo(name)
        member.size = len(content)
        for key, value in attributes.items():
            setattr(member, key, value)
        self.tar.addfile(member, io.BytesIO(content))
        return self

    def special(self, name, kind, target=""):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        self.tar.addfile(member)
        return self

    def header(self, block):
        """A header as it is, with nothing after it."""
        self.tar.fileobj.write(block)
        self.tar.offset += len(block)
        return self

    def layout(self, folder):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.file(path.relative_to(folder).as_posix(), path.read_bytes())
        return self

    def close(self):
        self.tar.close()
        return self.path


@pytest.fixture
def built(tmp_path):
    """A good layout to spoil."""
    LayoutWriter(tmp_path / "built").simple("1.0.0", [{"a": b"a" * 1000}])
    return tmp_path / "built"


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "image.tar")


def blob_of(folder, kind):
    """The path of the first blob that a layout's manifest names as `config` or `layers`."""
    index = json.loads((folder / "index.json").read_text())
    manifest = json.loads(blob_path(folder, index["manifests"][0]["digest"]).read_text())
    descriptor = manifest[kind] if kind == "config" else manifest[kind][0]
    return blob_path(folder, descriptor["digest"])


def blob_path(folder, digest):
    return folder / "blobs" / "sha256" / digest.partition(":")[2]


@pytest.mark.parametrize(
    "name", ["../../evil", "/tmp/evil", "blobs/../../evil", "./../evil", "..", "..\\evil", "blobs/sha256/../../../evil"]
)
def test_a_member_outside_of_the_archive(refused, archive, built, name):
    refused(f"oci-archive:{archive.layout(built).file(name, b'evil').close()}", "outside")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../../etc/passwd"])
def test_a_link_out_of_the_archive(refused, archive, built, kind, target):
    refused(f"oci-archive:{archive.layout(built).special('blobs/sha256/link', kind, target).close()}", "outside")


def test_a_link_to_nothing_or_to_itself(refused, archive, built):
    archive.layout(built).special("one", tarfile.SYMTYPE, "two").special("two", tarfile.SYMTYPE, "one")
    refused(f"oci-archive:{archive.close()}", "a link to what is not in it")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device(refused, archive, built, kind):
    refused(f"oci-archive:{archive.layout(built).special('dev', kind).close()}", "neither file nor folder")


def test_a_name_that_an_extended_header_replaces(refused, archive, built):
    archive.tar.format = tarfile.PAX_FORMAT
    archive.layout(built).file("innocent", b"x", pax_headers={"path": "../../evil"})
    refused(f"oci-archive:{archive.close()}", "outside")


def test_far_too_many_members(refused, archive, built):
    archive.layout(built)
    for number in range(tar._MOST_MEMBERS):
        archive.file(f"x{number}", b"")
    refused(f"oci-archive:{archive.close()}", "more than 10,000 members")


def test_a_member_that_claims_to_be_huge(refused, archive, built):
    member = tarfile.TarInfo("huge")
    member.size = 1 << 60
    archive.layout(built).header(member.tobuf(tarfile.GNU_FORMAT))
    refused(f"oci-archive:{archive.close()}", "ends in the middle of 'huge'")


def test_a_header_that_points_backwards(refused, archive, built):
    """A negative size made some versions of tarfile go in circles (CVE-2025-8194)."""
    header = bytearray(tarfile.TarInfo("loop").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" + (-1024 & (1 << 88) - 1).to_bytes(11, "big")
    header[148:156] = b"        "
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    archive.layout(built).header(bytes(header))
    refused(f"oci-archive:{archive.close()}", "is broken")


def test_a_header_that_is_none(refused, archive, built):
    """tarfile takes it for the end of the archive, and what comes behind it would be lost without a word."""
    archive.layout(built).header(b"x" * 512)
    refused(f"oci-archive:{archive.close()}", "is broken")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_name_of_many_megabytes(refused, archive, built, kind):
    """tarfile reads it at once; a pax header of digits kept it busy for hours."""
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, 64 << 20
    archive.layout(built).header(member.tobuf(tarfile.GNU_FORMAT) + b"1" * (64 << 20))
    refused(f"oci-archive:{archive.close()}", "far more than any name")


@pytest.mark.parametrize(("name", "opener"), [("bomb.tar.gz", gzip.open), ("bomb.tar.xz", lzma.open)])
def test_a_bomb(refused, tmp_path, monkeypatch, name, opener):
    monkeypatch.setattr(archive_file, "_FREE", 8 << 20)
    with opener(tmp_path / name, "wb") as file:
        for _ in range(64):
            file.write(b"\0" * (1 << 20))
    refused(f"oci-archive:{tmp_path}/{name}", "far too many")
    refused(f"docker-archive:{tmp_path}/{name}", "far too many")


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, b"\x1f\x8b broken gzip", os.urandom(4096)])
def test_what_is_no_archive(refused, tmp_path, content):
    (tmp_path / "image.tar").write_bytes(content)
    refused(f"oci-archive:{tmp_path}/image.tar")
    refused(f"docker-archive:{tmp_path}/image.tar")


def test_an_archive_that_ends_early(refused, archive, built):
    path = archive.layout(built).close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    refused(f"oci-archive:{path}")


def test_a_folder_or_nothing_where_an_archive_should_be(refused, built, tmp_path):
    refused(f"oci-archive:{built}", "is not a file")
    refused(f"oci-archive:{tmp_path}/none.tar", "No such file")


@pytest.mark.parametrize("kind", ["config", "layers"])
def test_bytes_that_do_not_have_their_digest(refused, built, archive, repository, kind):
    path = blob_of(built, kind)
    path.write_bytes(bytes(reversed(path.read_bytes())))
    refused(f"oci:{built}", "other bytes")
    refused(f"oci-archive:{archive.layout(built).close()}", "other bytes")
    host, _, name = repository.partition("/")
    for digest in (f"sha256:{path.name}", digest_of(path.read_bytes())):
        assert requests.head(f"http://{host}/v2/{name}/blobs/{digest}", timeout=10).status_code == 404


@pytest.mark.parametrize("kind", ["config", "layers"])
def test_blobs_of_another_size(refused, built, kind):
    path = blob_of(built, kind)
    path.write_bytes(path.read_bytes() + b"more")
    refused(f"oci:{built}", "announces")


def test_a_blob_that_is_missing(refused, built):
    blob_of(built, "layers").unlink()
    refused(f"oci:{built}", "is missing")


def test_a_blob_that_is_a_device_or_a_folder(refused, built):
    path = blob_of(built, "layers")
    path.unlink()
    path.symlink_to("/dev/zero")
    refused(f"oci:{built}", "is not a file")
    path.unlink()
    path.mkdir()
    refused(f"oci:{built}", "is not a file")


def test_a_link_to_a_file_of_the_machine_shows_nothing_of_it(refused, built):
    path = blob_of(built, "config")
    path.unlink()
    path.symlink_to("/etc/passwd")
    refused(f"oci:{built}")


@pytest.mark.parametrize(
    "digest", ["sha256:../../../etc/passwd", "sha256:" + "g" * 64, "sha256:" + "A" * 64, "md5:" + "a" * 32, "", None, 7]
)
def test_a_digest_that_is_a_path_or_nonsense(refused, tmp_path, digest):
    writer = LayoutWriter(tmp_path / "l")
    config = {**writer.blob(b"{}", CONFIG), "digest": digest}
    writer.tag("x", writer.raw({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}, MANIFEST))
    refused(f"oci:{tmp_path}/l", "digest")


@pytest.mark.parametrize("size", [-1, "7", None, 1.5])
def test_a_size_that_is_none(refused, tmp_path, size):
    writer = LayoutWriter(tmp_path / "l")
    config = {**writer.blob(b"{}", CONFIG), "size": size}
    writer.tag("x", writer.raw({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}, MANIFEST))
    refused(f"oci:{tmp_path}/l", "size")


def test_indexes_without_end(refused, tmp_path):
    writer = LayoutWriter(tmp_path / "l")
    inner = writer.image()
    for _ in range(12):
        inner = writer.index({"linux/amd64": inner})
    writer.tag("x", inner)
    refused(f"oci:{tmp_path}/l", "levels")


def test_an_index_of_thousands(refused, tmp_path):
    writer = LayoutWriter(tmp_path / "l")
    children = [writer.image(layer_of({f"f{n}": b""}), labels={"n": str(n)}) for n in range(1200)]
    writer.tag("x", writer.raw({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}, INDEX))
    refused(f"oci:{tmp_path}/l", "more than 1000 manifests")


def test_a_manifest_that_is_far_too_large(refused, tmp_path):
    writer = LayoutWriter(tmp_path / "l")
    writer.tag("x", writer.blob(b'{"x": "' + b"x" * (5 << 20) + b'"}', MANIFEST))
    refused(f"oci:{tmp_path}/l", "4 MiB")


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{", b"[]", b"null", b"\xff\xfe", b'{"manifests": 1}', b"{}"])
def test_an_index_that_is_no_index(refused, built, content):
    (built / "index.json").write_bytes(content)
    refused(f"oci:{built}", "index.json")


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"schemaVersion": 1, "fsLayers": []}', b"[]", b"{}"])
def test_a_manifest_that_is_none(refused, tmp_path, content):
    writer = LayoutWriter(tmp_path / "l")
    writer.tag("x", writer.blob(content, "application/vnd.docker.distribution.manifest.v1+json"))
    refused(f"oci:{tmp_path}/l", "manifest")


def saved(archive, *, diff_ids=None, config_name="config.json", layer_name="layer.tar", manifest=None):
    """What docker save would write, or nearly."""
    layer = gzip.decompress(layer_of({"a": b"a" * 1000}))
    config = {"rootfs": {"type": "layers", "diff_ids": diff_ids or [digest_of(layer)]}}
    entry = {"Config": config_name, "RepoTags": ["shop:1"], "Layers": [layer_name]}
    archive.file("config.json", json.dumps(config).encode()).file("layer.tar", layer)
    return archive.file("manifest.json", json.dumps(manifest if manifest is not None else [entry]).encode()).close()


@pytest.mark.parametrize(
    "lie",
    [
        {"diff_ids": ["sha256:" + "0" * 64]},
        {"diff_ids": ["../../etc/passwd"]},
        {"diff_ids": [digest_of(b"1"), digest_of(b"2")]},
        {"config_name": "../../../../etc/passwd"},
        {"config_name": "/etc/passwd"},
        {"layer_name": "../../../../etc/shadow"},
        {"manifest": {}},
        {"manifest": []},
        {"manifest": [{"Config": 1, "Layers": {}}]},
    ],
    ids=str,
)
def test_a_saved_image_that_lies(refused, archive, lie):
    refused(f"docker-archive:{saved(archive, **lie)}")


def test_a_saved_image_without_lies_is_pushed(run, archive, repository):  # noqa: F811
    """The counterpart: what the cases above spoil is good otherwise."""
    ran = run("image", "push", f"docker-archive:{saved(archive)}", "--to", f"{repository}:1.0.0")
    assert ran.code == 0, ran.out


def test_a_saved_image_may_link_to_its_own_layers(run, archive, repository):  # noqa: F811
    """`docker save` writes a link where two layers are the same."""
    layer = gzip.decompress(layer_of({"a": b"a" * 1000}))
    config = {"rootfs": {"type": "layers", "diff_ids": [digest_of(layer)] * 2}}
    entry = {"Config": "config.json", "RepoTags": None, "Layers": ["one/layer.tar", "two/layer.tar"]}
    archive.file("config.json", json.dumps(config).encode()).file("one/layer.tar", layer)
    archive.special("two/layer.tar", tarfile.SYMTYPE, "../one/layer.tar")
    path = archive.file("manifest.json", json.dumps([entry]).encode()).close()
    ran = run("image", "push", f"docker-archive:{path}", "--to", f"{repository}:1.0.0")
    assert ran.code == 0, ran.out
