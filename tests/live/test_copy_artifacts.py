"""`image copy` carries what is not an image from registry to registry, byte for byte: charts, artifacts, signatures."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.kubetools import kubernetes_tool
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import manifest, pulled, tags

_numbers = itertools.count(1)
CHART = "apiVersion: v2\nname: {name}\nversion: {version}\ndescription: Sells things\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


@pytest.fixture
def name():
    return f"artifacts/shop-{next(_numbers)}"


@pytest.fixture
def other(make_registry):
    return make_registry().host


@pytest.fixture
def copy(run):  # noqa: F811
    def call(*arguments, code=0):
        ran = run("image", "copy", *arguments, "--output", "json")
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


def helm(*arguments, cwd):
    done = subprocess.run([kubernetes_tool("helm"), *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def chart(tmp_path, registry, name):
    """A chart that Helm pushed, as a function of its version; the archive."""

    def push(version):
        folder = tmp_path / "made" / version
        short = name.rpartition("/")[2]
        (folder / short / "templates").mkdir(parents=True)
        (folder / short / "Chart.yaml").write_text(CHART.format(name=short, version=version))
        (folder / short / "templates/map.yaml").write_text(MAP)
        helm("package", short, cwd=folder)
        archive = folder / f"{short}-{version}.tgz"
        helm("push", str(archive), f"oci://{registry}/{name.rpartition('/')[0]}", "--plain-http", cwd=folder)
        return archive

    return push


def assert_same(there, here, tag):
    """Every tag, digest and byte; `pulled` checks the bytes of each part against its digest."""
    assert tags(here)[tag] == tags(there)[tag]
    assert pulled(here, tag) == pulled(there, tag)
    assert manifest(here, tag) == manifest(there, tag)


@pytest.mark.parametrize("version", ["1.5.0", "1.5.0+b2", "2.0.0-rc.1"])
def test_a_chart_is_what_helm_pushed_and_pulls(copy, chart, registry, other, name, tmp_path, version):
    archive, tag = chart(version), version.replace("+", "_")
    document = copy(f"{registry}/{name}:{tag}", f"{other}/{name}")
    assert set(tags(f"{other}/{name}")) == {tag}
    assert_same(f"{registry}/{name}", f"{other}/{name}", tag)
    assert document["images"][0]["digest"] == tags(f"{registry}/{name}")[tag]
    helm("pull", f"oci://{other}/{name}", "--version", version, "--plain-http", cwd=tmp_path)
    found = tmp_path / archive.name
    assert hashlib.sha256(found.read_bytes()).digest() == hashlib.sha256(archive.read_bytes()).digest()
    assert copy(f"{registry}/{name}:{tag}", f"{other}/{name}")["status"] == "unchanged"


def test_all_versions_of_a_chart(copy, chart, registry, other, name, tmp_path):
    versions = ("1.4.0", "1.5.0", "1.5.1-rc.1")
    for version in versions:
        chart(version)
    copy(f"{registry}/{name}", f"{other}/{name}", "--all-tags")
    assert set(tags(f"{other}/{name}")) == set(versions)
    for version in versions:
        assert_same(f"{registry}/{name}", f"{other}/{name}", version)
    helm("pull", f"oci://{other}/{name}", "--plain-http", cwd=tmp_path)
    assert (tmp_path / f"{name.rpartition('/')[2]}-1.5.0.tgz").is_file()


def test_a_chart_of_one_version_with_other_content_is_refused(copy, registry, other, name, tmp_path):
    """The config of a chart is its Chart.yaml, which two charts can share (helm/helm#9985)."""
    writer = LayoutWriter(tmp_path / "charts")
    config = json.dumps({"name": "shop", "version": "1.5.0", "apiVersion": "v2"}).encode()
    for number in (1, 2):
        kind = "application/vnd.cncf.helm.config.v1+json"
        layer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
        writer.tag(f"v{number}", writer.artifact(config, kind, b"chart %d" % number, layer))
    copy("oci:charts:v1", f"{registry}/{name}:1.5.0")
    copy("oci:charts:v2", f"{registry}/{name}-2:1.5.0")
    copy(f"{registry}/{name}:1.5.0", f"{other}/{name}")
    refused = copy(f"{registry}/{name}-2:1.5.0", f"{other}/{name}", code=4)
    assert "is released already" in refused["error"]["message"]
    assert_same(f"{registry}/{name}", f"{other}/{name}", "1.5.0")


@pytest.mark.parametrize("way", ["one", "all tags"])
def test_an_artifact_and_what_refers_to_it(copy, registry, other, name, tmp_path, way):
    """As ORAS and Flux store them: an empty config, an artifact type; a signature refers to it, an SBOM to that."""
    writer = LayoutWriter(tmp_path / "built")
    flux = ("application/vnd.cncf.flux.config.v1+json", b"manifests", "application/vnd.cncf.flux.content.v1.tar+gzip")
    artifact = writer.artifact(b"{}", *flux)
    writer.tag("x", artifact)
    note = ("application/vnd.oci.empty.v1+json", b"signed", "application/vnd.tests.signature")
    signature = writer.artifact(b"{}", *note, subject=artifact)
    writer.tag("", signature)
    sbom = ("application/vnd.oci.empty.v1+json", b"parts", "application/spdx+json")
    about_it = writer.artifact(b"{}", *sbom, subject=signature)
    writer.tag("", about_it)
    copy("oci:built:x", f"{registry}/{name}:main-3fa9c1e", "--with-referrers")
    more = ("--all-tags", "--match", "main-*") if way == "all tags" else ()
    source = f"{registry}/{name}" if more else f"{registry}/{name}:main-3fa9c1e"
    copy(source, f"{other}/{name}", "--with-referrers", *more)
    assert_same(f"{registry}/{name}", f"{other}/{name}", "main-3fa9c1e")
    assert tags(f"{other}/{name}")["main-3fa9c1e"] == artifact["digest"]
    for one in (signature, about_it):
        assert pulled(f"{other}/{name}", one["digest"]) == pulled(f"{registry}/{name}", one["digest"])
    # Found by whoever looks for them: this registry has no referrers API, so there is the index of the tag schema.
    for subject, referrer in ((artifact, signature), (signature, about_it)):
        listed = manifest(f"{other}/{name}", subject["digest"].replace(":", "-"))["manifests"]
        assert [item["digest"] for item in listed] == [referrer["digest"]]
