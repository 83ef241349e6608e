"""Signatures without a key: only what whom the rule names signed passes, on a sigstore instance of the tests' own."""

from __future__ import annotations

import base64
import copy
import itertools
import json
import sys

import pytest
from cryptography import x509

from gitops_ci.errors import ProgramError
from gitops_ci.registry import keyless
from gitops_ci.registry.keyless import Keyless, Text
from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import delivery
from tests.support.git_repo import commit_files
from tests.support.signing import KeyPair, bundle, payload, referrer
from tests.support.signing import layer as signed_layer
from tests.support.sigstore_instance import GITHUB, WORKFLOW, Instance, Signing, as_layer

_numbers = itertools.count(1)

OTHER = "sha256:" + "0" * 64
IDENTITY = ("--identity", WORKFLOW, "--issuer", GITHUB)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Another instance: whoever runs it can sign in every name."""
    return Instance(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def repository(registry):
    return f"{registry}/keyless/shop-{next(_numbers)}"


@pytest.fixture
def verify(run, repository, root):  # noqa: F811
    def call(*arguments, code=0, trusted=root):
        by = arguments or IDENTITY
        trust = ("--trusted-root", str(trusted)) if trusted else ()
        ran = run("image", "verify", f"{repository}:1.5.0", *by, *trust, "--output", "json")
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


@pytest.mark.parametrize(
    "signing",
    [Signing(), Signing(with_timestamp=True, with_promise=False), Signing(with_old_issuer=True)],
    ids=["log", "clock", "old issuer"],
)
def test_a_signature_of_whom_the_rule_names(verify, sigstore, repository, digest, signing):
    referrer(repository, digest, sigstore.layer(digest, signing))
    [found] = verify()["verified"]
    assert (found["digest"], found["tag"]) == (digest, "1.5.0")
    assert found["signer"] == f"{WORKFLOW} (issuer {GITHUB}), from commit 3fa9c1e0b5d2"
    assert found["found_in"].startswith(f"{repository}@sha256:")


@pytest.mark.parametrize(
    ("by", "passes"),
    [
        (("--identity-regex", "https://github.com/acme/.*", "--issuer", GITHUB), True),
        (("--identity-regex", r"https://github\.com/acme/[^/]+/\.github/workflows/release\.yml@refs/tags/v.+"), True),
        (("--identity", WORKFLOW, "--issuer-regex", "https://token[.]actions[.].+"), True),
        # A pattern has to fit the whole text.
        (("--identity-regex", "github.com/acme"), False),
        (("--identity-regex", "https://github.com/acme/shop"), False),
        (("--identity-regex", ".*", "--issuer-regex", "actions"), False),
        (("--identity", WORKFLOW.replace("acme", "evil")), False),
        (("--identity", WORKFLOW.upper()), False),
        (("--identity", f"\n{WORKFLOW}"), False),
        (("--identity", WORKFLOW, "--issuer", "https://accounts.google.com"), False),
        (("--identity", WORKFLOW, "--issuer", f"{GITHUB}/"), False),
        (("--identity", "https://github.com/acme/*"), False),
    ],
)
def test_identity_and_issuer(verify, sigstore, repository, digest, by, passes):
    referrer(repository, digest, sigstore.layer(digest))
    by = by if any("issuer" in one for one in by) else (*by, "--issuer", GITHUB)
    document = verify(*by, code=0 if passes else 1)
    assert bool(document["verified"]) == passes
    if not passes:
        assert f"one is by {WORKFLOW} (issuer {GITHUB})" in document["error"]["message"]


@pytest.mark.parametrize(
    ("by", "passes"),
    [
        (("--source", "https://github.com/acme/shop"), True),
        (("--source-regex", "https://github.com/acme/[^/]+"), True),
        (("--source", "https://github.com/acme/shop/"), False),
        (("--source", "https://github.com/evil/shop"), False),
        (("--source-regex", "github.com/acme"), False),
    ],
)
def test_the_repository_that_was_built(verify, sigstore, repository, digest, by, passes):
    referrer(repository, digest, sigstore.layer(digest))
    document = verify(*IDENTITY, *by, code=0 if passes else 1)
    if not passes:
        assert "from the source https://github.com/acme/shop" in document["error"]["message"]


def test_a_shared_workflow_is_anybodys_who_calls_it(verify, sigstore, repository, digest):
    shared = "https://github.com/ci-tools/build/.github/workflows/image.yml@refs/tags/v2"
    by = ("--identity", shared, "--issuer", GITHUB, "--source", "https://github.com/acme/shop")
    for source in ("https://github.com/evil/shop", ""):
        referrer(repository, digest, sigstore.layer(digest, Signing(identity=shared, source=source)))
        assert "from the source" in verify(*by, code=1)["error"]["message"]
    referrer(repository, digest, sigstore.layer(digest, Signing(identity=shared)))
    verify(*by)


def test_an_address_is_an_identity(verify, sigstore, repository, digest):
    issuer = "https://accounts.google.com"
    referrer(repository, digest, sigstore.layer(digest, Signing("ada@example.com", issuer)))
    verify("--identity", "ada@example.com", "--issuer", issuer)
    verify("--identity", "bob@example.com", "--issuer", issuer, code=1)


def test_one_of_key_and_identity_is_enough(verify, sigstore, repository, digest, tmp_path):
    pair = KeyPair.make(tmp_path / "keys")
    referrer(repository, digest, bundle(pair, digest))
    verify(code=1)
    verify(*IDENTITY, "--key", str(pair.public))


# ------------------------------------------------------------------------------------------------- what is refused


def _changed(change):
    """A bundle that somebody changes after it was signed."""

    def make(sigstore, stranger, digest):
        data = copy.deepcopy(sigstore.bundle(digest))
        change(data, data["verificationMaterial"], data["verificationMaterial"]["tlogEntries"][0])
        return as_layer(data)

    return make


def _other_statement(data, material, entry):
    statement = json.loads(base64.b64decode(data["dsseEnvelope"]["payload"]))
    statement["predicate"] = {"approved": True}
    data["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()


def _other_signature(data, material, entry):
    data["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(bytes.fromhex("3006020100020100")).decode()


def _no_entry(data, material, entry):
    material["tlogEntries"] = []


def _no_proof(data, material, entry):
    del entry["inclusionProof"]


def _other_path(data, material, entry):
    entry["inclusionProof"]["hashes"][0] = base64.b64encode(b"x" * 32).decode()


def _other_promise(data, material, entry):
    entry["inclusionPromise"]["signedEntryTimestamp"] = base64.b64encode(b"x" * 70).decode()


def _other_time(data, material, entry):
    entry["integratedTime"] = str(int(entry["integratedTime"]) + 1)


def _neither_promise_nor_clock(data, material, entry):
    del entry["inclusionPromise"]


def _no_certificate(data, material, entry):
    del material["certificate"]


def _a_key_for_a_certificate(data, material, entry):
    del material["certificate"]
    material["publicKey"] = {"hint": "x"}


def _from(stranger_part):
    """A bundle with a part that another instance made."""

    def make(sigstore, stranger, digest):
        data, other = sigstore.bundle(digest), stranger.bundle(digest)
        data["verificationMaterial"][stranger_part] = other["verificationMaterial"][stranger_part]
        return as_layer(data)

    return make


def _signed(**how):
    return lambda sigstore, stranger, digest: sigstore.layer(digest, Signing(**how))


TWO_NAMES = (x509.UniformResourceIdentifier(WORKFLOW), x509.UniformResourceIdentifier("https://evil.example/x"))
REFUSED = {
    "of another instance": lambda sigstore, stranger, digest: stranger.layer(digest),
    "of another image": lambda sigstore, stranger, digest: sigstore.layer(OTHER),
    "an SBOM": _signed(predicate="https://spdx.dev/Document"),
    "provenance": _signed(predicate="https://slsa.dev/provenance/v1"),
    "another type of statement": _signed(payload_type="application/json"),
    "after the certificate's end": _signed(minutes_later=11),
    "before the certificate's begin": _signed(minutes_later=-1),
    "two names": _signed(names=TWO_NAMES),
    "the name of a host": _signed(names=(x509.DNSName("github.com"),)),
    "changed: statement": _changed(_other_statement),
    "changed: signature": _changed(_other_signature),
    "changed: no entry of the log": _changed(_no_entry),
    "changed: no proof": _changed(_no_proof),
    "changed: path of the proof": _changed(_other_path),
    "changed: promise": _changed(_other_promise),
    "changed: time": _changed(_other_time),
    "changed: neither promise nor clock": _changed(_neither_promise_nor_clock),
    "changed: no certificate": _changed(_no_certificate),
    "changed: a key": _changed(_a_key_for_a_certificate),
    "certificate of another instance": _from("certificate"),
    "entry of another instance": _from("tlogEntries"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_does_not_count(verify, sigstore, stranger, repository, digest, kind):
    referrer(repository, digest, REFUSED[kind](sigstore, stranger, digest))
    document = verify(code=1)
    assert document["verified"] == []
    assert f"is not signed by {WORKFLOW}" in document["error"]["message"]
    verify("--identity-regex", ".*", "--issuer-regex", ".*", code=1)


def test_a_bundle_with_the_key_of_somebody_is_none(verify, repository, digest, tmp_path):
    referrer(repository, digest, bundle(KeyPair.make(tmp_path / "keys"), digest))
    verify("--identity-regex", ".*", "--issuer-regex", ".*", code=1)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"mediaType": 7}', b'{"dsseEnvelope": []}', b"\xff"])
def test_what_is_no_bundle(verify, sigstore, repository, digest, content):
    from tests.support.layouts import digest_of

    descriptor, _ = sigstore.layer(digest)
    referrer(repository, digest, ({**descriptor, "digest": digest_of(content), "size": len(content)}, content))
    verify(code=1)


def test_a_bad_one_hides_no_good_one(verify, sigstore, stranger, repository, digest):
    referrer(repository, digest, stranger.layer(digest), sigstore.layer(digest))
    assert verify()["verified"]


def test_a_signature_in_the_old_form_is_named(verify, repository, digest, tmp_path):
    """cosign 2 writes a certificate beside the signature and no proof of the log."""
    content = payload(digest)
    descriptor, _ = signed_layer(content, KeyPair.make(tmp_path / "keys").sign(content))
    notes = {**descriptor["annotations"], "dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----"}
    referrer(repository, digest, ({**descriptor, "annotations": notes}, content))
    assert "--new-bundle-format" in verify(code=1)["error"]["message"]


def test_without_the_library_nothing_passes(verify, sigstore, repository, digest, monkeypatch):
    referrer(repository, digest, sigstore.layer(digest))
    keyless._verifier.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "sigstore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sigstore", None)
    error = verify(code=7)["error"]
    assert "gitops-ci[verify]" in error["hint"]
    with pytest.raises(ProgramError, match="sigstore is not installed"):  # before a release pushes
        Keyless(Text("a"), Text("b")).prepare()
    keyless._verifier.cache_clear()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"mediaType": "x"}', "\0"])
def test_a_trusted_root_that_is_none(verify, sigstore, repository, digest, tmp_path, text):
    referrer(repository, digest, sigstore.layer(digest))
    (tmp_path / "root.json").write_text(text)
    assert "not a trusted root" in verify(code=2, trusted=tmp_path / "root.json")["error"]["message"]


@pytest.mark.parametrize("part", ["tlogs", "ctlogs", "certificateAuthorities"])
def test_a_trusted_root_without_a_part(verify, stranger, repository, digest, part):
    """An instance whose root lacks a part trusts nobody."""
    referrer(repository, digest, stranger.layer(digest))
    verify(trusted=stranger.trusted_root())
    verify(code=1 if part == "ctlogs" else 2, trusted=stranger.trusted_root(**{part: []}))


@pytest.mark.parametrize(
    ("by", "word"),
    [
        (("--identity", "x"), "issuer or issuer-regex"),
        (("--issuer", "x"), "identity or identity-regex"),
        (("--identity", "x", "--identity-regex", "x", "--issuer", "y"), "one of the two"),
        (("--identity-regex", "(", "--issuer", "y"), "not a pattern"),
        (("--identity", ""), "No signer is given"),
    ],
)
def test_options_that_cannot_be_meant(verify, digest, by, word):
    error = verify(*by, code=2, trusted=None)["error"]
    assert word in error["message"]
    assert error["hint"]


def test_a_pattern_takes_no_time(verify, sigstore, repository, digest):
    signing = Signing(identity=f"https://example.com/{'a' * 60}!", issuer=GITHUB)
    referrer(repository, digest, sigstore.layer(digest, signing))
    verify("--identity-regex", "https://example.com/(a+)+", "--issuer", GITHUB, code=1)


# ------------------------------------------------------------------------------------------- the public instance


def test_the_packaged_root_is_the_public_one(verify, sigstore, repository, digest, monkeypatch):
    """It trusts Fulcio and Rekor, so that another instance's signature is refused, and nothing is fetched for it."""
    from sigstore.verify import Verifier

    monkeypatch.setattr(Verifier, "production", lambda **_: pytest.fail("the root is fetched"))
    referrer(repository, digest, sigstore.layer(digest))
    document = verify(code=1, trusted="packaged")
    assert "sigstore refuses one" in document["error"]["message"]
    content = keyless._packaged()
    authorities = {one["uri"] for one in json.loads(content)["certificateAuthorities"]}
    assert authorities == {"https://fulcio.sigstore.dev"}


def test_a_file_of_that_name_needs_its_folder(verify, sigstore, root, repository, digest, tmp_path):
    (tmp_path / "packaged").write_bytes(root.read_bytes())
    referrer(repository, digest, sigstore.layer(digest))
    verify(code=1, trusted="packaged")
    verify(trusted="./packaged")


def test_a_root_that_cannot_be_fetched_is_an_error(verify, sigstore, repository, digest, monkeypatch):
    from sigstore.verify import Verifier

    def unreachable(**_):
        raise OSError("no route to host")

    monkeypatch.setattr(Verifier, "production", unreachable)
    referrer(repository, digest, sigstore.layer(digest))
    keyless._verifier.cache_clear()
    error = verify(code=4, trusted=None)["error"]
    assert "no route to host" in error["message"]
    assert "packaged" in error["hint"]


def test_a_library_without_a_root(monkeypatch, tmp_path):
    import importlib.resources

    monkeypatch.setattr(importlib.resources, "files", lambda name: tmp_path)
    keyless._verifier.cache_clear()
    with pytest.raises(ProgramError, match="no trusted root"):
        Keyless(Text("a"), Text("b"), keyless.TrustedRoot("packaged")).prepare()
    keyless._verifier.cache_clear()


# ------------------------------------------------------------------------------------------------- verify:


RULE = """\
verify:
  "{registry}/keyless/*":
    identity-regex: https://github\\.com/acme/shop/.+@refs/tags/v.+
    issuer: https://token.actions.githubusercontent.com
    trusted-root: trust/root.json
"""


@pytest.fixture
def configured(tmp_path, root, registry):
    def call(text=RULE):
        (tmp_path / "trust").mkdir(exist_ok=True)
        (tmp_path / "trust/root.json").write_text(root.read_text())
        (tmp_path / ".gitops-ci.yaml").write_text(text.replace("{registry}", registry))

    return call


def test_a_bump_is_refused_and_then_names_the_signer(run, configured, sigstore, repository, digest, tmp_path):  # noqa: F811
    configured()
    assert run("config", "check").code == 0
    with delivery.github(tmp_path / "git", repository) as config:
        where = ("--config-repo", config.url, "--forge", "github", "--api-url", config.forge.api_url, "--base", "main")
        token = {"GITOPS_CI_TOKEN": config.token}
        bump = lambda: run("bump", f"{repository}:1.5.0", "--environment", "staging", *where, environment=token)  # noqa: E731
        refused = bump()
        assert refused.code == 1
        assert "it has no signature" in " ".join((refused.out + refused.err).split())
        assert config.forge.pulls == []
        referrer(repository, digest, sigstore.layer(digest))
        accepted = bump()
        assert accepted.code == 0, accepted.out + accepted.err
        [pull] = config.forge.pulls
    assert "Signed by" in pull.body
    assert WORKFLOW in pull.body
    assert GITHUB in pull.body
    assert "from commit 3fa9c1e0b5d2" in pull.body


def test_the_rules_of_the_config_repository_hold_too(run, sigstore, root, registry, repository, digest, tmp_path):  # noqa: F811
    """Its trusted root lies beside its own configuration, in the commit that the bump changes."""
    with delivery.github(tmp_path / "git", repository) as config:
        rules = {".gitops-ci.yaml": RULE.replace("{registry}", registry), "trust/root.json": root.read_text()}
        commit_files(config.repo, rules)
        where = ("--config-repo", config.url, "--forge", "github", "--api-url", config.forge.api_url, "--base", "main")
        token = {"GITOPS_CI_TOKEN": config.token}
        bump = lambda: run("bump", f"{repository}:1.5.0", "--environment", "staging", *where, environment=token)  # noqa: E731
        referrer(repository, digest, sigstore.layer(digest, Signing(identity=WORKFLOW.replace("tags/v", "heads/"))))
        assert bump().code == 1
        assert config.forge.pulls == []
        referrer(repository, digest, sigstore.layer(digest))
        assert bump().code == 0
        [pull] = config.forge.pulls
        assert WORKFLOW in pull.body
        commit_files(config.repo, {"trust/root.json": "{}"})
        assert bump().code == 2


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("{}", "no signer is named"),
        ("{identity: x}", "issuer or issuer-regex"),
        ("{issuer: x}", "identity or identity-regex"),
        ("{identity: x, identity-regex: y, issuer: z}", "one of the two"),
        ("{key: trust/root.json, trusted-root: trust/root.json}", "needs an identity"),
        ("{identity: x, issuer: y, trusted-root: ../root.json}", "outside"),
        ("{identity: x, issuer: y, trusted-root: /etc/hostname}", "outside"),
        ("{identity: x, issuer: y, trusted-root: missing.json}", "cannot be read"),
        ("{identity-regex: '(', issuer: y}", "not a pattern"),
        ("{identity: x, issuer: y, source-regex: '('}", "not a pattern"),
        ("{identity: x, issuer: y, source: a, source-regex: b}", "source and source-regex"),
        ("{key: trust/root.json, source: x}", "needs an identity"),
        ("{attestation: slsaprovenance1}", "no signer is named"),
        ("{identity: x, issuer: y, attestation: provenance}", "not a type of attestation"),
        ("{identity: x, issuer: y, attestation: ''}", "not a type of attestation"),
        ("{identities: x, issuer: y}", "unknown key"),
    ],
)
def test_rules_that_cannot_be_meant(run, configured, rule, word):  # noqa: F811
    configured(f"verify:\n  'ghcr.io/*': {rule}\n")
    ran = run("config", "check")
    assert ran.code == 2
    assert word in ran.out + ran.err
