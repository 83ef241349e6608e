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
    """Asks registries, each image once; `skipped` are those whose registry gave no answer.

    Versions of `without` are not asked for: whoever asks brings them.
    """

    def __init__(self, access: Access, without: Sequence[ImageRef] = ()) -> None:
        self._access = access
        self._without = {(image.name, image.tag) for image in without}
        self._answers: dict[ImageRef, str | GitopsCiError | None] = {}
        self.skipped: list[Skip] = []

    def __call__(self, images: Sequence[str]) -> Mapping[str, str]:
        """The images that are not there, with what to say of them. Texts that are no image are left to other rules."""
        asked = [(text, image) for text in images if (image := ImageRef.try_parse(text)) and not self._is_own(image)]
        new = list(dict.fromkeys(image for _, image in asked if image not in self._answers))
        self._answers.update(zip(new, each(self._answer, new, at_once=_AT_ONCE), strict=True))
        for text, image in asked:
            if isinstance(answer := self._answers[image], GitopsCiError):
                self.skipped.append(Skip(text, 0, f"the image was not looked up: {answer.message}", answer.hint))
        return {text: f"{image.registry} has no {text}" for text, image in asked if self._answers[image] is None}

    def _is_own(self, image: ImageRef) -> bool:
        return (image.name, image.tag) in self._without

    def _answer(self, image: ImageRef) -> str | GitopsCiError | None:
        try:
            with closing(Remote(image, credentials_for(image.registry, image.repository), self._access)) as remote:
                return remote.digest(image.digest or image.tag or "latest")
        except GitopsCiError as error:
            return error
