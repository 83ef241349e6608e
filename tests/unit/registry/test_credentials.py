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
    config({"auths": {"ghcr.io": {}, "quay.io": {"auth": " "}}})
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


@pytest.mark.parametrize(
    ("key", "registry", "repository", "found"),
    [
        ("https://quay.io", "quay.io", "acme/shop", True),
        ("http://quay.io/v2/", "quay.io", "acme/shop", True),
        ("quay.io/", "quay.io", "acme/shop", True),
        ("quay.io:443", "quay.io", "acme/shop", False),
        ("quay.io", "quay.io:443", "acme/shop", False),
        ("notquay.io", "quay.io", "acme/shop", False),
        ("quay.io.evil.example", "quay.io", "acme/shop", False),
        ("docker.io/library", "docker.io", "library/nginx", True),
        ("docker.io/library", "docker.io", "acme/nginx", False),
        ("quay.io/acme/v2", "quay.io", "acme/v2", True),
        ("quay.io/acme/v2", "quay.io", "acme/v2/shop", True),
        # `/v2` is the API only right behind the host: here it is a repository.
        ("quay.io/acme/v2", "quay.io", "acme/shop", False),
        ("quay.io/acme/v1", "quay.io", "acme", False),
    ],
)
def test_which_entry_is_for_which_repository(config, key, registry, repository, found):
    config({"auths": {key: auth("a")}})
    assert user_of(registry, repository) == ("a" if found else None)


@pytest.mark.parametrize("old_first", [True, False])
def test_the_name_of_the_registry_goes_before_an_address(config, old_first):
    """docker login wrote addresses years ago, and writes names now: the newer entry counts, wherever it is."""
    entries = [("https://ghcr.io", auth("old")), ("ghcr.io", auth("new"))]
    config({"auths": dict(entries if old_first else reversed(entries))})
    assert user_of("ghcr.io") == "new"


@pytest.mark.parametrize("text", ["", " \n", "{}", "[]", '{"auths": []}', '{"auths": {"ghcr.io": null}}'])
def test_a_file_without_accounts(config, tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    assert credentials_for("ghcr.io") is None


def test_an_account_without_padding(config):
    config({"auths": {"ghcr.io": {"auth": auth("user", "pass1")["auth"].rstrip("=")}}})
    assert credentials_for("ghcr.io").secret.reveal() == "pass1"


def test_a_named_file_that_does_not_exist(config, tmp_path, monkeypatch):
    config({"auths": {"ghcr.io": auth("a")}})
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "gone.json"))
    with pytest.raises(RegistryError, match="REGISTRY_AUTH_FILE names it, and it does not exist"):
        credentials_for("ghcr.io")


# ------------------------------------------------------------------------------------------------ helpers


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """A credential helper `tried`: `$host` is what it is asked for."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")

    def write(body):
        program = tmp_path / "bin" / "docker-credential-tried"
        program.write_text(f"#!/bin/sh\nread -r host\n{body}\n")
        program.chmod(0o755)

    return write


ANSWERS = """printf '{"ServerURL": "https://other.example.com", "Username": "%s", "Secret": "word"}' "$host\""""


@pytest.mark.parametrize(
    ("setting", "registry", "asked"),
    [
        ({"credHelpers": {"ghcr.io": "tried"}}, "ghcr.io", "ghcr.io"),
        ({"credHelpers": {"ghcr.io": "tried"}}, "ghcr.io:8443", None),
        ({"credHelpers": {"https://ghcr.io": "tried"}}, "ghcr.io", None),  # docker takes the name only
        ({"credHelpers": {"docker.io": "tried"}}, "docker.io", "https://index.docker.io/v1/"),
        ({"credHelpers": {"https://index.docker.io/v1/": "tried"}}, "docker.io", "https://index.docker.io/v1/"),
        ({"credsStore": "tried"}, "localhost:5000", "localhost:5000"),
        ({"credsStore": "gone", "credHelpers": {"ghcr.io": "tried"}}, "ghcr.io", "ghcr.io"),
        ({"credsStore": "gone", "credHelpers": {"ghcr.io": ""}}, "ghcr.io", None),  # the store is turned off here
        ({"credsStore": "tried", "auths": {"ghcr.io": auth("file")}}, "ghcr.io", "ghcr.io"),
    ],
)
def test_which_helper_is_asked(config, helper, setting, registry, asked):
    helper(ANSWERS)
    config(setting)
    assert user_of(registry) == asked


def test_a_token_of_a_helper_is_no_password(config, helper):
    helper("""printf '{"Username": "<token>", "Secret": "word"}'""")
    config({"credsStore": "tried"})
    assert credentials_for("ghcr.io").identity


@pytest.mark.parametrize(
    "body",
    [
        "echo 'credentials not found in native keychain'; exit 1",
        "echo 'credentials not found' >&2; exit 1",
        "echo 'credentials not found in native keychain'; exit 2",
        """printf '{"Username": "", "Secret": ""}'""",
    ],
)
def test_a_helper_without_an_account_leaves_it_to_the_file(config, helper, body):
    helper(body)
    config({"credsStore": "tried", "auths": {"ghcr.io": auth("file")}})
    assert user_of("ghcr.io") == "file"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("exit 0", "did not answer with an account"),
        ("echo hello", "did not answer with an account"),
        ("echo '[]'", "did not answer with an account"),
        ("""printf '\\377\\376'""", "did not answer with an account"),
        ("""printf '{"Username": null, "Secret": null}'""", "did not answer with an account"),
        ("""printf '{"Username": "a", "Secret": 7}'""", "did not answer with an account"),
        ("""printf '{"Username": "a"}'""", "did not answer with an account"),
        ("echo 'no access to the keychain' >&2; exit 1", "no access to the keychain"),
        ("echo oops; exit 2", "oops"),
        ("exit 3", "exit code 3"),
        ("""printf '{"Username": "a", "Secret": "a-very-secret-word"}'; exit 1""", "exit code 1"),
    ],
)
def test_a_helper_that_fails_is_an_error(config, helper, body, words):
    """Even where the file has an account: the helper may have a newer one, and docker fails too."""
    helper(body)
    config({"credsStore": "tried", "auths": {"ghcr.io": auth("file")}})
    with pytest.raises(RegistryError) as raised:
        credentials_for("ghcr.io")
    assert words in raised.value.message
    assert "a-very-secret-word" not in str(raised.value)
    assert "docker login" in raised.value.hint
