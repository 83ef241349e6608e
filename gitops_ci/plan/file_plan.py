"""The files worth reading, read: what was found in each of them, and what of it belongs to a wanted image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field, replace

from gitops_ci import formats
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.formats import ManifestText, helm_chart, markers, pointer
from gitops_ci.formats.pointer import Pointer
from gitops_ci.imageref import ImageRef
from gitops_ci.model import ImageSite, Skip, Span
from gitops_ci.plan.layers import Layers
from gitops_ci.plan.policy import BumpPolicy
from gitops_ci.plan.replacements import Replacements
from gitops_ci.plan.targets import Targets
from gitops_ci.yamltext import YamlError

__all__ = ["FileCandidates", "read"]

# Texts for people, which quote images and deploy none.
_DOCUMENTATION = re.compile(
    r"\.(?:md|markdown|rst|adoc|txt|html?|svg|ipynb)\Z|(?:^|/)(?:README|CHANGELOG|LICENSE)[^/]*\Z", re.IGNORECASE
)


@dataclass(slots=True)
class FileCandidates:
    """One file: all its sites, the selected ones with the image to write, and what cannot be edited."""

    source: ManifestText
    sites: list[ImageSite] = field(default_factory=list)
    meant: list[tuple[ImageSite, ImageRef]] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)

    def select(self, layers: Layers, wanted: Targets, policy: BumpPolicy) -> None:
        """The sites of wanted images; a version without a name gets it from the layers below, or from a policy."""
        places: set[Span] = set()
        for site in self.sites:
            if site.format == helm_chart.ID and not policy.app_version:
                continue
            name = site.image if site.image.repository else layers.name(site)
            spans = {field.span for field in site.fields}
            image = name and name.with_version(tag=site.image.tag, digest=site.image.digest)
            if image and site.fields and (target := wanted.of(image)) and (site.image.repository or not spans & places):
                places |= spans
                self.meant.append((replace(site, image=image), target))

    def add_pointers(self, pointers: Sequence[Pointer], wanted: Targets, first: ImageRef) -> None:
        """Add the values that pointers name; `first` is the image of pointers without one.

        Raises:
            UsageError: the regular expression of an `--at` does not match once.
        """
        for at in pointers:
            if at.path != self.source.path:
                continue
            name = at.image or first
            try:
                sites = [*pointer.find(self.source, at, name)]
            except YamlError as error:
                self.skipped.append(_unreadable(self.source, error))
                continue
            except UsageError as error:
                if at.image is None:
                    raise
                self.skipped.append(Skip(at.path, 0, error.message, error.hint, image=at.image.name))
                continue
            known = {field.span for site, _ in self.meant for field in site.fields}
            new = [site for site in sites if not known & {field.span for field in site.fields}]
            self.meant += [(site, (wanted.of(site.image) if at.image else None) or first) for site in new]
            if not sites:
                here = name.name if at.image else ""
                self.skipped.append(Skip(at.path, 0, f"{at.title}: there is no such value", failed=True, image=here))


def read(
    sources: Sequence[ManifestText], wanted: Targets, policy: BumpPolicy, replacements: Replacements
) -> list[FileCandidates]:
    """What is found in every file: the search brought along those that may hold a version and no name."""
    return [_look(source, wanted, policy, replacements) for source in sources]


def _look(source: ManifestText, wanted: Targets, policy: BumpPolicy, replacements: Replacements) -> FileCandidates:
    draft = FileCandidates(source)
    try:
        found = replacements.among(source.path, formats.find(draft.source, policy.formats))
        draft.sites += (site for site in found if not policy.formats or site.format in policy.formats)
        if not policy.formats and not _DOCUMENTATION.search(source.path):
            exempt = markers.exempt_lines(source.text)
            draft.skipped += (s for s in wanted.elsewhere(source, draft.sites) if s.line not in exempt)
    except YamlError as error:
        if wanted.first_line_with_name(source.text):
            draft.skipped.append(_unreadable(draft.source, error))
    return draft


def _unreadable(source: ManifestText, error: YamlError) -> Skip:
    reason = f"names the image and cannot be read: {error.reason}"
    return Skip(source.path, error.line, reason, "Correct the YAML; the file was not changed.", failed=True)
