"""Who sets the variables that a file reads: `.env` beside Compose, Flux' substitutions, generators of ApplicationSets,
inputs of ResourceSets.

Sources: docs.docker.com/compose; fluxcd.io/flux/components/kustomize/kustomizations (`spec.path`, `postBuild`);
argo-cd.readthedocs.io, "Git Generator: Files".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator

from gitops_ci.dataclass import dataclass
from gitops_ci.formats import ManifestText, argocd, compose, env_file, flux, kubernetes
from gitops_ci.formats.document.nodes import Object, object_of
from gitops_ci.plan import generators
from gitops_ci.yamltext import MappingNode, SequenceNode

__all__ = ["Setting", "generator_files", "reads_variables", "settings", "substituted_from"]

_SETTERS = ("ApplicationSet", "postBuild", "ResourceSet", kubernetes.TEMPLATES)
_READS = re.compile(r"\$\{?[A-Za-z_]|\{\{")


@dataclass(frozen=True, slots=True)
class Setting:
    """A layer of variables, and the files that read them."""

    layer: str
    files: tuple[str, ...]


def reads_variables(source: ManifestText) -> bool:
    return bool(_READS.search(source.text))


def settings(source: ManifestText, paths: Collection[str]) -> Iterator[Setting]:
    """What a file sets for which of the `paths`."""
    folder = posixpath.dirname(source.path)
    if env_file.is_env_file(source.path):
        beside = (path for path in paths if posixpath.dirname(path) == folder and compose.is_compose(path))
        yield Setting(env_file.layer(source.path), tuple(beside))
        return
    for what, root in _objects(source):
        if what.kind == "ApplicationSet":
            yield Setting(argocd.generators_layer(source.path), (source.path,))
            yield from (
                Setting(f"values:{posixpath.splitext(path)[0]}", (source.path,))
                for pattern in generators.file_patterns(root)
                for path in paths
                if pattern.fullmatch(path)
            )
        elif what.group == kubernetes.TEMPLATES:
            yield Setting(kubernetes.parameters_layer(source.path), (source.path,))
        elif what.kind == "ResourceSet":
            yield Setting(flux.inputs_layer(source.path), (source.path,))
        elif what.group == "kustomize.toolkit.fluxcd.io":
            yield from _substitutions(source, what.resource, root, paths)


def substituted_from(source: ManifestText) -> Iterator[str]:
    """The names of the ConfigMaps that Flux takes variables from."""
    if "substituteFrom" in source.text:
        for setting in settings(source, ()):
            if setting.layer.startswith("ConfigMap/"):
                yield setting.layer.removeprefix("ConfigMap/")


def generator_files(source: ManifestText, paths: Iterable[str]) -> set[str]:
    """The files that the git generators of an ApplicationSet read."""
    patterns = [pattern for _, root in _objects(source) for pattern in generators.file_patterns(root)]
    return {path for path in paths if any(pattern.fullmatch(path) for pattern in patterns)} if patterns else set()


def _objects(source: ManifestText) -> Iterator[tuple[Object, MappingNode]]:
    if not any(word in source.text for word in _SETTERS):
        return
    for root in source.documents:
        what = object_of(root)
        if what and isinstance(root, MappingNode):
            yield what, root


def _substitutions(source: ManifestText, resource: str, root: MappingNode, paths: Collection[str]) -> Iterator[Setting]:
    spec = root.get("spec")
    build = spec.get("postBuild") if isinstance(spec, MappingNode) else None
    if not isinstance(spec, MappingNode) or not isinstance(build, MappingNode):
        return
    folder = posixpath.normpath(spec.text("path").lstrip("/") or ".")
    below = tuple(path for path in paths if folder == "." or path.startswith(f"{folder}/"))
    yield Setting(flux.substitution_layer(source.path, resource), below)
    listed = build.get("substituteFrom")
    for item in listed.items if isinstance(listed, SequenceNode) else ():
        if isinstance(item, MappingNode) and item.text("name"):
            yield Setting(f"ConfigMap/{item.text('name')}", below)
