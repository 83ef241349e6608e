"""A Helm chart that is pushed and bumped, beside what Helm itself pushes and pulls."""

import json
import subprocess

import pytest
import requests

from gitops_ci.registry.chart_archive import ChartArchive
from tests.flows.conftest import run  # noqa: F401 - a fixture
from tests.support.git_repo import make_repo
from tests.support.kubetools import kubernetes_tool

CHART = """\
apiVersion: v2
name: shop
version: 1.5.0+b2
appVersion: "1.10"
description: Sells <things> & more
home: https://example.com/shop
sources: [https://example.com/shop.git]
maintainers: [{name: Ada, email: ada@example.com}, {name: Bob}]
keywords: [shop]
annotations: {org.example.team: web, org.opencontainers.image.title: other}
dependencies: [{name: db, version: 1.0.0, repository: "", condition: db.enabled}]
type: application
"""
RELEASES = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: acme}
spec: {type: oci, url: "oci://REPOSITORY"}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web}
spec:
  interval: 5m
  chart:
    spec: {chart: shop, version: 1.4.0, sourceRef: {kind: HelmRepository, name: acme}}
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The archive of a chart, as Helm writes it, and a file with its provenance."""
    folder = tmp_path_factory.mktemp("chart")
    for path, text in {
        "shop/Chart.yaml": CHART,
        "shop/templates/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        "shop/charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    _helm("package", "shop", cwd=folder)
    archive = folder / "shop-1.5.0+b2.tgz"
    (folder / f"{archive.name}.prov").write_text("signed by somebody\n")
    return archive


def _helm(*arguments, cwd):
    subprocess.run([kubernetes_tool("helm"), *arguments], cwd=cwd, check=True, capture_output=True)


def manifest(registry, repository, tag="1.5.0_b2"):
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    return requests.get(f"http://{registry}/v2/{repository}/manifests/{tag}", headers=accept, timeout=10).json()


def test_a_released_chart_is_what_helm_pushes_and_pulls(run, registry, package, tmp_path):  # noqa: F811
    files = {"release.yaml": RELEASES.replace("REPOSITORY", f"{registry}/charts")}
    repo = make_repo(tmp_path / "config.git", files)
    rest = ("--config-repo", repo.path, "--mode", "push", "--forge", "git", "--output", "json")
    ran = run("release", package, "--to", f"oci://{registry}/charts/shop", *rest)
    assert ran.code == 0, ran.err
    assert [(image["tag"], image["state"]) for image in ran.document["images"]] == [("1.5.0_b2", "pushed")]
    now = repo.read("release.yaml").decode()
    assert now == files["release.yaml"].replace("version: 1.4.0", "version: 1.5.0+b2")
    assert run("release", package, "--to", f"{registry}/charts/shop", *rest).document["status"] == "unchanged"

    _helm("push", str(package), f"oci://{registry}/theirs", "--plain-http", cwd=tmp_path)
    ours, theirs = manifest(registry, "charts/shop"), manifest(registry, "theirs/shop")
    theirs["annotations"].pop("org.opencontainers.image.created")
    assert ours["annotations"] == theirs["annotations"]
    assert (ours["config"], ours["layers"]) == (theirs["config"], theirs["layers"])
    _helm("pull", f"oci://{registry}/charts/shop", "--version", "1.5.0+b2", "--plain-http", cwd=tmp_path)
    assert (tmp_path / package.name).read_bytes() == package.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ARCHIVE", "--to", "REGISTRY/shop", "--tags", "latest"), 2, "--tags is for images"),
        (("ARCHIVE", "--to", "REGISTRY/shop", "--version", "2.0.0"), 2, "helm package --version 2.0.0"),
        (("ARCHIVE", "--to", "REGISTRY/charts"), 2, "REGISTRY/charts/shop"),
        (("ARCHIVE", "--to", "REGISTRY/shop:1.4.0"), 2, "names the tag 1.4.0"),
        (("chart:FOLDER", "--to", "REGISTRY/shop"), 4, "helm package"),
        (("chart:FOLDER/shop/Chart.yaml", "--to", "REGISTRY/shop"), 4, "helm package"),
    ],
)
def test_what_is_no_push_of_a_chart(run, registry, package, arguments, code, said):  # noqa: F811
    words = {"ARCHIVE": str(package), "FOLDER": str(package.parent), "REGISTRY": registry}

    def filled(text):
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    ran = run("image", "push", *map(filled, arguments))
    assert (ran.code, filled(said) in ran.err + ran.out) == (code, True), ran.err + ran.out


def test_the_archive_of_a_chart_goes_to_a_layout_too(run, package, tmp_path):  # noqa: F811
    ran = run("image", "push", package, "--to", "oci:layout", "--output", "json")
    assert (ran.code, [image["tag"] for image in ran.document["images"]]) == (0, ["1.5.0_b2"]), ran.err
    index = json.loads((tmp_path / "layout" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == ran.document["images"][0]["digest"]


def test_layers_are_in_the_order_of_their_digests(package, tmp_path):
    """As Helm has them: which of the two comes first depends on their bytes."""
    archive = tmp_path / package.name
    archive.write_bytes(package.read_bytes())
    for number in range(8):
        archive.with_name(f"{archive.name}.prov").write_text(f"signed by {number}\n")
        layers = [layer["digest"] for layer in ChartArchive(str(archive)).root.data["layers"]]
        assert layers == sorted(layers)
