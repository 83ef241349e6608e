"""The parts of images among the keys of one mapping: one string, repository and tag, registry, repository and tag.

A mapping may name several images (`image` and `initImage` with a tag each): keys are grouped by what precedes the
part they name. Nothing here decides whether an image is the wanted one: that is the plan's comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitops_ci.formats.source import Entry, Source
from gitops_ci.formats.words import part_of
from gitops_ci.imageref import DIGEST, TAG, ImageRef
from gitops_ci.model import Field, Role, Span
from gitops_ci.yamltext import Mapping, Scalar, Sequence

__all__ = ["Found", "insertion", "one_string", "parts", "removable", "version_of"]

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Found:
    """An image and the fields that write it; `problem` says why it cannot be edited, `default` see `ImageSite`."""

    image: ImageRef
    fields: tuple[Field, ...]
    default: str = ""
    problem: str = ""


def parts(source: Source, mapping: Mapping, *, parent: str, registry: str = "") -> Iterator[Found]:
    """Every image that the scalars of this mapping name.

    `parent` is the key the mapping stands under, `registry` what a chart's `global.imageRegistry` says.
    """
    groups: dict[str, dict[Role, Entry]] = {}
    entries = source.entries(mapping)
    for key, entry in entries.items():
        if isinstance(entry.value, Scalar) and (known := part_of(key)):
            groups.setdefault(known[0], {}).setdefault(known[1], entry)
    in_image = (part := part_of(parent)) is not None and part[1] == "reference"
    for prefix, group in groups.items():
        named = _name(group, registry or _value(group.get("registry")), in_image=in_image and not prefix)
        if named:
            yield from _image(source, mapping, group, *named)
    if in_image and (reference := entries.get("reference")):
        # A Kubernetes image volume: `image: {reference: ..., pullPolicy: ...}`.
        yield from one_string(source, reference)


def _name(group: dict[Role, Entry], registry: str, *, in_image: bool) -> tuple[Entry, str] | None:
    """The scalar that an image's name ends in, and what stands elsewhere and goes before it."""
    repository, image, name = group.get("repository"), group.get("reference"), group.get("name")
    if repository and image and "/" not in _value(image):
        # `repository: ghcr.io/acme` and `image: shop`: the first says where the second lies.
        return image, _path(registry, _value(repository))
    if repository or image:
        return repository or image, registry  # type: ignore[return-value]  # one of the two is there
    if (name and "tag" in group) or (name and in_image and group.keys() & {"version", "digest"}):
        return name, registry
    return None


def _image(source: Source, mapping: Mapping, group: dict[Role, Entry], name: Entry, host: str) -> Iterator[Found]:
    image = ImageRef.try_parse(_path(host, _value(name)))
    tag, digest = group.get("tag") or group.get("version"), group.get("digest")
    alone = not (tag or digest) and name is group.get("reference")
    if image is None or image.tag or image.digest or alone:
        yield from one_string(source, name, host)
        return
    read = version_of(_value(tag), _value(digest))
    fields = [tag and source.field("tag", tag), digest and source.field("digest", digest)]
    if tag is None and name.alias is None:
        fields[0] = insertion(source, mapping, name, "tag")
    known = tuple(field for field in fields if field)
    if read is None:
        yield Found(image, known, problem=f"its version is written as '{_value(tag) or _value(digest)}'")
    else:
        default = "" if any(read) else "the chart's appVersion"
        yield Found(image.with_version(tag=read[0], digest=read[1]), known, default)


def one_string(source: Source, entry: Entry, host: str = "") -> Iterator[Found]:
    """An image that one scalar names whole, but for the registry that may stand elsewhere (`host`)."""
    image = ImageRef.try_parse(_path(host, _value(entry)))
    field = source.field("reference", entry) if image else None
    if image and field:
        yield Found(image, (field,))


def _path(*names: str) -> str:
    return "/".join(name.strip("/") for name in names if name)


def version_of(tag: str, digest: str = "") -> tuple[str | None, str | None] | None:
    """Tag and digest of what the two scalars hold (`v1`, `v1@sha256:…`, `sha256:…`); None when it is neither."""
    written, _, pinned = tag.rpartition("@") if "@" in tag else (tag, "", "")
    if DIGEST.fullmatch(written):
        written, pinned = "", written
    pinned = digest or pinned
    if _HEX.fullmatch(pinned):
        pinned = f"sha256:{pinned}"
    if (written and not TAG.fullmatch(written)) or (pinned and not DIGEST.fullmatch(pinned)):
        return None
    return written or None, pinned or None


def insertion(source: Source, mapping: Mapping, after: Entry, role: Role, key: str = "") -> Field:
    """A field for a key that is not there yet, to be written after the pair of `after`."""
    key = key or role
    quote = after.key.style if after.key.style in {"'", '"'} else ""
    label = f"{quote}{key}{quote}: "
    spelling = source.spelling('"' if mapping.flow and quote else "")
    end = after.value.end
    if mapping.flow:
        return Field(role, source.span(end, end), "", spelling, key=f", {label}")
    end = _end_of_line(source.text, after.value)
    line = max(source.text.rfind("\n", 0, after.key.start), source.text.rfind("\r", 0, after.key.start)) + 1
    indent = " " * (after.key.start - line)
    return Field(role, source.span(end, end), "", spelling, key=f"\n{indent}{label}")


def removable(source: Source, mapping: Mapping, key: str, field: Field) -> Field:
    """The field with what is needed to take its pair away, or to put another pair in its place."""
    entry = source.entries(mapping)[key]
    if entry.alias or source.within:
        return field
    pair = source.span(entry.key.start, entry.value.end)
    return replace(field, pair=pair, removal=_removal(source, mapping, entry))


def _removal(source: Source, mapping: Mapping, entry: Entry) -> Span | None:
    text = source.text
    at = next(index for index, (_, value) in enumerate(mapping.pairs) if value is entry.value)
    last = at == len(mapping.pairs) - 1
    if at and mapping.flow:
        return source.span(mapping.pairs[at - 1][1].end, entry.value.end)
    if at == 0 and not last and "#" not in text[entry.value.end : mapping.pairs[1][0].start]:
        return source.span(entry.key.start, mapping.pairs[1][0].start)
    if at == 0 or mapping.flow:
        return None
    line = re.compile(r"[ \t]*(?:\r\n|\n|\r|$)").match(text, entry.value.end)
    start = max(text.rfind("\n", 0, entry.key.start), text.rfind("\r", 0, entry.key.start)) + 1
    if line is None or text[start : entry.key.start].strip():
        return None
    if line.end() == len(text) and not text.endswith(("\n", "\r")):
        start -= 2 if text[:start].endswith("\r\n") else 1
    return source.span(start, line.end())


def _end_of_line(text: str, value: Scalar | Mapping | Sequence) -> int:
    # A block scalar ends at the beginning of the line after it.
    at = value.start + len(text[value.start : value.end].rstrip())
    found = re.compile(r"[^\r\n]*").match(text, at)
    return found.end() if found else at


def _value(entry: Entry | None) -> str:
    """The text of a scalar; '' for what a reader takes for a number or a boolean where a name is asked for."""
    if entry is None or not isinstance(entry.value, Scalar):
        return ""
    value = entry.value.value.strip()
    return "" if value in {"true", "false", "null", "~"} and not entry.value.style else value
