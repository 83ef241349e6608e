"""A public key as `cosign generate-key-pair` writes it, and whether it made a signature. The judge is openssl.

Sources: RFC 5480 (the form of the key), FIPS 186-5 (ECDSA); github.com/sigstore/cosign, `KEYLESS.md` and
`specs/SIGNATURE_SPEC.md` (ECDSA P-256 with SHA-256).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from tempfile import TemporaryDirectory

from gitops_ci import process
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.registry.signatures import Judgment, Signed

__all__ = ["PublicKey"]

_PEM = re.compile(r"\s*-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*")
# SubjectPublicKeyInfo of id-ecPublicKey on prime256v1 with an uncompressed point, which follows: 64 bytes.
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An ECDSA key on P-256. `name` is where it comes from."""

    name: str
    der: bytes

    @classmethod
    def parse(cls, text: str, name: str) -> PublicKey:
        """Read a key in PEM. Raises UsageError for what is no such key."""
        found = _PEM.fullmatch(text)
        try:
            der = base64.b64decode("".join(found[1].split()), validate=True) if found else b""
        except (binascii.Error, ValueError):
            der = b""
        if not der.startswith(_P256) or len(der) != len(_P256) + 64:
            raise UsageError(
                f"{name} is not a public key for signatures",
                hint="Give the cosign.pub that 'cosign generate-key-pair' writes: an ECDSA key on P-256, in PEM.",
            )
        return cls(name, der)

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.der).hexdigest()[:16]

    def __str__(self) -> str:
        return f"key {self.name} ({self.fingerprint})"

    def judge(self, signed: Signed) -> Judgment:
        """Whether the owner of the key made this signature. Raises ProgramError: openssl is missing or hangs."""
        return Judgment(signer=str(self)) if self.made(signed.signature, signed.message) else Judgment()

    def prepare(self) -> None:
        """Raises ProgramError: openssl is missing or hangs."""
        self.made(b"", b"")

    def made(self, signature: bytes, message: bytes) -> bool:
        """Whether the owner of the key signed these bytes.

        Raises:
            ProgramError: openssl is missing, or did not answer.
        """
        body = base64.encodebytes(self.der).decode()
        files = {
            "key.pem": f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n".encode(),
            "signature": signature,
        }
        with TemporaryDirectory(prefix="gitops-ci-verify-") as folder:
            for name, content in files.items():
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(content)
            answer = process.run(
                ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature"],
                cwd=folder,
                stdin=message,
                environment=process.reduced_environment(),
                seconds=_SECONDS,
                allowed=frozenset({0, 1}),
                install="Install openssl: it verifies signatures.",
            )
        # Both have to say so: whatever else an openssl may print or return is no.
        return answer.code == 0 and answer.stdout.strip() == b"Verified OK"
