"""What each file of a tree is: rendered by units, a part of one, deployed by nothing, or judged as it lies."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Literal

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.discovery import Deployment, Found
from gitops_ci.rendering.kinds import FILE_KINDS
from gitops_ci.rendering.kustomization_files import NAMES
from gitops_ci.rendering.tree import SourceTree

__all__ = ["FileRole", "roles_of"]


@dataclass(frozen=True, slots=True)
class FileRole:
    """What a file is. `units` are the ids of those that say so.

    `rendered`: judged by what these units render to. `part`: no manifest of its own, or a piece of what cannot be
    rendered here; not judged alone. `left-out`: in the folder of a unit that says not to take it. `not-deployed`:
    beside a kustomization that does not list it, or among its patches, and in no unit. `plain`: judged as it lies.
    """

    role: Literal["rendered", "part", "left-out", "not-deployed", "plain"]
    units: tuple[str, ...] = field(default=())


def roles_of(names: Iterable[str], deployment: Deployment) -> dict[str, FileRole]:
    """The role of each file, once everything was rendered that can be (`Deployment.rendered`)."""
    rendered, parts = _owners(deployment)
    descriptions = {one.unit.path for one in deployment.units.values() if one.unit.kind in FILE_KINDS}
    listed = _folders_with_kustomization(deployment.repository.tree) | _folders_of_patches(parts)
    charts = set(_template_folders(deployment.repository.tree))
    left_out = {path: name for name in sorted(deployment.rendered) for path in deployment.units[name].closure.left_out}
    made = {}
    for path in names:
        if path in rendered:
            made[path] = FileRole("rendered", tuple(rendered[path]))
        elif path in parts:
            made[path] = FileRole("part", tuple(parts[path]))
        elif path in descriptions or (chart := _chart_of(path, charts)) is not None:
            made[path] = FileRole("part", () if path in descriptions else (f"chart:{chart}",))
        elif path in left_out:
            made[path] = FileRole("left-out", (left_out[path],))
        elif (posixpath.dirname(path) or ".") in listed:
            made[path] = FileRole("not-deployed")
        else:
            made[path] = FileRole("plain")
    return made


def _owners(deployment: Deployment) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]:
    """For each file the units whose output it is in, and those that it is only a part of."""
    rendered: dict[str, list[str]] = {}
    parts: dict[str, list[str]] = {}
    for name, one in sorted(deployment.units.items()):
        is_rendered = name in deployment.rendered
        if not is_rendered and name not in deployment.attempted:
            continue
        charts = _charts_in(one)
        for path in one.closure.files | one.closure.parts:
            is_manifest = is_rendered and (path not in one.closure.parts or path.startswith(charts))
            (rendered if is_manifest else parts).setdefault(path, []).append(name)
    return rendered, parts


def _charts_in(found: Found) -> tuple[str, ...]:
    """The charts of a unit: all that is in them is judged by what they render to, their values too."""
    return tuple(
        "" if folder == "." else f"{folder}/"
        for folder in found.closure.folders
        if (CHART if folder == "." else f"{folder}/{CHART}") in found.closure.files
    )


def _folders_with_kustomization(tree: SourceTree) -> set[str]:
    return {posixpath.dirname(path) or "." for path in tree.names if posixpath.basename(path) in NAMES}


def _folders_of_patches(parts: Iterable[str]) -> set[str]:
    """Folders like `patches` that a unit takes patches from: what it does not take is a patch that is switched off."""
    folders = map(posixpath.dirname, parts)
    return {folder for folder in folders if "patch" in posixpath.basename(folder)}


def _template_folders(tree: SourceTree) -> list[str]:
    return [posixpath.dirname(path) or "." for path in tree.names if posixpath.basename(path) == CHART]


def _chart_of(path: str, charts: Collection[str]) -> str | None:
    """The chart whose template or values a file is, although nothing renders that chart."""
    folder = posixpath.dirname(path) or "."
    while True:
        if folder in charts:
            inside = path if folder == "." else path[len(folder) + 1 :]
            direct = "/" not in inside
            return folder if direct or inside.startswith(("templates/", "crds/", "charts/", "ci/")) else None
        if folder in {"", "."}:
            return None
        folder = posixpath.dirname(folder) or "."
