"""What the Engine's push stream says, told from recorded streams: success is a digest and no error."""

from __future__ import annotations

import pytest

from gitops_ci.registry.engine import _FINAL, _PASSING, _advice, _digest, _Refused

DIGEST = "sha256:" + "a" * 64


class Watched:
    def __init__(self):
        self.seen = []

    def layer(self, layer, status, done=0, total=None):
        self.seen.append((layer, status, done, total))

    def finish(self):
        pass


def test_the_digest_is_taken_from_the_stream():
    stream = [
        {"status": "The push refers to repository [127.0.0.1:5000/acme/shop]"},
        {"status": "Preparing", "progressDetail": {}, "id": "3c1dc40c9343"},
        {"status": "Pushing", "progressDetail": {"current": 33280, "total": 3000000}, "id": "3c1dc40c9343"},
        {"status": "Pushing", "progressDetail": {"current": 3001856, "total": 3000000}, "id": "3c1dc40c9343"},
        {"status": "Pushed", "progressDetail": {}, "id": "3c1dc40c9343"},
        {"status": f"1.4.2: digest: {DIGEST} size: 732"},
        {"progressDetail": {}, "aux": {"Tag": "1.4.2", "Digest": DIGEST, "Size": 732}},
    ]
    watched = Watched()
    assert _digest(iter(stream), watched) == DIGEST
    assert ("3c1dc40c9343", "Pushing", 3000000, 3000000) in watched.seen, "never more than all of it"


def test_the_containerd_store_says_the_digest_in_words():
    """As Docker 28.5 with the containerd store does."""
    stream = [
        {"status": "The push refers to repository [127.0.0.1:5000/acme/shop]"},
        {"status": "Pushed", "progressDetail": {}, "id": "cae7e8ef5f53"},
        {"status": f"1.4.2: digest: {DIGEST} size: 750"},
    ]
    assert _digest(iter(stream), Watched()) == DIGEST


def test_one_platform_that_goes_out_as_the_whole_is_an_error():
    """As Docker 28.5 does with an index whose other platforms it does not hold."""
    stream = [
        {"progressDetail": {}, "aux": {"manifestPushedInsteadOfIndex": True, "originalIndex": {}}},
        {"status": f"1.4.2: digest: {DIGEST} size: 578"},
    ]
    with pytest.raises(_Refused, match="not all platforms are there") as refused:
        _digest(iter(stream), Watched())
    assert "registry:NAME" in _advice(str(refused.value))


@pytest.mark.parametrize(
    "event",
    [
        {"errorDetail": {"message": "denied"}, "error": "denied"},
        {"error": "denied"},
        {"errorDetail": {"message": "denied"}},
    ],
)
def test_an_error_in_the_stream_is_an_error_even_after_a_digest(event):
    with pytest.raises(_Refused, match="denied"):
        _digest(iter([{"aux": {"Digest": DIGEST}}, event]), Watched())


def test_a_stream_that_ends_without_a_digest_is_an_error():
    with pytest.raises(_Refused, match="EOF"):
        _digest(iter([{"status": "Pushed", "id": "x"}]), Watched())


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("no basic auth credentials", "GITOPS_CI_REGISTRY_USER"),
        ("unauthorized: authentication required", "GITOPS_CI_REGISTRY_USER"),
        ("denied: requested access to the resource is denied", "rights"),
        ('Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client', "insecure-registries"),
        ("tls: first record does not look like a TLS handshake", "docker-archive:"),
        ("x509: certificate signed by unknown authority", "certs.d"),
        ("dial tcp: lookup registry.invalid: no such host", "The Engine connects to the registry, not gitops-ci"),
        ("dial tcp 127.0.0.1:1: connect: connection refused", "The Engine connects to the registry, not gitops-ci"),
        ("image with reference x was found but does not provide any platform", "registry:NAME"),
        (
            "tag invalid: The image tag '1' already exists and cannot be overwritten because it is immutable",
            "new version",
        ),
        ("toomanyrequests: You have reached your pull rate limit", "rate limit"),
    ],
)
def test_what_the_engine_says_comes_with_advice(said, advice):
    assert advice in _advice(said)


@pytest.mark.parametrize(
    ("said", "again"),
    [
        ("received unexpected HTTP status: 503 Service Unavailable", True),
        ("received unexpected HTTP status: 429 Too Many Requests", True),
        ("EOF", True),
        ("read tcp 10.0.0.1:1->10.0.0.2:443: connection reset by peer", True),
        ("net/http: TLS handshake timeout", True),
        ("denied: requested access to the resource is denied", False),
        ("unauthorized: authentication required", False),
        ("dial tcp: lookup registry.invalid: no such host", False),
        ("manifest invalid", False),
    ],
)
def test_only_what_may_pass_is_tried_again(said, again):
    assert bool(_PASSING.search(said) and not _FINAL.search(said)) is again
