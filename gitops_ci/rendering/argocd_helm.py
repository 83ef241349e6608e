"""A chart as Argo CD installs it. Source: argo-cd util/helm/cmd.go, reposerver/repository/repository.go (3.6).

Values, from the weakest: the chart's own, `valueFiles` in order, `values` or `valuesObject`, `parameters`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from gitops_ci.rendering.argocd_environment import filled_in
from gitops_ci.rendering.argocd_globs import doublestar, is_glob
from gitops_ci.rendering.argocd_source import Source
from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART, collect_chart
from gitops_ci.rendering.deployment import Closure, Repository
from gitops_ci.rendering.documents import dig, items, text_of
from gitops_ci.rendering.helm_command import Installation
from gitops_ci.rendering.tree import SourceTree

__all__ = ["chart_closure", "installation", "values_here"]

_UNESCAPED_COMMA = re.compile(r"(^|[^\\]),")


def chart_closure(source: Source, repository: Repository) -> Closure:
    """The chart, and each file of values and parameters, none of which may lie outside of the repository."""
    made = Closure()
    tree = repository.tree
    if not tree.is_file(join(source.path, CHART)):
        made.error = f"there is no chart in '{source.path}'"
        return made
    collect_chart(source.path, tree, made)
    helm = source.value.get("helm")
    for path in [text_of(one) for one in items(helm, "valueFiles")]:
        _add(path, source, tree, made, may_miss=dig(helm, "ignoreMissingValueFiles") is True)
    for parameter in items(helm, "fileParameters"):
        _add(text_of(dig(parameter, "path")), source, tree, made)
    made.parts |= made.files
    if made.remote and not made.skip:
        made.skip = f"it needs {', '.join(made.remote)}"
        made.remedy = "Use --allow-remote to fetch it, or copy it into charts/."
    return made


def values_here(source: Source, tree: SourceTree) -> list[str]:
    """The files of values in this repository for a chart that is elsewhere."""
    named = [text_of(one) for one in items(source.value.get("helm"), "valueFiles")]
    here = [name for name, why in (source.references or {}).items() if not why]
    targets = [_target(path, source) for path in named if _reference(path) in here]
    return [tree.resolve(path) or path for target in targets for path in _matching(target, tree)]


def _add(path: str, source: Source, tree: SourceTree, made: Closure, *, may_miss: bool = False) -> None:
    if "://" in path:
        made.skip, made.remedy = f"it needs {path}", "Copy the file into the repository."
        return
    name = _reference(path)
    if name and source.references is not None and name not in source.references:
        made.error = made.error or f"'{path}' is of a source that no source names by 'ref: {name}'"
        return
    if why := _elsewhere(path, source):
        made.skip, made.remedy = f"'{path}' is not here: {why}", "Check it in the checkout of that source."
        return
    target = _target(path, source)
    if tree.leads_out(target):
        made.refuse(f"'{path}' leads out of the repository")
        return
    found = _matching(target, tree)
    if not found and not may_miss:
        made.error = made.error or f"there is no '{path}'"
    for one in found:
        made.files.add(tree.resolve(one) or one)


def _reference(path: str) -> str:
    return path.partition("/")[0].removeprefix("$") if path.startswith("$") else ""


def _elsewhere(path: str, source: Source) -> str:
    return (source.references or {}).get(_reference(path), "")


def _target(path: str, source: Source) -> str:
    """From the root of the repository: `$ref/…` and `/…` start there, anything else in the chart's folder."""
    if _reference(path) in (source.references or {}):
        return filled_in(path.partition("/")[2], source.environment)
    path = filled_in(path, source.environment)
    if path.startswith("/"):
        return path.lstrip("/")
    return posixpath.join("" if source.path == "." else source.path, path)


def _matching(target: str, tree: SourceTree) -> list[str]:
    if tree.is_file(target):
        return [target]
    if not is_glob(target):
        return []
    wanted = posixpath.normpath(target)
    return [name for name in tree.names if doublestar(wanted, name)]


def _values_files(source: Source, tree: SourceTree) -> list[str]:
    """The values files in order, each once. A named file keeps its own position, even if a glob also finds it."""
    targets = [_target(text_of(one), source) for one in items(source.value.get("helm"), "valueFiles")]
    named = {one for one in targets if not is_glob(one)}
    found = [path for target in targets for path in _matching(target, tree) if not is_glob(target) or path not in named]
    return list(dict.fromkeys(found))


def installation(source: Source, application: Mapping[str, Any], label: str, repository: Repository) -> Installation:
    """How the chart of a source is templated."""
    helm = source.value.get("helm")
    name = text_of(dig(helm, "releaseName")) or text_of(dig(application, "metadata", "name"))
    namespace = text_of(dig(helm, "namespace")) or text_of(dig(application, "spec", "destination", "namespace"))
    made = Installation(source.path, name, namespace, label=label)
    made.kubernetes_version = text_of(dig(helm, "kubeVersion")) or repository.kubernetes_version
    made.api_versions = tuple(text_of(one) for one in items(helm, "apiVersions"))
    made.include_crds = dig(helm, "skipCrds") is not True
    made.skip_tests = dig(helm, "skipTests") is True
    made.skip_schema = dig(helm, "skipSchemaValidation") is True
    for path in _values_files(source, repository.tree):
        made.add_values_file(path)
    if isinstance(values := dig(helm, "valuesObject"), dict) or (values := text_of(dig(helm, "values"))):
        made.add_values(values)
    for parameter in items(helm, "parameters"):
        option = "--set-string" if dig(parameter, "forceString") is True else "--set"
        value = filled_in(text_of(dig(parameter, "value")), source.environment)
        made.options.append(f"{option}={text_of(dig(parameter, 'name'))}={_escaped(value)}")
    for parameter in items(helm, "fileParameters"):
        made.add_file_parameter(text_of(dig(parameter, "name")), _target(text_of(dig(parameter, "path")), source))
    return made


def _escaped(value: str) -> str:
    """A comma would begin another parameter; a list in braces stays one."""
    is_list = value.startswith("{") and value.endswith("}")
    return value if is_list else _UNESCAPED_COMMA.sub(r"\1\\,", _UNESCAPED_COMMA.sub(r"\1\\,", value))
