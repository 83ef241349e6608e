"""Walk a document and find every image in it: the common ground of all formats that are YAML.

Formats differ in which documents are theirs and in a few spellings of their own; how an image looks inside a mapping,
a list, a patch or a string that holds YAML is the same everywhere and told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from gitops_ci.formats.document.assignments import assigned_images
from gitops_ci.formats.document.image_fields import FOLLOWED, NAMELESS, Found, one_string, parts, text_of, version_of
from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.formats.document.nodes import FILE, NodeContext, pointer, values_path, walk
from gitops_ci.formats.document.special_keys import special_entries
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import AliasNode, Node, ScalarNode, SequenceNode, YamlError
from gitops_ci.yamltext import MappingNode as YamlMapping

__all__ = ["scan", "site"]

_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})
# An `image` of these kinds names a repository to watch, not an image to run: a version there would break them.
_WATCHERS = frozenset({"ImageRepository", "ImageScan", "Warehouse"})
_WATCHES = frozenset({"imageScans"})
# Lists of `name` and `value` that stand for values: Argo CD and its charts, Helmfile, Tekton, OpenShift.
_PARAMETERS = frozenset({"parameters", "params", "set", "setString"})
# The kind whose `set` is a map of paths into the values.
_K3S = "HelmChart"
# Lists of strings that programs get: options and variables, `name=value`.
_ARGUMENTS = frozenset({"args", "command", "entrypoint", "environment", "literals"})
# Strings with a part of an object, which may set a version alone: kustomize and Flux.
_PATCHES = frozenset({"patch", "patchesStrategicMerge"})
_OPTION = re.compile(r"-{0,2}[A-Za-z_][\w.-]*")
_IMAGE_VARIABLE = re.compile(r"(?:^|_)IMAGE(?:_|$)", re.IGNORECASE)
# The end of a JSON patch's path to an item of a list of images: `/spec/source/kustomize/images/0`.
_ITEM = re.compile(r"(?<=mage)s/(?:\d+|-)$")
_ENDS_KEY = re.compile(r":\s")
_BEGINS_YAML = re.compile(r"\s*[\[{]|[\w.-]+: ")
# YAML inside YAML inside YAML occurs (a patch in an Application in a template); more is somebody's joke.
_DEEPEST_STRING = 3


def scan(
    source: ManifestText,
    root: Node | None,
    *,
    format_id: str,
    resource: str = "",
    layers: str = "",
    target: str = "",
    kind: str = "",
    depth: int = 0,
) -> Iterator[ImageSite]:
    """Every image below `root`, in the order written. `layers` is set where `root` is a chart's values.

    `target` is the object that a patch is for, `kind` what `root` is a part of.
    """
    for place in walk(root, kind=kind, resource=resource, layers=layers, target=target):
        node = place.node
        if isinstance(node, YamlMapping):
            found = _in_mapping(source, node, place)
            yield from _patched_value(source, node, place, format_id=format_id)
            if place.key == "set" and place.kind == _K3S:
                yield from _dotted(source, source.entries(node).items(), place, format_id=format_id)
        elif isinstance(node, SequenceNode):
            found = _in_list(source, node, place)
            if place.key in _PARAMETERS:
                yield from _parameters(source, node, place, format_id=format_id)
        else:
            if isinstance(node, ScalarNode) and depth < _DEEPEST_STRING:
                yield from _in_string(source, node, place, format_id=format_id, depth=depth + 1)
            continue
        for one in found:
            if one.image.repository or place.layers:
                yield site(source, one, place, format_id=format_id)


def site(source: ManifestText, found: Found, place: NodeContext, *, format_id: str) -> ImageSite:
    return ImageSite(
        format_id,
        source.path,
        place.resource,
        found.image,
        found.fields,
        found.default,
        found.problem,
        place.layers,
        (*place.keys, found.prefix),
        found.variable,
    )


def _in_mapping(source: ManifestText, node: YamlMapping, place: NodeContext) -> Iterator[Found]:
    entries = source.entries(node)
    for found in parts(source, entries, node, parent=place.key, registry=place.registry):
        bare = found.image.tag is None and found.image.digest is None and not found.problem
        if place.kind == "ImageUpdater":
            yield replace(found, problem=found.problem or FOLLOWED)
            continue
        if bare and (place.kind in _WATCHERS or place.key in _WATCHES):
            continue
        if bare and not (place.kind and place.item and place.key in _CONTAINERS):
            yield replace(found, default=found.default or "what its chart or operator adds")
        else:
            yield found
    for entry in special_entries(entries, place):
        yield from _pinned(source, entry)
    for key in ("value", "default"):
        if key in entries and _names_an_image(entries, _text(entries, key), place):
            yield from _pinned(source, entries[key])


def _patched_value(
    source: ManifestText, node: YamlMapping, place: NodeContext, *, format_id: str
) -> Iterator[ImageSite]:
    """A JSON patch of one value: `path: /spec/values/image/tag`, the image named by what it is laid over."""
    entry = source.entries(node).get("value") if node.get("op") else None
    layers = place.target or place.layers
    if entry is None or not layers:
        return
    keys = values_path(node.text("path"))
    if keys is None:
        yield from _replaced(source, entry, replace(place, layers=layers, keys=pointer(node.text("path"))), format_id)
    if not keys:
        return
    above = keys[:-1]
    here = replace(place, layers=layers, keys=above)
    for found in parts(source, {keys[-1]: entry}, parent=above[-1] if above else ""):
        if not found.image.repository:
            yield site(source, found, here, format_id=format_id)


def _replaced(source: ManifestText, entry: Entry, place: NodeContext, format_id: str) -> Iterator[ImageSite]:
    """A version that a JSON patch writes outside of a chart's values: its image is that of the same place below."""
    if isinstance(entry.value, YamlMapping) and place.keys[-2:-1] == ("parameters",):
        if value := source.entries(entry.value).get("value"):
            pairs = [(entry.value.text("name"), value)]
            yield from _dotted(source, pairs, replace(place, keys=()), format_id=format_id)
    elif isinstance(entry.value, ScalarNode) and (version := version_of(entry.value.value)) and any(version):
        image = NAMELESS.with_version(tag=version[0], digest=version[1])
        field = source.field("tag" if version[0] else "digest", entry)
        if field:
            yield site(source, Found(image, (field,)), place, format_id=format_id)


def _names_an_image(entries: Mapping[str, Entry], value: str, place: NodeContext) -> bool:
    """Whether a `value` is an image: a JSON patch of one, a parameter or variable that is named so or can be no other.

    `redis:6379` is an address; a variable of any name counts only with a path in its value.
    """
    name, path = _text(entries, "name"), _text(entries, "path")
    key = _ITEM.sub("", path).rpartition("/")[2] if path and "op" in entries else name
    known = image_role_of(key)
    if (known is not None and known[1] == "reference") or _IMAGE_VARIABLE.search(name):
        return True
    return bool(place.kind and name and "/" in value)


def _text(entries: Mapping[str, Entry], key: str) -> str:
    entry = entries.get(key)
    return entry.value.value if entry and isinstance(entry.value, ScalarNode) else ""


def _in_list(source: ManifestText, node: SequenceNode, place: NodeContext) -> Iterator[Found]:
    """`images: [ghcr.io/acme/shop:1.4.2, ...]`, and arguments like `--sidecar-image=ghcr.io/acme/shop:1.4.2`."""
    known = image_role_of(place.key.removesuffix("s")) if place.key.endswith("mages") else None
    are_images = known is not None and known[1] == "reference"
    if not are_images and place.key not in _ARGUMENTS and place.kind != FILE:
        return
    for item in node.items:
        target = item.target if isinstance(item, AliasNode) else item
        if not isinstance(target, ScalarNode):
            continue
        option, equals, reference = target.value.rpartition("=")
        is_reference = "/" in reference or (equals and _is_of_image(option))
        if are_images or (is_reference and (not equals or _OPTION.fullmatch(option))):
            yield from _pinned(source, Entry(target, target, item if isinstance(item, AliasNode) else None))


def _is_of_image(option: str) -> bool:
    known = image_role_of(option.lstrip("-"))
    return known is not None and known[1] == "reference"


def _pinned(source: ManifestText, entry: Entry) -> Iterator[Found]:
    """A whole reference with a version: less could be anything."""
    for found in one_string(source, entry):
        if found.image.tag or found.image.digest:
            yield found


def _parameters(source: ManifestText, node: SequenceNode, place: NodeContext, *, format_id: str) -> Iterator[ImageSite]:
    """`- {name: image.tag, value: v1}`: dotted paths into the values, so those of one path belong together."""
    items = [item for item in node.items if isinstance(item, YamlMapping)]
    pairs = ((item.text("name"), value) for item in items if (value := source.entries(item).get("value")))
    yield from _dotted(source, pairs, place, format_id=format_id)


def _dotted(
    source: ManifestText, pairs: Iterable[tuple[str, Entry]], place: NodeContext, *, format_id: str
) -> Iterator[ImageSite]:
    by_path: dict[str, dict[str, Entry]] = {}
    for name, value in pairs:
        path, _, last = name.rpartition(".")
        by_path.setdefault(path, {})[last] = value
    common = by_path.get("global", {}).get("imageRegistry") or by_path.get("global.image", {}).get("registry")
    for path, entries in by_path.items():
        keys = tuple(path.split(".")) if path else ()
        # Beside an object's values they are laid over them; inside the values of another chart they are its own.
        layers, above = (place.layers, place.keys) if place.layers else (place.target or place.resource, ())
        here = replace(place, layers=layers, keys=(*above, *keys))
        for found in parts(source, entries, parent=keys[-1] if keys else "", registry=text_of(common)):
            if found.image.repository or layers:
                yield site(source, found, here, format_id=format_id)


def _may_be_yaml(text: str) -> bool:
    """True for a collection in brackets, `a: b`, and several lines of which one has a key."""
    return bool(_BEGINS_YAML.match(text) or ("\n" in text and _ENDS_KEY.search(text)))


def _in_string(
    source: ManifestText, node: ScalarNode, place: NodeContext, *, format_id: str, depth: int
) -> Iterator[ImageSite]:
    """YAML that a string holds: `values: |`, a patch, a file in a ConfigMap."""
    may_be_meant = place.layers or place.target or place.key in _PATCHES or source.mentions(node.value)
    kind = FILE if place.kind in {"ConfigMap", "Secret", FILE} else ""
    if not may_be_meant or not (kind or _may_be_yaml(node.value)):
        return
    inner = source.inside(node)
    if inner is None:
        return
    if kind and "\n" in node.value.strip():
        yield from (site(inner, found, place, format_id=format_id) for found in assigned_images(inner))
    try:
        documents = inner.yaml.documents
    except YamlError:
        return
    # Values in a string (`values: |`) are a layer like any other; other strings are not.
    layers = "" if place.keys else place.layers
    for root in documents:
        if isinstance(root, YamlMapping | SequenceNode):
            yield from scan(
                inner,
                root,
                format_id=format_id,
                resource=place.resource,
                layers=layers,
                target=place.target,
                kind=kind,
                depth=depth,
            )
