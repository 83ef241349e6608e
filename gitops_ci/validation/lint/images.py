"""Images that no registry can serve, and tags that move."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from gitops_ci.errors import UsageError
from gitops_ci.lazy import lazy_pattern
from gitops_ci.model import Finding
from gitops_ci.validation.kinds import KINDS
from gitops_ci.validation.lint.base import at, dig
from gitops_ci.validation.manifests.documents import Document

if TYPE_CHECKING:
    from gitops_ci.imageref import ImageRef

__all__ = ["NOT_FOUND", "POD_SPECS", "WITH_PODS", "bad_references", "images_of", "mutable_tags", "not_found"]

NOT_FOUND = "repo/image-not-found"

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
WITH_PODS = frozenset(kind for (_, kind), row in KINDS.items() if row.pod_template is not None)
POD_SPECS = sorted({(*row.pod_template, "spec") for row in KINDS.values() if row.pod_template is not None})
_MOVING = frozenset({"latest", "main", "master", "dev", "develop", "edge", "nightly", "stable", "canary"})
_SUBSTITUTION = lazy_pattern(r"\$\{(?:[^$}]|\$(?!\{))*\}|\$\((?:[^$)]|\$(?!\())*\)|<[^<>]+>")


def images_of(document: Document) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, text) of the images of a document's containers."""
    for place in POD_SPECS:
        spec = dig(document.value, *place)
        if not isinstance(spec, dict):
            continue
        for group in _CONTAINERS:
            items = spec.get(group)
            for index, container in enumerate(items if isinstance(items, list) else ()):
                if isinstance(container, dict) and isinstance(image := container.get("image"), str):
                    yield (*place, group, index, "image"), image


def not_found(document: Document, image: str, why: str) -> Iterator[Finding]:
    for path, text in images_of(document):
        if text == image:
            yield at(document, path, NOT_FOUND, why, hint="Push it first, or name one that is there.")


@lru_cache(maxsize=1024)
def _parsed(text: str) -> ImageRef | UsageError:
    """An image's reference, or what is wrong with it; many containers run one image."""
    from gitops_ci.imageref import ImageRef

    try:
        return ImageRef.parse(text)
    except UsageError as error:
        return error


def bad_references(document: Document) -> Iterator[Finding]:
    for path, text in images_of(document):
        if not text.strip() or _SUBSTITUTION.search(text):
            continue
        if isinstance(error := _parsed(text), UsageError):
            said = f"no registry can serve this image: {error.message.partition(': ')[2] or error.message}"
            yield at(document, path, "gitops/image-reference", said, hint=error.hint)


def mutable_tags(document: Document) -> Iterator[Finding]:
    for path, text in images_of(document):
        image = _parsed(text)
        if (
            isinstance(image, UsageError)
            or image.digest is not None
            or (image.tag is not None and image.tag not in _MOVING)
        ):
            continue
        said = f"the tag '{image.tag}' moves" if image.tag else "without a tag this is 'latest', which moves"
        hint = "Name a version, so that what runs is what was reviewed."
        yield at(document, path, "repo/mutable-tag", f"{text}: {said}", hint=hint, severity="warning")
