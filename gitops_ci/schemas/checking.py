"""The run over files and documents: read, tell apart, check, collect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from gitops_ci.model import Finding, Skip
from gitops_ci.schemas.classify import why_no_document, why_no_manifest
from gitops_ci.schemas.custom import CustomKinds, NoSchema
from gitops_ci.schemas.documents import Document, Piece, split
from gitops_ci.schemas.goyaml import GoYamlError, Loaded
from gitops_ci.schemas.hints import nearest
from gitops_ci.schemas.lint import document_findings, repository_findings
from gitops_ci.schemas.origins import Origins
from gitops_ci.schemas.problem import Problem, show_path
from gitops_ci.schemas.report import Checks, Rendered, Report, Surroundings
from gitops_ci.schemas.rules import api_problems
from gitops_ci.schemas.served import CLIENT_GROUPS, is_built_in, why_not_served
from gitops_ci.schemas.structure import Structure
from gitops_ci.schemas.suppress import ANNOTATION, Suppressed
from gitops_ci.schemas.values import without_nulls
from gitops_ci.yamltext import YamlError

__all__ = ["check"]

_CRD = re.compile(r"\bCustomResourceDefinition\b")
_NO_SCHEMA = "Add the CustomResourceDefinition to what is validated, or give --crd-path or --schema-location."


def check(
    files: Iterable[tuple[str, str]],
    checks: Checks | None = None,
    around: Surroundings | None = None,
    rendered: Iterable[Rendered] = (),
) -> Report:
    """Check every document of the given (path, text) pairs and rendered units; their order does not matter."""
    run = _Run(checks or Checks(), around or Surroundings())
    pairs = sorted(files)
    units = sorted(rendered, key=lambda unit: unit.unit)
    run.learn([*pairs, *run.around.definitions, *((unit.file, unit.text) for unit in units)])
    for path, text in pairs:
        run.file(path, text)
    for unit in units:
        run.rendered(unit)
    return run.report()


class _Run:
    def __init__(self, checks: Checks, around: Surroundings) -> None:
        self.around = around
        self._checks = checks
        self._custom = CustomKinds(around.lookup)
        self._findings: dict[Finding, list[str]] = {}
        self._skipped: set[Skip] = set()
        self._documents: list[Document] = []
        self._suppressed = Suppressed(checks.suppressions)
        self._counts = dict.fromkeys(("files", "documents", "valid", "invalid", "skipped"), 0)

    def learn(self, files: Iterable[tuple[str, str]]) -> None:
        """Take in the CustomResourceDefinitions of files."""
        for path, text in files:
            if not _CRD.search(text) or why_no_manifest(path, text):
                continue
            for piece in split(text):
                try:
                    loaded = piece.load() if _CRD.search(piece.text) else Loaded()
                except (YamlError, GoYamlError):
                    continue  # told when the file itself is checked
                if isinstance(loaded.value, dict):
                    for document in _objects(path, "0", piece, loaded):
                        if document.kind == "CustomResourceDefinition":
                            self._custom.add(document.value, f"{path}:{piece.line + 1}")

    def report(self) -> Report:
        if self._checks.wants_any("repo") or self._checks.wants_any("gitops"):
            for finding, unit in repository_findings(self._documents, self.around):
                self._add(finding, unit)
        told = [_with_units(finding, units) for finding, units in self._findings.items()]
        findings = sorted(told, key=lambda f: (f.path, f.line, f.column, f.rule, f.message))
        skipped = sorted(self._skipped, key=lambda s: (s.path, s.line, s.reason))
        return Report(tuple(findings), tuple(skipped), {**self._counts, "suppressed": self._suppressed.count})

    def file(self, path: str, text: str) -> None:
        self._counts["files"] += 1
        if what := why_no_manifest(path, text):
            self._skip(path, 0, f"{what}, not a manifest")
            return
        self._suppressed.read(path, text)
        for index, piece in enumerate(split(text)):
            self._piece(path, str(index), piece)

    def _piece(self, path: str, index: str, piece: Piece) -> None:
        try:
            loaded = piece.load()
        except YamlError as error:
            self._broken(Finding("yaml/syntax", "error", error.reason, path, error.line + piece.line, error.column))
            return
        except GoYamlError as error:
            line, column = piece.position(error.offset)
            self._broken(Finding("yaml/syntax", "error", error.reason, path, line, column))
            return
        if what := why_no_document(path, loaded.value):
            if what != "empty":
                line = piece.start_line()
                self._skip(path, line, f"{what}, not a manifest" if not what.startswith("no ") else what)
            return
        if not isinstance(loaded.value, dict):
            message = "not a Kubernetes object: the document must be a mapping with apiVersion and kind"
            self._broken(Finding("yaml/not-an-object", "error", message, path, piece.start_line(), 1))
            return
        for document in _objects(path, index, piece, loaded):
            self._document(document, loaded)

    def rendered(self, unit: Rendered) -> None:
        """Check what a unit renders; findings point at what it was made of."""
        for path, text in unit.sources:
            self._suppressed.read(path, text)
        origins = Origins(unit)
        for index, piece in enumerate(split(unit.text)):
            try:
                loaded = piece.load()
            except (YamlError, GoYamlError) as error:
                broken = Finding("yaml/syntax", "error", error.reason, origins.file_of(piece), 1, 1)
                self._broken(broken, unit.unit)
                continue
            if isinstance(loaded.value, dict) and loaded.value:
                for document in _objects(unit.file, str(index), piece, loaded):
                    self._document(origins.attach(document), loaded)

    def _broken(self, finding: Finding, unit: str = "") -> None:
        self._counts["documents"] += 1
        self._counts["invalid" if self._add(finding, unit) else "valid"] += 1

    def _add(self, finding: Finding, unit: str = "") -> bool:
        """Keep a finding the settings want; True when it makes its document invalid.

        What several units render from one file is one finding that names them.
        """
        if not self._checks.wants(finding.rule) or self._suppressed.hides(finding):
            return False
        units = self._findings.setdefault(finding, [])
        if unit and unit not in units:
            units.append(unit)
        return finding.severity == "error"

    def _skip(self, path: str, line: int, reason: str, hint: str = "") -> None:
        self._counts["skipped"] += 1
        self._skipped.add(Skip(path, line, reason, hint))

    def _document(self, document: Document, loaded: Loaded) -> None:
        group = document.group
        if document.api_version and (group in CLIENT_GROUPS or group.partition("/")[0] in CLIENT_GROUPS):
            told = f"{document.kind} of {document.api_version} is read by a program, not a cluster"
            path, line, _ = document.place(Problem("", None, ""))
            self._skip(path, line, told)
            return
        self._documents.append(document)
        if text := document.annotation(ANNOTATION):
            self._suppressed.annotate(document.place(Problem("", None, ""))[0], document.resource, text)
        problems = list(_duplicates(loaded)) if not document.prefix or document.prefix[-1] == 0 else []
        findings = document_findings(document, self._checks)
        unknown = False
        for version in self._checks.kubernetes_versions:
            found = self._structure(document, version)
            unknown = unknown or found is None
            problems.extend(found or ())
        if unknown and not problems and not findings:
            return
        self._counts["documents"] += not unknown
        findings += [_finding(document, problem) for problem in dict.fromkeys(problems)]
        errors = [self._add(finding, document.unit) for finding in findings]
        if not unknown:
            self._counts["invalid" if any(errors) else "valid"] += 1

    def _structure(self, document: Document, version: str) -> list[Problem] | None:
        """The problems of one object, None when it is skipped."""
        problems = list(_identity(document))
        if problems:
            return problems
        compiled = Structure.of(version).kind(document.api_version, document.kind)
        built_in = compiled is not None
        if compiled is None:
            if is_built_in(document.group):
                message, hint = why_not_served(document.api_version, document.kind, version)
                return [Problem("api/not-served", (None, "apiVersion"), message, hint)]
            custom = self._custom.find(document.api_version, document.kind, version)
            if isinstance(custom, NoSchema):
                return self._without_schema(document, custom)
            compiled = custom
        compiled(document.value, None, problems)
        # Validation comes after decoding: of values of wrong types it never hears.
        if self._checks.wants_any("api") and not any(problem.decode for problem in problems):
            value = without_nulls(document.value) if document.has_null else document.value
            problems += api_problems(value, built_in=built_in, minor=int(version.partition(".")[2]))
        return problems

    def _without_schema(self, document: Document, missing: NoSchema) -> list[Problem] | None:
        if missing.known:
            near = nearest(document.api_version.rpartition("/")[2], missing.known) or missing.known[-1]
            reason = f"the definition in {missing.where} serves {document.kind} in {', '.join(missing.known)} only"
            hint = f"Use apiVersion: {document.group}/{near}"
            return [Problem("api/not-served", (None, "apiVersion"), reason, hint)]
        reason = f"no schema for {document.kind} of {document.api_version}"
        if self._checks.missing_schema == "fail":
            return [Problem("schema/missing", (None, "kind"), reason, _NO_SCHEMA)]
        if self._checks.missing_schema == "warn":
            path, line, _ = document.place(Problem("", None, ""))
            self._skip(path, line, f"{document.resource}: {reason}", _NO_SCHEMA)
        else:
            self._counts["skipped"] += 1
        return None


def _with_units(finding: Finding, units: list[str]) -> Finding:
    if not units:
        return finding
    more = f" and {len(units) - 1} more" if len(units) > 1 else ""
    return replace(finding, message=f"{finding.message} (rendered from {units[0]}{more})")


def _objects(path: str, index: str, piece: Piece, loaded: Loaded) -> Iterator[Document]:
    """The document itself, or the items of a List in its place."""
    value: dict[str, Any] = loaded.value
    items = value.get("items")
    if value.get("kind") != "List" or value.get("apiVersion") != "v1" or not isinstance(items, list):
        yield Document(path, index, piece, value, has_null=loaded.has_null)
        return
    for number, item in enumerate(items):
        if isinstance(item, dict):
            yield Document(path, f"{index}.{number}", piece, item, ("items", number), loaded.has_null)


def _identity(document: Document) -> Iterator[Problem]:
    for key in ("apiVersion", "kind"):
        value = document.value.get(key)
        if value in (None, ""):
            yield Problem("schema/required", None, f"required field '{key}' is missing", at="key", decode=True)
        elif not isinstance(value, str):
            yield Problem("schema/type", (None, key), f"'{key}' must be a string", decode=True)


def _duplicates(loaded: Loaded) -> Iterator[Problem]:
    for key, offset in loaded.duplicates:
        yield Problem("yaml/duplicate-key", None, f"key '{key}' is set twice", "Remove one of them.", offset=offset)


def _finding(document: Document, problem: Problem) -> Finding:
    where = show_path(problem.path)
    message = f"{where}: {problem.message}" if where else problem.message
    hint = problem.hint or _quoting_hint(document, problem)
    return Finding(problem.rule, "error", message, *document.place(problem), document.resource, hint)


def _quoting_hint(document: Document, problem: Problem) -> str:
    """What was meant as a string and is another type to YAML 1.1: `on`, `yes`, `0755`, `1.10`."""
    if problem.rule != "schema/type" or not problem.message.startswith("must be a string"):
        return ""
    scalar = document.scalar(problem.path)
    if scalar is None or scalar.style:
        return ""
    return f'Kubernetes reads {scalar.value} as something else; put it in quotes: "{scalar.value}"'
