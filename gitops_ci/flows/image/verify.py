"""Verify that images are signed before they are deployed. What cannot be verified is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from fnmatch import fnmatchcase

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError, UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log, Outcome, PushedTag, VerifiedImage
from gitops_ci.registry.base import Reader
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.public_key import PublicKey
from gitops_ci.registry.remote import Remote
from gitops_ci.registry.signatures import SIGNATURE, Signer, signatures_of
from gitops_ci.registry.sources.reading import open_repository

__all__ = ["Rule", "Verification", "verify_image"]

_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """Images whose name fits the glob need a statement of each kind, signed by one of the signers."""

    images: str
    signers: tuple[Signer, ...]
    kinds: tuple[str, ...] = (SIGNATURE,)

    def covers(self, image: ImageRef) -> bool:
        return any(fnmatchcase(name, self.images.lower()) for name in image.spellings)


@dataclass(frozen=True, slots=True)
class Verification:
    """The rules for images. An image has to satisfy every rule that covers it."""

    rules: tuple[Rule, ...] = ()

    def covers(self, image: ImageRef) -> bool:
        return any(rule.covers(image) for rule in self.rules)

    def prepare(self, images: Iterable[ImageRef]) -> None:
        """Raises what every check of one of these images would raise, before anything is published."""
        found = {signer for image in images for rule in self.rules if rule.covers(image) for signer in rule.signers}
        for signer in found:
            signer.prepare()

    def check(
        self, images: Iterable[ImageRef], access: Access, log: Log, *, known_as: ImageRef | None = None
    ) -> tuple[VerifiedImage, ...]:
        """Verify the images that a rule covers; `known_as` is their name in manifests, where that is another one.

        Raises:
            FindingsError: an image is not signed as its rules say.
            RegistryError: an image, or its signatures, cannot be read.
        """
        found: list[VerifiedImage] = []
        for image in images:
            rules = [rule for rule in self.rules if rule.covers(image) or (known_as and rule.covers(known_as))]
            if not rules:
                continue
            account = credentials_for(image.registry, image.repository)
            with closing(Remote(image, account, access)) as remote:
                digest = image.digest or remote.digest(image.tag or "latest")
                if digest is None:
                    raise FindingsError(
                        f"{image} is not in its registry, so its signature cannot be verified",
                        hint="Push and sign the image first: release --after-push 'cosign sign {reference}'.",
                    )
                found += [one for rule in rules for one in _signed(remote, str(image), image.tag, digest, rule)]
        for one in found:
            log.step(f"{one.reference} is signed by {one.statement}")
        return tuple(dict.fromkeys(found))


def verify_image(text: str, given: Rule | None, policy: Verification, access: Access, log: Log) -> Outcome:
    """Verify one image, by the rule that is given, else by those that cover it.

    Raises:
        UsageError: there is neither.
        FindingsError: it is not signed.
        RegistryError: it is not there, or cannot be read.
    """
    with open_repository(text, access) as found:
        digest = found.digest()
        ref = ImageRef.try_parse(text.removeprefix("registry:"))
        rules = [given] if given else [rule for rule in policy.rules if ref and rule.covers(ref)]
        if not rules:
            raise UsageError(
                f"No signer is given for {text}",
                hint="Give --key cosign.pub, or --identity and --issuer, or write verify: into .gitops-ci.yaml.",
            )
        name, tag = found.reference, found.tag
        verified = [one for rule in rules for one in _signed(found.reader, name, tag, digest, rule)]
    log.detail(f"{found.reference} is {digest}")
    image = PushedTag(found.reference, found.tag, digest, "present")
    return Outcome("image verify", "unchanged", images=(image,), verified=tuple(dict.fromkeys(verified)))


def _signed(reader: Reader, name: str, tag: str | None, digest: str, rule: Rule) -> Iterator[VerifiedImage]:
    """A statement of each kind that the rule requires. Raises FindingsError when there is none."""
    for kind in rule.kinds:
        signer, found_in = _signer(reader, digest, rule.signers, kind, name)
        yield VerifiedImage(name, tag, digest, signer, found_in, "" if kind == SIGNATURE else kind)


def _signer(reader: Reader, digest: str, signers: Sequence[Signer], kind: str, name: str) -> tuple[str, str]:
    """Who of the signers signed a statement of the kind, and where it is. Raises FindingsError when nobody did."""
    others = 0
    reasons: dict[str, None] = {}
    for signed in signatures_of(reader, digest, kind):
        for signer in signers:
            found = signer.judge(signed)
            if found.signer:
                return found.signer, signed.found_in
            reasons |= {found.reason: None} if found.reason else {}
        others += 1
    wanted = " or ".join(map(str, signers))
    one, several, deed = ("signature", "signatures of it", "is not signed by")
    if kind != SIGNATURE:
        one, several, deed = (f"attestation {kind}", "such attestations of it", f"has no attestation {kind} by")
    what = f"{others} {several} are by somebody else" if others else f"it has no {one}"
    shown = name if digest in name else f"{name} ({digest})"
    raise FindingsError(
        f"{shown} {deed} {wanted}: {'; '.join((what, *list(reasons)[:_MOST_REASONS]))}",
        hint=f"Sign it: {_command(signers, kind)} {reader.name}@{digest}. Do not deploy it before.",
    )


def _command(signers: Sequence[Signer], kind: str) -> str:
    key = " --key cosign.key" if any(isinstance(signer, PublicKey) for signer in signers) else ""
    return f"cosign sign{key}" if kind == SIGNATURE else f"cosign attest{key} --type {kind} --predicate FILE"
