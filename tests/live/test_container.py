"""The container image: built from the Dockerfile on Debian's packages, pushed by the program itself, and used.

The network of a container is this machine's loopback where a registry and a config repository are needed, and none
elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time

import pytest

from gitops_ci import __version__
from gitops_ci.cli import run_command_line
from tests.support import CHECKOUT
from tests.support.delivery import github
from tests.support.go_program import go_program
from tests.support.image_base import debian
from tests.support.kubetools import kubernetes_tool
from tests.support.layouts import LayoutWriter
from tests.support.workspace import export_project, git, make_checkout

pytestmark = pytest.mark.only_soak  # a root file system and an image take minutes
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def docker(docker_cli):
    """Run the docker program; its standard output."""

    def run(*arguments, code=0, stdin=None):
        environment = os.environ | {"DOCKER_HOST": docker_cli, "DOCKER_BUILDKIT": "0"}
        ran = subprocess.run(["docker", *arguments], env=environment, capture_output=True, text=True, stdin=stdin)
        assert ran.returncode == code, ran.stdout[-3000:] + ran.stderr[-3000:]
        return ran.stdout

    return run


@pytest.fixture(scope="module")
def image(docker, docker_cli, open_registry, tmp_path_factory):
    """The image, pulled from a registry to which the program pushed it."""
    folder = tmp_path_factory.mktemp("image")
    names = {part: f"gitops-ci-tests/container-{part}:{os.getpid()}" for part in ("base", "kustomize", "helm", "whole")}
    try:
        docker("import", str(debian()), names["base"])
        _one_program(docker, folder / "helm", names["helm"], "usr/bin/helm", kubernetes_tool("helm"))
        kustomize = go_program("sigs.k8s.io/kustomize/kustomize/v5", _of_the_dockerfile("kustomize"))
        _one_program(docker, folder / "kustomize", names["kustomize"], "app/kustomize", kustomize)
        project = export_project(folder / "project", without="tests/")
        bases = (f"{name.upper()}={names[name]}" for name in ("base", "kustomize", "helm"))
        options = [word for one in bases for word in ("--build-arg", one)]
        docker("build", "--network=host", *options, "--tag", names["whole"], str(project))
        repository = f"{open_registry.host}/acme/gitops-ci"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", docker_cli)
            pushed = run_command_line(["image", "push", names["whole"], "--to", repository, "--version", __version__])
        assert pushed == 0
        docker("image", "rm", names["whole"])
        docker("pull", f"{repository}:{__version__}")
        yield f"{repository}:{__version__}"
        docker("image", "rm", f"{repository}:{__version__}")
    finally:
        for name in names.values():
            subprocess.run(["docker", "image", "rm", name], capture_output=True, check=False)


def _of_the_dockerfile(name):
    """The version of a program that the Dockerfile takes."""
    return re.search(rf"(?m)^ARG {name.upper()}=\S+:(\S+)$", (CHECKOUT / "Dockerfile").read_text())[1]


def _one_program(docker, folder, name, path, program):
    target = folder / path
    target.parent.mkdir(parents=True)
    shutil.copy(program, target)
    target.chmod(0o755)  # as in the images that the Dockerfile takes
    (folder / "Dockerfile").write_text(f"FROM scratch\nCOPY {path} /{path}\n")
    docker("build", "--tag", name, str(folder))


def test_the_image_is_small_and_starts_as_an_ordinary_user(docker, image):
    [about] = json.loads(docker("image", "inspect", image))
    print(f"size: {about['Size'] / MIB:.0f} MiB")
    assert about["Size"] < 600 * MIB
    assert (about["Config"]["User"], about["Config"]["Entrypoint"]) == ("10001", ["gitops-ci"])
    started = time.monotonic()
    assert docker("run", "--rm", "--network=none", image, "--version") == f"gitops-ci {__version__}\n"
    print(f"start: {time.monotonic() - started:.1f} s")
    shell = ("run", "--rm", "--network=none", "--entrypoint", "sh", image, "-c")
    programs = "id -u; git --version; helm version --short; kustomize version; ssh -V 2>&1; python3 --version"
    said = docker(*shell, f"set -e; {programs}; ls /opt/gitops-ci/lib/python3*/site-packages")
    print(said)
    assert said.startswith("10001\ngit version 2.")
    assert {"cel_expr_python", "re2", "gitops_ci"} <= {word.partition("-")[0] for word in said.split()}
    assert not re.search(r"(?m)^(pip|flit_core|setuptools)$", said)


def test_the_image_validates_and_compares_without_a_network(docker, image, tmp_path):
    checkout = make_checkout(
        tmp_path / "config",
        {"apps/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {level: info}\n"},
        origin="",
    )
    tip = git(checkout, "rev-parse", "HEAD").strip()
    make_checkout(
        checkout,
        {"apps/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {level: debug}\n"},
        origin="",
    )
    for path in (checkout, *checkout.rglob("*")):
        os.chown(path, 10001, 10001)
    run = ("run", "--rm", "--network=none", "--volume", f"{checkout}:/work", image)
    assert "validate: no findings" in docker(*run, "validate")
    assert "info" in (told := docker(*run, "diff", "--base", tip))
    assert "debug" in told
    (checkout / "apps" / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndat: {}\n")
    assert "schema/unknown-field" in docker(*run, "validate", code=1)


def test_the_image_releases(docker, image, registry, tmp_path):
    repository = f"{tmp_path.name.replace('_', '-')}/shop"
    LayoutWriter(tmp_path / "built").simple("1", [{"app": b"shop"}])
    with github(tmp_path / "git", f"{registry}/{repository}") as delivery:
        (tmp_path / "environment").write_text(
            f"GITOPS_CI_TOKEN={delivery.token}\nGITOPS_CI_FORGE=github\nGITOPS_CI_API_URL={delivery.forge.api_url}\n"
        )
        docker(
            *("run", "--rm", "--network=host", "--env-file", str(tmp_path / "environment")),
            *("--volume", f"{tmp_path / 'built'}:/built:ro", image, "release", "oci:/built:1"),
            *("--to", f"{registry}/{repository}", "--version", "1.4.2"),
            *("--config-repo", delivery.url, "--environment", "staging"),
        )
        [pull] = delivery.forge.pulls
        assert "+    newTag: 1.4.2" in delivery.repo.diff("main", pull.head)
