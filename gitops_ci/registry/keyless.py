"""Signatures without a key of sigstore: made by whom an identity provider named, as a certificate states.

The judge is sigstore's own library for Python, of the extra `verify`. It checks the certificate's chain, the log of
certificates, the time, and the proof that the signature is in the transparency log; this module checks who signed.

Sources: github.com/sigstore/fulcio, `docs/oid-info.md` (where a certificate has its issuer and its source) and
`docs/certificate-specification.md` (the identity is the one subject alternative name); github.com/sigstore/cosign,
`specs/BUNDLE_SPEC.md`. Patterns are RE2's, as cosign's are, and have to fit the whole text: cosign takes a part of it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import cache
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from gitops_ci.dataclass import dataclass
from gitops_ci.display import quoted
from gitops_ci.errors import ProgramError, RegistryError, UsageError
from gitops_ci.registry.signatures import IN_TOTO, Judgment, Signed, states

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.verify import Verifier

__all__ = ["Keyless", "Text", "TrustedRoot"]

_EXTENSIONS = "1.3.6.1.4.1.57264.1"
_ISSUER, _ISSUER_OLD = f"{_EXTENSIONS}.8", f"{_EXTENSIONS}.1"
_SOURCE, _COMMIT = f"{_EXTENSIONS}.12", f"{_EXTENSIONS}.13"  # the repository that was built, and its commit
_USER_NAME = f"{_EXTENSIONS}.7"  # an identity that is neither an address nor a URI
_UTF8, _LONG = 0x0C, 0x80  # ASN.1: the tag of a string; the bit for a length of several bytes
_ROOT_TYPE = "application/vnd.dev.sigstore.trustedroot"  # and a version: `.v0.2+json`, `+json;version=0.1`
_PACKAGED = "packaged"
_PUBLIC = "https://tuf-repo-cdn.sigstore.dev"
_INSTALL = "pip install 'gitops-ci[verify]' installs what verifies signatures without a key."


@dataclass(frozen=True, slots=True)
class Text:
    """What an identity or an issuer has to be: this very text, or one that a pattern fits as a whole."""

    value: str
    is_pattern: bool = False

    def check(self) -> None:
        """Raises UsageError for what is not a pattern; without the extra it shows when the pattern is used."""
        if self.is_pattern:
            try:
                _compiled(self.value)
            except ProgramError:
                return

    def fits(self, text: str) -> bool:
        if not self.is_pattern:
            return text == self.value
        return _compiled(self.value).fullmatch(text) is not None

    def __str__(self) -> str:
        return f"/{self.value}/" if self.is_pattern else self.value


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """The authorities and logs that count: a `trusted_root.json`, or sigstore's public ones where no file is named.

    The public ones are fetched, or are as old as the library that is installed (`is_packaged`).
    """

    name: str = ""
    content: bytes = b""

    @property
    def is_public(self) -> bool:
        return not self.name

    @property
    def is_packaged(self) -> bool:
        return self.name == _PACKAGED and not self.content

    @classmethod
    def named(cls, name: str, read: Callable[[str], bytes]) -> TrustedRoot:
        """The root of a setting: '', `packaged`, or a file. Raises UsageError for a file that is none."""
        root = cls(name) if name in {"", _PACKAGED} else cls(name, read(name))
        root.check()
        return root

    def check(self) -> None:
        """Raises UsageError for a file that is none; what is in it shows when the library reads it."""
        if self.is_public or self.is_packaged:
            return
        try:
            kind = json.loads(self.content)["mediaType"]
        except (ValueError, TypeError, KeyError):
            kind = None
        if not isinstance(kind, str) or not kind.startswith(_ROOT_TYPE):
            raise self.error("it has no mediaType of one")

    def error(self, reason: str) -> UsageError:
        return UsageError(
            f"{self.name} is not a trusted root of sigstore: {reason}",
            hint="Give the trusted_root.json of your sigstore instance.",
        )


@dataclass(frozen=True, slots=True)
class Keyless:
    """Somebody whom an identity provider (`issuer`) knows under a name; `source` is the repository that was built.

    Anybody's repository may call a workflow that is shared: then the identity is the workflow's, and only the source
    shows whose build it was.
    """

    identity: Text
    issuer: Text
    root: TrustedRoot = TrustedRoot()
    source: Text | None = None

    def __str__(self) -> str:
        source = f", source {self.source}" if self.source else ""
        return f"{self.identity} (issuer {self.issuer}{source})"

    def prepare(self) -> None:
        """Raises as `judge` does."""
        _verifier(self.root)

    def judge(self, signed: Signed) -> Judgment:
        """Whether this is a signature by whom is meant.

        Raises:
            ProgramError: the extra `verify` is not installed.
            RegistryError: sigstore's trusted root cannot be fetched.
            UsageError: the trusted root is none.
        """
        verifier = _verifier(self.root)
        if signed.is_old_keyless:
            return Judgment(
                reason="one has no proof of the transparency log, as cosign 2 writes it: sign with cosign 3, "
                "or with --new-bundle-format"
            )
        if not signed.bundle:
            return Judgment()
        policy = _Policy(self)
        try:
            from sigstore.models import Bundle

            kind, payload = verifier.verify_dsse(Bundle.from_json(signed.bundle), policy)
            is_about = kind == IN_TOTO and states(json.loads(payload), signed.digest, signed.kind)
        except Exception as error:  # noqa: BLE001 - whatever a hostile bundle does to the library is no
            return Judgment(reason=policy.reason or f"sigstore refuses one: {quoted(str(error)) or 'it is damaged'}")
        return Judgment(signer=policy.signer) if is_about and policy.signer else Judgment()


class _Policy:
    """Who has to be in the certificate. The library asks it after it has verified the certificate's chain."""

    def __init__(self, wanted: Keyless) -> None:
        self._wanted = wanted
        self.signer = ""
        self.reason = ""

    def verify(self, cert: Certificate) -> None:
        """Raises sigstore's VerificationError for anybody else."""
        from sigstore.errors import VerificationError

        identity, issuer = _identity(cert), _issuer(cert)
        who = f"{quoted(identity)} (issuer {quoted(issuer)})"
        if (
            not identity
            or not issuer
            or not self._wanted.identity.fits(identity)
            or not self._wanted.issuer.fits(issuer)
        ):
            self.reason = f"one is by {who}"
            raise VerificationError("another identity")
        if (wanted := self._wanted.source) and not wanted.fits(source := _extension(cert, _SOURCE)):
            self.reason = f"one is by {who}, from the source {quoted(source) or 'that it does not state'}"
            raise VerificationError("another source")
        commit = quoted(_extension(cert, _COMMIT))
        self.signer = f"{who}, from commit {commit[:12]}" if commit else who


def _identity(certificate: Certificate) -> str:
    """The one name that a certificate of Fulcio has; '' of any other certificate."""
    from cryptography import x509

    try:
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ""
    if len(names) != 1:
        return ""
    [name] = names
    if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier):
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id.dotted_string == _USER_NAME:
        return _utf8(name.value)
    return ""


def _issuer(certificate: Certificate) -> str:
    return _extension(certificate, _ISSUER) or _extension(certificate, _ISSUER_OLD, read=_plain)


def _utf8(value: bytes) -> str:
    """The text of a UTF8String in DER; '' of what is none."""
    if len(value) < 2 or value[0] != _UTF8:
        return ""
    size, start = value[1], 2
    if size & _LONG:
        start += size ^ _LONG
        size = int.from_bytes(value[2:start])
    return _plain(value[start:]) if len(value) == start + size else ""


def _plain(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return ""


def _extension(certificate: Certificate, oid: str, *, read: Callable[[bytes], str] = _utf8) -> str:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(oid)).value
    except x509.ExtensionNotFound:
        return ""
    return read(found.value) if isinstance(found, x509.UnrecognizedExtension) else ""


@cache
def _verifier(root: TrustedRoot) -> Verifier:
    try:
        from sigstore.models import TrustedRoot as Root
        from sigstore.verify import Verifier
    except ImportError:
        raise ProgramError(
            "Signatures without a key cannot be verified: sigstore is not installed", hint=_INSTALL
        ) from None
    for library in ("sigstore", "tuf"):  # what they warn of is an error where it matters
        logging.getLogger(library).addHandler(logging.NullHandler())
    if not root.is_public:
        content = _packaged() if root.is_packaged else root.content
        try:
            with NamedTemporaryFile(prefix="gitops-ci-root-") as file:  # the library reads a root from a file only
                file.write(content)
                file.flush()
                return Verifier(trusted_root=Root.from_file(file.name))
        except Exception as error:  # noqa: BLE001 - the library has no one class for what is wrong with a file
            raise root.error(quoted(str(error))) from None
    try:
        return Verifier.production()
    except Exception as error:  # noqa: BLE001 - TUF, HTTP and files of the cache each have their own
        raise RegistryError(
            f"The public trusted root of sigstore cannot be fetched: {quoted(str(error))}",
            hint="Allow the job to reach tuf-repo-cdn.sigstore.dev. Or set trusted-root to packaged, the root in the "
            "installed library, or to a copy of the file.",
        ) from None


def _packaged() -> bytes:
    """The public root that the library brings. Its own offline mode prefers a file of the user's cache to that."""
    from importlib.resources import files
    from urllib.parse import quote

    try:
        return files("sigstore").joinpath("_store", quote(_PUBLIC, safe=""), "trusted_root.json").read_bytes()
    except OSError:
        raise ProgramError(
            "The installed version of sigstore contains no trusted root",
            hint="Set trusted-root to a trusted_root.json, or leave it out: the public root is then fetched.",
        ) from None


@cache
def _compiled(pattern: str) -> Any:
    try:
        import re2
    except ImportError:
        raise ProgramError(
            "Patterns of identities cannot be used: google-re2 is not installed", hint=_INSTALL
        ) from None
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise UsageError(
            f"{pattern!r} is not a pattern: {quoted(_words(error))}",
            hint="Write it in RE2's syntax, or use the text itself.",
        ) from None


def _words(error: Exception) -> str:
    """What RE2 says: its binding has it as bytes."""
    [said] = error.args or ("",)
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
