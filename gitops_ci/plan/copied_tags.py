"""What a kustomization says about tags that it copies: where a tag comes from, and which images get it.

Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization: `replacements` (`source`, `targets` with
`fieldPaths` and `options.delimiter`, `options.index`), `vars` (`objref`, `fieldref`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from gitops_ci.dataclass import dataclass
from gitops_ci.formats import ManifestText
from gitops_ci.formats.document.nodes import object_of
from gitops_ci.imageref import ImageRef
from gitops_ci.known_files import KUSTOMIZATIONS
from gitops_ci.model import Field, Spelling
from gitops_ci.quantities import whole_number
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode, YamlError

__all__ = ["CopiedTag", "Target", "copied_tags", "items", "may_copy", "roots"]

_STEP = re.compile(r"\[[^\[\]]*\]|(?:\\.|[^.\[\]\\])+")
_NAME = r"[A-Za-z0-9][\w.-]{0,254}(?::\d{1,5}(?=/))?(?:/[a-z0-9][\w.-]{0,254}){0,32}"


@dataclass(frozen=True, slots=True)
class Target:
    """An image whose tag is copied from elsewhere, as it is written."""

    path: str
    resource: str
    image: ImageRef
    field: Field


@dataclass(frozen=True, slots=True)
class CopiedTag:
    """The value under `key` of a ConfigMap or Secret, and what gets it; `is_part` where it gets a part of the value."""

    kind: str
    name: str
    key: str
    targets: tuple[Target, ...]
    is_part: bool = False


def may_copy(source: ManifestText) -> bool:
    is_kustomization = posixpath.basename(source.path) in KUSTOMIZATIONS
    return is_kustomization and ("replacements" in source.text or "vars" in source.text)


def roots(source: ManifestText) -> list[Node]:
    """The documents of a file; none where it cannot be read, which others report."""
    try:
        return [root for root in source.yaml.documents if root is not None] if source.is_yaml else []
    except YamlError:
        return []


def items(node: Node | None) -> list[MappingNode]:
    return [item for item in node.items if isinstance(item, MappingNode)] if isinstance(node, SequenceNode) else []


def copied_tags(
    kustomization: ManifestText, sources: Sequence[ManifestText], built: Sequence[ManifestText]
) -> Iterator[CopiedTag]:
    """The tags that a kustomization copies into images of the files that it builds."""
    for root in roots(kustomization):
        if isinstance(root, MappingNode):
            for item in items(root.get("vars")):
                yield from _variable(item, built)
            for item in items(root.get("replacements")):
                for replacement in _in_file(kustomization, item, sources) if item.text("path") else [item]:
                    yield from _replacement(replacement, built)


def _in_file(kustomization: ManifestText, item: MappingNode, sources: Sequence[ManifestText]) -> list[MappingNode]:
    """The replacements of a file of its own: one, or a list of them."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(kustomization.path), item.text("path")))
    found = [root for source in sources if source.path == path for root in roots(source)]
    return [one for root in found for one in ([root] if isinstance(root, MappingNode) else items(root))]


def _variable(item: MappingNode, built: Sequence[ManifestText]) -> Iterator[CopiedTag]:
    """`vars`: an image gets its tag by `shop:$(NAME)`."""
    of, at = item.get("objref"), item.get("fieldref")
    key = _data_key(at.text("fieldpath")) if isinstance(at, MappingNode) else ""
    if not key or not isinstance(of, MappingNode) or not item.text("name"):
        return
    use = re.compile(rf"(?<![\w./:@-])(?P<name>{_NAME}):\$\({re.escape(item.text('name'))}\)")
    found = [
        Target(source.path, "", image, Field("reference", source.span(*match.span()), match[0], Spelling("raw")))
        for source in built
        if source.is_yaml
        for match in use.finditer(source.text)
        if source.is_in_value(match.start()) and (image := ImageRef.try_parse(match["name"]))
    ]
    if found:
        yield CopiedTag(of.text("kind"), of.text("name"), key, tuple(found))


def _replacement(item: MappingNode, built: Sequence[ManifestText]) -> Iterator[CopiedTag]:
    """`replacements`: an image gets its tag where a delimiter and an index select the tag."""
    of = item.get("source")
    key = _data_key(of.text("fieldPath")) if isinstance(of, MappingNode) else ""
    if not key or not isinstance(of, MappingNode):
        return
    found = tuple(target for selected in items(item.get("targets")) for target in _selected(selected, built))
    if found:
        yield CopiedTag(of.text("kind"), of.text("name"), key, found, is_part=of.get("options") is not None)


def _selected(target: MappingNode, built: Sequence[ManifestText]) -> Iterator[Target]:
    select, options, paths = target.get("select"), target.get("options"), target.get("fieldPaths")
    if not isinstance(select, MappingNode) or not isinstance(options, MappingNode):
        return
    listed = paths.items if isinstance(paths, SequenceNode) else []
    steps = [_STEP.findall(path.value) for path in listed if isinstance(path, ScalarNode)]
    for source in built:
        for root in roots(source):
            what = object_of(root)
            if what and _is_meant(select.text("kind"), what.kind) and _is_meant(select.text("name"), what.name):
                for scalar in (scalar for path in steps for scalar in _resolved(root, path)):
                    image = ImageRef.try_parse(scalar.value)
                    field = source.scalar_field("reference", scalar)
                    if image and field and image.tag and image.tag == _part(scalar.value, options):
                        yield Target(source.path, what.resource, image, field)


def _is_meant(wanted: str, name: str) -> bool:
    """A selector is a regular expression, and a repository's is not run: only `.*` is read."""
    return wanted in {"", ".*", name}


def _part(text: str, options: MappingNode) -> str:
    delimiter, index = options.text("delimiter"), options.text("index") or "0"
    parts = text.split(delimiter) if delimiter else []
    at = whole_number(index)
    return parts[at] if at is not None and at < len(parts) else ""


def _data_key(path: str) -> str:
    """The key of a ConfigMap's `data` that a path leads to, '' for any other path."""
    steps = _STEP.findall(path)
    return re.sub(r"\\(.)", r"\1", steps[1]) if len(steps) == 2 and steps[0] in {"data", "stringData"} else ""


def _resolved(node: Node | None, steps: Sequence[str]) -> Iterator[ScalarNode]:
    """The scalars at a path like `spec.containers.[name=shop].image`; `*` is every item."""
    if not steps:
        if isinstance(node, ScalarNode):
            yield node
        return
    step, rest = steps[0], steps[1:]
    if isinstance(node, MappingNode):
        yield from _resolved(node.get(re.sub(r"\\(.)", r"\1", step)), rest)
    elif isinstance(node, SequenceNode):
        key, _, value = step.strip("[]").partition("=")
        for number, item in enumerate(node.items):
            by_key = bool(value) and isinstance(item, MappingNode) and item.text(key) == value
            if step in {"*", str(number)} or by_key:
                yield from _resolved(item, rest)
