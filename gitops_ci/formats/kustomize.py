"""Kustomize: the `images` of a Kustomization or Component, and ImageTagTransformer files.

Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization/images and kustomize's `types/image.go`:
`newName`, else `name`, is the image that runs; `newTag` and `digest` together give `name:tag@digest`; `tagSuffix` is
used only when neither is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from gitops_ci.formats.parts import insertion, removable, version_of
from gitops_ci.formats.scan import object_of, scan
from gitops_ci.formats.source import Entry, Source
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite, Role
from gitops_ci.yamltext import Alias, Mapping, Node, Scalar, Sequence

ID = "kustomize"

FILE_NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_KEYS: tuple[tuple[str, Role], ...] = (("newTag", "tag"), ("digest", "digest"))


def find(source: Source) -> Iterator[ImageSite]:
    named_so = PurePosixPath(source.path).name in FILE_NAMES
    for root in source.yaml.documents:
        if not isinstance(root, Mapping):
            continue
        what = object_of(root)
        if what and what.kind == "ImageTagTransformer":
            entry = root.get("imageTag")
            if isinstance(entry, Mapping):
                yield from _entry(source, entry, what.resource)
        elif (what and what.group == "kustomize.config.k8s.io") or (named_so and what is None):
            for key in ("images", "imageTags"):
                yield from entries(source, root.get(key), resource=root.text("kind") or "Kustomization", format_id=ID)
            yield from scan(source, root, format_id=ID, resource=root.text("kind") or "Kustomization")


def entries(source: Source, node: Node | None, *, resource: str, format_id: str) -> Iterator[ImageSite]:
    """The images of a list with `name`, `newName`, `newTag` and `digest`: Kustomize's own and those that borrow it."""
    for item in node.items if isinstance(node, Sequence) else ():
        target = item.target if isinstance(item, Alias) else item
        if isinstance(target, Mapping):
            yield from _entry(source, target, resource, format_id)


def _entry(source: Source, node: Mapping, resource: str, format_id: str = ID) -> Iterator[ImageSite]:
    found = source.entries(node)
    name = found.get("newName") or found.get("name")
    image = ImageRef.try_parse(_text(name)) if name else None
    if name is None or image is None or image.tag or image.digest:
        return
    read = version_of(_text(found.get("newTag")), _text(found.get("digest")))
    problem = "" if read else f"its version is written as '{_text(found.get('newTag')) or _text(found.get('digest'))}'"
    tag, digest = read or (None, None)
    fields = [field for key, role in _KEYS if (field := _field(source, node, name, key, role))]
    default = "the tag that the base has, plus tagSuffix" if "tagSuffix" in found and not (tag or digest) else ""
    yield ImageSite(
        format_id,
        source.path,
        resource,
        image.with_version(tag=tag, digest=digest),
        tuple(fields),
        default,
        problem,
    )


def _field(source: Source, node: Mapping, name: Entry, key: str, role: Role) -> Field | None:
    found = source.entries(node)
    if key in found:
        field = source.field(role, found[key])
        return field and removable(source, node, key, field)
    after = found.get("newTag", name)
    return None if after.alias else insertion(source, node, after, role, key)


def _text(entry: Entry | None) -> str:
    return entry.value.value.strip() if entry and isinstance(entry.value, Scalar) else ""
