"""A sigstore instance of the tests' own: a certificate authority, a log of certificates, a transparency log, a clock.

Written from the specifications and without code of the project or of sigstore's library: RFC 6962 (log of certificates
and Merkle tree), github.com/sigstore/fulcio `docs/oid-info.md`, github.com/sigstore/rekor `types/dsse/v0.0.1`,
github.com/transparency-dev/formats `log/README.md` (checkpoint), github.com/sigstore/protobuf-specs (trusted root and
bundle), RFC 3161 by openssl.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.layouts import digest_of
from tests.support.signing import SIGNED

__all__ = ["GITHUB", "WORKFLOW", "Instance", "Signing", "as_layer"]

WORKFLOW = "https://github.com/acme/shop/.github/workflows/release.yml@refs/tags/v1.5.0"
GITHUB = "https://token.actions.githubusercontent.com"
COMMIT = "3fa9c1e0b5d2a7c64e8f1b90d3c2a1f0e9d8c7b6"
_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_FULCIO = "1.3.6.1.4.1.57264.1"
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Signing:
    """One signature: by whom, of what, when; what a test falsifies is another value here."""

    identity: str = WORKFLOW
    issuer: str = GITHUB
    predicate: str = SIGNED
    payload_type: str = _TYPE
    minutes_later: float = 1  # the entry of the log after the certificate's beginning; it lives ten minutes
    with_promise: bool = True
    with_timestamp: bool = False
    with_old_issuer: bool = False
    source: str = "https://github.com/acme/shop"  # the repository that was built; '' for a certificate without it
    names: tuple[x509.GeneralName, ...] = ()


@dataclass
class Key:
    """A key pair of P-256."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def der(self) -> bytes:
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.DER, kind)

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.der).digest()

    def sign(self, content: bytes) -> bytes:
        return self.private.sign(content, ec.ECDSA(hashes.SHA256()))


class Instance:
    """Everybody whom a signature needs, with keys of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority, self.certificates, self.log = Key(), Key(), Key()
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
        self.root = _authority(self.authority, self.start)
        self._clock = _Clock(folder, self.start)
        self.leaves: list[bytes] = [b"somebody else's entry"]

    # -------------------------------------------------------------------------------------------- trusted root

    def trusted_root(self, **other: Any) -> Path:
        since = {"start": _time(self.start)}
        chain = {"certificates": [{"rawBytes": _b64(_der(self.root))}]}
        subject = {"organization": "tests", "commonName": "tests"}
        data = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self.log, since)],
            "certificateAuthorities": [
                {"subject": subject, "uri": "https://ca.invalid", "certChain": chain, "validFor": since}
            ],
            "ctlogs": [_log(self.certificates, since)],
            "timestampAuthorities": [
                {
                    "subject": subject,
                    "uri": "https://tsa.invalid",
                    "certChain": {"certificates": [{"rawBytes": _b64(der)} for der in self._clock.chain]},
                    "validFor": since,
                }
            ],
            **other,
        }
        path = self.folder / "trusted_root.json"
        path.write_text(json.dumps(data))
        return path

    # -------------------------------------------------------------------------------------------- bundles

    def bundle(self, subject: str, signing: Signing | None = None) -> dict[str, Any]:
        """The bundle that `cosign sign` makes for the image with this digest."""
        signing = signing or Signing()
        key, begun = Key(), datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        certificate = self._certificate(key, signing, begun)
        statement = _statement(subject, signing.predicate)
        kind = signing.payload_type
        signature = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(statement), statement))
        material: dict[str, Any] = {
            "certificate": {"rawBytes": _b64(_der(certificate))},
            "tlogEntries": [self._entry(certificate, statement, signature, begun, signing)],
        }
        if signing.with_timestamp:
            stamp = self._clock.stamp(signature)
            material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": _b64(stamp)}]}
        envelope = {"payload": _b64(statement), "payloadType": kind, "signatures": [{"sig": _b64(signature)}]}
        return {"mediaType": _BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope}

    def layer(self, subject: str, signing: Signing | None = None) -> tuple[dict[str, Any], bytes]:
        return as_layer(self.bundle(subject, signing))

    def _certificate(self, key: Key, signing: Signing, begun: datetime) -> x509.Certificate:
        if signing.with_timestamp:  # openssl's clock cannot be set: the certificate is valid now
            begun = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        names = signing.names or (_name(signing.identity),)
        number, issuer = (1, signing.issuer.encode()) if signing.with_old_issuer else (8, _utf8(signing.issuer))
        before = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(key.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begun)
            .not_valid_after(begun + timedelta(minutes=10))
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root.public_key()), critical=False)  # type: ignore[arg-type]
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(_extension(f"{_FULCIO}.{number}", issuer), critical=False)
            .add_extension(_extension(f"{_FULCIO}.13", _utf8(COMMIT)), critical=False)
        )
        if signing.source:
            before = before.add_extension(_extension(f"{_FULCIO}.12", _utf8(signing.source)), critical=False)
        logged = before.sign(self.authority.private, hashes.SHA256()).tbs_certificate_bytes
        stamp = int(begun.timestamp() * 1000)
        head = struct.pack("!BBQH", 0, 0, stamp, 1) + self.authority.id
        signature = self.certificates.sign(head + len(logged).to_bytes(3) + logged + b"\0\0")
        one = struct.pack("!B32sQHBBH", 0, self.certificates.id, stamp, 0, 4, 3, len(signature)) + signature
        listed = struct.pack("!HH", len(one) + 2, len(one)) + one
        scts = x509.UnrecognizedExtension(_SCTS, _octets(listed))
        return before.add_extension(scts, critical=False).sign(self.authority.private, hashes.SHA256())

    def _entry(
        self, certificate: x509.Certificate, statement: bytes, signature: bytes, begun: datetime, signing: Signing
    ) -> dict[str, Any]:
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()},
            "signatures": [{"signature": _b64(signature), "verifier": _b64(pem)}],
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        index = len(self.leaves)
        self.leaves.append(body)
        time = int((begun + timedelta(minutes=signing.minutes_later)).timestamp())
        entry = {
            "logIndex": str(index),
            "logId": {"keyId": _b64(self.log.id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "inclusionProof": self._proof(index),
            "canonicalizedBody": _b64(body),
        }
        if signing.with_promise:
            promise = {"body": _b64(body), "integratedTime": time, "logID": self.log.id.hex(), "logIndex": index}
            entry["integratedTime"] = str(time)
            entry["inclusionPromise"] = {"signedEntryTimestamp": _b64(self.log.sign(_canonical(promise)))}
        return entry

    def _proof(self, index: int) -> dict[str, Any]:
        root, path = _tree(self.leaves, index)
        note = f"log.invalid - 1\n{len(self.leaves)}\n{_b64(root)}\n"
        signature = _b64(self.log.id[:4] + self.log.sign(note.encode()))
        return {
            "logIndex": str(index),
            "treeSize": str(len(self.leaves)),
            "rootHash": _b64(root),
            "hashes": [_b64(one) for one in path],
            "checkpoint": {"envelope": f"{note}\n\u2014 log.invalid {signature}\n"},
        }


def as_layer(bundle: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    content = json.dumps(bundle).encode()
    return {"mediaType": _BUNDLE, "digest": digest_of(content), "size": len(content)}, content


class _Clock:
    """A timestamp authority: openssl."""

    def __init__(self, folder: Path, start: datetime) -> None:
        self.folder = folder
        root, own = Key(), Key()
        authority = _authority(root, start, "clock root")
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_subject("clock"))
            .issuer_name(authority.subject)
            .public_key(own.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=3650))
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.private.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root.private.public_key()), critical=False
            )
            .sign(root.private, hashes.SHA256())
        )
        self.chain = [_der(certificate), _der(authority)]
        (folder / "clock.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        kind = serialization.PrivateFormat.PKCS8
        (folder / "clock.key").write_bytes(
            own.private.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
        )
        (folder / "serial").write_text("01\n")
        (folder / "clock.cnf").write_text(
            f"[tsa]\nserial={folder}/serial\nsigner_cert={folder}/clock.pem\nsigner_key={folder}/clock.key\n"
            "signer_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\n"
        )

    def stamp(self, content: bytes) -> bytes:
        asked = ("ts", "-query", "-data", "signature", "-sha256", "-cert", "-out", "asked.tsq")
        (self.folder / "signature").write_bytes(content)
        for command in (
            asked,
            (
                "ts",
                "-reply",
                "-config",
                "clock.cnf",
                "-section",
                "tsa",
                "-queryfile",
                "asked.tsq",
                "-out",
                "answer.tsr",
            ),
        ):
            subprocess.run(["openssl", *command], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "answer.tsr").read_bytes()


def _authority(key: Key, start: datetime, name: str = "authority") -> x509.Certificate:
    public = key.private.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(_subject(name))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key.private, hashes.SHA256())
    )


def _tree(leaves: list[bytes], index: int) -> tuple[bytes, list[bytes]]:
    """The root of a Merkle tree, and the path to one leaf (RFC 6962 §2.1)."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest(), []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    left, path = _tree(leaves[:half], index if index < half else 0)
    right, other = _tree(leaves[half:], index - half if index >= half else 0)
    root = hashlib.sha256(b"\1" + left + right).digest()
    return root, [*path, right] if index < half else [*other, left]


def _statement(subject: str, predicate: str) -> bytes:
    algorithm, _, value = subject.partition(":")
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "", "digest": {algorithm: value}}],
            "predicateType": predicate,
            "predicate": {},
        }
    ).encode()


def _log(key: Key, since: dict[str, str]) -> dict[str, Any]:
    public = {"rawBytes": _b64(key.der), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since}
    log_id = {"keyId": _b64(key.id)}
    return {"baseUrl": "https://log.invalid", "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": log_id}


def _usage(**given: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


def _name(identity: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(identity) if "://" in identity else x509.RFC822Name(identity)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _extension(oid: str, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)


def _asn1(tag: int, value: bytes) -> bytes:
    size = len(value)
    length = (
        bytes([size])
        if size < 128
        else bytes([0x80 | (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8)
    )
    return bytes([tag]) + length + value


def _utf8(text: str) -> bytes:
    return _asn1(0x0C, text.encode())


def _octets(value: bytes) -> bytes:
    return _asn1(0x04, value)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _canonical(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
