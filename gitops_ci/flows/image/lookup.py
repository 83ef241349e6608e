"""Look at what a registry, a layout or an archive holds: the tags, a digest, an image."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.imageref import in_lower_case
from gitops_ci.model import ImageDetails, ImagePart, Log, Outcome, PushedTag
from gitops_ci.registry.base import Descriptor, Manifest, Reader
from gitops_ci.registry.connection import Access
from gitops_ci.registry.copy import size_of
from gitops_ci.registry.derived import select_platforms
from gitops_ci.registry.image_config import config_of, facts_of
from gitops_ci.registry.parallel import each
from gitops_ci.registry.sources.reading import Found, open_repository

__all__ = ["LookupRequest", "by_number", "fitting", "inspect_image", "list_images", "read_digest", "tags_of"]

_AT_ONCE = 8
_NO_PLATFORM = {"", "unknown/unknown"}


@dataclass(frozen=True, slots=True)
class LookupRequest:
    """What is looked at: a repository or an image, `platform` of it, the tags that fit `match`, `with_digests` too."""

    reference: str
    platform: str = ""
    match: tuple[str, ...] = ()
    with_digests: bool = False
    access: Access = field(default_factory=Access)


def list_images(request: LookupRequest, log: Log) -> Outcome:
    """The tags of a repository, as images. Raises RegistryError when they cannot be listed, or there are none."""
    with open_repository(_lower(request.reference), request.access) as found:
        tags = fitting(tags_of(found), request.match)
        if not tags:
            log.warn(f"no tag of {found.reader.name} fits {', '.join(request.match)}")
        digests = each(found.reader.digest, tags, at_once=_AT_ONCE) if request.with_digests else [None] * len(tags)
        pairs = zip(tags, digests, strict=True)
        name = found.reader.name
        images = tuple(PushedTag(f"{name}:{tag}", tag, digest, "present") for tag, digest in pairs)
    return Outcome("image list", "unchanged", images=images, summary={"tags": len(images)})


def read_digest(request: LookupRequest, log: Log) -> Outcome:
    """The digest of an image, or of one platform of it. Raises RegistryError when it is not there."""
    del log
    with open_repository(_lower(request.reference), request.access) as found:
        digest = _selected(found, request).digest if request.platform else found.digest()
        image = PushedTag(found.reference, found.tag, digest, "present")
    return Outcome("image digest", "unchanged", images=(image,))


def inspect_image(request: LookupRequest, log: Log) -> Outcome:
    """What an image is made of. Raises RegistryError when it is not there, or cannot be read."""
    with open_repository(_lower(request.reference), request.access) as found:
        root = _selected(found, request)
        details = _details(found, root, log)
        image = PushedTag(found.reference, found.tag, root.digest, "present")
    return Outcome("image inspect", "unchanged", images=(image,), inspected=(details,))


def tags_of(found: Found) -> tuple[str, ...]:
    """All tags of a repository, numbers by their value. Raises RegistryError when there are none or nobody tells."""
    tags = found.reader.tags()
    if tags is None:
        raise RegistryError(
            f"{found.reader.name} does not let this account list its tags",
            hint="Log in with an account that may read the repository. Some registries refuse the list to everybody.",
        )
    if not tags:
        raise RegistryError(
            f"{found.reader.name} has no tags, or is not there",
            hint="Check the name, and that this account may read it.",
        )
    return tuple(sorted(tags, key=by_number))


def by_number(tag: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 1.10.0 after 1.9.0."""
    parts = re.findall(r"\d+|\D+", tag, re.ASCII)
    return tuple((0, int(part), part) if part.isascii() and part.isdigit() else (1, 0, part) for part in parts)


def fitting(tags: Sequence[str], globs: Sequence[str]) -> tuple[str, ...]:
    """The tags that fit one of the globs; all of them without any."""
    return tuple(tag for tag in tags if not globs or any(fnmatchcase(tag, glob) for glob in globs))


def _lower(text: str) -> str:
    return text if text.startswith(("oci:", "oci-archive:")) else in_lower_case(text)


def _selected(found: Found, request: LookupRequest) -> Manifest:
    root = found.manifest()
    return select_platforms(found.reader, root, (request.platform,) if request.platform else ())


def _details(found: Found, root: Manifest, log: Log) -> ImageDetails:
    reader = found.reader
    size, referrers = _size(reader, root, log), _referrers(reader, root, log)
    facts, annotations = facts_of(reader, root), root.data.get("annotations")
    noted = annotations if isinstance(annotations, dict) else {}
    config_type = root.config.media_type if root.config else ""
    return ImageDetails(
        reference=found.reference,
        digest=root.digest,
        media_type=root.media_type,
        artifact_type=str(root.data.get("artifactType") or ("" if "image" in config_type else config_type)),
        size=size,
        created=facts.created or str(noted.get("org.opencontainers.image.created") or ""),
        labels=facts.labels,
        annotations={str(key): str(value) for key, value in noted.items()},
        platforms=_parts(child for child in root.children if child.platform not in _NO_PLATFORM),
        layers=_parts(blob for blob in root.blobs if blob != root.config),
        referrers=_parts(referrers),
        manifest=_frozen(root.data),
        config=_frozen(config_of(reader, root)),
        content=root.content.decode("utf-8", "replace"),
    )


def _size(reader: Reader, root: Manifest, log: Log) -> int:
    try:
        return size_of(reader, root)
    except RegistryError as error:
        log.warn(f"the size counts the index only: {error.message}")
        return root.size


def _referrers(reader: Reader, root: Manifest, log: Log) -> Sequence[Descriptor]:
    try:
        return reader.referrers(root.digest)
    except RegistryError as error:
        log.warn(f"what refers to {root.digest} is not listed: {error.message}")
        return ()


def _parts(descriptors: Any) -> tuple[ImagePart, ...]:
    return tuple(
        ImagePart(one.digest, one.media_type, one.size, one.platform, one.artifact_type) for one in descriptors
    )


def _frozen(value: Any) -> Any:
    """A JSON value that nobody changes, and whose texts `reporting` can mask."""
    if isinstance(value, Mapping):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
