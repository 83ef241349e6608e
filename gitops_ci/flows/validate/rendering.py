"""Kustomizations and charts rendered for a check, and what that says about the files they are made of."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gitops_ci.errors import ProgramError
from gitops_ci.known_files import FLEET
from gitops_ci.model import Finding, Log, Skip
from gitops_ci.rendering import RENDERERS, Settings, Tree, Unit, substitute
from gitops_ci.validation import Rendered

__all__ = ["RenderResult", "find_units", "read_units", "render_units"]


@dataclass(slots=True)
class RenderResult:
    """`covered` files are judged by what they render to, `patches` are no manifests of their own."""

    rendered: list[Rendered] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    patches: dict[str, str] = field(default_factory=dict)


def find_units(tree: Tree, files: Sequence[str]) -> list[Unit]:
    """Every kustomization and chart among the files."""
    return [unit for renderer in RENDERERS.values() for unit in renderer.units(files, tree)]


def read_units(units: Sequence[Unit]) -> RenderResult:
    """What units say without being rendered: what is wrong with them, and which files are their patches."""
    result = RenderResult()
    for unit in units:
        result.findings += [
            Finding(f"gitops/{one.rule}", "error", one.message, one.path, one.line, one.column, "", one.hint)
            for one in unit.problems
        ]
        result.patches |= dict.fromkeys(unit.patches, unit.file)
    return result


def render_units(
    units: Sequence[Unit], tree: Tree, settings: Settings, values: Mapping[str, str], log: Log
) -> RenderResult:
    """Render what can be rendered; everything else is told with its reason."""
    result = read_units(units)
    for name, renderer in RENDERERS.items():
        mine = [unit for unit in units if unit.renderer == name]
        for unit in mine:
            result.covered |= _described(unit)
        ready = [unit for unit in mine if not unit.inner and _may(unit, settings, result)]
        program = renderer.program() if ready else None
        if ready and program is None:
            told = f"not rendered: {name} is not installed ({len(ready)} of its kind)"
            result.skipped.append(Skip(ready[0].file, 0, told, renderer.INSTALL))
            continue
        for unit, text in zip(ready, _all(ready, program or "", tree, settings), strict=True):
            _take(unit, text, tree, values, result)
            log.detail(f"rendered {unit.folder}")
    return result


def _may(unit: Unit, settings: Settings, result: RenderResult) -> bool:
    if unit.skip:
        if not unit.problems:
            result.skipped.append(Skip(unit.file, 0, f"not rendered: {unit.skip}"))
        return False
    if unit.remote and not settings.allow_remote:
        hint = "Give --allow-remote to fetch it, or vendor it."
        result.skipped.append(Skip(unit.file, 0, f"not rendered: it needs {', '.join(unit.remote)}", hint))
        return False
    return True


def _all(units: Sequence[Unit], program: str, tree: Tree, settings: Settings) -> list[str | ProgramError]:
    """The output of each unit, or why there is none; two at a time, since the programs run beside us."""
    from concurrent.futures import ThreadPoolExecutor

    def one(unit: Unit) -> str | ProgramError:
        try:
            return RENDERERS[unit.renderer].render(unit, program, tree, settings)
        except ProgramError as error:
            return error

    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(one, units))


def _take(
    unit: Unit,
    text: str | ProgramError,
    tree: Tree,
    values: Mapping[str, str],
    result: RenderResult,
) -> None:
    if isinstance(text, ProgramError):
        said = _said(text)
        if unit.renderer == "helm":
            # A chart may want values that only its user has.
            hint = "Render it with its values, and check the output."
            result.skipped.append(Skip(unit.file, 0, f"not rendered: {said}", hint))
            return
        if _in_bundle(unit, tree):
            # Fleet lays such an overlay over the output of a chart.
            result.skipped.append(Skip(unit.file, 0, f"not rendered: {said}", "Fleet renders it with its bundle."))
            return
        result.findings.append(Finding("gitops/kustomize-build", "error", said, unit.file, 1, 1))
        return
    result.covered |= unit.sources
    own = sorted(unit.sources - unit.patches - {unit.file})
    sources = tuple((path, found) for path in own if (found := tree.text(path)) is not None)
    name = unit.folder if unit.folder != "." else unit.file

    def source_of(document: str) -> str | None:
        return RENDERERS[unit.renderer].source(unit, document)

    result.rendered.append(Rendered(name, unit.file, substitute(text, values), sources, source_of))


def _described(unit: Unit) -> set[str]:
    """What says how a unit is rendered, and is no manifest whether that happens or not."""
    if unit.renderer != "helm":
        return {unit.file}
    inside = {path.removeprefix("" if unit.folder == "." else f"{unit.folder}/"): path for path in unit.sources}
    return {path for short, path in inside.items() if short.startswith("templates/") or "/" not in short}


def _in_bundle(unit: Unit, tree: Tree) -> bool:
    """Whether a folder above is a Fleet bundle."""
    folder = unit.folder
    while folder not in {"", ".", ".."}:
        folder = posixpath.dirname(folder)
        if any(tree.exists(posixpath.join(folder, name)) for name in FLEET):
            return True
    return False


_LOGGED = re.compile(r'^E\d{4} .*? err="(?P<said>.*)"$')


def _said(error: ProgramError) -> str:
    """The program's own complaint: its last line that is no warning."""
    text = error.message.partition(": ")[2] or error.message
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    lines = [line for line in lines if not line.startswith("Use --debug")] or [text]
    if logged := _LOGGED.match(lines[-1]):
        return logged["said"].replace('\\"', '"')
    return " ".join(lines[-2:]).removeprefix("error: ").removeprefix("Error: ")
