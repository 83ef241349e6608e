"""What a bump writes at one place: the version in the shape asked for, as edits, or the reason why not.

`keep` writes what is there: a tag where there is a tag, tag and digest where there are both. A digest that is not
known is never guessed and never left behind: beside a new tag an old digest would still run the old image.
"""

from __future__ import annotations

import re
from typing import Literal

from gitops_ci import splice
from gitops_ci.dataclass import dataclass
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Edit, Field, ImageSite

__all__ = ["Pin", "Refusal", "Version", "edits", "replacement", "version"]

_HEX = re.compile(r"[0-9a-f]{64}")

Pin = Literal["keep", "tag", "digest", "tag+digest"]


@dataclass(frozen=True, slots=True)
class Version:
    """What a place shall say; None for a part that shall not be there."""

    tag: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a place is left alone; `failed` when it should have been edited."""

    reason: str
    hint: str
    failed: bool = False


def version(site: ImageSite, target: ImageRef, pin: Pin) -> Version | Refusal:
    """The version that `pin` asks for at this place."""
    now = site.image
    match pin:
        case "tag":
            return Version(target.tag, None) if target.tag else _missing("tag", target)
        case "digest":
            return Version(None, target.digest) if target.digest else _missing("digest", target)
        case "tag+digest":
            if not target.tag:
                return _missing("tag", target)
            return Version(target.tag, target.digest) if target.digest else _missing("digest", target)
        case "keep":
            return _kept(site, now, target)


def _kept(site: ImageSite, now: ImageRef, target: ImageRef) -> Version | Refusal:
    if now.tag and now.digest:
        if target.digest is None and target.tag == now.tag:
            return Version(now.tag, now.digest)
        if not target.digest or not target.tag:
            return _missing("digest" if target.tag else "tag", target, here="tag and digest")
        return Version(target.tag, target.digest)
    if now.tag:
        return Version(target.tag, None) if target.tag else _missing("tag", target, here="its tag")
    if now.digest:
        return Version(None, target.digest) if target.digest else _missing("digest", target, here="its digest")
    if site.default:
        return Refusal(
            f"names {now.familiar} without a version: it gets {site.default}", "`--pin tag` writes the tag here."
        )
    return Version(target.tag, None if target.tag else target.digest)


def _missing(part: str, target: ImageRef, here: str = "") -> Refusal:
    why = f"is written with {here}" if here else f"shall be written with its {part}"
    other = "tag" if part == "digest" else "digest"
    hint = f"Give the image as {_example(target, part)}"
    return Refusal(
        f"{target.familiar} {why}, and the {part} of the new image is not known",
        hint + (f", or write it by {other} alone with `--pin {other}`." if here else "."),
        failed=True,
    )


def _example(target: ImageRef, part: str) -> str:
    tag = target.tag or "TAG"
    return f"{target.familiar}:{tag}" + (f"@{target.digest or 'sha256:…'}" if part == "digest" or target.digest else "")


def edits(site: ImageSite, wanted: Version) -> list[Edit] | Refusal:
    """The edits that make the place say `wanted`; none when it does already."""
    fields = {field.role: field for field in site.fields}
    if reference := fields.get("reference"):
        return _some(replacement(reference, _reference(reference, wanted)))
    if chart := fields.get("version"):
        # Helm writes the `+` of a version as `_` in a tag.
        return _some(replacement(chart, wanted.tag.replace("_", "+", 1))) if wanted.tag else _no_place("digest")
    tag, digest = fields.get("tag"), fields.get("digest")
    if tag is None or (digest is None and tag.text.startswith(("sha256:", "@"))):
        only = tag or digest
        return _digest_alone(only, wanted) if only else _no_place("version")
    if digest is None or ("@" in tag.text and not digest.text):
        if wanted.tag is None:
            return _no_place("digest")
        return _some(replacement(tag, wanted.tag + (f"@{wanted.digest}" if wanted.digest else "")))
    # A chart that writes its digest without the algorithm keeps doing so.
    bare = _HEX.fullmatch(digest.text) and (wanted.digest or "").startswith("sha256:")
    pinned = (wanted.digest or "").removeprefix("sha256:" if bare else "\0")
    if tag.text and not wanted.tag and _is_missing(digest) and tag.pair:
        return [_exchange(tag, digest, pinned)]
    if digest.text and not pinned and _is_missing(tag) and digest.pair:
        return [_exchange(digest, tag, wanted.tag or "")]
    return _some(_set(tag, wanted.tag or ""), _set(digest, pinned))


def _digest_alone(field: Field, wanted: Version) -> list[Edit] | Refusal:
    if wanted.digest is None or wanted.tag:
        return _no_place("tag")
    return _some(replacement(field, ("@" if field.text.startswith("@") else "") + wanted.digest))


def _no_place(part: str) -> Refusal:
    hint = "Add the key" + (", or write both into the tag with `--pin tag+digest`." if part == "digest" else ".")
    return Refusal(f"there is no key for the {part} here", hint, failed=True)


def _some(*found: Edit | None) -> list[Edit]:
    return [edit for edit in found if edit]


def _is_missing(field: Field) -> bool:
    return bool(field.key.strip())


def _reference(field: Field, wanted: Version) -> str:
    # Argo CD writes `name=image:tag`; what precedes the image stays.
    before, equals, reference = field.text.rpartition("=")
    written = before + equals + ImageRef.parse(reference).written
    return written + (f":{wanted.tag}" if wanted.tag else "") + (f"@{wanted.digest}" if wanted.digest else "")


def _set(field: Field, value: str) -> Edit | None:
    """The value written, or its pair taken away where that leaves the rest as it is."""
    if value or not field.text or field.removal is None:
        return replacement(field, value)
    return Edit(field.removal, "", field.text, "", reads=())


def replacement(field: Field, value: str) -> Edit | None:
    """`value` instead of what the field holds; None when it is the same, or nothing is to be inserted."""
    if value == field.text and (field.spelling.quote or not value or splice.is_string(value)):
        return None
    text = field.key + splice.spell(value, field.spelling)
    reads = (*_label(field), value) if _is_missing(field) else None
    inner = None
    for level, style in enumerate(field.spelling.outer):
        # The innermost string has its own indentation; those around it are on the same lines.
        inner = text
        text = splice.nest(text, style, field.spelling.newline if level == 0 else "\n")
    if inner is None:
        text = text.replace("\n", field.spelling.newline)
    return Edit(field.span, text, field.text, value, reads=reads, inner=inner)


def _exchange(old: Field, new: Field, value: str) -> Edit:
    """One pair in the place of another: `digest: …` becomes `newTag: …`."""
    label = new.key.lstrip("\n, ")
    span = old.pair or old.span
    return Edit(span, label + splice.spell(value, new.spelling), old.text, value, reads=(*_label(new), value))


def _label(field: Field) -> tuple[str, ...]:
    return (field.key.strip(" ,\n").removesuffix(":").strip("\"'"),)
