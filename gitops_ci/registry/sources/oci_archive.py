"""`oci-archive:FILE[:NAME]`, an OCI image layout in a tar archive: what `buildx --output type=oci` writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from gitops_ci.registry.connection import Access
from gitops_ci.registry.layout import Layout
from gitops_ci.registry.sources.base import ImageSource
from gitops_ci.registry.sources.stored import find_image, split_place
from gitops_ci.registry.tar import Tar

__all__ = ["open_image"]


@contextmanager
def open_image(place: str, access: Access) -> Iterator[ImageSource]:
    del access
    path, wanted = split_place(place)
    with closing(Layout(Tar(path), f"oci-archive:{path}")) as layout:
        yield find_image(layout, wanted)
