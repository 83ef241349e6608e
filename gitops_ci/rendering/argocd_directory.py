"""A folder of manifests as Argo CD reads it.

Source: argo-cd reposerver/repository/repository.go, getPotentiallyValidManifestFile and getObjsFromYAMLOrJSON (3.6).
"""

from __future__ import annotations

import re

from gitops_ci.rendering.argocd_globs import directory_glob
from gitops_ci.rendering.argocd_source import Source
from gitops_ci.rendering.deployment import Closure
from gitops_ci.rendering.documents import dig, text_of
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["directory_closure", "directory_text"]

_MANIFEST = re.compile(r".*\.(?:ya?ml|json|jsonnet)")
_SKIPPED = "+argocd:skip-file-rendering"
_WORDS_OF_AN_OBJECT = ("apiVersion:", "kind:", "metadata:")


def directory_closure(source: Source, tree: SourceTree) -> Closure:
    """The files that are applied, each as it lies."""
    made = Closure()
    folder = tree.resolve(source.path) or "."
    directory = source.value.get("directory")
    prefix = "" if folder == "." else f"{folder}/"
    include, exclude = text_of(dig(directory, "include")), text_of(dig(directory, "exclude"))
    takes_any_ending = dig(directory, "disableExtensionFilter") is True
    for path in tree.below(folder):
        short = path[len(prefix) :]
        if "/" in short and dig(directory, "recurse") is not True:
            continue
        if not takes_any_ending and not _MANIFEST.fullmatch(short):
            continue
        if (exclude and directory_glob(exclude, short)) or (include and not directory_glob(include, short)):
            made.left_out.add(path)
            continue
        if tree.leads_out(path):
            made.refuse(f"{path} is a link that leads out of the repository")
            return made
        if short.endswith(".jsonnet"):
            made.omitted.append(f"{path}: without this Jsonnet program")
        elif _SKIPPED in (tree.text(path) or _SKIPPED) or _is_ignored(path, tree):
            made.left_out.add(path)
        else:
            made.files.add(path)
    return made


def _is_ignored(path: str, tree: SourceTree) -> bool:
    """Whether a file holds no object, and does not look as if it did: no error of Argo CD's either."""
    text = tree.text(path) or ""
    if path.endswith(".json") or all(word in text for word in _WORDS_OF_AN_OBJECT):
        return False
    try:
        return not any(one.kind for one in tree.documents(path))
    except YamlError:
        return True


def directory_text(closure: Closure, tree: SourceTree) -> list[str]:
    """The text of each file, with a line that says where it comes from."""
    return [f"# Source: {path}\n{(tree.text(path) or '').removeprefix(chr(0xFEFF))}" for path in sorted(closure.files)]
