"""Kustomizations: what they are made of, and their build by `kustomize` or `kubectl kustomize`.

Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization; sigs.k8s.io/kustomize api/types.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gitops_ci import process
from gitops_ci.known_files import KUSTOMIZATIONS
from gitops_ci.process import operand
from gitops_ci.rendering.base import BuildError, Settings, Tree, Unit, join, output
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, YamlError, YamlFile, read
from gitops_ci.yamltext import SequenceNode as YamlSequence

__all__ = ["INSTALL", "parts", "program", "render", "source", "units"]

INSTALL = "Install kubectl or kustomize and put it on PATH, or give --render none."
_DEEPEST = 50
_RESOURCES = ("resources", "bases", "components", "crds", "generators", "transformers", "validators")
_TRANSFORMING = frozenset({"generators", "transformers", "validators"})
_FILES = ("configurations",)
_REMOTE = re.compile(
    r"[a-z][a-z0-9+]*://|[\w.-]+@[\w.-]+:|(?:www\.)?(?:github|gitlab|bitbucket)\.[a-z]+[/:]|.*[?&](?:ref|timeout)=|git::"
)
# The query of a base's address: what stands in it is an argument of `git fetch`.
_OPTION_FOR_GIT = re.compile(r"[?&](?:ref|version)=(?:-|%2d)", re.IGNORECASE)


@dataclass
class _Parts:
    """What a kustomization, and all that it refers to, is made of."""

    sources: set[str] = field(default_factory=set)
    patches: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    remote: list[str] = field(default_factory=list)
    problems: list[BuildError] = field(default_factory=list)
    skip: str = ""


def units(files: Iterable[str], tree: Tree) -> Sequence[Unit]:
    """Every kustomization of the given files; those that another one includes are inner."""
    found = {}
    for path in sorted(set(files)):
        if posixpath.basename(path) in KUSTOMIZATIONS:
            folder = posixpath.dirname(path) or "."
            parts = _Parts()
            _collect(path, tree, parts, {folder})
            own = [problem for problem in parts.problems if problem.path == path]
            if folder in parts.folders:
                own.append(BuildError("kustomization", path, 1, 1, "it includes itself, in the end"))
            found[folder] = (path, parts, own)
    inner = {folder for _, parts, _ in found.values() for folder in parts.folders}
    return [
        Unit(
            "kustomize",
            path,
            folder,
            frozenset(parts.sources),
            frozenset(parts.patches),
            tuple(dict.fromkeys(parts.remote)),
            tuple(own),
            folder in inner,
            parts.skip,
        )
        for folder, (path, parts, own) in found.items()
    ]


def parts(path: str, text: str) -> Iterator[str]:
    """The files that a kustomization at `path` patches or configures with: no manifests of their own."""
    try:
        file = read(text)
    except YamlError:
        return
    root = file.documents[0] if file.documents else None
    if not isinstance(root, MappingNode):
        return
    folder = posixpath.dirname(path) or "."
    transforming = (node for name, node in _resources(root) if name in _TRANSFORMING)
    for node in (*_patch_files(root), *_other_files(root), *transforming):
        yield join(folder, node.value.rpartition("=")[2])


def program() -> str | None:
    return process.find("kustomize") or process.find("kubectl")


def render(unit: Unit, program: str, tree: Tree, settings: Settings) -> str:
    """Build a kustomization. Nothing is fetched: the caller leaves out what is remote, unless it is allowed."""
    verb = "build" if posixpath.basename(program) == "kustomize" else "kustomize"
    return output([program, verb, "--", operand(unit.folder)], tree, settings, INSTALL)


def source(unit: Unit, document: str) -> str | None:
    del unit, document
    return None


def _collect(path: str, tree: Tree, parts: _Parts, seen: set[str]) -> None:
    text = tree.text(path)
    parts.sources.add(path)
    try:
        file = read(text or "")
    except YamlError:
        parts.skip = "its kustomization cannot be read"
        return
    root = file.documents[0] if file.documents else None
    if not isinstance(root, MappingNode):
        return
    if root.text("kind") == "Component":
        parts.skip = parts.skip or ("a component is built as part of a kustomization" if len(seen) == 1 else "")
    if root.get("helmCharts") or root.get("helmChartInflationGenerator"):
        parts.skip = "it inflates Helm charts, which the build does only with --enable-helm"
    folder = posixpath.dirname(path) or "."
    for name, node in _resources(root):
        _resource(name, node, (path, folder, file), tree, parts, seen)
    for node in _patch_files(root):
        _file(node, (path, folder, file), tree, parts, parts.patches)
    for node in _other_files(root):
        _file(node, (path, folder, file), tree, parts, parts.patches)


def _items(root: MappingNode, key: str) -> Iterator[Node]:
    found = root.get(key)
    if isinstance(found, YamlSequence):
        for item in found.items:
            yield item.target if isinstance(item, AliasNode) else item


def _resources(root: MappingNode) -> Iterator[tuple[str, ScalarNode]]:
    for key in _RESOURCES:
        for item in _items(root, key):
            if isinstance(item, ScalarNode) and "\n" not in item.value:
                yield key, item


def _patch_files(root: MappingNode) -> Iterator[ScalarNode]:
    for item in _items(root, "patchesStrategicMerge"):
        if isinstance(item, ScalarNode) and "\n" not in item.value:
            yield item
    for key in ("patches", "patchesJson6902", "replacements"):
        for item in _items(root, key):
            if isinstance(item, MappingNode) and (path := item.scalar("path")):
                yield path
            elif isinstance(item, ScalarNode) and "\n" not in item.value:
                yield item  # as patches were written once


def _other_files(root: MappingNode) -> Iterator[ScalarNode]:
    for key in _FILES:
        yield from (item for item in _items(root, key) if isinstance(item, ScalarNode))
    for key in ("configMapGenerator", "secretGenerator"):
        for generator in _items(root, key):
            if isinstance(generator, MappingNode):
                for name in ("files", "envs"):
                    yield from (item for item in _items(generator, name) if isinstance(item, ScalarNode))
                if env := generator.scalar("env"):
                    yield env


Place = tuple[str, str, YamlFile]


def _resource(name: str, node: ScalarNode, place: Place, tree: Tree, parts: _Parts, seen: set[str]) -> None:
    path, folder, file = place
    target = join(folder, node.value)
    if tree.is_folder(target):
        inside = next((join(target, known) for known in KUSTOMIZATIONS if tree.exists(join(target, known))), None)
        if inside is None:
            message = f"there is no kustomization in '{node.value}'"
            parts.problems.append(BuildError("missing-path", path, *file.position(node.start), message))
            parts.skip = "it refers to what is not there"
            return
        # Each folder is read once: two includes a level would otherwise double the work with every level.
        new = target not in parts.folders and target not in seen
        parts.folders.add(target)
        if len(seen) > _DEEPEST:
            parts.skip = "its bases are nested too deep"
        elif new:
            _collect(inside, tree, parts, seen | {target})
    elif tree.exists(target):
        parts.sources.add(target)
        if name in _TRANSFORMING:
            parts.patches.add(target)
    elif _REMOTE.match(node.value):
        parts.remote.append(node.value)
        if _OPTION_FOR_GIT.search(node.value):
            parts.skip = f"git would read the reference in '{node.value}' as an option"
    else:
        _missing(node, place, parts)


def _file(node: ScalarNode, place: Place, tree: Tree, parts: _Parts, into: set[str]) -> None:
    # A generator's file may be written as KEY=FILE, and be an address in both ways.
    target = join(place[1], node.value.rpartition("=")[2])
    if tree.exists(target):
        parts.sources.add(target)
        into.add(target)
    elif _REMOTE.match(node.value) or _REMOTE.match(node.value.partition("=")[2]):
        parts.remote.append(node.value)
    else:
        _missing(node, place, parts)


def _missing(node: ScalarNode, place: Place, parts: _Parts) -> None:
    path, _, file = place
    message = f"there is no '{node.value}'"
    parts.sources.add(join(place[1], node.value))
    parts.problems.append(BuildError("missing-path", path, *file.position(node.start), message))
    parts.skip = "it refers to what is not there"
