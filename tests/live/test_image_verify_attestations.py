"""Attestations: a statement of a required kind about the image, signed by whom the rule names."""

from __future__ import annotations

import itertools

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import delivery
from tests.support.signing import attested, bundle, envelope, referrer
from tests.support.sigstore_instance import GITHUB, WORKFLOW, Signing

_numbers = itertools.count(1)

PROVENANCE, SBOM = "https://slsa.dev/provenance/v1", "https://spdx.dev/Document"
IDENTITY = ("--identity", WORKFLOW, "--issuer", GITHUB)
OTHER = "sha256:" + "0" * 64


@pytest.fixture
def repository(registry):
    return f"{registry}/attested/shop-{next(_numbers)}"


@pytest.fixture
def verify(run, repository):  # noqa: F811
    def call(*arguments, code=0):
        ran = run("image", "verify", f"{repository}:1.5.0", *arguments, "--output", "json")
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


@pytest.mark.parametrize("name", ["slsaprovenance1", PROVENANCE])
def test_an_attestation_of_whom_the_rule_names(verify, sigstore, root, repository, digest, name):
    by = (*IDENTITY, "--trusted-root", str(root), "--attestation", name)
    referrer(repository, digest, sigstore.layer(digest, Signing(predicate=PROVENANCE)))
    [found] = verify(*by)["verified"]
    assert (found["attestation"], found["digest"]) == (PROVENANCE, digest)
    assert found["signer"].startswith(WORKFLOW)
    # It does not approve the image, and a signature attests nothing.
    verify(*IDENTITY, "--trusted-root", str(root), code=1)
    referrer(repository, digest, sigstore.layer(digest))
    assert f"it has no attestation {PROVENANCE}" in verify(*by, code=1)["error"]["message"]


def test_each_kind_is_required(verify, sigstore, root, repository, digest):
    by = (*IDENTITY, "--trusted-root", str(root), "--attestation", PROVENANCE, "--attestation", "spdxjson")
    provenance, sbom = (sigstore.layer(digest, Signing(predicate=kind)) for kind in (PROVENANCE, SBOM))
    referrer(repository, digest, provenance)
    assert SBOM in verify(*by, code=1)["error"]["message"]
    referrer(repository, digest, provenance, sbom)
    assert [one["attestation"] for one in verify(*by)["verified"]] == [PROVENANCE, SBOM]


def test_a_signature_may_be_required_beside_it(verify, sigstore, root, repository, digest):
    signature = "https://sigstore.dev/cosign/sign/v1"
    by = (*IDENTITY, "--trusted-root", str(root), "--attestation", PROVENANCE, "--attestation", signature)
    provenance = sigstore.layer(digest, Signing(predicate=PROVENANCE))
    referrer(repository, digest, provenance)
    assert "it has no signature" in verify(*by, code=1)["error"]["message"]
    referrer(repository, digest, provenance, sigstore.layer(digest))
    assert [one["attestation"] for one in verify(*by)["verified"]] == [PROVENANCE, ""]


@pytest.mark.parametrize(
    ("signing", "subject"),
    [
        (Signing(predicate=f"{PROVENANCE}/"), None),
        (Signing(predicate="https://slsa.dev/provenance/v0.2"), None),
        (Signing(predicate=PROVENANCE, identity=WORKFLOW.replace("acme", "evil")), None),
        (Signing(predicate=PROVENANCE, issuer="https://accounts.google.com"), None),
        (Signing(predicate=PROVENANCE, minutes_later=11), None),
        (Signing(predicate=PROVENANCE, payload_type="application/json"), None),
        (Signing(predicate=PROVENANCE), OTHER),
    ],
    ids=["another address", "another version", "identity", "issuer", "after the end", "no statement", "other image"],
)
def test_what_does_not_count(verify, sigstore, root, repository, digest, signing, subject):
    referrer(repository, digest, sigstore.layer(subject or digest, signing))
    by = (*IDENTITY, "--trusted-root", str(root), "--attestation", PROVENANCE)
    assert verify(*by, code=1)["verified"] == []


def test_an_attestation_by_key_as_cosign_2_stores_it(verify, repository, digest, pair, stranger):
    by = ("--key", str(pair.public), "--attestation", PROVENANCE)
    for made in (envelope(stranger, digest, predicate=PROVENANCE), envelope(pair, OTHER, predicate=PROVENANCE)):
        attested(repository, digest, made)
        verify(*by, code=1)
    attested(repository, digest, envelope(pair, digest, predicate=SBOM), envelope(pair, digest, predicate=PROVENANCE))
    [found] = verify(*by)["verified"]
    assert found["found_in"].endswith(".att")
    verify("--key", str(pair.public), code=1)  # no signature


def test_an_attestation_by_key_in_a_bundle(verify, repository, digest, pair):
    referrer(repository, digest, bundle(pair, digest, predicate=PROVENANCE))
    verify("--key", str(pair.public), "--attestation", PROVENANCE)


def test_an_attestation_without_a_key_in_the_old_form_is_named(verify, root, repository, digest, pair):
    certificate = {"dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----"}
    attested(repository, digest, envelope(pair, digest, predicate=PROVENANCE), **certificate)
    by = (*IDENTITY, "--trusted-root", str(root), "--attestation", PROVENANCE)
    assert "--new-bundle-format" in verify(*by, code=1)["error"]["message"]


@pytest.mark.parametrize("made", [7, [], {}, {"payloadType": "application/vnd.in-toto+json", "payload": "?"}])
def test_what_is_no_envelope(verify, repository, digest, pair, made):
    attested(repository, digest, made)
    assert verify("--key", str(pair.public), "--attestation", PROVENANCE, code=1)["verified"] == []


def test_a_rule_of_the_configuration_and_the_pull_request(
    run,  # noqa: F811
    sigstore,
    root,
    registry,
    repository,
    digest,
    tmp_path,
):
    (tmp_path / "root.json").write_text(root.read_text())
    (tmp_path / ".gitops-ci.yaml").write_text(
        f"verify:\n  '{registry}/attested/*':\n    identity: {WORKFLOW}\n    issuer: {GITHUB}\n"
        "    source-regex: https://github.com/acme/.+\n    attestation: [slsaprovenance1]\n"
        "    trusted-root: root.json\n"
    )
    shown = run("config", "show")
    assert "attestations: slsaprovenance1" in shown.out
    assert "source /https://github.com/acme/.+/" in shown.out
    with delivery.github(tmp_path / "git", repository) as config:
        where = ("--config-repo", config.url, "--forge", "github", "--api-url", config.forge.api_url, "--base", "main")
        token = {"GITOPS_CI_TOKEN": config.token}
        bump = lambda: run("bump", f"{repository}:1.5.0", "--environment", "staging", *where, environment=token)  # noqa: E731
        referrer(repository, digest, sigstore.layer(digest))
        assert bump().code == 1
        assert config.forge.pulls == []
        referrer(repository, digest, sigstore.layer(digest, Signing(predicate=PROVENANCE)))
        accepted = bump()
        assert accepted.code == 0, accepted.out + accepted.err
        [pull] = config.forge.pulls
    assert f"attestation {PROVENANCE}" in pull.body
