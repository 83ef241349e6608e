"""Whether a registry has the same image under another tag: `v1.3.0` beside `1.3.0`."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

from gitops_ci.errors import GitopsCiError
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.parallel import each
from gitops_ci.registry.remote import Remote

__all__ = ["TagTwins"]

_AT_ONCE = 8
_PATIENCE = 20.0  # seconds for all lookups of a run: a bump does not wait for a registry that is away


class TagTwins:
    """Answers from what is known, and remembers what was asked and is not: `learn` then asks the registries.

    Planning stays free of requests that way, and all images are looked up at once.
    """

    def __init__(self, access: Access, log: Log) -> None:
        self._access = access
        self._log = log
        self._known: dict[tuple[ImageRef, str], bool] = {}
        self._asked: set[tuple[ImageRef, str]] = set()

    def __call__(self, image: ImageRef, tag: str) -> bool:
        """Whether `tag` is the same image as `image`, as far as that is known."""
        self._asked.add((image, tag))
        return self._known.get((image, tag), False)

    def learn(self) -> bool:
        """Look up what was asked for and is not known; whether one of these is the same image."""
        new = sorted(self._asked - self._known.keys(), key=str)
        if not new:
            return False
        access = replace(self._access, deadline=time.monotonic() + _PATIENCE)
        for pair, same in zip(new, each(lambda one: self._is_same(*one, access), new, at_once=_AT_ONCE), strict=True):
            self._known[pair] = same
        return any(self._known[pair] for pair in new)

    def without(self) -> list[tuple[ImageRef, str]]:
        """What was asked for and is not the same image, or not known to be; each is given once."""
        asked, self._asked = sorted(self._asked, key=str), set()
        return [pair for pair in asked if not self._known.get(pair)]

    def _is_same(self, image: ImageRef, tag: str, access: Access) -> bool:
        try:
            account = credentials_for(image.registry, image.repository)
            with closing(Remote(image, account, access)) as remote:
                digest = image.digest or remote.digest(image.tag or "latest")
                return digest is not None and remote.digest(tag) == digest
        except GitopsCiError as error:
            self._log.detail(f"{image.familiar}:{tag} is not looked up: {error.message}")
            return False
