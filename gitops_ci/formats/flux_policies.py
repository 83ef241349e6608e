"""Markers of Flux's image automation and of Fleet's image scan, read as pointers to where the parts of an image live.

Source: fluxcd.io/flux/guides/image-update, "Configure image update for custom resources":
`# {"$imagepolicy": "<namespace>:<policy>[:tag|:name|:digest]"}` behind a value. The policy stands for an image, so the
parts of one policy belong together; which image it is, the value marked `:name` or a whole reference tells, or the
ImageRepository that the ImagePolicy refers to (fluxcd.io/flux/components/image).

Fleet (fleet.rancher.io/imagescan) writes `# {"$imagescan": "<tagName>[:tag|:name|:digest]"}`; `imageScans` of a
fleet.yaml, or an ImageScan, says which image the name stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.dataclass import dataclass
from gitops_ci.formats.document.image_fields import NAMELESS, version_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import object_of
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Field, ImageSite
from gitops_ci.yamltext import MappingNode, Node, SequenceNode

ID = "flux"
GROUP = "image.toolkit.fluxcd.io"
LAYER = "imagepolicy"

# In the words of both: a text without one has no marker.
MARKS = ("$imagepolicy", "$imagescan")
# How the problem of a line begins that has another image than its marker's policy.
MARKED = "the line with its marker has "
_SCAN = "imagescan"
_MARKER = re.compile(
    r"""\#\s*\{\s*"\$image(?:policy"\s*:\s*"(?P<policy>[^":\s]+:[^":\s]+)|scan"\s*:\s*"(?P<scan>[^":\s]+))"""
    r"""(?::(?P<part>tag|name|digest))?"\s*\}"""
)


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """A name that markers use, and the repository that it stands for: its image, or the name of its object."""

    namespace: str
    name: str
    image: ImageRef | None = None
    repository: str = ""


def named(source: ManifestText) -> Iterator[ImagePolicy]:
    """The policies and repositories of images that a file defines. A policy is mostly called as its repository."""
    if not (GROUP in source.text or "tagName" in source.text):
        return
    for root in source.documents:
        what, spec = object_of(root), root.get("spec") if isinstance(root, MappingNode) else None
        if isinstance(root, MappingNode):
            yield from _scans(root, spec if what and what.kind == "ImageScan" else None)
        if what is None or what.group != GROUP or not isinstance(spec, MappingNode):
            continue
        if what.kind == "ImageRepository" and (image := ImageRef.try_parse(spec.text("image"))):
            yield ImagePolicy(what.namespace, what.name, image)
        elif what.kind == "ImagePolicy" and isinstance(reference := spec.get("imageRepositoryRef"), MappingNode):
            yield ImagePolicy(what.namespace, what.name, repository=reference.text("name"))


def _scans(root: MappingNode, scan: Node | None) -> Iterator[ImagePolicy]:
    """What Fleet scans, in a fleet.yaml or in an object of its own; the name is the repository's of its own."""
    listed = root.get("imageScans")
    for item in (*(listed.items if isinstance(listed, SequenceNode) else ()), scan):
        if isinstance(item, MappingNode) and (image := ImageRef.try_parse(item.text("image"))):
            yield ImagePolicy(_SCAN, item.text("tagName"), image)


def find(source: ManifestText) -> Iterator[ImageSite]:
    if not any(mark in source.text for mark in MARKS):
        return
    groups: dict[str, dict[str, Field]] = {}
    for marker in _MARKER.finditer(source.text):
        value = source.scalar_before(marker.start())
        if value is None or re.search(r"[\r\n]", source.text[value.start : marker.start()]):
            continue
        policy, part = marker["policy"] or f"{_SCAN}:{marker['scan']}", marker["part"] or "reference"
        field = source.scalar_field("reference" if part in {"reference", "name"} else part, value)  # type: ignore[arg-type]
        group = groups.setdefault(policy, {})
        if part in group:
            yield from _site(source, policy, groups.pop(policy))
            group = groups.setdefault(policy, {})
        if field:
            group[part] = field
    for policy, group in groups.items():
        yield from _site(source, policy, group)


def _site(source: ManifestText, policy: str, group: dict[str, Field]) -> Iterator[ImageSite]:
    layers, keys = LAYER, (policy,)
    if whole := group.get("reference"):
        image = ImageRef.try_parse(whole.text)
        if image:
            yield ImageSite(ID, source.path, "", image, (whole,), layers=layers, keys=keys)
    image = ImageRef.try_parse(group["name"].text) if "name" in group else NAMELESS
    fields = tuple(group[part] for part in ("tag", "digest") if part in group)
    version = version_of(*(group[part].text if part in group else "" for part in ("tag", "digest")))
    if image is None or not (fields or image.repository):
        return
    problem = "" if version else f"its version is written as '{fields[0].text}'"
    tag, digest = version or (None, None)
    yield ImageSite(
        ID,
        source.path,
        "",
        image.with_version(tag=tag, digest=digest),
        fields,
        problem=problem,
        layers=layers,
        keys=keys,
    )
