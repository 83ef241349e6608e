"""The places of a content that differs from the one before in nothing but versions: found without parsing it.

Most commits of a config repository change a tag and nothing else. Parsing takes 30 times as long as comparing lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from gitops_ci.imageref import DIGEST, TAG, ImageRef
from gitops_ci.model import Field, ImageSite, Span
from gitops_ci.tags import kind_of

__all__ = ["LastRead", "Places"]

# Such characters mean the same in every format, with and without quotes.
_SAFE = re.compile(r"[A-Za-z0-9](?:[\w.:/@-]*[A-Za-z0-9])?", re.ASCII)
_DIGIT = re.compile(r"[0-9]")
_MOST = 16  # changed lines
_OF_VERSIONS = frozenset({"tag", "digest", "reference"})
_NO_IMAGES: Mapping[int, ImageRef] = MappingProxyType({})


class Places(NamedTuple):
    """The places of a content: those of one that was parsed, some of them (by number) with other images."""

    parsed: tuple[ImageSite, ...]
    images: Mapping[int, ImageRef] = _NO_IMAGES

    def sites(self) -> tuple[ImageSite, ...]:
        """The places as parsing would find them, without what only an edit needs."""
        moves: list[tuple[int, int]] = []
        for number, image in self.images.items():
            site = self.parsed[number]
            moves += ((one.span.start, len(_text(one, site.image, image)) - len(one.text)) for one in site.fields)
        if not moves:
            return self.parsed
        return tuple(self._site(number, site, moves) for number, site in enumerate(self.parsed))

    def _site(self, number: int, site: ImageSite, moves: Sequence[tuple[int, int]]) -> ImageSite:
        image = self.images.get(number, site.image)
        return ImageSite(
            site.format, site.path, site.resource, image,
            tuple(_moved(field, _text(field, site.image, image), moves) for field in site.fields),
            site.default, site.problem, site.layers, site.keys, site.variable,
        )  # fmt: skip


class _Version(NamedTuple):
    """The version of a site on a line, and what stands around it. `name` precedes it in the field of a reference."""

    site: int
    head: str
    tail: str
    name: str
    kind: str | None  # None of a digest


class LastRead:
    """The content of a file that was read last, and its places."""

    def __init__(self, text: str, sites: Sequence[ImageSite]) -> None:
        self.places = Places(tuple(sites))
        self._lines = text.split("\n")
        self._by_line: dict[int, list[tuple[int, Field]]] = {}
        self._versions: dict[int, _Version | None] = {}
        for number, site in enumerate(self.places.parsed):
            for field in site.fields:
                self._by_line.setdefault(field.span.line - 1, []).append((number, field))

    def followed_by(self, text: str) -> Places | None:
        """The places of the next content; None where more than versions differ, so that only parsing can tell."""
        lines = text.split("\n")
        if len(lines) != len(self._lines):
            return None
        differing = [at for at, (one, other) in enumerate(zip(self._lines, lines, strict=True)) if one != other]
        if len(differing) > _MOST:
            return None
        images = {**self.places.images}
        for at in differing:
            version = self._version(at)
            found = None if version is None else _found(version, lines[at])
            if version is None or found is None:
                return None
            image = images.get(version.site) or self.places.parsed[version.site].image
            tag, digest = (image.tag, found) if version.kind is None else (found, image.digest)
            images[version.site] = image.with_version(tag=tag, digest=digest)
        self._lines = lines
        self.places = Places(self.places.parsed, images)
        return self.places

    def _version(self, at: int) -> _Version | None:
        if at not in self._versions:
            here = self._by_line.get(at, ())
            # Before its first change a line is as it was parsed.
            self._versions[at] = self._on_line(self._lines[at], *here[0]) if len(here) == 1 else None
        return self._versions[at]

    def _on_line(self, line: str, number: int, field: Field) -> _Version | None:
        """What may change on a line; None where a change may mean more than another version."""
        site, text = self.places.parsed[number], field.text
        start = field.span.column - 1
        end = start + field.span.end - field.span.start
        written = line[start:end]
        quote = written[: len(written) - len(written.lstrip("\"'"))][:1]
        if written != f"{quote}{text}{quote}" or field.key or field.anchor or field.spelling.outer:
            return None
        alike = [
            one
            for one in site.fields
            if one.role in _OF_VERSIONS and (one.role == "digest") == (field.role == "digest")
        ]
        if alike != [field] or not _is_plain(text):
            return None
        head, tail = line[:start] + quote, quote + line[end:]
        if field.role == "digest" and site.image.digest == text:
            return _Version(number, head, tail, "", None)
        if field.role == "tag" and site.image.tag == text:
            return _Version(number, head, tail, "", _kind(text))
        name, colon, tag = text.rpartition(":")
        if field.role != "reference" or not colon or tag != site.image.tag or site.image.digest:
            return None
        named = ImageRef.try_parse(name)
        return _Version(number, head, tail, f"{name}:", _kind(tag)) if named and named.same_image(site.image) else None


def _text(field: Field, old: ImageRef, new: ImageRef) -> str:
    """What a field holds when the image of its site is a new one."""
    was, now = (old.digest, new.digest) if field.role == "digest" else (old.tag, new.tag)
    if was is None or now is None or was == now or field.role not in _OF_VERSIONS:
        return field.text
    return field.text.removesuffix(was) + now


def _found(version: _Version, line: str) -> str | None:
    """The version on a line that is the same around it, and of the same kind to whatever reads it."""
    head, tail = version.head + version.name, version.tail
    if not (line.startswith(head) and line.endswith(tail) and len(line) >= len(head) + len(tail)):
        return None
    found = line[len(head) : len(line) - len(tail)]
    if not _is_plain(version.name + found):
        return None
    if version.kind is None:
        return found if DIGEST.fullmatch(found) else None
    return found if TAG.fullmatch(found) and _kind(found) == version.kind else None


_kind = lru_cache(maxsize=4096)(kind_of)


@lru_cache(maxsize=4096)
def _is_plain(text: str) -> bool:
    """Whether it is a text in every format; `null` is not a value at all to YAML."""
    return bool(_SAFE.fullmatch(text) and _DIGIT.search(text)) and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _moved(field: Field, text: str, moves: Sequence[tuple[int, int]]) -> Field:
    """A field with this text, behind values that are longer or shorter now, without what only an edit needs."""
    span = field.span
    before = sum(change for start, change in moves if start < span.start)
    inside = sum(change for start, change in moves if span.start <= start < span.end)
    moved = Span(span.start + before, span.end + before + inside, span.line, span.column)
    return Field(field.role, moved, text, field.spelling, field.key, None, None, field.anchor)
