"""Another root manifest for an image that is there: one of its platforms, some of them, or with annotations.

Sources: OCI image specification 1.1, `image-index.md` and `annotations.md`; containerd's platform names, in which
`arm64/v8` is `arm64` and `amd64/v1` is `amd64` (github.com/containerd/platforms, `database.go`); buildx's attestations,
which name their image in `vnd.docker.reference.digest`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest, Reader
from gitops_ci.registry.image_config import platform_in_config

__all__ = ["OCI_TYPES", "annotated", "check_platform", "part_of_index", "select_platforms"]

_ATTESTED = "vnd.docker.reference.digest"
_SAME = {"linux/arm64/v8": "linux/arm64", "linux/amd64/v1": "linux/amd64"}
_NO_PLATFORM = {"", "unknown/unknown"}
_DEEPEST = 4

# The same things by the names of the OCI image specification.
OCI_TYPES = {
    DOCKER_INDEX: OCI_INDEX,
    DOCKER_MANIFEST: OCI_MANIFEST,
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    ),
}


def annotated(root: Manifest, annotations: Mapping[str, str]) -> Manifest:
    """The manifest or index with annotations, in the order of its keys; itself if it has them already.

    Docker's own types have no annotations: such a manifest becomes one of the OCI image specification. Engines before
    28 store manifests of the specification whose layers have Docker's types.
    """
    present = root.data.get("annotations")
    merged = {**(present if isinstance(present, dict) else {}), **annotations}
    if not annotations or merged == present:
        return root
    data = {**root.data, "mediaType": OCI_TYPES.get(root.media_type, root.media_type)}
    if not root.is_index:
        data["config"] = _renamed(data["config"])
        data["layers"] = [_renamed(layer) for layer in data.get("layers") or ()]
    return _manifest({**data, "annotations": merged})


def select_platforms(reader: Reader, root: Manifest, wanted: Sequence[str]) -> Manifest:
    """The manifest of the one platform that is wanted, or an index of those that are.

    Raises:
        RegistryError: the image does not have one of them, or several fit.
    """
    names = tuple(dict.fromkeys(wanted))
    if not names:
        return root
    if not root.is_index:
        check_platform(reader.name, platform_in_config(reader, root), names)
        return root
    if len(names) == 1:
        return _one(reader, root, names[0])
    kept = part_of_index(reader, root, names)
    listed = [item for item in root.data["manifests"] if _digest(item) in kept]
    return _manifest({**root.data, "mediaType": root.media_type, "manifests": listed})


def part_of_index(reader: Reader, root: Manifest, names: Sequence[str]) -> frozenset[str]:
    """The digests of the manifests that an index lists for these platforms, with what attests them.

    Raises:
        RegistryError: it does not have one of them, or several fit, or it is not an index.
    """
    if not root.is_index:
        raise RegistryError(f"{reader.name}: the image {root.digest} is not an index", hint="Leave --sparse out.")
    kept = {_fitting(reader, root, root.children, name).digest for name in names}
    listed = (item for item in root.data["manifests"] if _digest(item) in kept or _attests(item) in kept)
    return frozenset(map(_digest, listed))


def check_platform(image: str, there: str, wanted: Sequence[str]) -> None:
    """Raises RegistryError unless the one platform of an image is what is wanted; no names want any."""
    names = tuple(dict.fromkeys(wanted))
    if len(names) > 1:
        raise RegistryError(
            f"{image}: the image has one platform, and {', '.join(names)} are requested", hint="Name its platform."
        )
    if names and not _fits(names[0], there):
        raise RegistryError(f"{image}: the image is for {there or 'no platform'}, not for {names[0]}", hint=_NAME_ONE)


def _one(reader: Reader, root: Manifest, name: str) -> Manifest:
    found = _fitting(reader, root, tuple(_leaves(reader, root, 0)), name)
    manifest = reader.manifest(found.digest)
    if manifest is None:
        raise RegistryError(
            f"{reader.name}: the index lists {name} as {found.digest}, which is not there",
            hint="The image is incomplete: build all of its platforms, or fetch it again.",
        )
    return manifest


def _leaves(reader: Reader, root: Manifest, depth: int) -> Iterator[Descriptor]:
    """What an index lists, and what the indexes in it list."""
    for child in root.children:
        is_nested = child.media_type in {OCI_INDEX, DOCKER_INDEX} and depth < _DEEPEST
        if is_nested and (inner := reader.manifest(child.digest)):
            yield from _leaves(reader, inner, depth + 1)
        else:
            yield child


def _fitting(reader: Reader, root: Manifest, children: Sequence[Descriptor], name: str) -> Descriptor:
    fitting = {child.digest: child for child in children if _fits(name, child.platform)}
    exact = [child for child in fitting.values() if _plain(child.platform) == _plain(name)]
    if len(exact) == 1:
        return exact[0]
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    there = ", ".join(dict.fromkeys(child.platform for child in children if child.platform not in _NO_PLATFORM))
    if fitting:
        raise RegistryError(
            f"{reader.name}: {len(fitting)} manifests of the image are for {name}",
            hint=f"It has {there}: name one with its variant, or the digest with {reader.name}@sha256:….",
        )
    raise RegistryError(f"{reader.name}: the image {root.digest} has no platform {name}", hint=f"It has {there}.")


def _fits(wanted: str, there: str) -> bool:
    """Whether a platform is the one that is wanted; `linux/arm` stands for each of its variants."""
    return _plain(there) == _plain(wanted) or _plain(there).startswith(f"{_plain(wanted)}/")


def _plain(platform: str) -> str:
    return _SAME.get(platform, platform)


def _digest(item: Any) -> str:
    return str(item.get("digest")) if isinstance(item, dict) else ""


def _attests(item: Any) -> str:
    """The digest of the image that an attestation in an index is about."""
    annotations = item.get("annotations") if isinstance(item, dict) else None
    return str(annotations.get(_ATTESTED, "")) if isinstance(annotations, dict) else ""


def _renamed(item: Any) -> Any:
    return {**item, "mediaType": OCI_TYPES.get(item.get("mediaType"), item.get("mediaType"))}


def _manifest(data: dict[str, Any]) -> Manifest:
    return Manifest(json.dumps(data, separators=(",", ":")).encode())


_NAME_ONE = "Leave --platform out, or name the platform of the image."
