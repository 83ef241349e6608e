"""The places of a content that differs from one already read in nothing but versions: found without parsing it.

Most commits of a config repository change a tag and nothing else. Parsing takes ten times as long as comparing lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import starmap

from gitops_ci.imageref import DIGEST, TAG, ImageRef
from gitops_ci.model import Field, ImageSite
from gitops_ci.tags import kind_of

__all__ = ["Parsed", "with_other_versions"]

# Such characters mean the same in every format, with and without quotes.
_SAFE = re.compile(r"[A-Za-z0-9](?:[\w.:/@-]*[A-Za-z0-9])?", re.ASCII)
_DIGIT = re.compile(r"[0-9]")
_MOST = 16  # changed lines


class Parsed:
    """A content, and the places that were found in it."""

    def __init__(self, text: str, sites: Sequence[ImageSite]) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.sites = tuple(sites)
        self.by_line: dict[int, list[tuple[int, int]]] = {}
        for number, site in enumerate(self.sites):
            for at, field in enumerate(site.fields):
                self.by_line.setdefault(field.span.line, []).append((number, at))


def with_other_versions(known: Parsed, text: str) -> tuple[ImageSite, ...] | None:
    """The places in `text`; None where more than versions differ, so that only parsing can tell."""
    lines = text.split("\n")
    if len(lines) != len(known.lines):
        return None
    differing = [at for at, (one, other) in enumerate(zip(known.lines, lines, strict=True)) if one != other]
    if len(differing) > _MOST:
        return None
    fields: dict[tuple[int, int], Field] = {}
    for at in differing:
        here = known.by_line.get(at + 1, ())
        if len(here) != 1:
            return None
        number, index = here[0]
        old = known.sites[number].fields[index]
        new = _value(known, old, known.lines[at], lines[at])
        if new is None or not _is_alike(old, new):
            return None
        fields[here[0]] = replace(old, text=new)
    return _rebuilt(known, fields)


def _value(known: Parsed, field: Field, old: str, new: str) -> str | None:
    """What stands in the place of a field on a line that is the same around it."""
    start = field.span.start - known.text.rfind("\n", 0, field.span.start) - 1
    end = start + field.span.end - field.span.start
    written, tail = old[start:end], old[end:]
    quote = written[: len(written) - len(written.lstrip("\"'"))][:1]
    if written != f"{quote}{field.text}{quote}" or field.key or field.anchor or field.spelling.outer:
        return None
    if new[:start] != old[:start] or not new.endswith(tail) or len(new) < start + len(tail):
        return None
    found = new[start : len(new) - len(tail)]
    inner = found[len(quote) : len(found) - len(quote)]
    return inner if found == f"{quote}{inner}{quote}" and _SAFE.fullmatch(inner) else None


def _is_alike(field: Field, new: str) -> bool:
    """Whether two values are of one kind to whatever reads them."""
    old = field.text
    # `null` is no value at all to YAML.
    if not all(_SAFE.fullmatch(text) and _DIGIT.search(text) and not _is_number(text) for text in (old, new)):
        return False
    return field.role == "digest" or kind_of(old.rpartition(":")[2]) == kind_of(new.rpartition(":")[2])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rebuilt(known: Parsed, fields: dict[tuple[int, int], Field]) -> tuple[ImageSite, ...] | None:
    moves = sorted(
        (known.sites[number].fields[at].span.start, len(field.text) - len(known.sites[number].fields[at].text))
        for (number, at), field in fields.items()
    )
    sites = []
    for number, site in enumerate(known.sites):
        if not moves or all(field.span.end <= moves[0][0] for field in site.fields):
            sites.append(site)
            continue
        now = [fields.get((number, at), field) for at, field in enumerate(site.fields)]
        image = site.image
        for old, new in zip(site.fields, now, strict=True):
            if new is not old and (image := _image(image, old, new.text)) is None:  # type: ignore[assignment]
                return None
        sites.append(replace(site, image=image, fields=tuple(starmap(_moved, ((field, moves) for field in now)))))
    return tuple(sites)


def _image(image: ImageRef, old: Field, new: str) -> ImageRef | None:
    """The image with another value of one field; None for a value that may mean more than that."""
    if old.role == "tag" and image.tag == old.text and TAG.fullmatch(new):
        return image.with_version(tag=new, digest=image.digest)
    if old.role == "digest" and image.digest == old.text and DIGEST.fullmatch(new):
        return image.with_version(tag=image.tag, digest=new)
    if old.role == "reference" and _reference(old.text) == image:
        found = _reference(new)
        return found if found and found.name == image.name and found.tag and not found.digest else None
    return None


_reference = lru_cache(maxsize=4096)(ImageRef.try_parse)


def _moved(field: Field, moves: Sequence[tuple[int, int]]) -> Field:
    """A field behind values that are longer or shorter now, without what only an edit needs."""
    span = field.span
    before = sum(change for start, change in moves if start < span.start)
    inside = sum(change for start, change in moves if span.start <= start < span.end)
    if not before and not inside:
        return field
    moved = replace(span, start=span.start + before, end=span.end + before + inside)
    return replace(field, span=moved, pair=None, removal=None)
