"""`docker:NAME`, or just a name: an image in a Docker Engine, which pushes it itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from tempfile import NamedTemporaryFile

from gitops_ci.errors import RegistryError
from gitops_ci.imageref import ImageRef
from gitops_ci.registry.base import Progress, Writer
from gitops_ci.registry.connection import Access
from gitops_ci.registry.copy import Copied
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.derived import check_platform
from gitops_ci.registry.engine import Engine, EngineImage
from gitops_ci.registry.image_config import ImageConfig
from gitops_ci.registry.remote import Remote
from gitops_ci.registry.sources.base import ImageSource, Sent, no_index

__all__ = ["open_image"]

_MOST_ORIGINS = 3  # an image has one, and one more for each repository it was pushed to
_PATIENCE = 5.0  # seconds for a question that may stay without an answer


class InEngine:
    """One image of an Engine."""

    only: frozenset[str] | None = None

    def __init__(self, engine: Engine, image: EngineImage, access: Access, stack: ExitStack, *, whole: bool) -> None:
        """`whole`: the Engine keeps images as registries do, and the id is the digest that the image has there.

        `stack` closes what is opened for the image.
        """
        self._stack = stack
        self.name = f"docker:{image.name}"
        digest, content = (image.id, None) if whole else (None, image.id)
        self.facts = ImageConfig(digest, content, image.labels, image.created, image.size)
        self._whole = whole
        self._engine = engine
        self._access = access
        self._image = image
        self._annotations: Mapping[str, str] = {}

    def size(self) -> int:
        return self.facts.size

    def selected(self, platforms: Sequence[str]) -> ImageSource:
        if self._whole:
            _refuse_absent(self._image, self._engine.absent_platforms(self._image))
            # An Engine does not push one of several platforms.
            return self._exported().selected(platforms) if platforms else self
        if platforms:
            check_platform(self.name, self._image.platform, platforms)
        elif self._image.origins:
            _refuse_part(self._image, self._access)
        return self

    def sparse(self, platforms: Sequence[str]) -> ImageSource:
        if self._whole:
            return self._exported().sparse(platforms)
        raise no_index(self.name)

    def annotated(self, annotations: Mapping[str, str]) -> ImageSource:
        if annotations and self._whole:
            return self._exported().annotated(annotations)  # only the manifest itself shows its new digest
        self._annotations = annotations
        return self

    def send(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        # An Engine pushes its own manifest, without annotations, under a tag that could not move any more.
        if self._annotations or not isinstance(destination, Remote):
            return self._exported().annotated(self._annotations).send(destination, tag, progress)
        # Denied is found out now: an Engine keeps trying for most of a minute before it says so.
        destination.may_push()
        target = ImageRef.parse(destination.address(tag))
        digest = self._engine.push(
            self._image, target, destination.credential, progress, deadline=self._access.deadline
        )
        manifest = destination.manifest(digest)
        if manifest is None:
            raise RegistryError(
                f"{target} was pushed as {digest}, and {destination.registry} does not have it",
                hint="Check that this address is the same registry for the Docker Engine and for gitops-ci.",
            )
        return Sent(manifest, Copied(size=self._image.size), tag)

    def send_referrers(self, destination: Writer, progress: Progress) -> int:
        del destination, progress
        return 0  # an Engine keeps none

    def _exported(self) -> ImageSource:
        """The image in a file, as `docker save` writes it; the file goes when the Engine is closed."""
        from gitops_ci.registry.docker_archive import DockerArchive
        from gitops_ci.registry.layout import Layout
        from gitops_ci.registry.sources.docker_archive import Saved
        from gitops_ci.registry.sources.stored import find_image
        from gitops_ci.registry.tar import Tar

        archive = NamedTemporaryFile(prefix="gitops-ci-image-", suffix=".tar")  # noqa: SIM115 - as long as the Engine
        file = self._stack.enter_context(archive)
        for chunk in self._engine.export(self._image):
            file.write(chunk)
        file.flush()
        if self._whole:
            return find_image(self._stack.enter_context(closing(Layout(Tar(file.name), self.name))), self._image.id)
        return Saved(self._stack.enter_context(closing(DockerArchive(Tar(file.name), self.name))))


@contextmanager
def open_image(place: str, access: Access) -> Iterator[ImageSource]:
    with closing(Engine()) as engine, ExitStack() as stack:
        image = engine.inspect(place)
        yield InEngine(engine, image, access, stack, whole=engine.keeps_indexes())


def _refuse_absent(image: EngineImage, platforms: tuple[str, ...]) -> None:
    """Stop where an Engine would push one platform under the tag of all, because it does not hold the others."""
    if platforms:
        origin = next(iter(image.origins), image.name)
        raise RegistryError(
            f"docker:{image.name} has several platforms, and the Docker Engine does not hold {', '.join(platforms)}",
            hint=f"registry:{origin} copies the whole image, or fetch the rest with docker pull --platform.",
        )


def _refuse_part(image: EngineImage, access: Access) -> None:
    """Stop where an Engine has one platform of an image that had several where it was pulled from.

    Pushed from there it would be another image, for that platform only, under the tag of the whole one.
    """
    for origin in image.origins[:_MOST_ORIGINS]:
        ref = ImageRef.try_parse(origin)
        if ref is None or ref.digest is None:
            continue
        hurry = replace(access, deadline=time.monotonic() + _PATIENCE)
        try:
            with closing(Remote(ref, credentials_for(ref.registry, ref.repository), hurry)) as remote:
                found = remote.manifest(ref.digest)
        except RegistryError:
            continue  # whoever cannot be asked cannot be in the way: the Engine has what it has
        if found is not None and found.is_index:
            platforms = ", ".join(child.platform for child in found.children if child.platform != "unknown/unknown")
            raise RegistryError(
                f"docker:{image.name} is one platform of {origin}, which has {platforms}",
                hint=f"The Docker Engine keeps one of them only. registry:{origin} copies the whole image. "
                f"To push the part that is here: --platform {image.platform or 'linux/amd64'}.",
            )
