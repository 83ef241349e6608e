"""How registries ask for an account and what their token servers answer: a push signs in, or reports what is wrong."""

from __future__ import annotations

import base64
import itertools

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import quirky_answers as quirks
from tests.support.fault_proxy import Answer, fault_proxy
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import pulled, tags

USER, PASSWORD = "bot", "a-password-of-the-bot"
ACCOUNT = {"GITOPS_CI_REGISTRY_USER": USER, "GITOPS_CI_REGISTRY_PASSWORD": PASSWORD}
TOKEN, BASIC = "Bearer a-token", f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
_numbers = itertools.count(1)


@pytest.fixture
def name():
    return f"signing-in/shop-{next(_numbers)}"


@pytest.fixture
def quirky(registry):
    with fault_proxy(registry) as proxy:
        yield proxy


@pytest.fixture
def push(run, quirky, name, tmp_path):  # noqa: F811
    LayoutWriter(tmp_path / "built").simple("1.4.2", [{"a": b"a" * 5000}])

    def call(*more, code=0, environment=ACCOUNT):
        to = ("--to", f"{quirky.host}/{name}", "--version", "1.4.2")
        ran = run("image", "push", "oci:built", *to, *more, environment=environment)
        assert ran.code == code, ran.out + ran.err
        assert PASSWORD not in ran.out + ran.err
        return " ".join((ran.out + ran.err).split())

    return call


CHALLENGES = {
    "Basic": ('Basic realm="Registry"', BASIC),
    "Basic without a realm": ("Basic", BASIC),
    "Basic in lower case": ('basic realm="Registry"', BASIC),
    "Basic with a charset": ('Basic realm="Registry", charset="UTF-8"', BASIC),
    "Bearer": ('Bearer realm="{realm}",service="s",scope="repository:x:pull"', TOKEN),
    "Bearer without a service": ('Bearer realm="{realm}"', TOKEN),
    "Bearer without quotes": ("Bearer realm={realm},service=s", TOKEN),
    "Bearer with blanks": ('Bearer realm = "{realm}" , service = "s"', TOKEN),
    "Bearer with a comma in quotes": ('Bearer realm="{realm}",service="a, Basic realm=b"', TOKEN),
    "Bearer with a query in the realm": ('Bearer realm="{realm}?a=b",service="s"', TOKEN),
    "a relative realm": ('Bearer realm="/token",service="s"', TOKEN),
    "Basic, then Bearer": ('Basic realm="R"\nBearer realm="{realm}",service="s"', TOKEN),
    "Bearer, then Basic": ('Bearer realm="{realm}",service="s"\nBasic realm="R"', TOKEN),
    "Bearer and Basic in one header": ('Bearer realm="{realm}",service="s", Basic realm="R"', TOKEN),
    "Negotiate, then Bearer": ('Negotiate\nBearer realm="{realm}",service="s"', TOKEN),
    "Negotiate, then Basic": ('Negotiate\nBasic realm="R"', BASIC),
    "Bearer with an error": ('Bearer realm="{realm}",service="s",error="invalid_token"', TOKEN),
}
ANSWERS = {
    "token": {"token": "a-token"},
    "access_token": {"access_token": "a-token"},
    "both": {"token": "a-token", "access_token": "a-token"},
    "expires_in null": {"token": "a-token", "expires_in": None},
    "expires_in a string": {"token": "a-token", "expires_in": "300"},
    "expires_in zero": {"token": "a-token", "expires_in": 0},
    "expires_in negative": {"token": "a-token", "expires_in": -5},
    "expires_in beyond every number": {"token": "a-token", "expires_in": 10**400},
    "expires_in a list": {"token": "a-token", "expires_in": [300]},
    "issued long ago": {"token": "a-token", "expires_in": 300, "issued_at": "2001-01-01T00:00:00Z"},
    "issued_at no date": {"token": "a-token", "issued_at": "yesterday"},
    "a refresh token beside it": {"token": "a-token", "refresh_token": "r"},
}


@pytest.mark.parametrize("kind", CHALLENGES)
def test_a_way_to_ask_for_an_account(push, quirky, registry, name, kind):
    challenge, expected = CHALLENGES[kind]
    quirky.script = quirks.asks_to_sign_in(challenge, {"token": "a-token"}, lambda given: given == expected)
    push()
    assert set(tags(f"{registry}/{name}")) == {"1.4.2", "1.4", "1", "latest"}
    assert len(pulled(f"{registry}/{name}", "1.4.2")) == 3


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_a_token_server_answers(push, quirky, registry, name, kind):
    challenge = 'Bearer realm="{realm}",service="s"'
    quirky.script = quirks.asks_to_sign_in(challenge, ANSWERS[kind], lambda given: given == TOKEN)
    push()
    assert set(tags(f"{registry}/{name}")) == {"1.4.2", "1.4", "1", "latest"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_server_that_does_not_know_the_account(push, quirky, status):
    quirky.script = quirks.token_server_fails(status)
    assert f"does not accept the account 'bot' ({status})" in push(code=4)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_token_server_that_has_trouble(push, quirky, status):
    """It has not looked at the password, so the password is not what is wrong."""
    quirky.script = quirks.token_server_fails(status)
    said = push("--deadline", "3", code=4)
    assert "token server" in said
    assert str(status) in said
    assert "password" not in said


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"token": ""}', b'{"token": 7}', b"[]"])
def test_a_token_server_that_gives_no_token(push, quirky, body):
    quirky.script = quirks.token_server_fails(200, body)
    said = push(code=4)
    assert "token server" in said
    assert "password" not in said


@pytest.mark.parametrize("has_account", [True, False])
def test_a_token_server_of_another_domain(push, run, quirky, registry, name, has_account):  # noqa: F811
    """lscr.io sends readers to ghcr.io. Without an account there is nothing to give away, and no word of a password."""
    quirky.script = lambda asked: Answer(401, {"WWW-Authenticate": 'Bearer realm="https://tokens.invalid/token"'})
    said = push(code=4, environment=ACCOUNT if has_account else {})
    if has_account:
        assert "asks for its password at another host, tokens.invalid" in said
    else:
        assert "token server gave none" in said
        assert "tokens.invalid" in said
        assert "password sent" not in said
