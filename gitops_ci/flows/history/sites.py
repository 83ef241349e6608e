"""The images of files, read once for each content: history shows the same files again and again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from gitops_ci import formats
from gitops_ci.errors import UsageError
from gitops_ci.flows.globs import is_manifest
from gitops_ci.flows.history.copied import CopiedVersions
from gitops_ci.flows.history.reuse import LastRead, Places
from gitops_ci.formats import ManifestText, env_file, helm_chart, jsonnet, pointer, quadlet, terraform
from gitops_ci.formats.pointer import Pointer
from gitops_ci.imageref import ImageRef
from gitops_ci.known_files import KPTFILE
from gitops_ci.model import ImageSite, Skip
from gitops_ci.plan.layers import Layers
from gitops_ci.yamltext import YamlError

__all__ = ["FileReader", "Names", "Use", "familiar", "is_readable"]

_SUFFIXES = (*terraform.SUFFIXES, *jsonnet.SUFFIXES, ".gotmpl", ".tmpl", ".tpl", ".j2")
_DOCUMENTATION = re.compile(
    r"\.(?:md|markdown|rst|adoc|txt|html?|svg|ipynb)\Z|(?:^|/)(?:README|CHANGELOG|LICENSE)[^/]*\Z", re.IGNORECASE
)
# What every place of an image has beside it, whatever the format: a file without any of it is not parsed.
_MAY_NAME = re.compile(rb"image|tag|version|digest|repository|gitops-ci:|parameters/\d", re.IGNORECASE)
_NO_PLACES = Places(())


class Use(NamedTuple):
    """One place of an image with a version. `name` is the normalized name, `line` counts from 1."""

    name: str
    tag: str | None
    digest: str | None
    line: int

    @property
    def version(self) -> str:
        return self.tag or self.digest or ""


def is_readable(path: str) -> bool:
    """Whether a file's name promises a format in which versions of images are found."""
    return (
        is_manifest(path)
        or path.endswith(_SUFFIXES)
        or env_file.is_env_file(path)
        or quadlet.is_unit(path)
        or path.rpartition("/")[2] == KPTFILE
    )


class FileReader:
    """Reads each content of a file once. `broken` are the contents that could not be read."""

    def __init__(self, copied: CopiedVersions, pointed: Callable[[str], tuple[Pointer, ...]]) -> None:
        self._copied = copied
        self._pointed = pointed
        self._known: dict[tuple[str, str], Places] = {}
        self._last: dict[str, LastRead] = {}
        self.broken: dict[tuple[str, str], Skip] = {}

    def read(self, path: str, blob: str, data: bytes) -> None:
        self._known[path, blob] = self._again(path, data) or self._parsed(path, blob, data)

    def places(self, path: str, blob: str) -> Places:
        """The places with a version, and those that only give a name to others."""
        return self._known.get((path, blob), _NO_PLACES)

    def parsed_sites(self) -> Iterator[ImageSite]:
        """All places that were ever read; one that differs in its version alone is not there again."""
        for sites in {id(places.parsed): places.parsed for places in self._known.values()}.values():
            yield from sites

    def _again(self, path: str, data: bytes) -> Places | None:
        """The places of a content that differs in nothing but versions from the one before of this file."""
        if (last := self._last.get(path)) is None:
            return None
        try:
            return last.followed_by(data.decode("utf-8"))
        except UnicodeDecodeError:
            return None

    def _parsed(self, path: str, blob: str, data: bytes) -> Places:
        may_name = bool(_MAY_NAME.search(data)) or self._copied.concern(path)
        pointers, is_parsed = self._pointed(path), may_name and is_readable(path) and not _DOCUMENTATION.search(path)
        if not (is_parsed or pointers) or b"\0" in data:
            return _NO_PLACES
        try:
            text = data.decode("utf-8")
            source = ManifestText(path, text)
            read = formats.find(source) if is_parsed else ()
            known = tuple(self._copied.among(source, (site for site in read if _counts(site))))
            found = (*known, *_pointed_at(source, pointers, known))
        except UnicodeDecodeError:
            self.broken[path, blob] = Skip(path, 0, "not UTF-8 text", "Store the file as UTF-8.")
        except YamlError as error:
            self.broken[path, blob] = Skip(path, error.line, f"cannot be read: {error.reason}", "Correct the YAML.")
        else:
            last = self._last[path] = LastRead(text, found)
            return last.places
        return _NO_PLACES


def _pointed_at(source: ManifestText, pointers: Iterable[Pointer], known: Iterable[ImageSite]) -> Iterator[ImageSite]:
    """The places that rules of the settings lead to, and no format has."""
    seen = {field.span for site in known for field in site.fields}
    for one in pointers:
        if one.image is None:
            continue
        try:
            found = [*pointer.find(source, one, one.image)]
        except UsageError:
            continue  # its regular expression does not match this content once
        yield from (site for site in found if _counts(site) and seen.isdisjoint(field.span for field in site.fields))


def _counts(site: ImageSite) -> bool:
    return not site.problem and site.format != helm_chart.ID and bool(site.fields)


class Names:
    """The names of places that have none of their own: values are laid over each other.

    `now` are the layers of the branch as it is; where they do not tell, whatever was read of its history does.
    """

    def __init__(self, now: Layers, ever: Layers) -> None:
        self._layers = (now, ever)
        self._known: dict[tuple[str, tuple[str, ...]], ImageRef | None] = {}
        self._of_parsed: dict[int, tuple[Use | None, ...]] = {}  # by the id of places, which live as long as the reader

    def uses(self, places: Places) -> tuple[Use, ...]:
        """The places that have a version, each with the name of its image."""
        key = id(places.parsed)
        if key not in self._of_parsed:
            self._of_parsed[key] = tuple(map(self._use, places.parsed))
        uses = [*self._of_parsed[key]]
        for number, image in places.images.items():
            if (use := uses[number]) is not None:
                uses[number] = Use(use.name, image.tag, image.digest, use.line)
        return tuple(filter(None, uses))

    def _use(self, site: ImageSite) -> Use | None:
        if not (site.image.tag or site.image.digest):
            return None
        name = site.image if site.image.repository else self._name(site)
        return Use(name.name, site.image.tag, site.image.digest, site.fields[0].span.line) if name else None

    def is_named(self, site: ImageSite) -> bool:
        return self._name(site) is not None

    def _name(self, site: ImageSite) -> ImageRef | None:
        key = site.layers, site.keys
        if key not in self._known:
            found = (layers.name(site) for layers in self._layers)
            self._known[key] = next((name for name in found if name), None)
        return self._known[key]


@lru_cache(maxsize=4096)
def familiar(name: str) -> str:
    """A normalized name as people write it."""
    image = ImageRef.try_parse(name)
    return name if image is None else ImageRef(image.registry, image.repository).familiar
