"""What is said about an image beside it: signatures, attestations, SBOMs, and how they travel with it.

Sources: distribution-spec 1.1, "Listing Referrers" and its tag schema for registries without that API; cosign's
`sha256-<hex>.sig`, `.att` and `.sbom` tags (github.com/sigstore/cosign, `specs/SIGNATURE_SPEC.md`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from gitops_ci.registry.base import OCI_INDEX, Manifest, Progress, Reader, Writer
from gitops_ci.registry.copy import copy, manifests_below

__all__ = ["as_referrer", "copy_referrers", "fallback_tag", "with_referrer"]

_COSIGN = (".sig", ".att", ".sbom")
_MOST = 500  # an image that is signed on every deployment has dozens


def copy_referrers(
    source: Reader, destination: Writer, root: Manifest, progress: Progress, only: Collection[str] | None = None
) -> int:
    """Copy everything that refers to an image or to one of its platforms, and what refers to that in turn.

    Returns how many manifests that were. Raises RegistryError.
    """
    waiting = list(manifests_below(source, root, only))
    seen = {manifest.digest for manifest in waiting}
    copied = 0
    while waiting and copied < _MOST:
        for reference, manifest in _about(source, waiting.pop().digest):
            if reference in seen:
                continue
            if manifest.digest not in seen:
                copy(source, destination, manifest, progress)
                waiting.append(manifest)
                copied += 1
            destination.put_manifest(manifest, reference)
            seen |= {reference, manifest.digest}
    return copied


def fallback_tag(digest: str) -> str:
    """The tag under which a registry without the referrers API lists what refers to a digest."""
    return digest.replace(":", "-", 1)


def with_referrer(index: Manifest | None, manifest: Manifest) -> Manifest | None:
    """The index of referrers with one more; None when it is listed already."""
    data: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    if index is not None and index.is_index:
        if any(child.digest == manifest.digest for child in index.children):
            return None
        data = index.data
    entries = [*_entries(data), as_referrer(manifest)]
    return Manifest(json.dumps({**data, "manifests": entries}, separators=(",", ":")).encode())


def as_referrer(manifest: Manifest) -> dict[str, Any]:
    """The descriptor of a manifest as lists of referrers have it, with its artifact type and annotations."""
    kind = manifest.data.get("artifactType") or (manifest.config.media_type if manifest.config else "")
    notes = manifest.data.get("annotations")
    return {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.content),
        **({"artifactType": kind} if kind else {}),
        **({"annotations": notes} if isinstance(notes, dict) and notes else {}),
    }


def _about(source: Reader, digest: str) -> Iterator[tuple[str, Manifest]]:
    """What refers to a digest, each with the reference to store it under: cosign finds its own by tag."""
    for descriptor in source.referrers(digest):
        if manifest := source.manifest(descriptor.digest):
            yield manifest.digest, manifest
    for suffix in _COSIGN:
        tag = fallback_tag(digest) + suffix
        if manifest := source.manifest(tag):
            yield tag, manifest


def _entries(data: dict[str, Any]) -> Iterable[Any]:
    listed = data.get("manifests")
    return listed if isinstance(listed, list) else ()
