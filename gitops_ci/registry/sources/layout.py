"""`oci:DIR[:NAME]`, an OCI image layout: what `buildx --output type=oci,tar=false`, buildah, ko and Bazel write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gitops_ci.registry.connection import Access
from gitops_ci.registry.files import Folder
from gitops_ci.registry.layout import Layout
from gitops_ci.registry.sources.base import ImageSource
from gitops_ci.registry.sources.stored import find_image, split_place

__all__ = ["open_image"]


@contextmanager
def open_image(place: str, access: Access) -> Iterator[ImageSource]:
    del access
    folder, wanted = split_place(place)
    yield find_image(Layout(Folder(folder), f"oci:{folder}"), wanted)
