"""Kustomize's list of images, and all who borrow it: Kustomization and Component, Flux, Helm post-renderers.

Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization/images and kustomize's `types/image.go`:
`newName`, else `name`, is the image that runs; `newTag` and `digest` together give `name:tag@digest`; `tagSuffix` is
used only when neither is written.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.formats.document.image_fields import runs_instead, text_of, version_of
from gitops_ci.formats.document.key_pairs import insertion, removable
from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Role
from gitops_ci.yamltext import AliasNode, MappingNode, Node, SequenceNode

__all__ = ["override", "overrides"]

_KEYS: tuple[tuple[str, Role], ...] = (("newTag", "tag"), ("digest", "digest"))


def overrides(source: ManifestText, node: Node | None, *, resource: str, format_id: str) -> Iterator[ImageSite]:
    """The images of a list whose items have `name`, `newName`, `newTag` and `digest`."""
    for item in node.items if isinstance(node, SequenceNode) else ():
        target = item.target if isinstance(item, AliasNode) else item
        if isinstance(target, MappingNode):
            yield from override(source, target, resource=resource, format_id=format_id)


def override(source: ManifestText, node: MappingNode, *, resource: str, format_id: str) -> Iterator[ImageSite]:
    found = source.entries(node)
    name = found.get("newName") or found.get("name")
    yield from _elsewhere(source, found, resource=resource, format_id=format_id)
    image = ImageRef.try_parse(text_of(name)) if name else None
    if name is None or image is None or image.tag or image.digest:
        return
    written = text_of(found.get("newTag")), text_of(found.get("digest"))
    read = version_of(*written)
    tag, digest = read or (None, None)
    yield ImageSite(
        format_id,
        source.path,
        resource,
        image.with_version(tag=tag, digest=digest),
        tuple(field for key, role in _KEYS if (field := _field(source, node, name, key, role))),
        default="the tag that the base has, plus tagSuffix" if "tagSuffix" in found and not (tag or digest) else "",
        problem="" if read else f"its version is written as '{written[0] or written[1]}'",
    )


def _elsewhere(source: ManifestText, found: dict[str, Entry], *, resource: str, format_id: str) -> Iterator[ImageSite]:
    """The image that is replaced by another one (a mirror's): named here, and not what runs."""
    if not {"name", "newName"} <= found.keys():
        return
    image, runs = ImageRef.try_parse(text_of(found["name"])), ImageRef.try_parse(text_of(found["newName"]))
    field = source.field("name", found["name"])
    if image and runs and field and "/" in text_of(found["name"]) and not image.same_image(runs):
        yield ImageSite(format_id, source.path, resource, image, (field,), problem=runs_instead(runs))


def _field(source: ManifestText, node: MappingNode, name: Entry, key: str, role: Role) -> Field | None:
    found = source.entries(node)
    if key in found:
        field = source.field(role, found[key])
        return field and removable(source, node, key, field)
    after = found.get("newTag", name)
    return None if after.alias else insertion(source, node, after, role, key)
