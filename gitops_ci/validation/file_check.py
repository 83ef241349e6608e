"""One file, or one rendered unit, examined: read, told apart, judged. What comes of it can cross a process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from gitops_ci.fast_yaml.reader import load_fast
from gitops_ci.lazy import lazy_pattern
from gitops_ci.model import Finding, Skip
from gitops_ci.validation.lint import (
    FOLLOWED_GROUPS,
    Facts,
    Resource,
    document_findings,
    facts_of,
    used_images,
)
from gitops_ci.validation.manifests.classify import may_be_manifest, why_no_document, why_no_manifest
from gitops_ci.validation.manifests.documents import Document, Piece, split
from gitops_ci.validation.manifests.go_yaml import GoYamlError, Loaded
from gitops_ci.validation.manifests.merged import FLUX, is_merged
from gitops_ci.validation.manifests.unknown_values import unknown_values
from gitops_ci.validation.object_check import ObjectChecker
from gitops_ci.validation.provenance import SourceMap
from gitops_ci.validation.report import Checks, Rendered
from gitops_ci.validation.sound_texts import SoundTexts
from gitops_ci.validation.suppressions import ANNOTATION, Suppressions
from gitops_ci.validation.violation import Violation, show_path
from gitops_ci.yamltext import YamlError

__all__ = ["FileChecker", "Result", "objects", "resource_of"]

_TOP = Violation("", None, "")
# What a chart's user decides: how long names get, and what its empty values become.
_HANGS_ON_VALUES = lazy_pattern(
    r"(?:no more than|at most) \d+ (?:characters|bytes)|is required|is missing|(?:must|may) not be empty"
    r"|(?:^|: |image |')''(?: |$)|, is null|needs a server or a name|must be a JSON object"
    r"|'(?:[-.][^']*|[^']*[-.])' must consist of"  # a name of several values
)
_OPERATORS = lazy_pattern(r"argoproj\.io|fleet\.cattle\.io|[a-z]+\.toolkit\.fluxcd\.io")
_UNRENDERED = " (a template's {{ }} that was not rendered?)"
_UNREAD = "text after the end of the document, which Kubernetes does not read"
Attach = Callable[[Document], Document]


class Result:
    """Findings with the units they were made in, skips, counts, and what rules across files want to know.

    `unchecked` are rules that could not be told to be kept or broken, of each the first place is shown.

    A resource is (unit or folder, group, kind, namespace, name) and where it is: the item's name and the document's
    index in it. An image is its text, and where.
    """

    __slots__ = ("counts", "facts", "findings", "followed", "images", "resources", "skipped", "unchecked")

    def __init__(self) -> None:
        self.findings: list[tuple[Finding, str]] = []
        self.skipped: list[Skip] = []
        self.unchecked: list[Skip] = []
        self.counts: dict[str, int] = {}
        self.resources: list[tuple[tuple[str, ...], str, str]] = []
        self.followed: list[Document] = []
        self.images: list[tuple[str, str, str]] = []
        self.facts: list[Facts] = []

    def count(self, name: str, more: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + more


class FileChecker:
    """Examines items by the settings of one run."""

    def __init__(
        self,
        checks: Checks,
        judge: ObjectChecker,
        suppressed: Suppressions,
        *,
        has_variables: bool = False,
        kustomized: Collection[str] = (),
        patched_kinds: Collection[str] = (),
        vault_folders: Collection[str] = (),
        lists_images: bool = False,
        alone: str = "",
    ) -> None:
        self._checks = checks
        self._judge = judge
        self._suppressed = suppressed
        self._has_variables = has_variables
        self._kustomized = kustomized
        self._patched_kinds = patched_kinds
        self._vault_folders = vault_folders
        self._lists_images = lists_images
        self._alone = alone
        self._across = checks.asks_any("repo") or checks.asks_any("gitops")
        self._sound = SoundTexts()

    def file(self, path: str, text: str, result: Result) -> None:
        result.count("files")
        if what := why_no_manifest(path, text):
            self._skip(Skip(path, 0, f"{what}, not a manifest", expected=True), result)
            return
        for index, piece in enumerate(split(text)):
            self._piece(path, str(index), piece, result, whole=text)

    def unit(self, unit: Rendered, result: Result) -> None:
        """Examine what a unit renders; findings point at what it was made of."""
        origins = SourceMap(unit)
        for index, piece in enumerate(split(unit.text)):
            self._piece(unit.file, str(index), piece, result, origins)

    def _piece(
        self, path: str, index: str, piece: Piece, result: Result, origins: SourceMap | None = None, whole: str = ""
    ) -> None:
        attach = origins.locate if origins else None
        if origins and (value := self._sound.value(piece.text)) is not None:
            for document in map(origins.locate, objects(path, index, piece, value)):
                self._find_unknown(document)
                result.count("documents")
                self._take(document, self._lint(document), result)
            return
        value = load_fast(piece.text)
        if value is not None and (settled := self._settled(path, index, piece, value, attach, result)):
            if origins and all(document.unknown is None for document in settled):
                self._sound.keep(piece.text, value)
            return
        try:
            loaded = piece.load()
        except YamlError as error:
            place = (path, error.line + piece.line, error.column)
            if origins is None and path != self._alone and not may_be_manifest(whole):
                told = f"no Kubernetes object: it has neither apiVersion nor kind, and is not YAML: {error.reason}"
                self._skip(Skip(path, place[1], told, expected=True), result)
                return
            template = _UNRENDERED if origins is None and "{{" in piece.text else ""
            self._broken("yaml/syntax", f"{error.reason}{template}", place, result, piece, origins)
            return
        except GoYamlError as error:
            self._broken("yaml/syntax", error.reason, (path, *piece.position(error.offset)), result, piece, origins)
            return
        if origins is None and (unread := piece.unread()):
            self._skip(Skip(path, unread, _UNREAD, "Begin the next document with a line ---."), result)
        if what := why_no_document(path, loaded.value):
            if what != "empty" and origins is None:
                told = what if what.startswith("no ") else f"{what}, not a manifest"
                self._skip(Skip(path, piece.start_line(), told, expected=True), result)
        elif not isinstance(loaded.value, dict):
            said = "not a Kubernetes object: the document must be a mapping with apiVersion and kind"
            self._broken("yaml/not-an-object", said, (path, piece.start_line(), 1), result, piece, origins)
        else:
            judged = [
                self._document(attach(document) if attach else document, loaded, result)
                for document in objects(path, index, piece, loaded.value)
            ]
            if origins and all(judged) and not loaded.duplicates:
                self._sound.keep(piece.text, loaded.value)

    def _settled(
        self, path: str, index: str, piece: Piece, value: dict[str, Any], attach: Attach | None, result: Result
    ) -> list[Document]:
        """The objects of a document that is certainly sound; none where only the exact reading can tell."""
        if why_no_document(path, value):
            return []
        settled = []
        try:
            for read in objects(path, index, piece, value):
                document = attach(read) if attach else read
                if self._checks.leaves_out(document.api_version, document.kind):
                    return []
                self._find_unknown(document)
                if not self._judge.accepts(document):
                    return []
                settled.append(document)
            found = [self._lint(document) for document in settled]
        except (YamlError, GoYamlError, RecursionError):
            return []
        result.count("documents", len(settled))
        for document, findings in zip(settled, found, strict=True):
            self._take(document, findings, result)
        return settled

    def _document(self, document: Document, loaded: Loaded, result: Result) -> bool:
        """Examine an object that was read exactly; whether it is sound wherever it stands."""
        self._find_unknown(document)
        if self._checks.leaves_out(document.api_version, document.kind):
            self._leave_out(document, result)
            return False
        verdict = self._judge.verdict(document, loaded)
        has_schema = not verdict.skip
        if not has_schema and self._checks.asks_any("gitops") and _has_documented_fields(document):
            # Checked by its bundled definition: one of another release than the cluster may have.
            verdict.skip = ""
        if verdict.skip:
            path, line, _ = document.place(_TOP)
            result.count("skipped")
            if not verdict.quiet:
                result.skipped.append(Skip(path, line, verdict.skip, verdict.hint))
        else:
            result.count("documents")
        for problem in verdict.unchecked:
            path, line, _ = document.place(problem)
            result.unchecked.append(Skip(path, line, problem.message, problem.hint))
        findings = self._lint(document, has_schema=has_schema)
        findings += [_finding(document, problem) for problem in verdict.problems]
        self._take(document, findings, result, judged=not verdict.skip)
        return has_schema and document.unknown is None and not (verdict.problems or verdict.unchecked)

    def _leave_out(self, document: Document, result: Result) -> None:
        """Objects of a kind that is not asked for: others may refer to them."""
        path, line, _ = document.place(_TOP)
        result.count("skipped")
        result.unchecked.append(Skip(path, line, f"{document.kind}: left out by --skip-kind", expected=True))
        self._take(document, [], result, judged=False)

    def _find_unknown(self, document: Document) -> None:
        """Note what nobody can judge, and who reads it; findings about the former are dropped."""
        # Whoever fills in its name may patch it, too.
        document.is_assumed |= self._has_variables and "${" in document.full_name
        # Whatever applies an object of Flux that nothing applies now, such as one that is switched off, patches it.
        is_flux = document.group.endswith(FLUX)
        document.is_assumed |= is_flux and not document.unit and document.kind in self._patched_kinds
        document.is_assumed |= is_merged(document)
        # Where Flux is at work, it builds a kustomization of every folder.
        document.is_kustomized = self._has_variables or document.path in self._kustomized
        document.unknown = unknown_values(
            document.value,
            document.piece.text,
            is_encrypted=document.is_encrypted,
            has_variables=self._has_variables,
            in_unit=bool(document.unit),
            has_vault=_folder(document.path) in self._vault_folders,
        )

    def _lint(self, document: Document, *, has_schema: bool = True) -> list[Finding]:
        found = document_findings(document, self._checks) if self._across else []
        if not has_schema and self._checks.asks_any("gitops") and _OPERATORS.fullmatch(document.group):
            from gitops_ci.validation.custom_resources.gitops_objects import check_fields

            found += check_fields(document)
        unknown = document.unknown
        if unknown is None:
            return found
        return [one for one in found if not (one.rule.startswith("gitops/") and unknown.hides_field(one.field))]

    def _take(self, document: Document, findings: list[Finding], result: Result, *, judged: bool = True) -> None:
        invalid = False
        for finding in findings:
            invalid |= self._add(finding, document, result)
        if judged:
            result.count("invalid" if invalid else "valid")
        if self._across:
            resource = resource_of(document)
            result.resources.append(resource)
            place = resource[1:]
            if self._lists_images:
                result.images += [(image, *place) for image in used_images(document)]
            if document.unit:
                result.facts.append(facts_of(document))
            if document.group in FOLLOWED_GROUPS:
                result.followed.append(document)

    def _add(self, finding: Finding, document: Document, result: Result) -> bool:
        if not self._checks.asks(finding.rule) or (document.is_assumed and _HANGS_ON_VALUES.search(finding.message)):
            return False
        if self._suppressed.match(finding, document.annotation(ANNOTATION)):
            result.count("suppressed")
            return False
        result.findings.append((finding, document.unit))
        return finding.severity == "error"

    def _broken(
        self,
        rule: str,
        said: str,
        place: tuple[str, int, int],
        result: Result,
        piece: Piece,
        origins: SourceMap | None,
    ) -> None:
        finding = Finding(rule, "error", said, *(place if origins is None else (origins.file_of(piece), 1, 1)))
        result.count("documents")
        wanted = self._checks.asks(rule)
        hidden = wanted and self._suppressed.match(finding)
        result.count("suppressed", int(hidden))
        result.count("invalid" if wanted and not hidden else "valid")
        if wanted and not hidden:
            result.findings.append((finding, origins.unit.unit if origins else ""))

    def _skip(self, skip: Skip, result: Result) -> None:
        result.count("skipped")
        result.skipped.append(skip)


def _has_documented_fields(document: Document) -> bool:
    """Whether the fields of an object are known without a definition at hand."""
    if not _OPERATORS.fullmatch(document.group):
        return False
    from gitops_ci.validation.custom_resources.gitops_objects import has_documented_fields

    return has_documented_fields(document)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def resource_of(document: Document) -> Resource:
    """What a document is, and where: there must not be a second one."""
    key = (document.unit or _folder(document.path), document.group, document.kind, document.namespace)
    return (*key, document.full_name), document.unit or document.path, document.index


def objects(path: str, index: str, piece: Piece, value: dict[str, Any]) -> Iterator[Document]:
    """The document itself, or the items of a list in its place, as kubectl takes it apart.

    An item of a ConfigMapList that does not say what it is is a ConfigMap (apimachinery unstructured, decodeToList).
    """
    api_version, kind, items = value.get("apiVersion"), value.get("kind"), value.get("items")
    is_list = isinstance(items, list) and isinstance(kind, str) and kind.endswith("List")
    if not is_list or (kind == "List" and api_version != "v1"):
        yield Document(path, index, piece, value)
        return
    own = {} if kind == "List" else {"apiVersion": api_version, "kind": str(kind).removesuffix("List")}
    for number, item in enumerate(items or ()):
        if isinstance(item, dict):
            says = item.get("apiVersion") or item.get("kind")
            yield Document(path, f"{index}.{number}", piece, item if says else {**item, **own}, ("items", number))


def _finding(document: Document, problem: Violation) -> Finding:
    where = show_path(problem.path)
    message = f"{where}: {problem.message}" if where else problem.message
    hint = problem.hint or _quoting_hint(document, problem)
    return Finding(problem.rule, "error", message, *document.place(problem), document.resource, hint, where)


def _quoting_hint(document: Document, problem: Violation) -> str:
    """What was meant as a string and is another type to YAML 1.1: `on`, `yes`, `0755`, `1.10`."""
    if problem.rule != "schema/type" or not problem.message.startswith("must be a string"):
        return ""
    scalar = document.scalar(problem.path)
    if scalar is None or scalar.style:
        return ""
    return f'Kubernetes reads {scalar.value} as something else; put it in quotes: "{scalar.value}"'
