"""Units rendered for a check, and what that says about the files they are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from typing import NamedTuple

from gitops_ci import process
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ProgramError
from gitops_ci.flows.validate.destinations import destination_of
from gitops_ci.flows.validate.selection import RenderUnit
from gitops_ci.flows.validate.units import Checkout, Units
from gitops_ci.model import Finding, Log, Skip
from gitops_ci.rendering.deployment import Closure, Output
from gitops_ci.rendering.discovery import Found
from gitops_ci.rendering.documents import Document, dig, is_encrypted
from gitops_ci.rendering.failures import failure_of
from gitops_ci.rendering.kinds import FOLDER_KINDS, recipe_of
from gitops_ci.rendering.parts import roles_of
from gitops_ci.rendering.programs import ProgramSettings, render
from gitops_ci.rendering.substitute import substitute
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.validation import Rendered
from gitops_ci.yamltext import YamlError

__all__ = ["Choice", "RenderResult", "read_units", "render_units"]

_SOURCE = re.compile(r"^# Source: (?P<path>\S.*?)\s*$", re.MULTILINE)
_WORKERS = 4  # programs run beside us, on all cores
_LOOK = 0.5  # seconds
_NOT_INSTALLED = "is not installed"


@dataclass(slots=True)
class RenderResult:
    """`covered` files are judged by what they render to, are parts, or are deployed by nothing: not as they lie.

    `missing` are programs that are not installed, each with the descriptions of the units that it would render.
    """

    rendered: list[Rendered] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    parts: dict[str, str] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    has_variables: bool = False


def read_units(units: Units, listed: Iterable[RenderUnit]) -> RenderResult:
    """What units say without being rendered: what is wrong with them, and which files are parts of them."""
    result = RenderResult(has_variables=units.has_variables)
    for one in listed:
        closure = units.deployment.units[one.id].closure
        result.findings += _problems(closure, units.checkout)
        result.parts |= dict.fromkeys(one.patches, one.file)
    return result


def _problems(closure: Closure, checkout: Checkout) -> list[Finding]:
    return [
        Finding(
            f"gitops/{one.rule}", "error", one.message, checkout.shown(one.path), one.line, one.column, "", one.hint
        )
        for one in closure.problems
    ]


class Choice(NamedTuple):
    """What of the wanted units a run is about.

    `follows`: which units, of those that stand in the output of a wanted one, are rendered too. `judges`: whether what
    a unit renders to is judged; another one is rendered for what stands in its output.
    """

    follows: Callable[[Found], bool]
    judges: Callable[[Found], bool]


_EVERYTHING = Choice(lambda found: True, lambda found: True)  # noqa: ARG005


def render_units(
    units: Units,
    chosen: set[str],
    wanted: frozenset[str] | None,
    settings: ProgramSettings,
    values: Mapping[str, str],
    log: Log,
    *,
    choice: Choice = _EVERYTHING,
) -> RenderResult:
    """Render what is wanted and can be rendered; everything else is reported with its reason."""
    run = _Run(units, settings, values, choice, log)
    run.everything(wanted)
    run.files(chosen)
    return run.result


class _Run:
    """One run over the units of a checkout."""

    def __init__(
        self, units: Units, settings: ProgramSettings, values: Mapping[str, str], choice: Choice, log: Log
    ) -> None:
        self._units = units
        self._deployment = units.deployment
        self._repository = units.deployment.repository
        self._shown = units.checkout.shown
        self._settings = settings
        self._values = values
        self._choice = choice
        self._log = log
        self.result = RenderResult(has_variables=units.has_variables)
        self._decrypted: dict[str, bool] = {}

    def everything(self, wanted: frozenset[str] | None) -> None:
        def is_wanted(found: Found) -> bool:
            if found.within:
                return self._choice.follows(found)
            return wanted is None or found.unit.id in wanted

        batch = self._units.first
        while batch:
            batch = self._round([one for one in batch if is_wanted(one)]) or self._deployment.remaining()
        for program, paths in self.result.missing.items():
            reason = f"not rendered: {program} ({len(paths)} of its kind)"
            hint = "Install it and put it on PATH, or give --render none."
            self.result.skipped.append(Skip(paths[0], 0, reason, hint))
        for path in sorted(path for path, is_decrypted in self._decrypted.items() if not is_decrypted):
            message = "SOPS encrypted this, and no Kustomization that applies it has spec.decryption"
            hint = "Flux applies the file as it is. Add decryption: {provider: sops} to the Kustomization."
            where = self._shown(path)
            self.result.findings.append(Finding("gitops/no-decryption", "warning", message, where, 1, 1, "", hint))
        for first, second in self._deployment.cycles:
            message = f"{first} and {second} contain each other"
            self._finding("gitops/cycle", "error", message, self._deployment.units[first])

    def _round(self, todo: Sequence[Found]) -> list[Found]:
        """Render units, and return those that stand in their output."""
        more: list[Found] = []
        ready = [ready for one in todo if (ready := self._ready(one))]
        for found, made in zip(ready, self._outputs(ready), strict=True):
            if isinstance(made, ProgramError):
                self._failed(found, made)
                continue
            more += self._deployment.follow(found, made)
            if self._choice.judges(found):
                self._take(found, made)
        return more

    def _ready(self, found: Found) -> Found | None:
        """The unit as it can be rendered here; None, and the reason is reported, when it cannot."""
        if found.closure.steps and process.find("helm") is None:
            found = replace(found, closure=found.closure.without_charts())
        closure = found.closure
        self.result.findings += _problems(closure, self._units.checkout)
        is_fetched = self._settings.allow_remote and bool(closure.remote)
        if closure.refused:
            self._skip(found, closure.refused)
        elif closure.error:
            if not closure.problems:
                self._finding("gitops/unit-build", "error", closure.error, found)
        elif closure.skip and not is_fetched:
            if offline := closure.without_remote():
                return replace(found, closure=offline)
            if not closure.problems:
                self._skip(found, closure.skip, closure.remedy, expected=closure.is_only_a_part)
        else:
            return found
        return None

    def _outputs(self, ready: Sequence[Found]) -> list[Output | ProgramError]:
        from concurrent.futures import ThreadPoolExecutor, wait

        def one(found: Found) -> Output | ProgramError:
            try:
                recipe = recipe_of(found.unit, found.closure, self._repository)
                return render(recipe, self._repository.tree, self._settings)
            except ProgramError as error:
                return error

        with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
            futures = [pool.submit(one, found) for found in ready]
            for future in futures:
                # A signal that comes right before Python waits is seen after the wait: none lasts for long.
                while wait((future,), timeout=_LOOK).not_done:
                    pass
            return [future.result() for future in futures]

    def _failed(self, found: Found, error: ProgramError) -> None:
        if _NOT_INSTALLED in error.message:
            self.result.missing.setdefault(error.message, []).append(self._shown(found.unit.path))
            return
        whole = self._deployment.units[found.unit.id].closure
        failure = failure_of(found.unit, whole, error, self._repository)
        if not failure.is_error:
            self._skip(found, failure.message, failure.remedy)
            return
        rule = "gitops/kustomize-build" if found.unit.kind == "kustomization" else "gitops/unit-build"
        self._finding(rule, "error", failure.message, found)

    def _take(self, found: Found, output: Output) -> None:
        unit, closure = found.unit, found.closure
        for reason in closure.omitted:
            self._skip(found, reason, closure.remedy, word="rendered in part")
        for message in output.errors:
            self._finding("gitops/unit-build", "error", message, found)
        if undefined := output.undefined:
            names = ", ".join(undefined[:5]) + (f" and {len(undefined) - 5} more" if len(undefined) > 5 else "")
            message = f"nothing in this repository defines {names}"
            hint = "Define it under postBuild, or write a default: ${NAME:=value}."
            self._finding("gitops/undefined-variable", "warning", message, found, hint=hint)
        if unit.id in self._deployment.superseded:
            return
        if unit.kind == "flux-kustomization":
            self._note_decryption(found)
        tree = self._repository.tree
        described = {unit.path} if unit.kind in FOLDER_KINDS else set()
        templates = {path for path in closure.files if _is_template(path, closure, unit.source)}
        own = sorted((closure.files - closure.parts - described) | templates)
        texts = tuple((self._shown(path), text) for path in own if (text := tree.text(path)) is not None)
        name = self._shown(unit.source or ".") if unit.kind in FOLDER_KINDS else unit.id
        if name == ".":
            name = self._shown(unit.path)
        text = substitute(output.text, self._values)
        self.result.rendered.append(
            Rendered(
                name,
                self._shown(unit.path),
                text,
                texts,
                self._source_of(found),
                unit.is_assumed,
                bool(closure.omitted),
                self._units.completed_in(found),
                unit.kind == "flux-kustomization" and dig(unit.value, "spec", "prune") is not True,
                destination_of(found, self._deployment),
            )
        )
        self._log.detail(f"rendered {name}")

    def _note_decryption(self, found: Found) -> None:
        """Remember the encrypted files that a Kustomization of Flux takes, and whether one that does decrypts it."""
        tree = self._repository.tree
        is_patched = found.unit.is_assumed or "Kustomization" in self._units.completed_in(found)
        decrypts = is_patched or dig(found.unit.value, "spec", "decryption") is not None
        for path in found.closure.files:
            if tree.noted(path, _is_marked) and any(map(is_encrypted, _documents(path, tree))):
                self._decrypted[path] = self._decrypted.get(path, False) or decrypts

    def _source_of(self, found: Found) -> Callable[[str], str | None]:
        """The file that a rendered document says it came from: helm writes the chart's name before the path in it."""
        files = found.closure.files
        folders = sorted({*found.closure.folders, found.unit.source}, key=len, reverse=True)

        def source_of(document: str) -> str | None:
            match = _SOURCE.search(document)
            if match is None:
                return None
            path = match["path"]
            inside = path.partition("/")[2]
            nested = (f"{folder}/{inside}".removeprefix("./") for folder in folders)
            known = next((one for one in (path, *nested) if one in files), None)
            return self._shown(known) if known else None

        return source_of

    def files(self, chosen: set[str]) -> None:
        """Sort the chosen files by what they are: only those that nothing renders are judged as they lie."""
        by_name = {self._units.checkout.inside(path): path for path in chosen}
        owners, lacks_program = self._owners(), cache(_lacks_program)
        for path, role in roles_of(by_name, self._deployment).items():
            shown, units = by_name[path], owners.get(path, [])
            if units and all(path not in one.closure.parts and lacks_program(one.unit.kind) for one in units):
                continue  # only a program that is missing would render it
            if role.role == "plain" and not units:
                continue
            self.result.covered.add(shown)
            if role.role == "part" and role.units:
                self.result.parts[shown] = role.units[0]
            elif role.role == "left-out":
                reason = f"{role.units[0]} leaves it out"
                self.result.skipped.append(Skip(shown, 0, reason, expected=True))
            elif role.role == "not-deployed" and not units:
                message = "in no kustomization: nothing deploys it"
                hint = "List it in the kustomization.yaml beside it, or remove it."
                self.result.findings.append(Finding("gitops/not-deployed", "note", message, shown, 1, 1, "", hint))

    def _owners(self) -> dict[str, list[Found]]:
        """For each file the units that it is in, also those that another job renders."""
        owners: dict[str, list[Found]] = {}
        for one in self._deployment.units.values():
            for path in one.closure.files | one.closure.parts:
                owners.setdefault(path, []).append(one)
        return owners

    def _skip(
        self, found: Found, reason: str, remedy: str = "", *, word: str = "not rendered", expected: bool = False
    ) -> None:
        path = self._shown(found.unit.path)
        self.result.skipped.append(Skip(path, 0, f"{word}: {reason}", remedy, expected=expected))

    def _finding(self, rule: str, severity: str, message: str, found: Found, *, hint: str = "") -> None:
        path, line = self._shown(found.unit.path), found.unit.line
        assert severity in {"error", "warning", "note"}
        self.result.findings.append(Finding(rule, severity, message, path, line, 1, "", hint))  # type: ignore[arg-type]


def _is_marked(text: str) -> bool:
    return "ENC[" in text and "sops" in text


def _documents(path: str, tree: SourceTree) -> Sequence[Document]:
    try:
        return tree.documents(path)
    except YamlError:
        return ()  # the check of the file reports it


def _lacks_program(kind: str) -> bool:
    """Whether no program is installed that renders a kind of unit."""
    if kind in {"chart", "helmrelease"}:
        return process.find("helm") is None
    has_kustomize = process.find("kustomize") or process.find("kubectl")
    return not has_kustomize and (kind in {"kustomization", "flux-kustomization"} or process.find("helm") is None)


def _is_template(path: str, closure: Closure, source: str) -> bool:
    """Whether a file is a template or a definition of one of the charts of a unit."""
    folders = ("" if folder == "." else f"{folder}/" for folder in {*closure.folders, source} if folder)
    return path.startswith(tuple(f"{folder}{name}/" for folder in folders for name in ("templates", "crds")))
