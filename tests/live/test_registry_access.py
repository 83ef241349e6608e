"""Signing in to real registries: htpasswd, TLS, tokens; accounts from wherever a CI job may have them."""

from __future__ import annotations

import base64
import itertools
import json
import os
import stat
import time
from pathlib import Path

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.fault_proxy import Answer, Delay, fault_proxy
from tests.support.layouts import LayoutWriter
from tests.support.processes import has_ended
from tests.support.token_server import token_server

USER, PASSWORD = "bot", "s3cret-Pass/word+1"
ACCOUNT = {"GITOPS_CI_REGISTRY_USER": USER, "GITOPS_CI_REGISTRY_PASSWORD": PASSWORD}
_numbers = itertools.count(1)


@pytest.fixture
def layout(tmp_path):
    LayoutWriter(tmp_path / "build").simple("1.4.2", [{"a": b"a" * 10_000}, {"b": b"b"}])
    return "oci:build"


@pytest.fixture(scope="module")
def private(make_registry):
    """A registry that lets nobody in without a password."""
    return make_registry(users={USER: PASSWORD})


@pytest.fixture(scope="module")
def secure(make_registry):
    """A registry that speaks TLS with a certificate of its own authority."""
    return make_registry(tls=True)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    with token_server(tmp_path_factory.mktemp("tokens"), {USER: PASSWORD}) as server:
        yield server


@pytest.fixture(scope="module")
def by_token(make_registry, tokens):
    """A registry that sends everybody to a token server first."""
    return make_registry(auth=tokens.auth)


@pytest.fixture
def repository():
    return f"access/shop-{next(_numbers)}"


@pytest.fixture
def docker_config(tmp_path, monkeypatch):
    """Write Docker's configuration file; gives the folder of it, where helpers may lie too."""
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))

    def write(config):
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    return write


def push(run, layout, host, repository, **environment):  # noqa: F811
    ran = run("image", "push", layout, "--to", f"{host}/{repository}", "--version", "1.4.2", environment=environment)
    assert PASSWORD not in ran.out + ran.err
    assert base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode() not in ran.out + ran.err
    return ran


def entry(user=USER, password=PASSWORD):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def helper(folder, monkeypatch, answer, code=0):
    """A credential helper that answers so, and notes what it was asked for."""
    program = folder / "docker-credential-tests"
    program.write_text(f"#!/bin/sh\ncat > '{folder}/asked'\necho '{answer}'\nexit {code}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_without_an_account_the_hint_says_how_to_give_one(run, layout, private, repository):  # noqa: F811
    ran = push(run, layout, private.host, repository)
    assert ran.code == 4
    assert "401" in ran.out
    assert "GITOPS_CI_REGISTRY_USER" in ran.out


def test_a_wrong_password_is_said_so(run, layout, private, repository):  # noqa: F811
    ran = push(run, layout, private.host, repository, **{**ACCOUNT, "GITOPS_CI_REGISTRY_PASSWORD": "wrong-password"})
    assert ran.code == 4
    assert "Check the password or token" in ran.out
    assert "wrong-password" not in ran.out + ran.err


def test_a_password_without_a_user_is_said_so(run, layout, private, repository):  # noqa: F811
    ran = push(run, layout, private.host, repository, GITOPS_CI_REGISTRY_PASSWORD=PASSWORD)
    assert ran.code == 4
    assert "GITOPS_CI_REGISTRY_USER is not" in ran.out


def test_an_account_from_the_environment(run, layout, private, repository):  # noqa: F811
    assert push(run, layout, private.host, repository, **ACCOUNT).code == 0


def test_an_account_of_the_environment_is_for_the_registry_it_names(run, layout, private, repository):  # noqa: F811
    elsewhere = {**ACCOUNT, "GITOPS_CI_REGISTRY": "registry.example.com"}
    assert push(run, layout, private.host, repository, **elsewhere).code == 4
    assert push(run, layout, private.host, repository, **{**ACCOUNT, "GITOPS_CI_REGISTRY": private.host}).code == 0


def test_the_account_that_gitlab_gives_a_job(run, layout, private, repository):  # noqa: F811
    job = {"CI_REGISTRY_USER": USER, "CI_REGISTRY_PASSWORD": PASSWORD}
    assert push(run, layout, private.host, repository, CI_REGISTRY="registry.example.com", **job).code == 4
    assert push(run, layout, private.host, repository, CI_REGISTRY=private.host, **job).code == 0


@pytest.mark.parametrize("key", ["{host}", "https://{host}", "http://{host}/v2/", "{host}/access"])
def test_an_account_from_dockers_configuration(run, layout, private, repository, docker_config, key):  # noqa: F811
    docker_config({"auths": {key.format(host=private.host): entry(), "other.example": entry("x", "yyyy")}})
    assert push(run, layout, private.host, repository).code == 0


def test_a_damaged_configuration_is_said_so(run, layout, private, repository, docker_config):  # noqa: F811
    folder = docker_config({})
    (folder / "config.json").write_text("{auths")
    ran = push(run, layout, private.host, repository)
    assert ran.code == 4
    assert "config.json cannot be read" in ran.out


@pytest.mark.parametrize("how", ["credHelpers", "credsStore"])
def test_an_account_from_a_credential_helper(run, layout, private, repository, docker_config, monkeypatch, how):  # noqa: F811
    folder = docker_config({how: {private.host: "tests"} if how == "credHelpers" else "tests"})
    helper(folder, monkeypatch, json.dumps({"ServerURL": private.host, "Username": USER, "Secret": PASSWORD}))
    assert push(run, layout, private.host, repository).code == 0
    assert (folder / "asked").read_text() == private.host


def test_a_helper_without_an_account_leaves_it_to_others(run, layout, private, repository, docker_config, monkeypatch):  # noqa: F811
    folder = docker_config({"credsStore": "tests", "auths": {private.host: entry()}})
    helper(folder, monkeypatch, "credentials not found in native keychain", code=1)
    assert push(run, layout, private.host, repository).code == 0


def test_a_helper_that_is_missing_is_said_so(run, layout, private, repository, docker_config):  # noqa: F811
    docker_config({"credsStore": "nowhere"})
    ran = push(run, layout, private.host, repository)
    assert ran.code == 4
    assert "docker-credential-nowhere" in ran.out


@pytest.mark.engine
def test_the_engine_gets_the_account_too(run, private, repository, engine, built_image):  # noqa: F811
    ran = push(run, built_image, private.host, repository, DOCKER_HOST=engine, **ACCOUNT)
    assert ran.code == 0, ran.out


@pytest.mark.engine
def test_denied_is_found_before_the_engine_tries_for_a_minute(run, by_token, repository, engine, built_image):  # noqa: F811
    began = time.monotonic()
    ran = push(run, built_image, by_token.host, repository, DOCKER_HOST=engine)
    assert ran.code == 4
    assert time.monotonic() - began < 30
    assert "GITOPS_CI_REGISTRY_USER" in ran.out


def test_a_certificate_of_an_unknown_authority_is_refused(run, layout, secure, repository):  # noqa: F811
    ran = push(run, layout, secure.host, repository)
    assert ran.code == 4
    assert "certificate" in ran.out
    assert "--registry-ca" in ran.out


def test_a_private_authority_is_trusted_when_named(run, layout, secure, repository):  # noqa: F811
    ran = run("image", "push", layout, "--to", f"{secure.host}/{repository}:1.0.0", "--registry-ca", secure.ca)
    assert ran.code == 0, ran.out


def test_any_certificate_will_do_where_the_user_says_so(run, layout, secure, repository):  # noqa: F811
    ran = run("image", "push", layout, "--to", f"{secure.host}/{repository}:1.0.0", "--insecure", secure.host)
    assert ran.code == 0, ran.out


def test_a_token_is_fetched_and_used(run, layout, by_token, tokens, repository):  # noqa: F811
    tokens.asked.clear()
    assert push(run, layout, by_token.host, repository, **ACCOUNT).code == 0
    assert len(tokens.asked) == 1, "one token serves the whole push"
    assert tokens.asked[0]["scope"] == [f"repository:{repository}:pull,push"]


def test_a_token_is_fetched_where_basic_is_offered_too(run, layout, by_token, tokens, repository):  # noqa: F811
    """Two challenges, as Nexus and Artifactory give them: the realm of the second is not a token server."""
    both = f'Bearer realm="{tokens.url}",service="tests", Basic realm="Registry"'
    with fault_proxy(by_token.host) as proxy:
        proxy.script = lambda asked: Answer(401, {"WWW-Authenticate": both}) if asked.path == "/v2/" else None
        ran = push(run, layout, proxy.host, repository, **ACCOUNT)
    assert ran.code == 0, ran.out


def test_without_an_account_a_token_does_not_allow_to_push(run, layout, by_token, repository):  # noqa: F811
    ran = push(run, layout, by_token.host, repository)
    assert ran.code == 4
    assert "GITOPS_CI_REGISTRY_USER" in ran.out


def test_an_account_that_the_token_server_refuses_is_said_so(run, layout, by_token, repository):  # noqa: F811
    ran = push(run, layout, by_token.host, repository, **{**ACCOUNT, "GITOPS_CI_REGISTRY_PASSWORD": "wrong-password"})
    assert ran.code == 4
    assert f"does not accept the account '{USER}'" in ran.out
    assert "comes from GITOPS_CI_REGISTRY_USER" in ran.out


def test_an_identity_token_is_exchanged(run, layout, by_token, tokens, repository, docker_config):  # noqa: F811
    tokens.refresh_tokens = {"refresh-me-please": USER}
    tokens.asked.clear()
    docker_config({"auths": {by_token.host: {**entry("<token>", "x"), "identitytoken": "refresh-me-please"}}})
    assert push(run, layout, by_token.host, repository).code == 0
    assert {asked["method"] for asked in tokens.asked} == {"POST"}


def test_a_token_that_ends_during_the_push_is_replaced(run, layout, by_token, tokens, repository):  # noqa: F811
    tokens.asked.clear()
    tokens.lifetime = 1
    try:
        with fault_proxy(by_token.host) as proxy:
            # A second and more between requests: each finds its token spent. (The registry allows no leeway.)
            proxy.script = lambda asked: Delay(1.2) if asked.method in {"PUT", "POST"} else None
            ran = push(run, layout, proxy.host, repository, **ACCOUNT)
    finally:
        tokens.lifetime = 60
    assert ran.code == 0, ran.out
    assert len(tokens.asked) > 2


def test_a_token_that_ends_when_the_account_does_is_said_so(run, layout, by_token, tokens, repository, monkeypatch):  # noqa: F811
    """A job's account may end before the job does: the first token still came, the next one does not."""
    tokens.lifetime = 1

    def script(asked):
        if asked.method == "PUT":
            monkeypatch.setattr(tokens, "accounts", {})
            return Delay(1.2)
        return None

    try:
        with fault_proxy(by_token.host) as proxy:
            proxy.script = script
            ran = push(run, layout, proxy.host, repository, **ACCOUNT)
    finally:
        tokens.lifetime = 60
    assert ran.code == 4
    assert f"does not accept the account '{USER}'" in ran.out
    assert "when it expires" in ran.out


def test_a_mount_asks_for_the_right_to_read_the_other_repository(run, layout, by_token, tokens, repository):  # noqa: F811
    assert push(run, layout, by_token.host, repository, **ACCOUNT).code == 0
    tokens.asked.clear()
    source = f"{by_token.host}/{repository}:1.4.2"
    ran = run(
        "image", "retag", source, "--to", f"{by_token.host}/{repository}-prod", "--version", "1.4.2",
        "--output", "json",
        environment=ACCOUNT,
    )  # fmt: skip
    assert ran.code == 0, ran.out
    assert ran.document["summary"]["bytes_sent"] == 0
    assert any(f"repository:{repository}:pull" in asked["scope"] for asked in tokens.asked)


def test_a_token_server_elsewhere_is_not_asked(run, layout, tokens, make_registry, repository):  # noqa: F811
    """A registry, or someone on the way to it, that wants the password sent to another host."""
    stranger = make_registry(auth=tokens.auth.replace(tokens.url, "http://tokens.evil.example/token"))
    ran = push(run, layout, stranger.host, repository, **ACCOUNT)
    assert ran.code == 4
    assert "another host, tokens.evil.example" in ran.out
    assert "--registry-auth-host" in ran.out
    allowed = run(
        "image", "push", layout, "--to", f"{stranger.host}/{repository}:1.0.0",
        "--registry-auth-host", "tokens.evil.example", environment=ACCOUNT,
    )  # fmt: skip
    assert "cannot resolve host tokens.evil.example" in allowed.out, "now it is asked, and is not there"


# ---------------------------------------------------------------------------------- files of Docker and of Podman


def auths(host):
    return json.dumps({"auths": {host: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}})


@pytest.mark.parametrize("place", [".config/containers/auth.json", "config/containers/auth.json", "run/auth.json"])
def test_the_places_of_podman(run, layout, private, repository, tmp_path, monkeypatch, place):  # noqa: F811
    """Root in a job has no XDG_RUNTIME_DIR: podman login writes below /run/containers."""
    root = Path.home() if place.startswith(".config") else tmp_path
    path = root / place
    if place.startswith("config"):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    if place.startswith("run"):
        monkeypatch.setattr("gitops_ci.registry.credentials._RUN", str(tmp_path / "run"))
        path = tmp_path / "run" / str(os.getuid()) / "auth.json"
    assert push(run, layout, private.host, repository).code == 4
    path.parent.mkdir(parents=True)
    path.write_text(auths(private.host))
    assert push(run, layout, private.host, repository).code == 0


def test_the_usual_place_of_podman_as_root():
    from gitops_ci.registry.credentials import _files

    assert f"/run/containers/{os.getuid()}/auth.json" in list(_files({}))


def test_the_variable_of_docker_and_gitlab(run, layout, private, repository, docker_config):  # noqa: F811
    """It goes before the file, as for docker."""
    docker_config({"auths": {private.host: {"auth": base64.b64encode(b"bot:wrong").decode()}}})
    assert push(run, layout, private.host, repository).code == 4
    assert push(run, layout, private.host, repository, DOCKER_AUTH_CONFIG=auths(private.host)).code == 0
    other = push(run, layout, private.host, repository, DOCKER_AUTH_CONFIG=auths("ghcr.io"))
    assert other.code == 4, "the file is the only one with an account for this registry"


def test_a_variable_that_is_no_configuration_is_not_printed(run, layout, private, repository):  # noqa: F811
    ran = push(run, layout, private.host, repository, DOCKER_AUTH_CONFIG=f"{{ {PASSWORD}")
    assert ran.code == 4
    assert "DOCKER_AUTH_CONFIG" in ran.out
    assert PASSWORD not in ran.out + ran.err


def test_a_helper_that_hangs_is_ended(run, layout, private, repository, docker_config, monkeypatch):  # noqa: F811
    """With all that it started: a child of it holds its output."""
    folder = docker_config({"credHelpers": {private.host: "slow"}})
    (folder / "docker-credential-slow").write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {folder}/child\nwait\n")
    (folder / "docker-credential-slow").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr("gitops_ci.registry.credentials._PATIENCE", 1.0)
    ran = push(run, layout, private.host, repository)
    assert ran.code == 4
    assert "did not finish" in ran.out
    assert "by hand" in ran.out
    assert has_ended(int((folder / "child").read_text()))


# ---------------------------------------------------------------------------------------------------- authorities


@pytest.mark.parametrize("folder", [".config/containers/certs.d", ".config/docker/certs.d"])
def test_an_authority_of_one_host(run, layout, secure, repository, folder):  # noqa: F811
    refused = push(run, layout, secure.host, repository)
    assert refused.code == 4
    assert "certs.d" in refused.out
    here = Path.home() / folder / secure.host
    here.mkdir(parents=True)
    (here / "ca.crt").write_text(secure.ca.read_text())
    assert push(run, layout, secure.host, repository).code == 0


def test_an_authority_of_another_host_counts_for_none(run, layout, secure, repository):  # noqa: F811
    here = Path.home() / ".config/containers/certs.d/127.0.0.1:1"
    here.mkdir(parents=True)
    (here / "ca.crt").write_text(secure.ca.read_text())
    assert push(run, layout, secure.host, repository).code == 4


def test_authorities_of_the_environment(run, layout, secure, repository, monkeypatch):  # noqa: F811
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert push(run, layout, secure.host, repository, SSL_CERT_FILE="/none.pem").code == 4
    assert push(run, layout, secure.host, repository, SSL_CERT_FILE=str(secure.ca)).code == 0


def test_a_registry_that_wants_a_certificate(run, layout, make_registry, repository):  # noqa: F811
    strict = make_registry(tls=True, client_certificates=True)
    here = Path.home() / ".config/containers/certs.d" / strict.host
    here.mkdir(parents=True)
    (here / "ca.crt").write_text(strict.ca.read_text())
    assert push(run, layout, strict.host, repository).code == 4
    (here / "client.cert").write_text((strict.root / "server.pem").read_text())
    lost = push(run, layout, strict.host, repository)
    assert lost.code == 4
    assert "has no key" in lost.out
    (here / "client.key").write_text((strict.root / "server.key").read_text())
    assert push(run, layout, strict.host, repository).code == 0


def test_a_token_server_that_is_a_path_of_the_registry(run, layout, registry, repository):  # noqa: F811
    """zot names its token server so (project-zot/zot#4033)."""

    def script(asked):
        if asked.path == "/v2/":
            return Answer(401, {"WWW-Authenticate": 'Bearer realm="/token",service="zot"'})
        if asked.path == "/token":
            return Answer(200, {"Content-Type": "application/json"}, b'{"token": "a-token-of-the-registry"}')
        return None

    with fault_proxy(registry) as proxy:
        proxy.script = script
        assert push(run, layout, proxy.host, repository).code == 0
        sent = {asked.headers.get("authorization") for asked in proxy.asked if asked.method == "PUT"}
    assert sent == {"Bearer a-token-of-the-registry"}
