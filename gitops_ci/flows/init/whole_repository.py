"""Objects of an operator that apply the whole repository: they would apply the files below `.gitops-ci/`, too.

Argo CD reads all files below a path with `directory.recurse`. Flux makes a kustomization of all files below a path that
has none (fluxcd/pkg `kustomize/kustomize_generator.go`). Fleet reads a folder with everything below it. None of them
leaves out folders that begin with a dot.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from gitops_ci import known_files
from gitops_ci.yamltext import MappingNode, Node, SequenceNode, YamlError, read

__all__ = ["applied_with_own_files"]

_GROUPS = re.compile(r"argoproj\.io/|kustomize\.toolkit\.fluxcd\.io/|fleet\.cattle\.io/")
_OWN = known_files.OWN_FOLDER.rstrip("/")


def applied_with_own_files(files: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each object, with what leaves the files out; `files` are texts by path from the root."""
    for path, text in sorted(files.items()):
        if not path.endswith((".yaml", ".yml")) or not _GROUPS.search(text):
            continue
        try:
            file = read(text)
        except YamlError:
            continue  # `validate` tells
        for document in file.documents:
            if isinstance(document, MappingNode) and (remedy := _remedy(document, files)):
                where = f"{path}:{file.position(document.start)[0]}"
                yield f"{where}: {document.text('kind')} applies the whole repository, {_OWN}/ with it: {remedy}"


def _remedy(document: MappingNode, files: Mapping[str, str]) -> str:
    """What leaves the folder out; '' where it is left out, or another path is applied."""
    group, kind = document.text("apiVersion").partition("/")[0], document.text("kind")
    spec = _mapping(document.get("spec"))
    if group == "argoproj.io" and kind in {"Application", "ApplicationSet"}:
        spec = _mapping(_mapping(spec.get("template")).get("spec")) if kind == "ApplicationSet" else spec
        several = spec.get("sources")
        sources = [spec.get("source"), *(several.items if isinstance(several, SequenceNode) else ())]
        if any(_recurses(_mapping(source)) for source in sources):
            return f"set directory.exclude to '{_OWN}/**' in its source"
    if group == "kustomize.toolkit.fluxcd.io" and kind == "Kustomization" and _is_root(spec.text("path")):
        has_own = any(name in files for name in known_files.KUSTOMIZATIONS)
        return "" if has_own or _ignored(".sourceignore", files) else f"write /{_OWN}/ into .sourceignore"
    if group == "fleet.cattle.io" and kind == "GitRepo":
        paths = spec.get("paths")
        texts = [str(getattr(item, "value", "")) for item in paths.items] if isinstance(paths, SequenceNode) else [""]
        if any(map(_is_root, texts)) and not _ignored(".fleetignore", files):
            return f"write {_OWN}/ into .fleetignore"
    return ""


def _recurses(source: MappingNode) -> bool:
    directory = _mapping(source.get("directory"))
    is_whole = bool(source.text("repoURL")) and not source.text("chart") and _is_root(source.text("path"))
    return is_whole and directory.text("recurse") == "true" and _OWN not in directory.text("exclude")


def _ignored(name: str, files: Mapping[str, str]) -> bool:
    return _OWN in files.get(name, "")


def _is_root(path: str) -> bool:
    return posixpath.normpath(f"/{path.lstrip('/')}") == "/"


def _mapping(node: Node | None) -> MappingNode:
    return node if isinstance(node, MappingNode) else MappingNode(0, 0, flow=False)
