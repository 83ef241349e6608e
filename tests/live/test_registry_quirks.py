"""Registries with answers of their own: a push comes through, or says what is wrong; never something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import quirky_answers as quirks
from tests.support.fault_proxy import Answer, fault_proxy
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import pulled, tags

ALL_TAGS = ("1.4.2", "1.4", "1", "latest")
ACCOUNT = {"GITOPS_CI_REGISTRY_USER": "bot", "GITOPS_CI_REGISTRY_PASSWORD": "a-password-of-the-bot"}

pytestmark = pytest.mark.usefixtures("quiet_proxy")


@pytest.fixture
def digest(tmp_path, name):
    """The layout that is pushed."""
    # Layers of its own: a registry may share them between repositories.
    return LayoutWriter(tmp_path / "built").simple("1.4.2", [{"a": name.encode().ljust(5000, b"a")}])


@pytest.fixture
def push(run, proxy, name, digest):  # noqa: F811
    def call(*more, version="1.4.2", code=0, environment=None):
        to = f"{proxy.host}/{name}"
        ran = run("image", "push", "oci:built", "--to", to, "--version", version, *more, environment=environment)
        assert ran.code == code, ran.out + ran.err
        return ran.out + ran.err

    return call


@pytest.mark.parametrize(
    ("status", "code"), [(400, "UNSUPPORTED"), (404, "UNSUPPORTED"), (501, "")], ids=["400", "404", "501"]
)
def test_a_registry_that_cannot_list_tags(push, proxy, registry, name, status, code):
    """No tag but the version moves where nobody knows whether there is a newer one."""
    push(version="1.5.0")
    proxy.script = quirks.lists_no_tags(status, code)
    said = push(version="1.4.2")
    assert "does not let this account list its tags" in said
    assert set(tags(f"{registry}/{name}")) == {"1.5.0", "1.5", "1", "latest", "1.4.2"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_that_has_trouble_with_the_list_of_tags(push, proxy, registry, name, status):
    """Whether there is a newer version cannot be known now, and can be later: nothing is pushed."""
    proxy.script = quirks.lists_no_tags(status)
    said = push("--deadline", "3", code=4)
    assert f"listing the tags of {proxy.host}/{name}" in " ".join(said.split())
    assert tags(f"{registry}/{name}") == {}


def test_a_registry_with_an_address_of_ipv6(run, registry, name, digest):  # noqa: F811
    with fault_proxy(registry, ipv6=True) as there:
        ran = run("image", "push", "oci:built", "--to", f"{there.host}/{name}", "--version", "1.4.2")
        assert ran.code == 0, ran.out + ran.err
        assert run("image", "digest", f"{there.host}/{name}:1.4.2").out.strip() == digest
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)


@pytest.mark.parametrize("kind", ["a manifest with a type of its own", "a type with a charset", "no type"])
def test_the_type_of_a_manifest_that_is_not_as_it_was_stored(push, run, proxy, registry, name, digest, kind):  # noqa: F811
    """Proxies rewrite or drop `Content-Type`; the manifest itself has its type."""
    push()
    told = {"a manifest with a type of its own": "application/json", "no type": ""}
    proxy.script = quirks.manifests_have_type(
        told.get(kind, "application/vnd.oci.image.manifest.v1+json; charset=utf-8")
    )
    ran = run("image", "copy", f"{proxy.host}/{name}:1.4.2", f"{registry}/{name}-prod", "--no-floating")
    assert ran.code == 0, ran.out + ran.err
    assert tags(f"{registry}/{name}-prod") == {"1.4.2": digest}


@pytest.mark.parametrize("host", ["", "registry.internal:5000"], ids=["a path", "another name of the registry"])
def test_a_list_of_tags_that_goes_on(push, proxy, registry, name, host):
    """Behind a proxy a registry may know itself by another name: no other host is asked. 1.5.0 is on page two."""
    push(version="1.5.0")
    proxy.clear()
    proxy.script = quirks.lists_at_most(registry, 2, host)
    push(version="1.4.2")
    assert any("last=1.5" in asked.query for asked in proxy.asked)
    assert set(tags(f"{registry}/{name}")) == {"1.5.0", "1.5", "1", "latest", "1.4.2", "1.4"}


@pytest.mark.parametrize("kind", ["name", "path", "https"])
def test_where_an_upload_goes_on(push, proxy, registry, name, digest, kind):
    proxy.script = quirks.uploads_are_at(registry, kind)
    push()
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
    assert len(pulled(f"{registry}/{name}", digest)) == 3


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_by_another_number(push, proxy, registry, name, digest, status):
    """A blob whose upload began with 201 is not there yet: only a mount ends so."""
    proxy.script = quirks.answers_success_with(status)
    push()
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
    assert len(pulled(f"{registry}/{name}", digest)) == 3


def test_an_upload_to_a_store_of_objects(push, proxy, registry, name, digest):
    """The store on another host gets the layers by an address with a signature, and no account."""
    with fault_proxy(registry) as store:
        proxy.script = quirks.uploads_are_stored_at(registry, store.host)
        push(environment=ACCOUNT)
        assert {asked.method for asked in store.asked} == {"PUT"}
        assert all("X-Amz-Signature=abc" in asked.query for asked in store.asked)
        assert not any("authorization" in asked.headers for asked in store.asked)
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)


def test_an_upload_that_is_sent_to_another_registry(push, proxy, registry, name, digest):
    """A registry that sends uploads to another registry is refused: the account is for the one that was named."""
    proxy.script = quirks.uploads_are_redirected("http://127.0.0.1:1")
    assert "which is not followed" in push(code=4, version="1.4.2")
    assert tags(f"{registry}/{name}") == {}


@pytest.mark.parametrize("mode", [quirks.digests_are_sha512, quirks.no_digests])
def test_digests_that_the_registry_does_not_tell(push, proxy, registry, name, digest, mode):
    proxy.script = mode(registry)
    push()
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
    LayoutWriter(Path("built")).simple("1.4.2", [{"b": b"b" * 5000}])
    assert "is released already" in push(code=4)


@pytest.mark.parametrize(
    ("challenge", "words"), [("", "does not say how to sign in"), ("Negotiate", "asks for Negotiate")]
)
def test_an_account_that_was_not_asked_for(push, proxy, challenge, words):
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    proxy.script = lambda asked: Answer(401, headers)
    said = push(code=4, environment=ACCOUNT)
    assert words in said
    assert "the account was not sent" in said
    assert not any("authorization" in asked.headers for asked in proxy.asked)


def test_referrers_that_are_a_web_page(push, run, proxy, registry, name, digest):  # noqa: F811
    """The image's signature is found by its tag, as on other registries without that question."""
    writer = LayoutWriter(Path("signed"))
    subject = writer.image()
    writer.tag("1.4.2", subject)
    note = writer.artifact(b"{}", "application/vnd.tests.note", b"signed", "text/plain", subject=subject)
    writer.tag("", note)
    proxy.script = quirks.referrers_are_unknown()
    copied = ("--with-referrers", "--version", "1.4.2")
    assert run("image", "push", "oci:signed:1.4.2", "--to", f"{proxy.host}/{name}", *copied).code == 0
    proxy.script = quirks.referrers_are_a_web_page()
    ran = run("image", "copy", f"{proxy.host}/{name}:1.4.2", f"{registry}/{name}-prod", *copied)
    assert ran.code == 0, ran.out + ran.err
    assert len(pulled(f"{registry}/{name}-prod", note["digest"])) == 3


@pytest.mark.parametrize("page", [1, 100])
def test_referrers_that_the_registry_lists_itself(run, proxy, registry, name, page):  # noqa: F811
    """A registry that says `OCI-Subject` keeps the list: no tag of the tag schema is written there."""
    writer = LayoutWriter(Path("signed"))
    subject = writer.image()
    writer.tag("1.4.2", subject)
    notes = [
        writer.artifact(b"{}", "application/vnd.tests.note", b"%d" % n, "text/plain", subject=subject) for n in (1, 2)
    ]
    for note in notes:
        writer.tag("", note)
    proxy.script = quirks.referrers_have_an_api(registry, page)
    copied = ("--with-referrers", "--version", "1.4.2", "--no-floating")
    assert run("image", "push", "oci:signed:1.4.2", "--to", f"{proxy.host}/{name}", *copied).code == 0
    assert set(tags(f"{registry}/{name}")) == {"1.4.2"}
    ran = run("image", "copy", f"{proxy.host}/{name}:1.4.2", "oci:back", *copied)
    assert ran.code == 0, ran.out + ran.err
    there = {path.name for path in Path("back/blobs/sha256").iterdir()}
    assert {note["digest"].removeprefix("sha256:") for note in notes} <= there


def test_an_index_of_nothing_is_no_image(run, registry, name):  # noqa: F811
    writer = LayoutWriter(Path("empty"))
    writer.tag("x", writer.index({}))
    ran = run("image", "push", "oci:empty", "--to", f"{registry}/{name}", "--version", "1.4.2")
    assert ran.code == 4
    assert "lists no image" in ran.out
