"""The Engine that is used is the one that `docker` would use: variables, contexts, TLS, ssh."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import certifi
import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import missing
from tests.support.engine_proxy import engine_at, engine_with_tls
from tests.support.services import Unavailable, make_certificate, program
from tests.support.ssh_server import new_key, ssh_server

pytestmark = pytest.mark.engine


@pytest.fixture
def mine(engine, tmp_path_factory):
    # A short path: a Unix socket's name has at most 107 bytes.
    with engine_at(engine, tmp_path_factory.mktemp("m") / "e") as proxy:
        yield proxy


@pytest.fixture
def others(engine, tmp_path_factory):
    with engine_at(engine, tmp_path_factory.mktemp("o") / "e") as proxy:
        yield proxy


@pytest.fixture
def docker(docker_cli):
    def call(*arguments, code=0):
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    return call


@pytest.fixture
def dry_push(run, built_image):  # noqa: F811
    def call(code=0, /, **variables):
        ran = run(
            "image", "push", built_image, "--to", "oci:out", "--tags", "raw=x", "--dry-run", environment=variables
        )
        assert ran.code == code, ran.out + ran.err
        return " ".join((ran.out + ran.err).split())

    return call


def contexts(docker, **hosts):
    for name, host in hosts.items():
        docker("context", "create", name, "--docker", f"host={host}")


def test_the_variable_names_a_context(dry_push, docker, mine, others):
    contexts(docker, mine=mine.address, others=others.address)
    docker("context", "use", "others")
    dry_push(DOCKER_CONTEXT="mine")
    assert mine.connections
    assert not others.connections


def test_the_context_in_use(dry_push, docker, mine):
    contexts(docker, mine=mine.address)
    docker("context", "use", "mine")
    dry_push()
    assert mine.connections


def test_the_address_goes_before_every_context(dry_push, docker, mine, others):
    contexts(docker, others=others.address)
    docker("context", "use", "others")
    dry_push(DOCKER_HOST=mine.address, DOCKER_CONTEXT="others", CONTAINER_HOST=others.address)
    assert mine.connections
    assert not others.connections


def test_the_default_context_is_the_usual_socket(dry_push, docker, mine):
    contexts(docker, mine=mine.address)
    docker("context", "use", "mine")
    said = dry_push(4, DOCKER_CONTEXT="default") if not os.path.exists("/var/run/docker.sock") else ""
    assert "/var/run/docker.sock" in said or not said
    assert not mine.connections


@pytest.mark.parametrize("by", ["variable", "file"])
def test_a_context_that_is_not_there_is_no_other_engine(dry_push, docker, mine, by):
    contexts(docker, gone=mine.address)
    docker("context", "use", "gone")
    docker("context", "rm", "--force", "gone")
    config = Path.home() / ".docker" / "config.json"
    config.write_text('{"currentContext": "gone"}')
    said = dry_push(4, **({"DOCKER_CONTEXT": "gone"} if by == "variable" else {}))
    assert "the Docker context 'gone'" in said
    assert "docker context ls" in said


def test_a_configuration_that_cannot_be_read_is_no_other_engine(
    dry_push, docker, docker_cli, mine, registry, built_image
):
    # An image that was pushed has an origin, at whose registry an account may be asked for.
    pushed = f"{registry}/shop:{uuid4().hex}"
    docker("--host", docker_cli, "tag", built_image, pushed)
    docker("--host", docker_cli, "push", pushed)
    folder = Path.home() / ".docker"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{")
    assert "is not JSON" in dry_push(4)
    dry_push(DOCKER_HOST=mine.address)


def test_podmans_variable_counts_where_nothing_of_docker_is_set(dry_push, docker, mine, others):
    dry_push(CONTAINER_HOST=mine.address)
    assert mine.connections
    contexts(docker, others=others.address)
    before = mine.connections
    dry_push(CONTAINER_HOST=mine.address, DOCKER_CONTEXT="others")
    assert others.connections
    assert mine.connections == before


# ------------------------------------------------------------------------------------------------------------ TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    make_certificate(folder)
    shutil.copy(folder / "server.pem", folder / "cert.pem")
    shutil.copy(folder / "server.key", folder / "key.pem")
    return folder


@pytest.fixture
def secure(engine, certificates):
    with engine_with_tls(engine, certificates) as proxy:
        yield proxy


def test_a_context_brings_its_certificates(dry_push, docker, secure, certificates):
    pem = ",".join(f"{name}={certificates}/{name}.pem" for name in ("ca", "cert", "key"))
    docker("context", "create", "secure", "--docker", f"host={secure.address},{pem}")
    dry_push(DOCKER_CONTEXT="secure")
    dry_push(DOCKER_CONTEXT="secure", REQUESTS_CA_BUNDLE=certifi.where())
    assert secure.connections


def test_a_context_that_skips_the_check_of_the_name(dry_push, docker, secure, certificates):
    pem = ",".join(f"{name}={certificates}/{name}.pem" for name in ("cert", "key"))
    docker("context", "create", "lax", "--docker", f"host={secure.address},{pem},skip-tls-verify=true")
    dry_push(DOCKER_CONTEXT="lax")


def test_certificates_of_the_variables(dry_push, secure, certificates):
    dry_push(DOCKER_HOST=secure.address, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(certificates))
    dry_push(DOCKER_HOST=secure.address, DOCKER_TLS="1", DOCKER_CERT_PATH=str(certificates))


def test_an_authority_of_somebody_else_is_refused(dry_push, secure, certificates, tmp_path):
    make_certificate(tmp_path)
    for name in ("cert.pem", "key.pem"):
        shutil.copy(certificates / name, tmp_path)
    said = dry_push(4, DOCKER_HOST=secure.address, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path))
    assert "certificate verify failed" in said


@pytest.mark.parametrize("socket", [True, False], ids=["socket", "tcp"])
@pytest.mark.parametrize("lost", ["everything", "ca.pem", "key.pem", "cert.pem"])
def test_certificates_that_are_not_there(dry_push, mine, secure, certificates, tmp_path, lost, socket):
    folder = tmp_path / "client"
    if lost != "everything":
        shutil.copytree(certificates, folder)
        (folder / lost).unlink()
    host = mine.address if socket else secure.address
    said = dry_push(4, DOCKER_HOST=host, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(folder))
    assert f"{folder}/{'ca.pem' if lost == 'everything' else lost}" in said
    assert not mine.connections + secure.connections


def test_an_engine_that_speaks_tls_and_nobody_said_so(dry_push, secure):
    assert dry_push(4, DOCKER_HOST=secure.address)


# ------------------------------------------------------------------------------------------------------------ ssh


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    try:
        with ssh_server(tmp_path_factory.mktemp("ssh")) as running:
            yield running
    except Unavailable as absent:
        missing(str(absent))


@pytest.fixture
def ssh(server, tmp_path, monkeypatch):
    """Make `ssh` on PATH the real one with a key of our own: it reads no configuration from a test's home."""

    def use(key):
        path = tmp_path / "bin" / "ssh"
        path.parent.mkdir(exist_ok=True)
        options = server.command(key).removeprefix("ssh ")
        path.write_text(f'#!/bin/sh\nexec {program("ssh-keygen").removesuffix("-keygen")} {options} "$@"\n')
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")

    return use


def test_an_engine_behind_ssh(dry_push, docker_cli, server, ssh):
    ssh(server.key)
    dry_push(DOCKER_HOST=server.url_of(Path(docker_cli.removeprefix("unix://"))))


def test_a_context_behind_ssh(dry_push, docker, docker_cli, server, ssh):
    ssh(server.key)
    contexts(docker, far="tcp://127.0.0.1:1")
    # The docker of Debian 12 makes no context whose address has a path.
    [about] = Path.home().glob(".docker/contexts/meta/*/meta.json")
    far = server.url_of(Path(docker_cli.removeprefix("unix://")))
    about.write_text(about.read_text().replace("tcp://127.0.0.1:1", far))
    dry_push(DOCKER_CONTEXT="far")


def test_a_key_that_may_not_sign_in(dry_push, server, ssh, tmp_path):
    ssh(new_key(tmp_path / "other"))
    assert "Permission denied" in dry_push(4, DOCKER_HOST=server.url_of(Path("/none.sock")))


def test_no_ssh(dry_push, server, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "ssh is not installed" in dry_push(4, DOCKER_HOST=server.url_of(Path("/none.sock")))


@pytest.mark.parametrize("url", ["ssh://bot:word-of-the-bot@engine", "ssh://", "ssh://host:port", "ssh://host?a=b"])
def test_addresses_over_ssh_that_are_none(dry_push, url):
    said = dry_push(4, DOCKER_HOST=url)
    assert "not the address of an Engine over ssh" in said
    assert "word-of-the-bot" not in said


def test_podman_over_ssh_is_said_to_be_no_way(dry_push):
    assert "Forward Podman's socket" in dry_push(4, CONTAINER_HOST="ssh://core@host/run/podman/podman.sock")
