"""Tags that a kustomization copies from a ConfigMap: `replacements` with a delimiter, and `vars` (`shop:$(TAG)`).

The tag is edited where it is written: in the ConfigMap, in a literal of its generator, or in a file of variables. The
image that gets it is left alone, and reported where the tag cannot be edited.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.formats import ManifestText, env_file
from gitops_ci.formats.document import variables
from gitops_ci.formats.document.nodes import object_of
from gitops_ci.formats.kustomize import ID, Reach
from gitops_ci.imageref import TAG, ImageRef
from gitops_ci.model import Field, ImageSite
from gitops_ci.plan import kustomizations
from gitops_ci.plan.copied_tags import CopiedTag, copied_tags, items, may_copy, roots
from gitops_ci.yamltext import MappingNode, ScalarNode, SequenceNode, YamlError

__all__ = ["SHARED", "Copy", "Replacements", "copies", "needed", "places"]

# How the problem of a tag ends that several images get.
SHARED = "gets this tag, too"

_PATH = re.compile(r"\bpath:[ \t]*[\"']?([^\s\"'#]+)")
_DATA = {"ConfigMap": "data", "Secret": "stringData"}
_GENERATORS = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}


@dataclass(slots=True)
class _Value:
    """A place that holds a tag, and the images that get it."""

    path: str
    place: Field
    images: set[ImageRef] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Copy:
    """A tag that a kustomization copies, and the paths that may hold it; `files` are a generator's files among them."""

    tag: CopiedTag
    kustomization: str
    holders: tuple[str, ...]
    files: frozenset[str]


class Replacements:
    """The places of copied tags by file. `completed` are the images that get such a tag, as of `Layers.completed`."""

    def __init__(self, sources: Sequence[ManifestText]) -> None:
        self.completed: set[tuple[str, tuple[str, ...]]] = set()
        self._sites: dict[str, list[ImageSite]] = {}
        values: dict[tuple[str, int], _Value] = {}
        known = {source.path: source for source in sources}
        for copy in copies(sources):
            holders = (known[path] for path in copy.holders)
            self._add(copy, [(source.path, place) for source in holders for place in places(copy, source)], values)
        for value in values.values():
            self._add_value(value)

    def among(self, path: str, sites: Iterable[ImageSite]) -> list[ImageSite]:
        """The `sites` of a file, and the places of copied tags instead of what was found at these."""
        own = self._sites.get(path, [])
        spans = {place.span for site in own for place in site.fields}
        return [*own, *(site for site in sites if not spans & {place.span for place in site.fields})]

    def _add(self, copy: Copy, written: Sequence[tuple[str, Field]], values: dict[tuple[str, int], _Value]) -> None:
        tag = copy.tag
        where = ", ".join(f"{path}:{place.span.line}" for path, place in written) or "which is in none of its files"
        where = "a part of it" if tag.is_part else where
        problem = f"{copy.kustomization} takes its tag from {tag.key} of {tag.kind} {tag.name} ({where})"
        keys = (f"{tag.kind}/{tag.name}", tag.key)
        for target in tag.targets:
            fields, image = (target.field,), target.image
            site = ImageSite(ID, target.path, target.resource, image, fields, problem=problem, variable=keys)
            self._sites.setdefault(target.path, []).append(site)
            if written and not tag.is_part:
                self.completed.add((variables.layer(target.path), keys))
                for path, place in written:
                    value = values.setdefault((path, place.span.start), _Value(path, place))
                    value.images.add(image.with_version(tag=None, digest=None))

    def _add_value(self, value: _Value) -> None:
        for image in sorted(value.images, key=str):
            others = sorted(other.familiar for other in value.images - {image})
            problem = f"{others[0]} {SHARED}" if others else ""
            here = image.with_version(tag=value.place.text, digest=None)
            site = ImageSite(ID, value.path, "", here, (value.place,), problem=problem)
            self._sites.setdefault(value.path, []).append(site)


def needed(sources: Sequence[ManifestText]) -> set[str]:
    """The files that may hold the tags which kustomizations copy: those that they build, and those of generators."""
    starts = [source for source in sources if may_copy(source)]
    reach = Reach(sources if starts else ())
    found = {path for start in starts for path in reach.files(start.path)}
    for start in starts:
        folder = posixpath.dirname(start.path)
        found |= {posixpath.normpath(posixpath.join(folder, path)) for path in _PATH.findall(start.text)}
        for source in (start, *(s for s in sources if reach.leads(s.path, start.path))):
            found |= {path for _, files in kustomizations.generated(source) for path in files}
    return found


def copies(sources: Sequence[ManifestText]) -> Iterator[Copy]:
    """The tags that kustomizations copy, with the files that may hold them."""
    starts = [source for source in sources if may_copy(source)]
    reach = Reach(sources if starts else ())
    for start in starts:
        built = [s for s in sources if reach.builds(start.path, s.path) or reach.leads(start.path, s.path)]
        # An overlay may replace what a base's ConfigMap holds.
        holders = [*built, *(s for s in sources if s not in built and reach.leads(s.path, start.path))]
        for tag in copied_tags(start, sources, built):
            listed = (
                paths for source in holders for name, paths in kustomizations.generated(source) if name == tag.name
            )
            files = frozenset(path for paths in listed for path in paths)
            paths = dict.fromkeys(s.path for s in (*holders, *(s for s in sources if s.path in files)))
            yield Copy(tag, start.path, tuple(paths), files)


def places(copy: Copy, source: ManifestText) -> Iterator[Field]:
    """Where a file writes a copied tag."""
    tag = copy.tag
    for root in (root for root in roots(source) if isinstance(root, MappingNode)):
        what = object_of(root)
        data = root.get(_DATA.get(tag.kind, ""))
        if what and (what.kind, what.name) == (tag.kind, tag.name) and isinstance(data, MappingNode):
            yield from _entry(tag, source, data)
        for item in items(root.get(_GENERATORS.get(tag.kind, ""))):
            if item.text("name") == tag.name:
                yield from _literals(tag, source, item)
    if source.path in copy.files:
        for site in env_file.find(source):
            if site.keys == (tag.key,):
                yield site.fields[0]


def _entry(tag: CopiedTag, source: ManifestText, data: MappingNode) -> Iterator[Field]:
    try:
        entry = source.entries(data).get(tag.key)
    except YamlError:
        return  # merge keys without end, which whoever reads the file for its images reports
    place = source.field("tag", entry) if entry else None
    if place and TAG.fullmatch(place.text):
        yield place


def _literals(tag: CopiedTag, source: ManifestText, item: MappingNode) -> Iterator[Field]:
    listed = item.get("literals")
    for literal in listed.items if isinstance(listed, SequenceNode) else ():
        if isinstance(literal, ScalarNode) and literal.value.startswith(f"{tag.key}="):
            place = source.part_field("tag", literal, len(tag.key) + 1, len(literal.value))
            if place and TAG.fullmatch(place.text):
                yield place
