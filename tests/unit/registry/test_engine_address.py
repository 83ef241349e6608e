"""Which Engine the variables and Docker's files name. Another Engine may hold another image of the same name."""

from __future__ import annotations

import hashlib
import json

import pytest

from gitops_ci.errors import RegistryError
from gitops_ci.registry.engine_address import find_engine

MINE, OTHER = "tcp://mine.example.com:2376", "tcp://other.example.com:2375"
CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")


@pytest.fixture
def docker(tmp_path):
    """Writes Docker's configuration; `find` gives the address for these variables."""

    class Docker:
        folder = tmp_path / "docker"

        def config(self, text):
            self.folder.mkdir(exist_ok=True)
            (self.folder / "config.json").write_text(text if isinstance(text, str) else json.dumps(text))

        def context(self, name, endpoint, tls=()):
            key = hashlib.sha256(name.encode()).hexdigest()
            meta, files = self.folder / "contexts/meta" / key, self.folder / "contexts/tls" / key / "docker"
            meta.mkdir(parents=True)
            content = {"Name": name, "Endpoints": {"docker": endpoint}} if isinstance(endpoint, dict) else endpoint
            (meta / "meta.json").write_text(content if isinstance(content, str) else json.dumps(content))
            for file in tls:
                files.mkdir(parents=True, exist_ok=True)
                (files / file).write_text("PEM")

        def find(self, **environ):
            return find_engine({"DOCKER_CONFIG": str(self.folder), **environ})

        def refused(self, **environ):
            with pytest.raises(RegistryError) as raised:
                self.find(**environ)
            assert raised.value.hint
            return raised.value.message

    docker = Docker()
    docker.context("mine", {"Host": MINE, "SkipTLSVerify": False}, CERTIFICATES)
    docker.context("other", {"Host": OTHER})
    return docker


@pytest.mark.parametrize(
    ("current", "environ", "host"),
    [
        (None, {}, ""),
        ("", {}, ""),
        ("mine", {}, MINE),
        ("default", {}, ""),
        ("mine", {"DOCKER_CONTEXT": "other"}, OTHER),
        ("mine", {"DOCKER_CONTEXT": ""}, MINE),
        ("mine", {"DOCKER_CONTEXT": "default"}, ""),
        ("mine", {"DOCKER_HOST": OTHER}, OTHER),
        ("mine", {"DOCKER_HOST": OTHER, "DOCKER_CONTEXT": "gone"}, OTHER),
        ("mine", {"DOCKER_HOST": ""}, MINE),
        ("mine", {"CONTAINER_HOST": OTHER}, MINE),
        (None, {"CONTAINER_HOST": OTHER}, OTHER),
        (None, {"CONTAINER_HOST": OTHER, "DOCKER_CONTEXT": "mine"}, MINE),
        # The default context is a choice of Docker's: Podman's variable names another Engine.
        (None, {"CONTAINER_HOST": OTHER, "DOCKER_CONTEXT": "default"}, ""),
        ("default", {"CONTAINER_HOST": OTHER}, ""),
        (None, {"CONTAINER_HOST": OTHER, "DOCKER_HOST": MINE}, MINE),
    ],
)
def test_which_setting_counts(docker, current, environ, host):
    if current is not None:
        docker.config({"currentContext": current})
    assert docker.find(**environ).host == host


def test_a_context_has_its_own_certificates(docker, tmp_path):
    tls = docker.find(DOCKER_CONTEXT="mine", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path)).tls
    assert tls is not None
    assert [path.rpartition("/")[2] for path in (tls.ca, tls.certificate, tls.key)] == list(CERTIFICATES)
    assert tls.verify
    assert docker.find(DOCKER_CONTEXT="other").tls is None


@pytest.mark.parametrize(
    ("files", "missing"),
    [(("ca.pem", "cert.pem"), "key.pem"), (("ca.pem", "key.pem"), "cert.pem"), (("cert.pem",), "key.pem")],
)
def test_half_of_a_certificate_is_refused(docker, files, missing):
    docker.context("half", {"Host": MINE}, files)
    assert missing in docker.refused(DOCKER_CONTEXT="half")


def test_a_context_with_an_authority_alone(docker):
    docker.context("authority", {"Host": MINE}, ("ca.pem",))
    tls = docker.find(DOCKER_CONTEXT="authority").tls
    assert tls is not None
    assert (tls.certificate, tls.key, tls.verify) == ("", "", True)
    assert tls.ca.endswith("ca.pem")


def test_a_context_that_skips_verification_speaks_tls_all_the_same(docker):
    docker.context("skips", {"Host": MINE, "SkipTLSVerify": True})
    tls = docker.find(DOCKER_CONTEXT="skips").tls
    assert tls is not None
    assert not tls.verify


@pytest.mark.parametrize("by", ["variable", "file"])
@pytest.mark.parametrize("name", ["gone", "../mine", "Mine", "mine "])
def test_a_context_that_does_not_exist(docker, name, by):
    if by == "file":
        docker.config({"currentContext": name})
        assert f"'{name}'" in docker.refused(CONTAINER_HOST=OTHER)
    else:
        assert f"DOCKER_CONTEXT names the Docker context '{name}'" in docker.refused(DOCKER_CONTEXT=name)


@pytest.mark.parametrize(
    "meta", ["{", "[]", "{}", '{"Endpoints": []}', '{"Endpoints": {"kubernetes": {}}}', '{"Endpoints": {"docker": {}}}']
)
def test_a_context_without_an_address(docker, meta):
    docker.context("odd", meta)
    assert docker.refused(DOCKER_CONTEXT="odd")


@pytest.mark.parametrize("text", ["", " \n", "{}", "[]", '{"currentContext": null}', '{"currentContext": 7}'])
def test_a_configuration_that_names_no_context(docker, text):
    docker.config(text)
    assert docker.find().host == ""


def test_a_configuration_that_is_damaged_is_no_other_engine(docker):
    docker.config("{")
    assert "is not JSON" in docker.refused()
    assert docker.find(DOCKER_HOST=MINE).host == MINE
    assert docker.find(DOCKER_CONTEXT="mine").host == MINE


def test_tls_of_the_variables_needs_an_authority(docker, tmp_path):
    assert "ca.pem" in docker.refused(DOCKER_HOST=MINE, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path))
    tls = docker.find(DOCKER_HOST=MINE, DOCKER_TLS="1", DOCKER_CERT_PATH=str(tmp_path)).tls
    assert tls is not None
    assert not tls.verify
