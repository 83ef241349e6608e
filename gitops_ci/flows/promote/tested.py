"""Whether what is promoted is what was tested: the digest that the source ran is the one that the registry has."""

from __future__ import annotations

from contextlib import closing

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.flows.image.push import PushRequest, push_image
from gitops_ci.flows.promote.gates import Question
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Gate, Log
from gitops_ci.registry.base import Silent
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.remote import Remote

__all__ = ["Registry"]

_SKIP = "--skip-gate source-agrees with --reason promotes without asking it."


@dataclass(slots=True)
class Registry:
    """Asks registries. `copies`: an image that the target's registry lacks is copied there, except in a dry run."""

    access: Access
    log: Log
    copies: bool = False
    is_dry_run: bool = False

    def check(self, question: Question) -> tuple[Gate, ImageRef]:
        """The gate, and the image to write: with the digest that the source ran, else that of the registry now.

        Raises:
            RegistryError: the image is not there, or its registry does not answer.
        """
        one = question.candidate
        source = ImageRef.parse(one.name).with_version(tag=one.tag, digest=one.digest)
        now = self._digest(source)
        if now is None:
            raise RegistryError(
                f"{source.with_version(tag=one.tag, digest=None if one.tag else one.digest)} is not in its registry",
                hint=f"Push the image that {one.environment} runs again, under its digest. {_SKIP}",
            )
        if one.digest and now != one.digest:
            reason = f"the tag {one.tag} was moved: {one.environment} ran {one.digest}, the registry has {now}"
            return question.gate("source-agrees", "closed", reason), question.wanted
        wanted = question.image.with_version(tag=one.tag, digest=now)
        if wanted.name != source.name:
            there = self._digest(wanted)
            if there is None:
                self._copy(source.with_version(tag=one.tag, digest=now), wanted)
            elif there != now:
                reason = f"{wanted.familiar} {one.tag} is {there}, and {one.environment} ran {now}"
                return question.gate("source-agrees", "closed", reason), wanted
        return question.gate("source-agrees"), wanted

    def _digest(self, image: ImageRef) -> str | None:
        """What the tag names now; of an image without a tag whether the digest is there."""
        try:
            account = credentials_for(image.registry, image.repository)
            with closing(Remote(image, account, self.access)) as remote:
                return remote.digest(image.tag or image.digest or "latest")
        except RegistryError as error:
            error.hint = f"{error.hint} {_SKIP}".lstrip()
            raise

    def _copy(self, source: ImageRef, wanted: ImageRef) -> None:
        if not self.copies or not wanted.tag:
            raise RegistryError(
                f"{wanted.registry} does not have {wanted.with_version(tag=wanted.tag, digest=None)}",
                hint=f"--copy copies it from {source.registry}, or `gitops-ci image copy` before.",
            )
        to = f"{ImageRef(wanted.registry, wanted.repository)}:{wanted.tag}"
        by_digest = source.with_version(tag=None, digest=source.digest)
        request = PushRequest(f"registry:{by_digest}", to, dry_run=self.is_dry_run, access=self.access)
        push_image(request, self.log, Silent())
        self.log.step(f"{'would copy' if self.is_dry_run else 'copied'} {source} to {wanted.registry}")
