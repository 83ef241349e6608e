"""Manifests in, findings out: structure as the bundled Kubernetes schemas have it, then the API server's own rules.

Pure: the caller brings every text. `check` never stops at a broken file; it becomes a finding and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from gitops_ci.model import Finding, Skip
from gitops_ci.schemas.bundle import DEFAULT_VERSION, VERSIONS, versions
from gitops_ci.schemas.classify import why_no_document, why_no_manifest
from gitops_ci.schemas.documents import Document, Piece, split
from gitops_ci.schemas.goyaml import GoYamlError, Loaded
from gitops_ci.schemas.problem import Problem, show_path
from gitops_ci.schemas.rules import api_problems
from gitops_ci.schemas.served import CLIENT_GROUPS, is_built_in, why_not_served
from gitops_ci.schemas.structure import Structure
from gitops_ci.schemas.values import without_nulls
from gitops_ci.yamltext import YamlError

__all__ = ["DEFAULT_VERSION", "VERSIONS", "Checks", "Report", "check", "versions"]


@dataclass(frozen=True, slots=True)
class Checks:
    """The settings of a validation run. `rules` and `skip_rules` are globs over rule ids, `skip_rules` wins."""

    kubernetes_versions: tuple[str, ...] = (DEFAULT_VERSION,)
    missing_schema: Literal["fail", "warn", "ignore"] = "warn"
    rules: tuple[str, ...] = ("*",)
    skip_rules: tuple[str, ...] = ()

    def wants(self, rule: str) -> bool:
        return any(fnmatchcase(rule, glob) for glob in self.rules) and not any(
            fnmatchcase(rule, glob) for glob in self.skip_rules
        )


@dataclass(frozen=True, slots=True)
class Report:
    """Findings and skips sorted by place. `summary` counts files, documents, valid, invalid and skipped."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skip, ...]
    summary: Mapping[str, int] = field(default_factory=dict)


def check(files: Iterable[tuple[str, str]], checks: Checks | None = None) -> Report:
    """Check every document of the given (path, text) pairs; the result does not depend on their order."""
    run = _Run(checks or Checks())
    for path, text in files:
        run.file(path, text)
    return run.report()


class _Run:
    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._findings: set[Finding] = set()
        self._skipped: set[Skip] = set()
        self._counts = dict.fromkeys(("files", "documents", "valid", "invalid", "skipped"), 0)

    def report(self) -> Report:
        findings = sorted(self._findings, key=lambda f: (f.path, f.line, f.column, f.rule, f.message))
        skipped = sorted(self._skipped, key=lambda s: (s.path, s.line, s.reason))
        return Report(tuple(findings), tuple(skipped), self._counts)

    def file(self, path: str, text: str) -> None:
        self._counts["files"] += 1
        if what := why_no_manifest(path, text):
            self._skip(path, 0, f"{what}, not a manifest")
            return
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
        line = piece.position(piece.root.start if piece.root else 0)[0]
        if what := why_no_document(path, loaded.value):
            if what != "empty":
                self._skip(path, line, f"{what}, not a manifest" if not what.startswith("no ") else what)
            return
        if not isinstance(loaded.value, dict):
            message = "not a Kubernetes object: the document must be a mapping with apiVersion and kind"
            self._broken(Finding("yaml/not-an-object", "error", message, path, line, 1))
            return
        for document in _objects(path, index, piece, loaded):
            self._document(document, loaded)

    def _broken(self, finding: Finding) -> None:
        self._counts["documents"] += 1
        self._counts["invalid" if self._add(finding) else "valid"] += 1

    def _add(self, finding: Finding) -> bool:
        """Keep a finding the settings want; True when it makes its document invalid."""
        if not self._checks.wants(finding.rule):
            return False
        self._findings.add(finding)
        return finding.severity == "error"

    def _skip(self, path: str, line: int, reason: str, hint: str = "") -> None:
        self._counts["skipped"] += 1
        self._skipped.add(Skip(path, line, reason, hint))

    def _document(self, document: Document, loaded: Loaded) -> None:
        group = document.group
        if document.api_version and (group in CLIENT_GROUPS or group.partition("/")[0] in CLIENT_GROUPS):
            line = document.locate(Problem("", None, ""))[0]
            self._skip(
                document.path, line, f"{document.kind} of {document.api_version} is read by a program, not a cluster"
            )
            return
        problems = list(_duplicates(loaded))
        for version in self._checks.kubernetes_versions:
            found = self._structure(document, version)
            if found is None:
                return
            problems.extend(found)
        self._counts["documents"] += 1
        errors = [self._add(_finding(document, problem)) for problem in dict.fromkeys(problems)]
        self._counts["invalid" if any(errors) else "valid"] += 1

    def _structure(self, document: Document, version: str) -> list[Problem] | None:
        """The problems of one object, None when it is skipped."""
        problems = list(_identity(document))
        if problems:
            return problems
        compiled = Structure.of(version).kind(document.api_version, document.kind)
        if compiled is not None:
            compiled(document.value, None, problems)
            # Validation comes after decoding: of values of wrong types it never hears.
            if not any(problem.decode for problem in problems):
                value = without_nulls(document.value) if document.has_null else document.value
                problems += api_problems(value, built_in=True, minor=int(version.partition(".")[2]))
            return problems
        if is_built_in(document.group):
            message, hint = why_not_served(document.api_version, document.kind, version)
            return [Problem("api/not-served", (None, "apiVersion"), message, hint)]
        return self._without_schema(document)

    def _without_schema(self, document: Document) -> list[Problem] | None:
        reason = f"no schema for {document.kind} of {document.api_version}"
        hint = "Add the CustomResourceDefinition to what is validated, or name its folder with --crd-path."
        if self._checks.missing_schema == "fail":
            return [Problem("schema/missing", (None, "kind"), reason, hint)]
        if self._checks.missing_schema == "warn":
            line = document.locate(Problem("", None, ""))[0]
            self._skip(document.path, line, f"{document.resource}: {reason}", hint)
        else:
            self._counts["skipped"] += 1
        return None


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
    line, column = document.locate(problem)
    where = show_path(problem.path)
    message = f"{where}: {problem.message}" if where else problem.message
    hint = problem.hint or _quoting_hint(document, problem)
    return Finding(problem.rule, "error", message, document.path, line, column, document.resource, hint)


def _quoting_hint(document: Document, problem: Problem) -> str:
    """What was meant as a string and is another type to YAML 1.1: `on`, `yes`, `0755`, `1.10`."""
    if problem.rule != "schema/type" or not problem.message.startswith("must be a string"):
        return ""
    scalar = document.scalar(problem.path)
    if scalar is None or scalar.style:
        return ""
    return f'Kubernetes reads {scalar.value} as something else; put it in quotes: "{scalar.value}"'
