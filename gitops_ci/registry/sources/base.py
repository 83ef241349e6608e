"""What an image is that can be sent somewhere, whatever it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import Manifest, Progress, Writer
from gitops_ci.registry.copy import Copied
from gitops_ci.registry.image_config import ImageConfig

__all__ = ["ImageSource", "Sent", "no_index"]


@dataclass(frozen=True, slots=True)
class Sent:
    """An image that was sent: its manifest is there under `tag`, or the only thing still to be stored."""

    manifest: Manifest
    copied: Copied
    tag: str = ""


class ImageSource(Protocol):
    """An image that can be sent somewhere. It knows what it is before anything is sent. Raises RegistryError."""

    name: str
    facts: ImageConfig
    only: frozenset[str] | None  # of an index, the digests of the manifests that are sent; None: all of them

    def size(self) -> int:
        """The bytes of all that the image consists of. Raises RegistryError where a part of it is missing."""

    def selected(self, platforms: Sequence[str]) -> ImageSource:
        """The image for these platforms only, for all of its platforms where none is named.

        Raises:
            RegistryError: it does not have them.
        """

    def sparse(self, platforms: Sequence[str]) -> ImageSource:
        """The whole index, of which these platforms are sent. Raises RegistryError where it does not have them."""

    def annotated(self, annotations: Mapping[str, str]) -> ImageSource:
        """The image with these annotations on its manifest or index, whose digest is another one then."""

    def send(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        """Store all of the image but its tags; `tag` is one that it gets anyway, for ways of sending that need one."""

    def send_referrers(self, destination: Writer, progress: Progress) -> int:
        """Store what refers to the image (signatures, attestations); how many manifests that were."""


def no_index(name: str) -> RegistryError:
    """The refusal to send a part of what has one platform."""
    return RegistryError(f"{name} has one platform and no index", hint="Leave --sparse out.")
