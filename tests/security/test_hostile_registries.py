"""Hostile registries: what they answer ends in exit 4 at worst, soon, and gets nothing that is not theirs."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import time

import pytest

from gitops_ci.flows.image import tagging
from gitops_ci.registry import remote, uploads
from tests.support.fault_proxy import Answer, fault_proxy
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import tags

PASSWORD = "a-password-for-the-registry"
ACCOUNT = {"GITOPS_CI_REGISTRY_USER": "bot", "GITOPS_CI_REGISTRY_PASSWORD": PASSWORD}
DEEP = b"[" * 200_000
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def hostile(registry):
    """A registry that is good but for what a test's script makes it answer."""
    with fault_proxy(registry) as proxy:
        yield proxy


@pytest.fixture
def elsewhere(registry):
    """Another host, which hears what is sent to it: one for each test, since a failed push leaves threads at work."""
    with fault_proxy(registry) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def no_script(hostile, monkeypatch):
    for module in (remote, uploads):
        monkeypatch.setattr(module, "_RESTARTS", 1)
    yield
    hostile.clear()


@pytest.fixture
def name():
    return f"hostile-registry/shop-{next(_numbers)}"


@pytest.fixture
def push_to(run, tmp_path):
    """Push a small image with an account; more arguments may follow."""
    LayoutWriter(tmp_path / "built").simple("1.0.0", [{"a": b"a" * 100_000}, {"b": b"b"}])

    def call(to, *more):
        began = time.monotonic()
        ran = run("image", "push", "oci:built", "--to", f"{to}:1.0.0", *more, environment=ACCOUNT)
        assert time.monotonic() - began < 60
        assert ran.code in {0, 4}, ran.out + ran.err
        return ran

    return call


def asks(method, part):
    return lambda asked: asked.method == method and part in asked.path


def answers(*rules):
    """A script of (does it match, answer); the account is always asked for."""

    def script(asked):
        if asked.path == "/v2/":
            return Answer(401, {"WWW-Authenticate": 'Basic realm="hostile"'})
        return next((answer for matches, answer in rules if matches(asked)), None)

    return script


# ------------------------------------------------------------------------------------------------- other places


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_redirected_carries_no_account(
    run, hostile, elsewhere, registry, push_to, name, kind, method, clean_environment
):
    assert push_to(f"{registry}/{name}").code == 0

    def script(asked):
        if asked.path == "/v2/":
            return Answer(401, {"WWW-Authenticate": 'Basic realm="hostile"'})
        there = f"http://{elsewhere.host}{asked.path}?{asked.query}"
        return Answer(307, {"Location": there}) if asks(method, f"/{kind}/")(asked) else None

    hostile.script = script
    account = base64.b64encode(f"bot:{PASSWORD}".encode()).decode()
    (clean_environment / ".docker").mkdir()
    (clean_environment / ".docker/config.json").write_text(json.dumps({"auths": {hostile.host: {"auth": account}}}))
    ran = run("image", "retag", f"{hostile.host}/{name}:1.0.0", "--to", f"{registry}/{name}-copy:1.0.0")
    assert ran.code == 0, ran.out
    assert all("authorization" in asked.headers for asked in hostile.asked if asked.path != "/v2/")
    assert elsewhere.asked or method == "HEAD"
    assert not any("authorization" in asked.headers or "cookie" in asked.headers for asked in elsewhere.asked)


def test_layers_that_are_wanted_elsewhere_carry_no_account(hostile, elsewhere, registry, push_to, name):
    """Some registries take layers at a store of their own: it gets the layer, and not the password."""

    def script(asked):
        if asked.method == "POST":
            return Answer(202, {"Location": f"http://{elsewhere.host}/v2/{name}/blobs/uploads/nothing?x=1"})
        return answers()(asked)

    hostile.script = script
    assert push_to(f"{hostile.host}/{name}").code == 4
    assert elsewhere.asked
    assert not any("authorization" in asked.headers for asked in elsewhere.asked)
    assert tags(f"{registry}/{name}") == {}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_is_written_is_redirected_nowhere(hostile, elsewhere, push_to, name, method):
    there = Answer(307, {"Location": f"http://{elsewhere.host}/v2/{name}/blobs/uploads/"})
    hostile.script = answers((lambda asked: asked.method == method, there))
    ran = push_to(f"{hostile.host}/{name}")
    assert ran.code == 4
    assert "redirects to" in ran.out
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    "location",
    [
        "",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://[::1",
        "http://",
        "//",
        "gopher://x",
        "http://127.0.0.1:99999/",
        "\\\\x",
    ],
)
def test_an_upload_at_no_address(hostile, push_to, name, location):
    hostile.script = answers((asks("POST", "/uploads/"), Answer(202, {"Location": location})))
    ran = push_to(f"{hostile.host}/{name}")
    assert ran.code == 4
    assert tags(f"{hostile.upstream}/{name}") == {}


@pytest.mark.parametrize("path", ["/v2/another/tags/list", "/v2/{name}/tags/list"], ids=["another list", "the same"])
def test_a_list_that_goes_on_elsewhere_is_not_followed(run, hostile, elsewhere, name, path):
    """The same list is taken for one of the registry itself, and asked there."""
    link = {"Link": f'<http://{elsewhere.host}{path.format(name=name)}>; rel="next"'}
    hostile.script = answers((asks("GET", "/tags/list"), Answer(200, link, b'{"tags": ["1.0.0"]}')))
    ran = run("image", "tags", "--to", f"{hostile.host}/{name}", "--version", "1.0.0", environment=ACCOUNT)
    assert ran.code == 4
    assert f"continues a list elsewhere, at http://{elsewhere.host}" in ran.out or "{name}" in path
    assert elsewhere.asked == []


# ------------------------------------------------------------------------------------------------- without end


@pytest.mark.parametrize("following", ["same", "new", "circle"])
def test_a_list_without_end(run, hostile, name, monkeypatch, following):
    monkeypatch.setattr(remote, "_PAGES", 30)
    number = itertools.count(1)

    def script(asked):
        if "/tags/list" not in asked.path:
            return None
        at = {"same": 0, "new": next(number), "circle": next(number) % 3}[following]
        return Answer(200, {"Link": f'</v2/{name}/tags/list?n=1000&last={at}>; rel="next"'}, b'{"tags": ["1.0.0"]}')

    hostile.script = script
    ran = run("image", "tags", "--to", f"{hostile.host}/{name}", "--version", "1.0.0")
    assert ran.code == 4
    assert "sends a list without an end" in ran.out
    assert len(hostile.asked) < 40


@pytest.mark.parametrize("part", ["/manifests/", "/tags/list"])
def test_an_answer_without_end(run, hostile, name, part):
    hostile.script = answers((asks("GET", part), Answer(200, {}, itertools.repeat(b"x" * (1 << 20)))))
    ran = run("image", "retag", f"{hostile.host}/{name}:1.0.0", "--to", f"{hostile.host}/{name}", "--version", "1.0.0")
    assert ran.code == 4
    assert "larger than" in ran.out
    assert sum(name in asked.path and part in asked.path for asked in hostile.asked) == 1, "once is enough"


def test_an_answer_that_unpacks_without_end(run, hostile, name):
    bomb = gzip.compress(b" " * (100 << 20), 1)
    packed = Answer(200, {"Content-Encoding": "gzip"}, bomb)
    hostile.script = answers((asks("GET", "/manifests/"), packed))
    ran = run("image", "retag", f"{hostile.host}/{name}:1.0.0", "more")
    assert ran.code == 4
    assert all(asked.headers["accept-encoding"] == "identity" for asked in hostile.asked)


def _slowly():
    for _ in range(600):
        time.sleep(0.2)
        yield b" "


@pytest.mark.parametrize("part", ["/manifests/", "/tags/list"])
def test_an_answer_that_trickles_ends_with_the_deadline(run, hostile, registry, push_to, name, part):
    assert push_to(f"{registry}/{name}").code == 0
    hostile.script = answers((asks("GET", part), Answer(200, {}, _slowly())))
    began = time.monotonic()
    to = ("--to", f"{hostile.host}/{name}", "--version", "1.0.1", "--deadline", "2")
    ran = run("image", "retag", f"{hostile.host}/{name}:1.0.0", *to)
    assert time.monotonic() - began < 60
    assert ran.code == 4
    assert "deadline" in ran.out


# ------------------------------------------------------------------------------------------------- lies


def test_bytes_of_another_digest_are_not_copied(run, hostile, registry, push_to, name):
    assert push_to(f"{registry}/{name}").code == 0
    other = json.dumps(
        {"schemaVersion": 2, "manifests": [], "mediaType": "application/vnd.oci.image.index.v1+json"}
    ).encode()
    digest = tags(f"{registry}/{name}")["1.0.0"]
    hostile.script = answers((asks("GET", "/manifests/"), Answer(200, {"Docker-Content-Digest": digest}, other)))
    ran = run("image", "retag", f"{hostile.host}/{name}:1.0.0", "--to", f"{registry}/{name}-copy:1.0.0")
    assert ran.code == 4
    assert "another digest" in ran.out
    assert tags(f"{registry}/{name}-copy") == {}


def test_layers_of_another_digest_are_not_copied(run, hostile, registry, push_to, name):
    assert push_to(f"{registry}/{name}").code == 0

    def script(asked):
        return Answer(200, {}, b"b" * 100) if asks("GET", "/blobs/")(asked) else None

    hostile.script = script
    ran = run("image", "retag", f"{hostile.host}/{name}:1.0.0", "--to", f"{registry}/{name}-copy:1.0.0")
    assert ran.code == 4
    assert "its manifest announces" in ran.out or "other bytes" in ran.out
    assert tags(f"{registry}/{name}-copy") == {}


@pytest.mark.parametrize("told", ["../../../etc/passwd", "sha256:abc", "x y", "::error::x", "sha256:" + "A" * 64])
def test_a_digest_that_is_none_is_not_believed(hostile, registry, push_to, run, name, told):
    """It would end up in manifests and in the outputs of a job."""
    assert push_to(f"{registry}/{name}").code == 0
    right = tags(f"{registry}/{name}")["1.0.0"]
    hostile.script = answers((asks("HEAD", "/manifests/"), Answer(200, {"Docker-Content-Digest": told})))
    ran = run("image", "retag", f"{hostile.host}/{name}:1.0.0", "1.0.0", "--output", "json")
    assert ran.code == 0, ran.out
    assert ran.document["images"][0]["digest"] == right


def test_a_digest_of_what_is_not_there_is_not_confirmed(hostile, push_to, name, monkeypatch):
    """A registry that says yes to everything and keeps nothing."""
    monkeypatch.setattr(tagging, "_PATIENCE", 1.0)
    hostile.script = answers(
        (asks("PUT", "/"), Answer(201)),
        (asks("HEAD", "/blobs/"), Answer(404)),
        (asks("HEAD", "/manifests/"), Answer(404)),
    )
    ran = push_to(f"{hostile.host}/{name}")
    assert ran.code == 4
    assert "not there now" in ran.out


def test_a_layer_that_was_not_kept_ends_in_no_tag(hostile, registry, push_to, name):
    hostile.script = answers((asks("PUT", "/uploads/"), Answer(201)))
    assert push_to(f"{hostile.host}/{name}").code == 4
    assert tags(f"{registry}/{name}") == {}


# ------------------------------------------------------------------------------------------------- nonsense


@pytest.mark.parametrize(
    "body", [DEEP, b"", b"null", b"[]", b'{"tags": 7}', b'{"tags": [1, null, {}]}', b"\xff\xfe", b"<html>"]
)
@pytest.mark.parametrize("status", [200, 403])
def test_nonsense_where_tags_are_listed(run, hostile, name, body, status):
    hostile.script = answers((asks("GET", "/tags/list"), Answer(status, {"Content-Type": "application/json"}, body)))
    ran = run("image", "tags", "--to", f"{hostile.host}/{name}", "--version", "1.0.0")
    assert ran.code in {0, 4}
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "body", [DEEP, b"", b"null", b'{"manifests": [null]}', b'{"config": 1, "layers": 2}', b"\xff\xfe"]
)
def test_nonsense_for_a_manifest(run, hostile, name, body):
    hostile.script = answers((asks("GET", "/manifests/"), Answer(200, {}, body)))
    ran = run("image", "retag", f"{hostile.host}/{name}:1.0.0", "more", "--with-referrers")
    assert ran.code == 4
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "answer", [DEEP, b"[]", b'{"token": 1}', b'{"token": "a\\nX-Evil: 1"}', b'{"token": "x", "expires_in": -1}']
)
def test_nonsense_for_a_token(hostile, push_to, name, answer):
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{hostile.host}/token",service="x"'}

    def script(asked):
        if asked.path == "/token":
            return Answer(200, {}, answer)
        return Answer(401, challenge) if "authorization" not in asked.headers else None

    hostile.script = script
    ran = push_to(f"{hostile.host}/{name}")
    assert "Traceback" not in ran.err
    assert PASSWORD not in ran.out + ran.err
    assert not any("x-evil" in asked.headers for asked in hostile.asked)


def test_what_a_registry_says_commands_nobody(hostile, push_to, name):
    """A terminal, a runner's log: foreign words stay words."""
    said = "\x1b[2J\n::add-mask::everything\n##vso[task.setvariable variable=x]y\r::error::no"
    body = json.dumps({"errors": [{"code": said, "message": said, "detail": said}]}).encode()
    hostile.script = answers((asks("POST", "/uploads/"), Answer(403, {}, body)))
    ran = push_to(f"{hostile.host}/{name}")
    assert ran.code == 4
    assert "\x1b" not in ran.out + ran.err
    assert not any(line.lstrip().startswith("::") for line in (ran.out + ran.err).splitlines())
    assert "##vso[" not in ran.out + ran.err
