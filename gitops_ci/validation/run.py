"""The run over files and rendered units: learn the custom kinds, examine everything, put it in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from gitops_ci.fast_yaml.ambiguity import AMBIGUOUS, classify
from gitops_ci.fast_yaml.reader import load_fast
from gitops_ci.model import Finding, Skip
from gitops_ci.validation.custom_resources.custom_kinds import Conflict, CustomKinds, Where
from gitops_ci.validation.file_check import FileChecker, Result, objects, resource_of
from gitops_ci.validation.lint import REFERRED_GROUPS, image_findings, repository_findings
from gitops_ci.validation.manifests.classify import why_no_manifest
from gitops_ci.validation.manifests.documents import Document, Piece, split
from gitops_ci.validation.manifests.go_yaml import GoYamlError
from gitops_ci.validation.manifests.unknown_values import mentions_vault, substitutes_variables
from gitops_ci.validation.object_check import SCHEMA_LOCATION, ObjectChecker
from gitops_ci.validation.provenance import SourceMap
from gitops_ci.validation.report import Checks, Rendered, Report, Surroundings
from gitops_ci.validation.suppressions import ANNOTATION, Suppressions
from gitops_ci.validation.workers import gc_paused, map_forked, worker_count
from gitops_ci.yamltext import YamlError

__all__ = ["check"]

_CRD = "CustomResourceDefinition"
# Below this a second process costs more than it saves.
_WORTH_SHARING = 2 * 1024 * 1024
# Files that are kept in pieces while duplicates in them are told.
_KEPT = 64


def check(
    files: Iterable[tuple[str, str]],
    checks: Checks | None = None,
    around: Surroundings | None = None,
    rendered: Iterable[Rendered] = (),
    found: Iterable[Finding] = (),
) -> Report:
    """Check every document of the given (path, text) pairs and rendered units; their order does not matter.

    `found` are findings made on the way here, which are subject to the same choices.
    """
    units = sorted(rendered, key=lambda unit: unit.unit)
    run = _Run(sorted(files), units, checks or Checks(), around or Surroundings())
    return run.report(found)


class _Run:
    def __init__(
        self, files: Sequence[tuple[str, str]], units: Sequence[Rendered], checks: Checks, around: Surroundings
    ) -> None:
        self._files = dict(files)
        self._beside = dict(around.beside)
        self._units = {unit.unit: unit for unit in units}
        self._pieces: dict[str, list[Piece]] = {}
        self._checks = checks
        self._around = around
        sources = {path: text for unit in units for path, text in unit.sources}
        self._suppressed = Suppressions(checks.accepted, {**around.texts, **sources, **self._files})
        custom = CustomKinds(around.lookup)
        everything = [*files, *around.definitions, *((unit.file, unit.text) for unit in units)]
        _learn(everything, custom, {unit.file for unit in units})
        self._conflicts = custom.conflicts
        self._examiner = FileChecker(
            checks,
            ObjectChecker(checks, custom),
            self._suppressed,
            has_variables=around.has_variables or any(substitutes_variables(text) for _, text in everything),
            kustomized=around.kustomized,
            patched_kinds=around.patched_kinds,
            vault_folders=_vault_folders(everything),
            lists_images=around.missing_images is not None,
            alone=around.alone,
        )

    def report(self, found: Iterable[Finding]) -> Report:
        items: list[tuple[str, str]] = [("file", path) for path in self._files]
        items += [("unit", name) for name in self._units]
        size = sum(map(len, (*self._files.values(), *(unit.text for unit in self._units.values()))))
        shares = worker_count() if size > _WORTH_SHARING and self._around.lookup is None else 1
        with gc_paused():
            results = map_forked(lambda number: self.examine(items[number::shares]), shares)
        return self._merged(results, found)

    def examine(self, items: Sequence[tuple[str, str]]) -> Result:
        result = Result()
        for kind, name in items:
            if kind == "file":
                self._examiner.file(name, self._files[name], result)
            else:
                self._examiner.unit(self._units[name], result)
        return result

    def _merged(self, results: Sequence[Result], found: Iterable[Finding]) -> Report:
        counts = dict.fromkeys(("files", "documents", "valid", "invalid", "skipped", "suppressed"), 0)
        units: dict[Finding, list[str]] = {}
        for result in results:
            for name, number in result.counts.items():
                counts[name] += number
            for finding, unit in result.findings:
                units.setdefault(finding, []).append(unit)
        more = ((one, "", "") for one in (*found, *map(_differs, self._conflicts)))
        for finding, unit, annotation in chain(self._across(results), more):
            if not self._checks.asks(finding.rule):
                continue
            if self._suppressed.match(finding, annotation):
                counts["suppressed"] += 1
            else:
                units.setdefault(finding, []).append(unit)
        told = [_with_units(finding, names) for finding, names in units.items()]
        findings = _once(sorted(told, key=lambda f: (f.path, f.line, f.column, f.rule, f.message)))
        unchecked = sorted((skip for result in results for skip in result.unchecked), key=_by_place)
        first = {skip.reason: skip for skip in reversed(unchecked)}
        skipped = sorted({*first.values(), *(skip for result in results for skip in result.skipped)}, key=_by_place)
        return Report(tuple(findings), tuple(skipped), counts)

    def _across(self, results: Sequence[Result]) -> Iterable[tuple[Finding, str, str]]:
        """Findings of the rules that see everything, with unit and annotation."""
        resources = [resource_of(document) for document in _documents(self._beside.items(), "name")]
        resources += sorted(resource for result in results for resource in result.resources)
        followed = sorted((one for result in results for one in result.followed), key=lambda one: (one.path, one.index))
        images = sorted({image for result in results for image in result.images})
        elsewhere = list(_documents(self._around.elsewhere, *REFERRED_GROUPS)) if followed else []
        facts = sorted((one for result in results for one in result.facts), key=lambda one: one.place)
        destinations = {name: unit.destination for name, unit in self._units.items() if unit.destination}
        found = repository_findings(
            resources, followed, elsewhere, facts, self._document, self._around, destinations=destinations
        )
        for finding, document in chain(found, image_findings(images, self._document, self._checks, self._around)):
            if self._checks.leaves_out(document.api_version, document.kind):
                continue
            yield finding, document.unit, document.annotation(ANNOTATION)

    def _document(self, item: str, index: str) -> Document | None:
        """Read a document again: few of the thousands that were examined are needed twice."""
        unit = self._units.get(item)
        path, text = (unit.file, unit.text) if unit else (item, (self._files | self._beside)[item])
        number, _, _ = index.partition(".")
        if item not in self._pieces:
            if len(self._pieces) >= _KEPT:
                self._pieces.clear()
            self._pieces[item] = list(split(text))
        piece = self._pieces[item][int(number)]
        try:
            found = next((one for one in objects(path, number, piece, piece.load().value) if one.index == index), None)
        except (YamlError, GoYamlError):
            return None  # only the fast reader took it
        return SourceMap(unit).locate(found) if unit and found else found


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, of those about a schema location one for each message."""
    seen: set[str] = set()
    kept = []
    for finding in findings:
        if finding.rule != SCHEMA_LOCATION or finding.message not in seen:
            kept.append(finding)
        if finding.rule == SCHEMA_LOCATION:
            seen.add(finding.message)
    return kept


def _differs(conflict: Conflict) -> Finding:
    message = f"this definition of {conflict.kind} ({conflict.group}) differs from the one in {conflict.first}"
    hint = f"Keep one of them. Until then, a {conflict.kind} passes that is valid for either."
    path, line, _ = conflict.second
    return Finding("gitops/crd-differs", "warning", message, path, line, 1, hint=hint)


def _vault_folders(files: Iterable[tuple[str, str]]) -> set[str]:
    """The folders whose placeholders Argo CD's Vault plugin fills in."""
    return {path.rpartition("/")[0] for path, text in files if mentions_vault(text)}


def _by_place(skip: Skip) -> tuple[str, int, str]:
    return skip.path, skip.line, skip.reason


def _learn(files: Iterable[tuple[str, str]], custom: CustomKinds, rendered: Collection[str]) -> None:
    """Take in the CustomResourceDefinitions of files."""
    for document in _documents(files, _CRD, seen=set()):
        if document.kind == _CRD:
            custom.add(document.value, Where(document.path, document.piece.line + 1, document.path in rendered))


def _documents(files: Iterable[tuple[str, str]], *words: str, seen: set[str] | None = None) -> Iterator[Document]:
    """The objects of files that contain one of some words. Errors of reading are reported where the file is checked.

    With `seen`, a text that several units render is read once.
    """
    for path, text in files:
        if not any(word in text for word in words) or why_no_manifest(path, text):
            continue
        for index, piece in enumerate(split(text)):
            if not any(word in piece.text for word in words):
                continue
            if seen is not None:
                if piece.text in seen:
                    continue
                seen.add(piece.text)
            try:
                value = load_fast(piece.text)
                if value is None or classify(value) == AMBIGUOUS:
                    value = piece.load().value
            except (YamlError, GoYamlError, RecursionError):
                continue
            if isinstance(value, dict):
                yield from objects(path, str(index), piece, value)


def _with_units(finding: Finding, names: Sequence[str]) -> Finding:
    """A finding that tells which units it was rendered from; what several render from one file is one finding."""
    units = sorted({name for name in names if name})
    if not units:
        return finding
    more = f" and {len(units) - 1} more" if len(units) > 1 else ""
    return replace(finding, message=f"{finding.message} (rendered from {units[0]}{more})")
