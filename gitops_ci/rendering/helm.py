"""Helm charts and their output by `helm template`. Source: helm.sh/docs/topics/charts."""

from __future__ import annotations

import os
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from gitops_ci import process
from gitops_ci.errors import ProgramError
from gitops_ci.known_files import CHART
from gitops_ci.process import operand
from gitops_ci.rendering.base import Settings, Tree, Unit, join, output
from gitops_ci.yamltext import MappingNode, YamlError, read
from gitops_ci.yamltext import SequenceNode as YamlSequence

__all__ = ["INSTALL", "program", "render", "source", "units"]

INSTALL = "Install helm and put it on PATH, or give --render none."
_SOURCE = re.compile(r"^# Source: (?P<chart>[^/\s]+)/(?P<path>\S+)", re.MULTILINE)


def units(files: Iterable[str], tree: Tree) -> Sequence[Unit]:
    """Every chart of the given files; a chart below another one's charts/ is part of that one."""
    names = sorted(set(files))
    described = [path for path in names if posixpath.basename(path) == CHART]
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
    if not isinstance(root, MappingNode):
        return Unit("helm", path, folder, sources, skip="its Chart.yaml is empty", inner=inner)
    skip = ""
    if root.text("type") == "library":
        skip = "a library chart renders nothing by itself"
    elif tree.leads_out(folder):
        skip = "a link in the chart leads out of it"
    return Unit("helm", path, folder, sources, frozenset(), _missing_dependencies(root, folder, tree), (), inner, skip)


def _missing_dependencies(root: MappingNode, folder: str, tree: Tree) -> tuple[str, ...]:
    """Dependencies that are not in charts/ and would have to be fetched."""
    found = root.get("dependencies")
    vendored = tree.names(join(folder, "charts"))
    missing = []
    for item in found.items if isinstance(found, YamlSequence) else ():
        if not isinstance(item, MappingNode) or item.text("repository").startswith("file://"):
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
    return _template(unit.folder, program, tree, settings)


def _template(folder: str, program: str, tree: Tree, settings: Settings) -> str:
    command = [
        program, "template", "--include-crds",
        *([f"--kube-version=v{settings.kubernetes_version}.0"] if settings.kubernetes_version else []),
        *(f"--values={_one_of_a_list(operand(values))}" for values in settings.values),
        "--", "release-name", operand(folder),
    ]  # fmt: skip
    return output(command, tree, settings, INSTALL)


def _one_of_a_list(text: str) -> str:
    """A value of an option that takes several, separated by commas, as CSV (pflag, `StringSlice`)."""
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\n]', text) else text


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
        output([program, "dependency", "build", "--", inside], tree, settings, INSTALL)
        return _template(inside, program, tree, settings)


def source(unit: Unit, document: str) -> str | None:
    found = _SOURCE.search(document)
    return join(unit.folder, found["path"]) if found else None
