"""Versions that kustomizations copy into images: they count where they are written, and the placeholders do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitops_ci.formats import ManifestText, kustomize
from gitops_ci.model import ImageSite
from gitops_ci.plan.replacements import Copy, copies, places

__all__ = ["CopiedVersions"]


class CopiedVersions:
    """What the kustomizations of a branch copy now: so are earlier contents of the same files read."""

    def __init__(self, sources: Sequence[ManifestText] = ()) -> None:
        self._copies: dict[str, list[Copy]] = {}
        self._placeholders: dict[str, set[tuple[str, str | None]]] = {}
        for copy in copies(sources):
            for target in copy.tag.targets:
                self._placeholders.setdefault(target.path, set()).add((target.image.name, target.image.tag))
            for path in () if copy.tag.is_part else copy.holders:
                self._copies.setdefault(path, []).append(copy)

    def concern(self, path: str) -> bool:
        """Whether a file holds such a version."""
        return path in self._copies

    def among(self, source: ManifestText, sites: Iterable[ImageSite]) -> list[ImageSite]:
        """The places of a content: copied versions are the images' that get them."""
        copied = {
            (place.span, target.image.name): ImageSite(
                kustomize.ID, source.path, "", target.image.with_version(tag=place.text, digest=None), (place,)
            )
            for copy in self._copies.get(source.path, ())
            for place in places(copy, source)
            for target in copy.tag.targets
        }
        spans = {span for span, _ in copied}
        placeholders = self._placeholders.get(source.path, ())
        return [
            *copied.values(),
            *(
                site
                for site in sites
                if not spans & {field.span for field in site.fields}
                and (site.image.name, site.image.tag) not in placeholders
            ),
        ]
