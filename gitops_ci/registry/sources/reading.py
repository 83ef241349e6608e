"""An image that is only read: by its name in a registry, or in an OCI layout or archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError, UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.registry.base import Manifest
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.files import Folder
from gitops_ci.registry.layout import Layout
from gitops_ci.registry.remote import Remote
from gitops_ci.registry.sources.stored import no_image, split_place
from gitops_ci.registry.tar import Tar

__all__ = ["Found", "open_repository"]

_LAYOUTS = ("oci", "oci-archive")


@dataclass(frozen=True, slots=True)
class Found:
    """A place that images are read from, and what a name says of one of them: its tag, name or digest, or nothing."""

    reader: Layout | Remote
    wanted: str

    @property
    def tag(self) -> str | None:
        return None if not self.wanted or ":" in self.wanted else self.wanted

    @property
    def reference(self) -> str:
        """The image as it is named."""
        return f"{self.reader.name}{'@' if ':' in self.wanted else ':' if self.wanted else ''}{self.wanted}"

    def digest(self) -> str:
        """The digest of the image. Raises RegistryError when there is none."""
        if isinstance(self.reader, Layout) and not self.wanted:
            return self.reader.only().digest
        if (digest := self.reader.digest(self.wanted)) is None:
            raise no_image(self.reader, self.wanted)
        return digest

    def manifest(self) -> Manifest:
        """The manifest of the image. Raises RegistryError when there is none."""
        if isinstance(self.reader, Layout) and not self.wanted:
            return self.reader.only()
        if (manifest := self.reader.manifest(self.wanted)) is None:
            raise no_image(self.reader, self.wanted)
        return manifest


@contextmanager
def open_repository(text: str, access: Access) -> Iterator[Found]:
    """Open what `REF`, `registry:REF`, `oci:DIR[:NAME]` or `oci-archive:FILE[:NAME]` names.

    Raises:
        UsageError: it is none of them.
        RegistryError: it is not there.
    """
    kind, colon, place = text.partition(":")
    with ExitStack() as stack:
        if colon and kind in _LAYOUTS:
            if not place or "\0" in place:
                raise UsageError(f"'{text}' names no image", hint=f"Write {kind}:PATH, or {kind}:PATH:NAME.")
            path, wanted = split_place(place)
            files = Folder(path) if kind == "oci" else Tar(path)
            yield Found(stack.enter_context(closing(Layout(files, f"{kind}:{path}"))), wanted)
            return
        if colon and kind in {"docker", "docker-archive"} and not place.startswith("//"):
            raise RegistryError(
                f"{text} has no manifest yet, so it has no digest",
                hint="Push it, then name it in the registry. 'image push --dry-run' shows what would be pushed.",
            )
        ref = ImageRef.parse(text.removeprefix("registry:"))
        remote = Remote(ref, credentials_for(ref.registry, ref.repository), access)
        yield Found(stack.enter_context(closing(remote)), ref.digest or ref.tag or "latest")
