"""`image verify` and `verify:` in the configuration: only what the right key signed passes."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
import sys

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import CHECKOUT, delivery
from tests.support.fault_proxy import Answer, fault_proxy
from tests.support.git_repo import commit_files
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import tags
from tests.support.signing import KeyPair, bundle, payload, referrer, tagged
from tests.support.signing import layer as signed_layer

_numbers = itertools.count(1)


@pytest.fixture
def repository(registry):
    return f"{registry}/verify/shop-{next(_numbers)}"


@pytest.fixture
def verify(run, repository, pair):  # noqa: F811
    def call(*arguments, code=0, where=f"{repository}:1.5.0", key=pair.public):
        keys = ("--key", str(key)) if key else ()
        ran = run("image", "verify", where, *keys, *arguments, "--output", "json")
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


def test_a_signature_under_cosigns_tag(verify, run, repository, digest, pair):  # noqa: F811
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    [found] = verify()["verified"]
    assert (found["digest"], found["tag"]) == (digest, "1.5.0")
    assert found["found_in"] == f"{repository}:{digest.replace(':', '-')}.sig"
    assert "cosign.pub" in found["signer"]
    assert run("image", "verify", f"{repository}:1.5.0", "--key", str(pair.public)).out.startswith(
        f"{repository}:1.5.0 ({digest}) is signed by key "
    )
    assert verify(where=f"{repository}@{digest}")["verified"][0]["digest"] == digest


def test_a_signature_that_refers_to_the_image(verify, repository, digest, pair):
    content = payload(digest)
    referrer(repository, digest, signed_layer(content, pair.sign(content)))
    assert verify()["verified"][0]["found_in"].startswith(f"{repository}@sha256:")


def test_a_bundle_that_refers_to_the_image(verify, repository, digest, pair):
    referrer(repository, digest, bundle(pair, digest))
    assert verify()["verified"]


def test_one_of_several_signatures_and_keys_is_enough(verify, repository, digest, pair, stranger):
    content = payload(digest)
    tagged(repository, digest, (content, stranger.sign(content)), (content, pair.sign(content)))
    verify()
    verify("--key", str(stranger.public))


def test_an_image_in_a_layout(verify, run, repository, digest, pair):  # noqa: F811
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    assert run("image", "copy", f"{repository}:1.5.0", "oci:mirror", "--with-referrers", "--no-floating").code == 0
    verify(where="oci:mirror:1.5.0")


OTHER = "sha256:" + "0" * 64


def _nothing(repository, digest, pair, stranger):
    """No signature at all."""


def _by_a_stranger(repository, digest, pair, stranger):
    content = payload(digest)
    tagged(repository, digest, (content, stranger.sign(content)))


def _for_another_image(repository, digest, pair, stranger):
    content = payload(OTHER)
    tagged(repository, digest, (content, pair.sign(content)))


def _words_changed_afterward(repository, digest, pair, stranger):
    tagged(repository, digest, (payload(digest), pair.sign(payload(OTHER))))


def _cut(repository, digest, pair, stranger):
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)[:-1]))


def _zeros(repository, digest, pair, stranger):
    """r = s = 0 passed in implementations that did not check the range (CVE-2022-21449)."""
    tagged(repository, digest, (payload(digest), bytes.fromhex("3006020100020100")))


def _empty(repository, digest, pair, stranger):
    tagged(repository, digest, (payload(digest), b""))


def _of_another_kind(repository, digest, pair, stranger):
    content = payload(digest, type="atomic container signature")
    tagged(repository, digest, (content, pair.sign(content)))


def _no_payload(repository, digest, pair, stranger):
    content = b"[1, 2]"
    tagged(repository, digest, (content, pair.sign(content)))


def _bundle_by_a_stranger(repository, digest, pair, stranger):
    referrer(repository, digest, bundle(stranger, digest))


def _bundle_for_another_image(repository, digest, pair, stranger):
    referrer(repository, digest, bundle(pair, OTHER))


def _bundle_that_is_an_sbom(repository, digest, pair, stranger):
    referrer(repository, digest, bundle(pair, digest, predicate="https://spdx.dev/Document"))


def _bundle_that_is_none(repository, digest, pair, stranger):
    content = b'{"dsseEnvelope": {"payloadType": "application/vnd.in-toto+json", "payload": "?", "signatures": 7}}'
    descriptor, _ = bundle(pair, digest)
    from tests.support.layouts import digest_of

    referrer(repository, digest, ({**descriptor, "digest": digest_of(content), "size": len(content)}, content))


FALSE = (
    _nothing,
    _by_a_stranger,
    _for_another_image,
    _words_changed_afterward,
    _cut,
    _zeros,
    _empty,
    _of_another_kind,
    _no_payload,
    _bundle_by_a_stranger,
    _bundle_for_another_image,
    _bundle_that_is_an_sbom,
    _bundle_that_is_none,
)


@pytest.mark.parametrize("make", FALSE, ids=lambda make: make.__name__.strip("_"))
def test_what_is_not_signed_is_refused(verify, repository, digest, pair, stranger, make):
    make(repository, digest, pair, stranger)
    document = verify(code=1)
    assert document["verified"] == []
    assert "is not signed by" in document["error"]["message"]
    assert digest in document["error"]["message"]


def test_a_tag_that_names_another_image_now_is_refused(verify, run, repository, digest, pair, tmp_path):  # noqa: F811
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    LayoutWriter(tmp_path / "other").simple("x", [{"b": b"2"}])
    assert run("image", "push", "oci:other", "--to", f"{repository}:1.5.0", "--allow-move").code == 0
    verify(code=1)


def test_the_platform_of_a_signed_index_is_another_image(verify, run, repository, pair, tmp_path):  # noqa: F811
    writer = LayoutWriter(tmp_path / "index")
    child = writer.image()
    root = writer.tag("x", writer.index({"linux/amd64": child}))
    assert run("image", "push", "oci:index", "--to", f"{repository}:1.5.0").code == 0
    content = payload(root)
    tagged(repository, root, (content, pair.sign(content)))
    verify()
    verify(where=f"{repository}@{child['digest']}", code=1)


def test_a_signature_whose_bytes_were_replaced_is_an_error(verify, registry, repository, digest, pair):
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    with fault_proxy(registry) as proxy:
        proxy.script = lambda asked: Answer(200, {}, b"x" * len(content)) if "/blobs/" in asked.path else None
        document = verify(where=f"{repository.replace(registry, proxy.host)}:1.5.0", code=4)
    assert document["verified"] == []


@pytest.fixture
def damaged(registry, repository):
    """The image behind a registry whose manifest of signatures is none."""
    kind = "application/vnd.oci.image.manifest.v1+json"
    layers = [{"mediaType": "x", "digest": "sha256:zz", "size": -1}]
    body = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": layers}).encode()
    with fault_proxy(registry) as proxy:
        proxy.script = lambda asked: Answer(200, {"Content-Type": kind}, body) if asked.path.endswith(".sig") else None
        yield f"{repository.replace(registry, proxy.host)}:1.5.0"


def test_what_is_damaged_does_not_hide_a_good_signature(verify, repository, digest, pair, damaged):
    referrer(repository, digest, bundle(pair, digest))
    verify(where=damaged)


def test_what_is_damaged_and_all_there_is_is_an_error(verify, digest, damaged):
    verify(where=damaged, code=4)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_registry_that_does_not_answer_is_an_error(verify, registry, repository, digest, status):
    with fault_proxy(registry) as proxy:
        proxy.script = lambda asked: Answer(status) if asked.path.endswith(".sig") else None
        where = f"{repository.replace(registry, proxy.host)}:1.5.0"
        # The account may read the image: what is denied beside it is not there.
        verify("--deadline", "3", where=where, code=1 if status in {401, 403} else 4)


def test_an_image_that_is_not_there(verify, repository, digest):
    verify(where=f"{repository}:9.9.9", code=4)


def test_without_openssl_nothing_passes(verify, repository, digest, pair, monkeypatch, tmp_path):
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "openssl" in verify(code=7)["error"]["message"]


def test_an_openssl_that_says_nothing_is_not_believed(verify, repository, digest, pair, monkeypatch, tmp_path):
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    program = tmp_path / "bin" / "openssl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    verify(code=1)


@pytest.mark.parametrize(
    "options",
    [
        ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
        ("-algorithm", "ED25519"),
    ],
)
def test_other_keys_are_refused(verify, digest, tmp_path, options):
    assert "not a public key" in verify(key=KeyPair.make(tmp_path, *options).public, code=2)["error"]["message"]


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN PUBLIC KEY-----\n?\n-----END PUBLIC KEY-----\n"])
def test_files_that_are_no_keys_are_refused(verify, digest, tmp_path, text):
    (tmp_path / "key").write_text(text)
    verify(key=tmp_path / "key", code=2)
    verify(key=tmp_path / "missing", code=2)


def test_a_private_key_is_refused_and_not_printed(verify, digest, pair):
    document = verify(key=pair.private, code=2)
    assert pair.private.read_text().splitlines()[1] not in json.dumps(document)


def test_without_keys_and_rules_nothing_passes(verify, digest):
    assert "No signer is given" in verify(key=None, code=2)["error"]["message"]


# ------------------------------------------------------------------------------------------------- verify:


@pytest.fixture
def configured(tmp_path, pair, registry):
    """Write the rules into the configuration, with the key beside it."""

    def call(text=""):
        (tmp_path / "keys").mkdir(exist_ok=True)
        (tmp_path / "keys/cosign.pub").write_text(pair.public.read_text())
        rules = text or f'verify: {{"{registry}/verify/*": {{key: keys/cosign.pub}}}}\n'
        (tmp_path / ".gitops-ci.yaml").write_text(rules)

    return call


def test_rules_of_the_configuration(verify, configured, repository, digest, pair):
    configured()
    verify(key=None, code=1)
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    verify(key=None)


def test_a_key_may_stand_in_the_configuration(verify, configured, registry, repository, digest, pair):
    key = "".join(f"      {line}\n" for line in pair.public.read_text().splitlines())
    configured(f'verify:\n  "{registry}/*":\n    key: |\n{key}')
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    verify(key=None)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("verify: {'ghcr.io/*': {}}", "no signer is named"),
        ("verify: {'ghcr.io/*': {identity: x}}", "identity"),
        ("verify: {'ghcr.io/*': {key: missing.pub}}", "cannot be read"),
        ("verify: {'ghcr.io/*': {key: /etc/hostname}}", "outside"),
        ("verify: {'ghcr.io/*': {key: ../cosign.pub}}", "outside"),
        ("verify: {'ghcr.io/*': {key: link.pub}}", "outside"),
        ("verify: {'ghcr.io/*': {key: .gitops-ci.yaml}}", "not a public key"),
        ("verify: ghcr.io", "not a mapping"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(run, configured, tmp_path, text, word):  # noqa: F811
    configured(text)
    (tmp_path / "link.pub").symlink_to("/etc/hostname")
    for arguments in (("config", "check"), ("image", "verify", "ghcr.io/acme/shop:1.5.0")):
        ran = run(*arguments)
        assert ran.code == 2
        assert word in ran.out + ran.err


@pytest.fixture
def config(repository, tmp_path):
    with delivery.github(tmp_path / "git", repository) as to:
        yield to


@pytest.fixture
def deploy(run, config):  # noqa: F811
    def call(*arguments, code=0):
        where = ("--config-repo", config.url, "--forge", "github", "--api-url", config.forge.api_url)
        more = ("--environment", "staging", "--base", "main", "--output", "json")
        ran = run(*arguments, *where, *more, environment={"GITOPS_CI_TOKEN": config.token})
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


def test_a_bump_to_an_image_without_a_signature_proposes_nothing(deploy, configured, config, repository, digest):
    configured()
    document = deploy("bump", f"{repository}:1.5.0", code=1)
    assert "is not signed by" in document["error"]["message"]
    assert not config.forge.pulls
    assert config.repo.branches() == ["main"]


def test_a_bump_names_the_signer_in_the_pull_request(deploy, configured, config, repository, digest, pair):
    configured()
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    document = deploy("bump", f"{repository}:1.5.0")
    [verified] = document["verified"]
    [pull] = config.forge.pulls
    assert f"Signed by: `{verified['signer']}`" in pull.body
    again = deploy("bump", f"{repository}:1.5.0")
    assert (again["status"], again["pull_request"]["state"]) == ("unchanged", "unchanged")


@pytest.fixture
def guarded(config, pair, registry):
    """Write the rules, and the key, into the config repository."""

    def call(images=f"{registry}/verify/*", key="keys/cosign.pub"):
        rules = f'verify: {{"{images}": {{key: {key}}}}}\n'
        commit_files(config.repo, {".gitops-ci.yaml": rules, "keys/cosign.pub": pair.public.read_text()})

    return call


def test_the_rules_of_the_config_repository_hold_too(deploy, guarded, config, repository, digest, pair):
    guarded()
    document = deploy("bump", f"{repository}:1.5.0", code=1)
    assert "is not signed by" in document["error"]["message"]
    assert not config.forge.pulls
    content = payload(digest)
    tagged(repository, digest, (content, pair.sign(content)))
    document = deploy("bump", f"{repository}:1.5.0")
    assert [one["digest"] for one in document["verified"]] == [digest]
    assert "Signed by" in config.forge.pulls[0].body


@pytest.mark.parametrize("key", ["keys/missing.pub", "../cosign.pub", "/etc/hostname"])
def test_a_key_that_the_config_repository_does_not_hold_stops_a_bump(deploy, guarded, config, repository, digest, key):
    guarded(key=key)
    document = deploy("bump", f"{repository}:1.5.0", code=2)
    assert key.rpartition("/")[2] in document["error"]["message"]
    assert not config.forge.pulls


def test_a_release_obeys_the_rules_of_the_config_repository(deploy, guarded, config, repository, signer, tmp_path):
    guarded("mirror.example.com/*")
    LayoutWriter(tmp_path / "a").simple("x", [{"a": b"1"}])
    name = ("--image-name", "mirror.example.com/acme/shop", "--allow-empty")
    release = ("release", "oci:a", "--to", repository, "--version", "1.5.0", *name)
    deploy(*release, code=1)
    document = deploy(*release, "--after-push", signer)
    assert [one["reference"] for one in document["verified"]] == [
        f"{repository}:1.5.0@{document['images'][0]['digest']}"
    ]


def test_an_image_that_no_rule_covers_needs_none(deploy, configured, repository, digest, pair):
    configured("verify: {'ghcr.io/*': {key: keys/cosign.pub}}\n")
    assert deploy("bump", f"{repository}:1.5.0")["verified"] == []


@pytest.mark.parametrize("more", [("--mode", "push"), ("--mode", "dry-run"), ("--allow-empty",)])
def test_no_option_leads_around_it(deploy, configured, config, repository, digest, more):
    configured()
    before = config.repo.head("main")
    deploy("bump", f"{repository}:1.5.0", *more, code=1)
    assert config.repo.head("main") == before


def test_an_image_that_is_not_in_its_registry_is_not_proposed(deploy, configured, config, repository, digest):
    configured()
    deploy("bump", f"{repository}:1.6.0", code=1)
    assert not config.forge.pulls


@pytest.fixture
def signer(tmp_path, pair):
    """A program that signs as cosign does it, with the key of this test."""
    script = tmp_path / "sign.py"
    script.write_text(
        f"import sys\nfrom pathlib import Path\nsys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from tests.support.signing import KeyPair, payload, tagged\n"
        f"pair = KeyPair(Path({str(pair.private)!r}), Path({str(pair.public)!r}))\n"
        "name, _, digest = sys.argv[1].partition('@')\ncontent = payload(digest)\n"
        "tagged(name, digest, (content, pair.sign(content)))\n"
    )
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} {{reference}}"


def test_a_release_that_nobody_can_verify_pushes_nothing(
    deploy, configured, config, repository, signer, monkeypatch, tmp_path
):
    configured()
    LayoutWriter(tmp_path / "a").simple("x", [{"a": b"1"}])
    git = shutil.which("git")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    release = ("release", "oci:a", "--to", repository, "--version", "1.5.0", "--after-push", signer)
    assert "openssl" in deploy(*release, code=7)["error"]["message"]
    assert not tags(repository)


def test_a_release_is_signed_before_it_is_verified(deploy, configured, config, repository, signer, tmp_path):
    configured()
    LayoutWriter(tmp_path / "a").simple("x", [{"a": b"1"}])
    release = ("release", "oci:a", "--to", repository, "--version", "1.5.0")
    deploy(*release, code=1)
    assert tags(repository), "it is pushed, and not proposed"
    assert not config.forge.pulls
    document = deploy(*release, "--after-push", signer)
    assert document["verified"][0]["digest"] == tags(repository)["1.5.0"]
    assert len(config.forge.pulls) == 1
    assert "Signed by" in config.forge.pulls[0].body


def test_a_release_under_the_name_of_a_mirror_is_verified_where_it_was_pushed(
    deploy, configured, config, registry, repository, signer, tmp_path
):
    configured("verify: {'mirror.example.com/*': {key: keys/cosign.pub}}\n")
    LayoutWriter(tmp_path / "a").simple("x", [{"a": b"1"}])
    name = ("--image-name", "mirror.example.com/acme/shop", "--allow-empty")
    deploy("release", "oci:a", "--to", repository, "--version", "1.5.0", *name, code=1)
    document = deploy("release", "oci:a", "--to", repository, "--version", "1.5.0", *name, "--after-push", signer)
    assert document["verified"][0]["reference"].startswith(repository)


def test_a_dry_run_of_a_release_has_nothing_to_verify_yet(deploy, configured, repository, tmp_path):
    configured()
    LayoutWriter(tmp_path / "a").simple("x", [{"a": b"1"}])
    document = deploy("release", "oci:a", "--to", repository, "--version", "1.5.0", "--mode", "dry-run")
    assert (document["verified"], tags(repository)) == ([], {})


def test_a_release_into_a_folder_cannot_be_verified(deploy, configured, config, repository, tmp_path):
    configured()
    LayoutWriter(tmp_path / "a").simple("x", [{"a": b"1"}])
    document = deploy("release", "oci:a", "--to", "oci:out", "--version", "1.5.0", "--image-name", repository, code=1)
    assert "is a folder" in document["error"]["message"]
    assert not config.forge.pulls
