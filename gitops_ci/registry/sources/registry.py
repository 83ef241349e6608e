"""`registry:REF`, an image that is in a registry already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from gitops_ci.imageref import ImageRef
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.remote import Remote
from gitops_ci.registry.sources.base import ImageSource
from gitops_ci.registry.sources.stored import find_image

__all__ = ["open_image"]


@contextmanager
def open_image(place: str, access: Access) -> Iterator[ImageSource]:
    ref = ImageRef.parse(place)
    with closing(Remote(ref, credentials_for(ref.registry, ref.repository), access)) as remote:
        yield find_image(remote, ref.digest or ref.tag or "latest")
