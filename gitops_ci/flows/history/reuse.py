"""The places of a content that differs from one already read in nothing but versions: found without parsing it.

Most commits of a config repository change a tag and nothing else. Parsing takes ten times as long as comparing lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from gitops_ci.imageref import DIGEST, TAG, ImageRef
from gitops_ci.model import Field, ImageSite, Span
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
    texts: dict[tuple[int, int], str] = {}
    for at in differing:
        here = known.by_line.get(at + 1, ())
        if len(here) != 1:
            return None
        number, index = here[0]
        old = known.sites[number].fields[index]
        new = _value(known, old, known.lines[at], lines[at])
        if new is None or not _is_alike(old, new):
            return None
        texts[here[0]] = new
    return _rebuilt(known, texts)


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
    if not (_is_plain(old) and _is_plain(new)):
        return False
    return field.role == "digest" or _kind(old.rpartition(":")[2]) == _kind(new.rpartition(":")[2])


_kind = lru_cache(maxsize=4096)(kind_of)


@lru_cache(maxsize=4096)  # the next commit replaces what this one brought
def _is_plain(text: str) -> bool:
    """Whether it is a text in every format; `null` is no value at all to YAML."""
    return bool(_SAFE.fullmatch(text) and _DIGIT.search(text)) and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rebuilt(known: Parsed, texts: Mapping[tuple[int, int], str]) -> tuple[ImageSite, ...] | None:
    moves, changed = [], set()
    for (number, at), text in texts.items():
        field = known.sites[number].fields[at]
        changed.add(number)
        if longer := len(text) - len(field.text):
            moves.append((field.span.start, longer))
    moves.sort()
    sites = []
    for number, site in enumerate(known.sites):
        is_before = not moves or all(field.span.end <= moves[0][0] for field in site.fields)
        if is_before and number not in changed:
            sites.append(site)
            continue
        image, fields = site.image, []
        for at, field in enumerate(site.fields):
            text = texts.get((number, at), field.text)
            if text != field.text and (image := _image(image, field, text)) is None:  # type: ignore[assignment]
                return None
            fields.append(_moved(field, text, moves))
        # `replace` would take a third of the time of a long history.
        sites.append(
            ImageSite(
                site.format, site.path, site.resource, image, tuple(fields),
                site.default, site.problem, site.layers, site.keys, site.variable,
            )
        )  # fmt: skip
    return tuple(sites)


def _image(image: ImageRef, old: Field, new: str) -> ImageRef | None:
    """The image with another value of one field; None for a value that may mean more than that."""
    if old.role == "tag" and image.tag == old.text and TAG.fullmatch(new):
        return image.with_version(tag=new, digest=image.digest)
    if old.role == "digest" and image.digest == old.text and DIGEST.fullmatch(new):
        return image.with_version(tag=image.tag, digest=new)
    if old.role == "reference" and image.tag and not image.digest:
        name, colon, tag = old.text.rpartition(":")
        named, tag_now = _reference(name), new.removeprefix(f"{name}:")
        if colon and tag == image.tag and named and named.same_image(image) and new.startswith(f"{name}:"):
            return image.with_version(tag=tag_now, digest=None) if TAG.fullmatch(tag_now) else None
    return None


_reference = lru_cache(maxsize=4096)(ImageRef.try_parse)


def _moved(field: Field, text: str, moves: Sequence[tuple[int, int]]) -> Field:
    """A field with this text, behind values that are longer or shorter now, without what only an edit needs."""
    span = field.span
    before = sum(change for start, change in moves if start < span.start)
    inside = sum(change for start, change in moves if span.start <= start < span.end)
    if not before and not inside:
        return field if text == field.text else replace(field, text=text)
    moved = Span(span.start + before, span.end + before + inside, span.line, span.column)
    return Field(field.role, moved, text, field.spelling, field.key, None, None, field.anchor)
