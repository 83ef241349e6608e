"""`docker-archive:FILE[:NAME]`, what `docker save`, kaniko's `--tar-path`, Nix and Bazel write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from gitops_ci.registry.base import Progress, Writer, platform_of
from gitops_ci.registry.connection import Access
from gitops_ci.registry.copy import copy
from gitops_ci.registry.derived import annotated, check_platform
from gitops_ci.registry.docker_archive import DockerArchive
from gitops_ci.registry.image_config import facts_of_config
from gitops_ci.registry.sources.base import ImageSource, Sent, no_index
from gitops_ci.registry.sources.stored import split_path
from gitops_ci.registry.tar import Tar

__all__ = ["Saved", "open_image"]


class Saved:
    """An image as `docker save` writes it, without a manifest until it is sent."""

    only: frozenset[str] | None = None

    def __init__(self, archive: DockerArchive, annotations: Mapping[str, str] | None = None) -> None:
        self.name = archive.name
        self.facts = facts_of_config(archive.config, archive.size)
        self._archive = archive
        self._annotations = annotations or {}

    def size(self) -> int:
        return self.facts.size

    def selected(self, platforms: Sequence[str]) -> Saved:
        if platforms:
            check_platform(self.name, platform_of(json.loads(self._archive.config)), platforms)
        return self

    def sparse(self, platforms: Sequence[str]) -> Saved:
        del platforms
        raise no_index(self.name)

    def annotated(self, annotations: Mapping[str, str]) -> Saved:
        return Saved(self._archive, annotations)

    def send(self, destination: Writer, tag: str, progress: Progress) -> Sent:
        del tag
        manifest = annotated(self._archive.compress(), self._annotations)
        return Sent(manifest, copy(self._archive, destination, manifest, progress))

    def send_referrers(self, destination: Writer, progress: Progress) -> int:
        del destination, progress
        return 0  # such an archive holds none


@contextmanager
def open_image(place: str, access: Access) -> Iterator[ImageSource]:
    del access
    path, wanted = split_path(place)
    with closing(Tar(path)) as tar, closing(DockerArchive(tar, f"docker-archive:{path}", wanted)) as archive:
        yield Saved(archive)
