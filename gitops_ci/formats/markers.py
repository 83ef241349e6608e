"""Comments of ours that say which image the value beside them belongs to, for what no rule can know.

`# gitops-ci: image=ghcr.io/acme/shop part=tag` works in YAML and in any other text that has comments (Terraform,
Jsonnet, `.env`). It marks the value on its own line, or on the next line when it stands alone. `part` is `tag`,
`digest` or `reference`; without it the line itself tells. `# gitops-ci: no-bump` exempts a line in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gitops_ci.formats.document.image_fields import NAMELESS, version_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.text_fields import field_at
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Role

ID = "marked-line"

_MARK = re.compile(r"gitops-ci:[ \t]+image=(?P<image>[^\s\"'*>]+)(?:[ \t]+part=(?P<part>[\w-]+))?")
# What opens a comment in the languages of configuration; the mark is the first thing in it.
_LEADER = re.compile(r"(?:#|//|--|;|/\*|<!--)[ \t]*\Z")
_NO_BUMP = re.compile(r"(?:#|//|--|;|/\*|<!--)[ \t]*gitops-ci:[ \t]+no-bump(?![\w-])")
# What may precede a comment that stands alone: a template's braces, a byte order mark.
_BEFORE_COMMENT = " \t\r\n{-\ufeff"
# Somebody's own comment behind the value of a line whose mark stands above.
_COMMENT = re.compile(r"(?<=[ \t])(?:#|//)(?=[ \t])")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)?")
# What precedes `=`, or in quotes `:`, is the name of a value: `export TAG=1.4`.
_VALUE = re.compile(
    r"""["'`](?P<quoted>[^"'`\r\n]*)["'`](?P<key>[ \t]*[:=])?|(?<=[=:\s])(?P<bare>[^\s"'`,;=()\[\]{}]++)(?!\s*=)"""
)
# References, and what they may follow: in `${IMAGE:-acme/shop:1.4}` the default of a variable begins behind it.
_NAMES = re.compile(r"\$\{\w+:?[-=+]|[\w./:@-]+")
_DEFAULT = re.compile(r"\$\{\w+:?[-=+](?P<value>[^\s\"'`${}]+)\}")
_DIGEST = re.compile(r"(?:[a-z0-9]+:)?[0-9a-f]{64}")
_PARTS: dict[str, Role] = {"tag": "tag", "digest": "digest", "reference": "reference"}


def exempt_lines(text: str) -> frozenset[int]:
    """The lines that a comment keeps from bumps: its own, or the next one when it stands alone."""
    if "no-bump" not in text:
        return frozenset()
    lines = enumerate(_LINE.finditer(text), start=1)
    comments = ((number, line[0][: found.start()]) for number, line in lines if (found := _NO_BUMP.search(line[0])))
    return frozenset(number if before.strip(_BEFORE_COMMENT) else number + 1 for number, before in comments)


def find(source: ManifestText) -> Iterator[ImageSite]:
    """Every marked value; a mark whose image or value is not there is a site with a `problem`.

    A tag and the digest that belongs to it, marked one after the other, are one site: they change together.
    """
    last: ImageSite | None = None
    for site in _each(source):
        if last and (together := _together(last, site)):
            last = together
            continue
        if last:
            yield last
        last = site
    if last:
        yield last


def _together(a: ImageSite, b: ImageSite) -> ImageSite | None:
    roles = {field.role for site in (a, b) for field in site.fields}
    if a.problem or b.problem or not a.image.same_image(b.image) or roles != {"tag", "digest"}:
        return None
    if len(a.fields) + len(b.fields) != 2:
        return None
    image = a.image.with_version(tag=a.image.tag or b.image.tag, digest=a.image.digest or b.image.digest)
    return replace(a, image=image, fields=(*a.fields, *b.fields))


def _each(source: ManifestText) -> Iterator[ImageSite]:
    if "gitops-ci:" not in source.text:
        return
    start = 0
    waiting: re.Match[str] | None = None
    while start < len(source.text) and (line := _LINE.match(source.text, start)):
        mark = _MARK.search(source.text, line.start(), line.end())
        leader = _LEADER.search(source.text, line.start(), mark.start()) if mark else None
        comment = leader or _COMMENT.search(source.text, line.start(), line.end())
        value_end = comment.start() if comment else line.end()
        has_value = bool(source.text[start:value_end].strip(_BEFORE_COMMENT))
        here = mark if leader and has_value else waiting
        if here and has_value:
            yield _site(source, here, start, value_end)
        waiting = mark if leader and here is not mark else None
        start = line.end()


def _site(source: ManifestText, mark: re.Match[str], start: int, end: int) -> ImageSite:
    image = ImageRef.try_parse(mark["image"])
    if image is None or image.tag or image.digest:
        return _broken(source, mark, NAMELESS, f"the mark's image '{mark['image']}' is not a name without version")
    if mark["part"] and mark["part"] not in _PARTS:
        return _broken(source, mark, image, f"part={mark['part']} is none of {', '.join(_PARTS)}")
    found = _values(source.text, image, _PARTS.get(mark["part"] or ""), start, end)
    if not found:
        return _broken(source, mark, image, f"the marked line has no {mark['part'] or 'version'}")
    if len(found) > 1:
        values = ", ".join(f"'{source.text[first:last]}'" for _, first, last in found)
        return _broken(source, mark, image, f"the marked line has several values that may be meant: {values}")
    [(role, first, last)] = found
    field = field_at(source, role, first, last)
    if role == "reference":
        image = ImageRef.parse(field.text)
    else:
        version = version_of(field.text) or (None, None)
        image = image.with_version(tag=version[0], digest=version[1])
    return ImageSite(ID, source.path, "", image, (field,))


def _broken(source: ManifestText, mark: re.Match[str], image: ImageRef, problem: str) -> ImageSite:
    where = Field("reference", source.span(mark.start(), mark.start()), "")
    return ImageSite(ID, source.path, "", image, (where,), problem=problem)


def _values(text: str, image: ImageRef, part: Role | None, start: int, end: int) -> list[tuple[Role, int, int]]:
    """Which part the line holds, and its characters; several where nothing tells which is meant.

    A word without a digit is not a version where another value has one.
    """
    references = [*_references(text, image, start, end)] if part in {None, "reference"} else []
    pinned = [span for span, has_version in references if has_version]
    if pinned or part == "reference":
        return [("reference", *span) for span in pinned or [span for span, _ in references[:1]]]
    matches = (match for pattern in (_VALUE, _DEFAULT) for match in pattern.finditer(text, start, end))
    found = {match.span(match.lastgroup or 0) for match in matches if match.lastgroup != "key"}
    digests = [span for span in sorted(found) if _DIGEST.fullmatch(text, *span)]
    if part == "digest" or (part is None and digests):
        return [("digest", *span) for span in digests]
    tags = [span for span in sorted(found.difference(digests)) if (version_of(text[slice(*span)]) or ("",))[0]]
    numbered = [span for span in tags if any(map(str.isdigit, text[slice(*span)]))]
    if tags:
        return [("tag", *span) for span in numbered or tags[-1:]]
    return [("reference", *span) for span, _ in references[:1]]


def _references(text: str, image: ImageRef, start: int, end: int) -> Iterator[tuple[tuple[int, int], bool]]:
    """Where the image is named, and whether with a version."""
    for match in _NAMES.finditer(text, start, end):
        named = ImageRef.try_parse(match[0])
        if named and named.same_image(image):
            yield match.span(), bool(named.tag or named.digest)
