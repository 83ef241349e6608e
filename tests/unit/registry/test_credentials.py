"""Whose account is used for which registry."""

from __future__ import annotations

import base64
import json

import pytest

from gitops_ci.errors import RegistryError
from gitops_ci.registry.credentials import credentials_for


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return lambda content: (tmp_path / "config.json").write_text(json.dumps(content))


def auth(user, password="word"):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def user_of(registry, repository="", **more):
    found = credentials_for(registry, repository, **more)
    return found.user if found else None


def test_nothing_is_known_of_a_registry_without_an_entry(config):
    config({"auths": {"ghcr.io": auth("a")}})
    assert credentials_for("quay.io") is None


@pytest.mark.parametrize(
    "key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "https://registry-1.docker.io/v2/"]
)
def test_docker_hub_has_many_names(config, key):
    config({"auths": {key: auth("hub")}})
    assert user_of("docker.io") == "hub"


def test_the_account_of_the_longest_path_is_used(config):
    config({"auths": {"quay.io": auth("all"), "quay.io/acme": auth("acme"), "quay.io/acme/shop": auth("shop")}})
    assert user_of("quay.io", "acme/shop") == "shop"
    assert user_of("quay.io", "acme/cart") == "acme"
    assert user_of("quay.io", "acmetoo/cart") == "all"


def test_an_empty_entry_is_no_account(config):
    config({"auths": {"ghcr.io": {}, "quay.io": {"auth": ""}}})
    assert credentials_for("ghcr.io") is None
    assert credentials_for("quay.io") is None


def test_a_password_may_contain_colons(config):
    config({"auths": {"ghcr.io": auth("a", "b:c:d")}})
    assert credentials_for("ghcr.io").secret.reveal() == "b:c:d"


def test_an_identity_token_goes_before_a_password(config):
    config({"auths": {"ghcr.io": {**auth("a"), "identitytoken": "identity"}}})
    found = credentials_for("ghcr.io")
    assert (found.secret.reveal(), found.identity) == ("identity", True)


def test_a_damaged_entry_is_said_so(config):
    config({"auths": {"ghcr.io": {"auth": "?"}}})
    with pytest.raises(RegistryError, match="damaged"):
        credentials_for("ghcr.io")


def test_the_environment_is_for_the_registry_that_is_pushed_to(monkeypatch):
    monkeypatch.setenv("GITOPS_CI_REGISTRY_USER", "ci")
    monkeypatch.setenv("GITOPS_CI_REGISTRY_PASSWORD", "word")
    assert user_of("ghcr.io", own=True) == "ci"
    assert user_of("quay.io") is None, "an image is read from there, with nobody's password"


def test_the_file_of_podman_and_buildah_counts(tmp_path, monkeypatch):
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {"ghcr.io": auth("podman")}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    assert user_of("ghcr.io") == "podman"


@pytest.mark.parametrize("name", ["../../bin/sh", "x; touch y", "-x", ""])
def test_a_helper_is_a_plain_name(config, name):
    config({"credHelpers": {"ghcr.io": name}})
    if name:
        with pytest.raises(RegistryError, match="not the name of a credential helper"):
            credentials_for("ghcr.io")
    else:
        assert credentials_for("ghcr.io") is None


def test_no_secret_is_printed(config):
    config({"auths": {"ghcr.io": auth("a", "very-secret")}})
    assert "very-secret" not in repr(credentials_for("ghcr.io"))
