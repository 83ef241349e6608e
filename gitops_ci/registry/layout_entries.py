"""The images that the index of an OCI layout lists, and which of them a name means.

Sources: OCI image specification 1.1, `annotations.md` (`org.opencontainers.image.ref.name`: a tag, or a whole reference
as skopeo and buildah write it); containerd's `io.containerd.image.name`, which Docker Engines add to the tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.imageref import ImageRef
from gitops_ci.registry.base import Descriptor

__all__ = ["REF_NAME", "Entry", "ambiguous", "find_entry"]

REF_NAME = "org.opencontainers.image.ref.name"
_FULL_NAME = "io.containerd.image.name"


@dataclass(frozen=True, slots=True)
class Entry:
    """An image of a layout. `names` has the longest name first: `ghcr.io/acme/shop:1.4.2`, `1.4.2`."""

    descriptor: Descriptor
    names: tuple[str, ...]

    @classmethod
    def read(cls, item: Any) -> Entry:
        """Raises RegistryError for what is not a descriptor."""
        annotations = item.get("annotations") if isinstance(item, dict) else None
        annotated = annotations if isinstance(annotations, dict) else {}
        names = (str(annotated.get(key) or "") for key in (_FULL_NAME, REF_NAME))
        return cls(Descriptor.read(item), tuple(dict.fromkeys(name for name in names if name)))

    @property
    def tag(self) -> str:
        """The tag: what follows the last colon of a whole reference, or the name itself."""
        tag = self.names[-1].rpartition(":")[2] if self.names else ""
        return "" if "/" in tag else tag

    def is_called(self, reference: str) -> bool:
        """Whether a tag, a whole name or a digest means this image."""
        if reference in {self.descriptor.digest, self.tag, *self.names}:
            return True
        wanted = ImageRef.try_parse(reference)
        return wanted is not None and bool(wanted.tag) and wanted in map(ImageRef.try_parse, self.names)


def find_entry(entries: Iterable[Entry], reference: str, place: str) -> Entry | None:
    """The entry that a reference means. Raises RegistryError when several images are called so."""
    found = [entry for entry in entries if entry.is_called(reference)]
    if len({entry.descriptor.digest for entry in found}) > 1:
        raise ambiguous(f"{place} holds several images with the name '{reference}'", found, place)
    return found[0] if found else None


def ambiguous(message: str, entries: Sequence[Entry], place: str) -> RegistryError:
    """The refusal to choose among images, with a name or digest of each that chooses it."""
    digests: dict[str, set[str]] = {}
    for entry in entries:
        name = entry.names[0] if entry.names else ""
        digests.setdefault(name, set()).add(entry.descriptor.digest)
    names = sorted(name for name, of_it in digests.items() if name and len(of_it) == 1)
    others = sorted({digest for name, of_it in digests.items() if name not in names for digest in of_it})
    ways = (
        *([f"{place}:NAME with one of {', '.join(names)}"] if names else []),
        *([f"{place}@DIGEST with one of {', '.join(others)}"] if others else []),
    )
    return RegistryError(message, hint=f"Choose one: {', or '.join(ways)}.")
