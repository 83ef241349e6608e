"""Whether images are in their registries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from gitops_ci.errors import GitopsCiError
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Skip
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.parallel import each
from gitops_ci.registry.remote import Remote

__all__ = ["ImageLookup"]

_AT_ONCE = 8


class ImageLookup:
    """Asks registries, each image once; `skipped` are those whose registry gave no answer."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.skipped: list[Skip] = []

    def __call__(self, images: Sequence[str]) -> Mapping[str, str]:
        """The images that are not there, with what to say of them. Texts that are no image are left to other rules."""
        asked = [(text, image) for text in images if (image := ImageRef.try_parse(text))]
        answers = each(self._answer, [image for _, image in asked], at_once=_AT_ONCE)
        for (text, _), answer in zip(asked, answers, strict=True):
            if isinstance(answer, GitopsCiError):
                self.skipped.append(Skip(text, 0, f"the image was not looked up: {answer.message}", answer.hint))
        return {
            text: f"{image.registry} has no {text}"
            for (text, image), answer in zip(asked, answers, strict=True)
            if answer is None
        }

    def _answer(self, image: ImageRef) -> str | GitopsCiError | None:
        try:
            with closing(Remote(image, credentials_for(image.registry, image.repository), self._access)) as remote:
                return remote.digest(image.digest or image.tag or "latest")
        except GitopsCiError as error:
            return error
