"""Signing in: what a challenge says, where a password may go, and when a token is asked for again."""

from __future__ import annotations

import json

import pytest

from gitops_ci.errors import RegistryError
from gitops_ci.registry.auth import Auth, Challenge, read_challenge
from gitops_ci.registry.credentials import Credential
from gitops_ci.secret import Secret

ACCOUNT = Credential("bot", Secret("s3cret-word"), source="a test")


class TokenServer:
    """Stands where the HTTP client does and notes every request; it gives numbered tokens."""

    def __init__(self, **answer):
        self.asked = []
        self.answer = answer

    def request(self, method, url, *, data=None, headers=None, safe=None):
        self.asked.append((method, url, dict(headers or {}), data))
        return Answered(self.answer or {"token": f"token-{len(self.asked)}", "expires_in": 300})


class Answered:
    status, ok = 200, True

    def __init__(self, data):
        self.data = data

    def json(self):
        return json.loads(json.dumps(self.data))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def signed_in(registry, realm, **settings):
    server = TokenServer(**settings.pop("answer", {}))
    clock = Clock()
    auth = Auth(registry, settings.pop("credential", ACCOUNT), server, clock=clock, **settings)
    auth.learn(Challenge("bearer", realm, "service"))
    return auth, server, clock


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"',
            Challenge("bearer", "https://auth.docker.io/token", "registry.docker.io", "repository:a/b:pull"),
        ),
        ('Basic realm="Registry"', Challenge("basic", "Registry")),
        ("Basic", Challenge("basic")),
        ('Basic realm="x", Bearer realm="https://h/t", service=s', Challenge("bearer", "https://h/t", "s")),
        ('bearer realm = "https://h/t"', Challenge("bearer", "https://h/t")),
        # Two headers, joined by the client: each challenge has parameters of its own.
        ('Bearer realm="https://h/t",service="s", Basic realm="Registry"', Challenge("bearer", "https://h/t", "s")),
        (
            'Bearer realm="https://h/t",service="s",Basic realm="Registry",charset="x"',
            Challenge("bearer", "https://h/t", "s"),
        ),
        ('Bearer realm="https://h/t", Negotiate YII=, Basic realm="R"', Challenge("bearer", "https://h/t")),
        ('Negotiate, Bearer realm="https://h/t"', Challenge("bearer", "https://h/t")),
        ('Negotiate YII==, Basic realm="R"', Challenge("basic", "R")),
        (
            'Bearer realm="https://h/t?a=b, Basic realm=x",service="s"',
            Challenge("bearer", "https://h/t?a=b, Basic realm=x", "s"),
        ),
        ("Bearer realm=https://h/t?a=b,service=s,Basic realm=R", Challenge("bearer", "https://h/t?a=b", "s")),
        ('Bearer error="invalid_token", Basic realm="R"', Challenge("basic", "R")),
        ('Digest realm="d", nonce="n", Basic realm="R"', Challenge("basic", "R")),
        ('Bearer error="invalid_token"', Challenge("bearer")),
        ('Custom realm="not Basic realm=\\"x"', None),
        ("Negotiate", None),
        ("", None),
    ],
)
def test_a_challenge_is_read(header, expected):
    assert read_challenge(header) == expected


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("ghcr.io", "https://ghcr.io/token"),
        ("docker.io", "https://auth.docker.io/token"),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth"),
        ("registry.example.co.uk", "https://gitlab.example.co.uk/jwt/auth"),
        ("127.0.0.1:5000", "http://127.0.0.1:5001/token"),
        ("localhost:5000", "http://127.0.0.1:5001/token"),
    ],
)
def test_a_token_server_of_the_registrys_own_domain_gets_the_password(registry, realm):
    auth, server, _ = signed_in(registry, realm, secure=realm.startswith("https"))
    assert auth.header("repository:acme/shop:pull,push").reveal() == "Bearer token-1"
    assert "Authorization" in server.asked[0][2]


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("ghcr.io", "https://evil.example/token"),
        ("ghcr.io", "http://ghcr.io/token"),
        ("ghcr.io", "https://ghcr.io.evil.example/token"),
        ("ghcr.io", "https://ghcr.io@evil.example/token"),
        ("ghcr.io", "//evil.example/token"),
        ("ghcr.io", "file:///etc/passwd"),
        ("ghcr.io", ""),
        ("ghcr.io", "https://169.254.169.254/latest"),
        ("10.0.0.1:5000", "https://10.0.0.2/token"),
        ("registry.acme.co.uk", "https://evil.co.uk/token"),
        ("127.0.0.1:5000", "http://10.0.0.1/token"),
    ],
)
def test_a_token_server_elsewhere_gets_nothing(registry, realm):
    auth, server, _ = signed_in(registry, realm)
    with pytest.raises(RegistryError, match=r"another host|not an https address") as refused:
        auth.header("repository:acme/shop:pull")
    assert server.asked == []
    assert "Nothing was sent" in refused.value.hint


@pytest.mark.parametrize(
    ("realm", "asked"),
    [
        ("https://ghcr.io/token", 1),
        ("http://ghcr.io/token", 0),
        ("https://169.254.169.254/latest", 0),
        ("https://[fd00::1]/token", 0),
        ("https://localhost/token", 0),
        ("https://127.0.0.1/token", 0),
    ],
)
def test_without_an_account_a_token_server_has_a_name(realm, asked):
    """Nothing is sent that could be stolen; but no service of this machine or its network is asked either."""
    auth, server, _ = signed_in("lscr.io", realm, credential=None)
    if asked:
        assert auth.header("repository:linuxserver/x:pull").reveal() == "Bearer token-1"
        assert "Authorization" not in server.asked[0][2]
    else:
        with pytest.raises(RegistryError, match=r"names another host|not an https address"):
            auth.header("repository:linuxserver/x:pull")
    assert len(server.asked) == asked


def test_a_token_server_elsewhere_may_be_allowed_by_name():
    auth, server, _ = signed_in("r.example.com", "https://sso.example.org/t", realm_hosts=("sso.example.org",))
    assert auth.header("s") is not None
    assert len(server.asked) == 1


def test_a_token_serves_until_shortly_before_its_end():
    auth, server, clock = signed_in("ghcr.io", "https://ghcr.io/token")
    first = auth.header("s")
    clock.now = 289
    assert auth.header("s") == first
    clock.now = 291
    assert auth.header("s") != first
    assert len(server.asked) == 2


def test_a_token_that_is_refused_is_replaced_once_for_all_threads():
    auth, server, _ = signed_in("ghcr.io", "https://ghcr.io/token")
    spent = auth.header("s")
    fresh = auth.header("s", spent=spent)
    assert fresh != spent
    assert auth.header("s", spent=spent) == fresh, "the other thread's refusal was about the old one"
    assert len(server.asked) == 2


def test_each_scope_has_its_own_token_and_scopes_are_sent_apart():
    auth, server, _ = signed_in("ghcr.io", "https://ghcr.io/token")
    assert auth.header("repository:a:pull") != auth.header("repository:a:pull,push repository:b:pull")
    assert server.asked[1][1].count("scope=") == 2


def test_a_refresh_token_is_posted_and_never_in_the_address():
    identity = Credential("<token>", Secret("refresh-me-please"), identity=True, source="a test")
    auth, server, _ = signed_in("ghcr.io", "https://ghcr.io/token", credential=identity)
    auth.header("s")
    [(method, url, headers, body)] = server.asked
    assert method == "POST"
    assert "refresh" not in url
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert b"refresh_token=refresh-me-please" in body


@pytest.mark.parametrize("answer", [{"token": ""}, {"token": 7}, {"access": "x"}])
def test_an_answer_without_a_token_is_said_so(answer):
    auth, _, _ = signed_in("ghcr.io", "https://ghcr.io/token", answer=answer)
    with pytest.raises(RegistryError, match=r"token server \S+ gave an answer without a token"):
        auth.header("s")


def test_basic_is_sent_as_it_is_and_only_with_a_password():
    auth = Auth("ghcr.io", ACCOUNT, TokenServer())
    assert auth.header("s") is None, "nobody asked yet"
    auth.learn(Challenge("basic"))
    assert auth.header("s").reveal() == "Basic Ym90OnMzY3JldC13b3Jk"
    nobody = Auth("ghcr.io", None, TokenServer())
    nobody.learn(Challenge("basic"))
    assert nobody.header("s") is None
