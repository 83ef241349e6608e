"""Keys and signatures of images as cosign makes them, by openssl and without any code of the project."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.layouts import digest_of
from tests.support.registry_state import MANIFESTS

__all__ = ["KeyPair", "attested", "bundle", "envelope", "payload", "referrer", "store", "tagged"]

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_ENVELOPE = "application/vnd.dsse.envelope.v1+json"
SIGNED = "https://sigstore.dev/cosign/sign/v1"


@dataclass(frozen=True)
class KeyPair:
    """A key pair in two files of a folder."""

    private: Path
    public: Path

    @classmethod
    def make(cls, folder: Path, *options: str) -> KeyPair:
        folder.mkdir(parents=True, exist_ok=True)
        pair = cls(folder / "cosign.key", folder / "cosign.pub")
        kind = options or ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        _openssl("genpkey", *kind, "-out", str(pair.private))
        _openssl("pkey", "-in", str(pair.private), "-pubout", "-out", str(pair.public))
        return pair

    def sign(self, message: bytes) -> bytes:
        return _openssl("dgst", "-sha256", "-sign", str(self.private), stdin=message)


def _openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True).stdout


def payload(digest: str, **critical: Any) -> bytes:
    """The simple signing payload about an image."""
    about = {
        "identity": {"docker-reference": "ghcr.io/acme/shop"},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    return json.dumps({"critical": {**about, **critical}, "optional": None}).encode()


def layer(content: bytes, signature: bytes) -> tuple[dict[str, Any], bytes]:
    annotations = {"dev.cosignproject.cosign/signature": base64.b64encode(signature).decode()}
    return _descriptor(content, _SIMPLE, annotations=annotations), content


def _descriptor(content: bytes, kind: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content), **more}


def tagged(repository: str, digest: str, *signed: tuple[bytes, bytes]) -> None:
    """Store payloads with their signatures as cosign does it: under the tag `sha256-….sig`."""
    layers = [layer(content, signature) for content, signature in signed]
    store(repository, digest.replace(":", "-") + ".sig", _manifest(repository, layers))


def referrer(repository: str, subject: str, *layers: tuple[dict[str, Any], bytes], artifact: str = _BUNDLE) -> None:
    """Store a manifest that refers to the image, and list it by the referrers tag schema."""
    host, _, name = repository.partition("/")
    head = requests.get(f"http://{host}/v2/{name}/manifests/{subject}", headers={"Accept": MANIFESTS}, timeout=10)
    about = {"mediaType": head.headers["Content-Type"], "digest": subject, "size": len(head.content)}
    content = _manifest(repository, list(layers), subject=about, artifactType=artifact)
    store(repository, digest_of(content), content)
    listed = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [_descriptor(content, _MANIFEST)]}
    store(repository, subject.replace(":", "-"), json.dumps(listed).encode(), _INDEX)


def bundle(pair: KeyPair, subject: str, *, predicate: str = SIGNED) -> tuple[dict[str, Any], bytes]:
    """A sigstore bundle with a statement about an image, as a layer."""
    signed = envelope(pair, subject, predicate=predicate)
    content = json.dumps({"mediaType": _BUNDLE, "verificationMaterial": {}, "dsseEnvelope": signed}).encode()
    return _descriptor(content, _BUNDLE), content


def attested(repository: str, digest: str, *envelopes: dict[str, Any], **annotations: str) -> None:
    """Store attestations as cosign 2 does it: under the tag `sha256-….att`."""
    contents = [json.dumps(one).encode() for one in envelopes]
    layers = [(_descriptor(content, _ENVELOPE, annotations=annotations), content) for content in contents]
    store(repository, digest.replace(":", "-") + ".att", _manifest(repository, layers))


def envelope(pair: KeyPair, subject: str, *, predicate: str = SIGNED) -> dict[str, Any]:
    """A signed statement about an image."""
    kind, hexadecimal = "application/vnd.in-toto+json", subject.partition(":")[2]
    statement = json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "", "digest": {"sha256": hexadecimal}}],
            "predicateType": predicate,
            "predicate": {},
        }
    ).encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(statement), statement)
    return {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": kind,
        "signatures": [{"sig": base64.b64encode(pair.sign(signed)).decode()}],
    }


def _manifest(repository: str, layers: list[tuple[dict[str, Any], bytes]], **more: Any) -> bytes:
    config = b"{}"
    for content in (config, *(content for _, content in layers)):
        _store_blob(repository, content)
    data = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor for descriptor, _ in layers],
        **more,
    }
    return json.dumps(data).encode()


def _store_blob(repository: str, content: bytes) -> None:
    host, _, name = repository.partition("/")
    begun = requests.post(f"http://{host}/v2/{name}/blobs/uploads/", timeout=10)
    glue = "&" if "?" in begun.headers["Location"] else "?"
    ended = requests.put(f"{begun.headers['Location']}{glue}digest={digest_of(content)}", data=content, timeout=10)
    ended.raise_for_status()


def store(repository: str, reference: str, content: bytes, kind: str = _MANIFEST) -> None:
    """Store a manifest under a tag or its digest."""
    host, _, name = repository.partition("/")
    url = f"http://{host}/v2/{name}/manifests/{reference}"
    requests.put(url, data=content, headers={"Content-Type": kind}, timeout=10).raise_for_status()
