"""What a format is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.model import ImageSite

__all__ = ["Format"]


class Format(Protocol):
    """A kind of manifest that names images: a module with an `ID` and a pure `find`."""

    ID: str

    def find(self, source: ManifestText) -> Iterator[ImageSite]:
        """Every place of this kind that names an image, in the order written.

        Raises:
            YamlError: the text cannot be read.
        """
        ...
