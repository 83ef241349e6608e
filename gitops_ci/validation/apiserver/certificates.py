"""CertificateSigningRequest, ClusterTrustBundle, PodCertificateRequest, and the last two as sources of a volume.

Sources: k8s.io/kubernetes pkg/apis/certificates/validation/validation.go and pkg/apis/core/validation/names.go.
"""

from __future__ import annotations

import base64
import re

from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown
from gitops_ci.validation.apimachinery.labels import label_selector

__all__ = [
    "CERTIFICATE_PATHS",
    "certificate_request",
    "pod_certificate_request",
    "projected_certificate",
    "projected_trust_bundle",
    "trust_bundle",
]

_USAGES = (
    *("signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment"),
    *("cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing"),
    *("email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing"),
    *("microsoft sgc", "netscape sgc"),
)
_REQUEST = lazy_pattern(
    rb"-----BEGIN CERTIFICATE REQUEST-----\s(?P<body>[A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----"
)
CERTIFICATE_PATHS = ("credentialBundlePath", "keyPath", "certificateChainPath")
_KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_LARGEST_BUNDLE = 1 << 20
_LARGEST_KEY = 10 << 10
_HOUR, _DAY = 3600, 86400
_BLOCK = lazy_pattern(r"^-----BEGIN ([^\r\n]*?)-----[ \t\r]*\n(.*?)^-----END \1-----", re.MULTILINE | re.DOTALL)


def trust_bundle(document: Field) -> None:
    spec = document.at("spec")
    signer = spec.text("signerName")
    if name := document.at("metadata").text("name"):
        _bundle_name(document.at("metadata", "name"), name, signer)
    if signer:
        spec.fits("certificate", "signerName", formats.signer_name)
    if why := _bundle(spec.text("trustBundle")):
        spec.at("trustBundle").bad("certificate", why)


def projected_trust_bundle(source: Field) -> None:
    if source.has("name") == source.has("signerName"):
        source.bad("volume", "needs exactly one of 'name' and 'signerName'")
    elif source.has("name"):
        name = source.text("name")
        _bundle_name(source.at("name"), name, name.rpartition(":")[0].replace(":", "/"))
        if source.has("labelSelector"):
            source.at("labelSelector").bad("volume", "may not be given together with 'name'")
    else:
        source.fits("volume", "signerName", formats.signer_name, pointer=True)
        label_selector(source.at("labelSelector"))
    if not source.text("path"):
        source.missing("volume", "path")
    source.fits("volume", "path", formats.volume_file)


def projected_certificate(source: Field) -> None:
    for key in ("signerName", "keyType"):
        if not source.text(key):
            source.missing("volume", key)
    source.fits("volume", "signerName", formats.signer_name)
    source.one_of("volume", "keyType", _KEY_TYPES)
    _annotations(source, "userAnnotations")
    source.within("volume", "maxExpirationSeconds", _HOUR, _longest(source))
    paths = [key for key in CERTIFICATE_PATHS if source.text(key)]
    for key in paths:
        source.fits("volume", key, formats.volume_file)
    if not paths:
        source.bad("volume", "needs at least one of credentialBundlePath, keyPath and certificateChainPath")


def pod_certificate_request(document: Field) -> None:
    spec = document.at("spec")
    spec.fits("certificate", "signerName", formats.signer_name)
    _annotations(spec, "unverifiedUserAnnotations")
    for key in ("podName", "serviceAccountName", "nodeName"):
        spec.fits("name", key, formats.dns_subdomain)
    for key in ("podUID", "serviceAccountUID", "nodeUID"):
        if not 0 < len(spec.text(key)) <= 128:
            spec.at(key).bad("certificate", "must have 1 to 128 characters")
    spec.within("certificate", "maxExpirationSeconds", _HOUR, _longest(spec))
    given = {key for key in ("stubPKCS10Request", "pkixPublicKey", "proofOfPossession") if spec.text(key)}
    if given not in ({"stubPKCS10Request"}, {"pkixPublicKey", "proofOfPossession"}):
        spec.bad("certificate", "needs either stubPKCS10Request, or pkixPublicKey with proofOfPossession")
    elif "pkixPublicKey" in given:
        _possession(spec)
    elif len(_decoded(spec.text("stubPKCS10Request"))) > _LARGEST_KEY:
        spec.at("stubPKCS10Request").bad("certificate", "must be no more than 10 KiB")


def _possession(spec: Field) -> None:
    """The public key, and the signature of the pod's UID by its private key (validateDeprecatedPKIXPublicKey)."""
    from gitops_ci.validation.apiserver.possession import public_key

    for key in ("pkixPublicKey", "proofOfPossession"):
        if len(_decoded(spec.text(key))) > _LARGEST_KEY:
            spec.at(key).bad("certificate", "must be no more than 10 KiB")
            return
    verify = public_key(_decoded(spec.text("pkixPublicKey")))
    if isinstance(verify, str):
        spec.at("pkixPublicKey").bad("certificate", verify)
    elif not verify(spec.text("podUID").encode(), _decoded(spec.text("proofOfPossession"))):
        spec.at("proofOfPossession").bad("certificate", "must be a signature of podUID by the private key")


def _decoded(text: str) -> bytes:
    """Base64 as it was decoded before; empty for what is none."""
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""


def _bundle_name(place: Field, name: str, signer: str) -> None:
    prefix = f"{signer.replace('/', ':')}:" if signer else ""
    if not name.startswith(prefix):
        place.bad("name", f"'{shown(name)}' must start with '{prefix}', the name of its signer")
    elif why := formats.dns_subdomain(name.removeprefix(prefix)):
        place.bad("name", f"'{shown(name)}' {why}")


def _bundle(text: str) -> str | None:
    """Why a text is not a bundle of certificate authorities; what stands between its PEM blocks is ignored."""
    if len(text.encode()) > _LARGEST_BUNDLE:
        return "must be no more than 1 MiB"
    seen: set[bytes] = set()
    for kind, body in _BLOCK.findall(text):
        try:
            data = base64.b64decode("".join(body.split()), validate=True)
        except ValueError:
            if ":" not in body:
                continue  # no PEM block to Go either
            return "must have PEM blocks without headers"
        if kind != "CERTIFICATE":
            return f"must have PEM blocks of type CERTIFICATE, has {shown(kind)}"
        if why := _authority(data):
            return why
        if data in seen:
            return "must not have the same certificate twice"
        seen.add(data)
    return None if seen else "must have at least one certificate in PEM"


def _authority(data: bytes) -> str | None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=data)
    except ssl.SSLError:
        return "has a PEM block that is not an X.509 certificate"
    return None if context.cert_store_stats()["x509_ca"] else "has a certificate that is not an authority's (CA:TRUE)"


def _annotations(place: Field, key: str) -> None:
    for name, value in place.pairs(key):
        if why := formats.domain_prefixed(name.lower()):
            value.bad_key("certificate", f"'{shown(name)}' {why}")


def _longest(place: Field) -> int:
    """Signers of Kubernetes itself sign for a day at most."""
    return _DAY if place.text("signerName").startswith("kubernetes.io/") else 91 * _DAY


def certificate_request(document: Field) -> None:
    spec = document.at("spec")
    spec.fits("certificate", "signerName", formats.signer_name)
    if spec.text("signerName") == "kubernetes.io/legacy-unknown":
        spec.at("signerName").bad("certificate", "'kubernetes.io/legacy-unknown' is not allowed in this API version")
    if not _is_request(spec.text("request")):
        spec.at("request").bad("certificate", "must be a PEM block CERTIFICATE REQUEST, in base64")
    usages = spec.strings("usages")
    if not usages:
        spec.missing("certificate", "usages", "at least one usage is required")
    for index, usage in enumerate(usages):
        if usage not in _USAGES:
            said = f"'{usage}' is not supported; one of {', '.join(sorted(_USAGES))}"
            spec.at("usages").item(index).bad("certificate", said)
    if len(set(usages)) < len(usages):
        spec.at("usages").bad("duplicate", "a usage is given twice")
    if spec.has("expirationSeconds"):
        spec.at_least("certificate", "expirationSeconds", 600)


def _is_request(text: str) -> bool:
    """Whether it holds a PKCS #10 request: the outer shell only, the server parses on."""
    try:
        found = _REQUEST.search(base64.b64decode(text))
        der = base64.b64decode(b"".join(found["body"].split()), validate=True) if found else b""
    except ValueError:
        return False
    return der[:1] == b"\x30"
