"""Helm charts and their output by `helm template`. Source: helm.sh/docs/topics/charts."""

from __future__ import annotations

import os
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from gitops_ci import process
from gitops_ci.errors import ProgramError
from gitops_ci.rendering.base import Settings, Tree, Unit, join
from gitops_ci.yamltext import Mapping, YamlError, read
from gitops_ci.yamltext import Sequence as YamlSequence

__all__ = ["INSTALL", "program", "render", "source", "units"]

INSTALL = "Install helm and put it on PATH, or give --render none."
_SOURCE = re.compile(r"^# Source: (?P<chart>[^/\s]+)/(?P<path>\S+)", re.MULTILINE)
_CHART = "Chart.yaml"


def units(files: Iterable[str], tree: Tree) -> Sequence[Unit]:
    """Every chart of the given files; a chart below another one's charts/ is part of that one."""
    names = sorted(set(files))
    described = [path for path in names if posixpath.basename(path) == _CHART]
    folders = {posixpath.dirname(path) or "." for path in described}
    return [_unit(path, folders, _below(posixpath.dirname(path), names), tree) for path in described]


def _below(folder: str, names: Sequence[str]) -> frozenset[str]:
    """The names, which are sorted, below a folder."""
    if not folder:
        return frozenset(names)
    return frozenset(names[bisect_left(names, f"{folder}/") : bisect_left(names, f"{folder}0")])  # "0" follows "/"


def _unit(path: str, folders: set[str], sources: frozenset[str], tree: Tree) -> Unit:
    folder = posixpath.dirname(path) or "."
    parent, _, _ = folder.rpartition("/charts/")
    inner = bool(parent) and parent in folders
    try:
        file = read(tree.text(path) or "")
    except YamlError:
        return Unit("helm", path, folder, sources, skip="its Chart.yaml cannot be read", inner=inner)
    root = file.documents[0] if file.documents else None
    if not isinstance(root, Mapping):
        return Unit("helm", path, folder, sources, skip="its Chart.yaml is empty", inner=inner)
    skip = ""
    if root.text("type") == "library":
        skip = "a library chart renders nothing by itself"
    elif tree.leads_out(folder):
        skip = "a link in the chart leads out of it"
    return Unit("helm", path, folder, sources, frozenset(), _missing_dependencies(root, folder, tree), (), inner, skip)


def _missing_dependencies(root: Mapping, folder: str, tree: Tree) -> tuple[str, ...]:
    """Dependencies that are not in charts/ and would have to be fetched."""
    found = root.get("dependencies")
    vendored = tree.names(join(folder, "charts"))
    missing = []
    for item in found.items if isinstance(found, YamlSequence) else ():
        if not isinstance(item, Mapping) or item.text("repository").startswith("file://"):
            continue
        name = item.text("name")
        if not any(one == name or re.fullmatch(rf"{re.escape(name)}-\d.*\.tgz", one) for one in vendored):
            missing.append(f"chart {name} of {item.text('repository')}")
    return tuple(missing)


def program() -> str | None:
    return process.find("helm")


def render(unit: Unit, program: str, tree: Tree, settings: Settings) -> str:
    """Template a chart with its own values; with `allow_remote` its dependencies are fetched into a copy."""
    if settings.allow_remote and unit.remote:
        return _with_dependencies(unit, program, tree, settings)
    return _template(unit.folder, program, tree.root, settings)


def _template(folder: str, program: str, root: str, settings: Settings) -> str:
    command = [program, "template", "release-name", folder, "--include-crds"]
    if settings.kubernetes_version:
        command += ["--kube-version", f"v{settings.kubernetes_version}.0"]
    for values in settings.values:
        command += ["--values", values]
    environment = settings.environment()
    return process.run(command, cwd=root, environment=environment, install=INSTALL).stdout.decode("utf-8", "replace")


def _with_dependencies(unit: Unit, program: str, tree: Tree, settings: Settings) -> str:
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="gitops-ci-chart-") as copy:
        inside = os.path.join(copy, "chart")
        try:
            shutil.copytree(os.path.join(tree.root, unit.folder), inside, symlinks=True)
        except OSError as error:
            raise ProgramError(
                f"the chart in {unit.folder} cannot be copied: {error}",
                hint="Is there room for it in the temporary folder?",
            ) from error
        process.run([program, "dependency", "build", inside], install=INSTALL)
        return _template(inside, program, tree.root, settings)


def source(unit: Unit, document: str) -> str | None:
    found = _SOURCE.search(document)
    return join(unit.folder, found["path"]) if found else None
