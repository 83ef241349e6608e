"""Signatures of an image as cosign stores them: what was signed, and by which bytes. Nothing is trusted yet.

Sources: github.com/sigstore/cosign, `specs/SIGNATURE_SPEC.md` (tag `sha256-<hex>.sig`, simple signing) and
`specs/BUNDLE_SPEC.md` (referrers with a bundle); containers/image, `docs/containers-signature.5.md` (the payload);
github.com/secure-systems-lab/dsse, `protocol.md`; github.com/in-toto/attestation, `spec/v1/statement.md`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError, UsageError
from gitops_ci.registry.base import Descriptor, Manifest, Reader
from gitops_ci.registry.referrers import fallback_tag

__all__ = ["IN_TOTO", "SIGNATURE", "Judgment", "Signed", "Signer", "attestation_type", "signatures_of", "states"]

_SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
_SIGNATURE = "dev.cosignproject.cosign/signature"
_CERTIFICATE = "dev.sigstore.cosign/certificate"
_BUNDLE = "application/vnd.dev.sigstore.bundle"
IN_TOTO = "application/vnd.in-toto+json"
# What `cosign sign` states; other statements (SBOM, provenance) say something about an image and do not approve it.
SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
_ENVELOPE = "application/vnd.dsse.envelope.v1+json"  # an attestation as cosign 2 stores it, under the tag `….att`
# The names that `cosign attest --type` has for types of statements; any other type is an address.
_ATTESTATIONS = {
    "custom": "https://cosign.sigstore.dev/attestation/v1",
    "cyclonedx": "https://cyclonedx.org/bom",
    "link": "https://in-toto.io/Link/v1",
    "openvex": "https://openvex.dev/ns",
    "slsaprovenance": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance02": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance1": "https://slsa.dev/provenance/v1",
    "spdx": "https://spdx.dev/Document",
    "spdxjson": "https://spdx.dev/Document",
    "vuln": "https://cosign.sigstore.dev/attestation/vuln/v1",
}
_LARGEST = 1 << 20  # a payload has some hundred bytes, a bundle some thousand
_MOST = 100  # manifests about one image, and signatures in one of them


@dataclass(frozen=True, slots=True)
class Signed:
    """Bytes about the image `digest`, the signature of somebody over them (ASN.1), and where both were found.

    `kind` is the type of statement that they are: SIGNATURE, or an attestation's type.
    `bundle` is the sigstore bundle that they are of. `is_old_keyless`: a certificate is beside them, and no bundle.
    """

    message: bytes
    signature: bytes
    found_in: str
    digest: str
    kind: str = SIGNATURE
    bundle: bytes = b""
    is_old_keyless: bool = False


class Judgment(NamedTuple):
    """Who made a signature, if it is whom is meant; else there may be a reason why it does not count."""

    signer: str = ""
    reason: str = ""


class Signer(Protocol):
    """Somebody whose signature counts. As a text it is who that is."""

    def judge(self, signed: Signed) -> Judgment:
        """Whether this is a signature of theirs."""

    def prepare(self) -> None:
        """Raises what every `judge` would raise, whatever the signature: what judges is not there."""


def attestation_type(name: str) -> str:
    """The type of an in-toto statement, by its address or cosign's name for it. Raises UsageError for anything else."""
    found = _ATTESTATIONS.get(name, name)
    if "://" not in found:
        raise UsageError(
            f"'{name}' is not a type of attestation",
            hint=f"Write its address, as https://slsa.dev/provenance/v1, or one of {', '.join(_ATTESTATIONS)}.",
        )
    return found


def signatures_of(reader: Reader, digest: str, kind: str = SIGNATURE) -> Iterator[Signed]:
    """The signed statements of this kind about the image with this digest, by tag and by referrer.

    What is about another image is passed over. What cannot be read is an error at the end, so that it hides nothing.

    Raises:
        RegistryError: the registry does not answer, or something of its answer is damaged.
    """
    trouble: RegistryError | None = None
    for reference in _references(reader, digest, kind):
        try:
            manifest = reader.manifest(reference)
            layers = _layers(manifest, digest, is_tag=":" not in reference) if manifest else []
            where = f"{reader.name}{'@' if ':' in reference else ':'}{reference}"
            found = [signed for layer in layers for signed in _of_layer(reader, layer, (digest, kind), where)]
        except RegistryError as error:
            trouble = trouble or error
            continue
        yield from found
    if trouble:
        raise trouble


def _references(reader: Reader, digest: str, kind: str) -> Iterator[str]:
    """Where signatures may be: cosign's tag, then the manifests that refer to the image."""
    yield f"{fallback_tag(digest)}.{'sig' if kind == SIGNATURE else 'att'}"
    for descriptor in reader.referrers(digest)[:_MOST]:
        yield descriptor.digest


def _layers(manifest: Manifest, digest: str, *, is_tag: bool) -> list[dict[str, Any]]:
    if not is_tag and (manifest.subject is None or manifest.subject.digest != digest):
        return []
    listed = manifest.data.get("layers")
    return [layer for layer in listed if isinstance(layer, dict)][:_MOST] if isinstance(listed, list) else []


def _of_layer(reader: Reader, layer: dict[str, Any], about: tuple[str, str], where: str) -> Iterator[Signed]:
    descriptor, (digest, kind) = Descriptor.read(layer), about
    is_bundle = descriptor.media_type.startswith(_BUNDLE)
    old_form = _SIMPLE_SIGNING if kind == SIGNATURE else _ENVELOPE
    if descriptor.size > _LARGEST or not (is_bundle or descriptor.media_type == old_form):
        return
    content = b"".join(reader.blob(descriptor).verified())
    if is_bundle:
        yield from _of_envelope(_object(_json(content), "dsseEnvelope"), about, where, bundle=content)
        return
    annotations = layer.get("annotations")
    annotations = annotations if isinstance(annotations, dict) else {}
    has_certificate = _CERTIFICATE in annotations
    if kind != SIGNATURE:
        for one in _of_envelope(_json(content), about, where):
            yield replace(one, is_old_keyless=has_certificate)
        return
    signature = _decoded(annotations.get(_SIGNATURE))
    if signature and _signed_digest(content) == digest:
        yield Signed(content, signature, where, digest, is_old_keyless=has_certificate)


def _signed_digest(payload: bytes) -> str:
    """The digest of the image that a simple signing payload is about; '' of what is none."""
    critical = _object(_json(payload), "critical")
    if critical.get("type") != "cosign container image signature":
        return ""
    return str(_object(critical, "image").get("docker-manifest-digest") or "")


def _of_envelope(envelope: Any, about: tuple[str, str], where: str, *, bundle: bytes = b"") -> Iterator[Signed]:
    if not isinstance(envelope, dict):
        return
    content, payload = envelope.get("payloadType"), _decoded(envelope.get("payload"))
    signatures = envelope.get("signatures")
    if content != IN_TOTO or payload is None or not isinstance(signatures, list):
        return
    digest, kind = about
    if not states(_json(payload), digest, kind):
        return
    message = b"DSSEv1 %d %s %d %s" % (len(content), content.encode(), len(payload), payload)
    for number, one in enumerate(signatures[:_MOST]):
        if signature := _decoded(one.get("sig") if isinstance(one, dict) else None):
            yield Signed(message, signature, where, digest, kind, bundle if number == 0 else b"")


def states(statement: Any, digest: str, kind: str) -> bool:
    """Whether an in-toto statement is of this kind, and about this image."""
    if not isinstance(statement, dict) or statement.get("predicateType") != kind:
        return False
    algorithm, _, value = digest.partition(":")
    subjects = statement.get("subject")
    return isinstance(subjects, list) and any(_object(one, "digest").get(algorithm) == value for one in subjects)


def _object(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _decoded(text: Any) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
