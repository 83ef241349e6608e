"""One object judged: its structure, then the rules of the API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from gitops_ci.fast_yaml.ambiguity import AMBIGUOUS, HAS_NULL, classify
from gitops_ci.text import nearest
from gitops_ci.validation.apiserver import api_problems, as_validated
from gitops_ci.validation.custom_resources.custom_kinds import CustomKinds, NoSchema
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.manifests.go_yaml import Loaded
from gitops_ci.validation.openapi.api_versions import CLIENT_GROUPS, is_built_in, why_not_served
from gitops_ci.validation.openapi.bundle import Bundle
from gitops_ci.validation.openapi.fast_path import FastAcceptor
from gitops_ci.validation.openapi.nulls import without_nulls
from gitops_ci.validation.openapi.strict_decoding import StrictDecoder
from gitops_ci.validation.report import Checks
from gitops_ci.validation.violation import UNCHECKED, Check, Violation

__all__ = ["SCHEMA_LOCATION", "ObjectChecker", "ObjectResult"]

SCHEMA_LOCATION = "gitops/schema-location"
_PRODUCT, _VALUES = "Kubernetes", "; one of "
_NO_SCHEMA = "Add the CustomResourceDefinition to what is validated, or give --crd-path or --schema-location."


class ObjectResult:
    """What is wrong with an object; or why it was not judged, and what to do about that.

    `unchecked` are rules that could not be told to be kept or broken.
    """

    __slots__ = ("hint", "problems", "quiet", "skip", "unchecked")

    def __init__(self, problems: list[Violation], skip: str = "") -> None:
        self.problems = problems
        self.unchecked: list[Violation] = []
        self.skip = skip
        self.hint = ""
        self.quiet = False


class ObjectChecker:
    """Judges objects by the settings of one run."""

    def __init__(self, checks: Checks, custom: CustomKinds) -> None:
        self._checks = checks
        self._custom = custom
        self._with_rules = checks.asks_any("api")

    def accepts(self, document: Document) -> bool:
        """Whether an object that was read fast is sound, and certainly what go-yaml reads.

        Raises:
            RecursionError: it is deeper than anyone writes.
        """
        if document.unknown:
            return self._accepts_other(document)  # which drops the problems of values that nobody knows
        for version in self._checks.kubernetes_versions:
            accept = FastAcceptor.of(version).kind(document.api_version, document.kind)
            if accept is None:
                return self._accepts_other(document)
            found = accept(document.value)
            if found == AMBIGUOUS or self._broken_rules(document, version, has_null=found == HAS_NULL, built_in=True):
                return False
        return True

    def _accepts_other(self, document: Document) -> bool:
        found = classify(document.value)
        if found == AMBIGUOUS:
            return False
        verdict = self.verdict(document, Loaded(document.value, has_null=found == HAS_NULL))
        return not (verdict.problems or verdict.skip or verdict.unchecked)

    def verdict(self, document: Document, loaded: Loaded) -> ObjectResult:
        """What is wrong with an object that was read exactly."""
        if program := _why_not_judged(document):
            return ObjectResult([], program)
        first = not document.prefix or document.prefix[-1] == 0
        verdict = ObjectResult([])
        of_versions: dict[str, list[Violation]] = {}
        for version in self._checks.kubernetes_versions:
            verdict.problems = of_versions[version] = []
            self._structure(document, loaded, version, verdict)
        duplicates = list(_duplicates(loaded, document)) if loaded.duplicates and first else []
        verdict.problems = duplicates + _in_versions(of_versions)
        if any(problem.rule == UNCHECKED for problem in verdict.problems):
            verdict.unchecked = [problem for problem in verdict.problems if problem.rule == UNCHECKED]
            verdict.problems = [problem for problem in verdict.problems if problem.rule != UNCHECKED]
        return verdict

    def _structure(self, document: Document, loaded: Loaded, version: str, verdict: ObjectResult) -> None:
        api_version, kind = document.api_version, document.kind
        problems = verdict.problems
        if not api_version or not kind:
            problems.extend(_identity(document))
            return
        compiled = StrictDecoder.of(version).kind(api_version, kind)
        built_in = compiled is not None
        if compiled is None:
            if is_built_in(document.group):
                message, hint = why_not_served(api_version, kind, version)
                problems.append(Violation("api/not-served", (None, "apiVersion"), message, hint))
                return
            custom = self._custom.find(api_version, kind, version)
            if isinstance(custom, NoSchema):
                self._without_schema(document, custom, verdict)
                return
            compiled = custom
        before = len(problems)
        compiled(document.value, None, problems)
        if built_in and len(problems) > before:
            problems[before:] = _not_of_dropped(problems[before:], document, compiled, version)
        if document.unknown:
            problems[before:] = document.unknown.kept(problems[before:])
        # Validation comes after decoding: of values of wrong types it never hears.
        if not any(problem.decode for problem in problems[before:]):
            broken = self._broken_rules(document, version, has_null=loaded.has_null, built_in=built_in)
            problems[before:], broken = _told_once(problems[before:], broken, self._checks.asks)
            problems.extend(document.unknown.kept(broken) if document.unknown else broken)

    def _broken_rules(self, document: Document, version: str, *, has_null: bool, built_in: bool) -> list[Violation]:
        if not self._with_rules:
            return []
        value = document.value
        if has_null:
            value = without_nulls(value, Bundle.load(version), document.api_version, document.kind)
        return api_problems(value, built_in=built_in, minor=int(version.partition(".")[2]))

    def _without_schema(self, document: Document, missing: NoSchema, verdict: ObjectResult) -> None:
        if missing.known:
            near = nearest(document.api_version.rpartition("/")[2], missing.known) or missing.known[-1]
            reason = f"the definition in {missing.where} serves {document.kind} in {', '.join(missing.known)} only"
            hint = f"Use apiVersion: {document.group}/{near}"
            verdict.problems.append(Violation("api/not-served", (None, "apiVersion"), reason, hint))
            return
        if missing.failure:
            said = f"the schema of {document.kind} could not be read: {missing.failure}"
            hint = "Correct --schema-location, or run again when the server answers."
            verdict.problems.append(Violation(SCHEMA_LOCATION, (None, "apiVersion"), said, hint))
        reason = f"no schema for {document.kind} of {document.api_version}"
        if self._checks.missing_schema == "fail":
            verdict.problems.append(Violation("schema/missing", (None, "kind"), reason, _NO_SCHEMA))
            return
        verdict.skip, verdict.hint = reason, _NO_SCHEMA
        verdict.quiet = self._checks.missing_schema == "ignore"


def _told_once(
    structural: Sequence[Violation], broken: Sequence[Violation], asks: Callable[[str], bool]
) -> tuple[list[Violation], list[Violation]]:
    """What schema and rules say of one field, once: the schema names a field that is missing, a rule may say what an
    empty one has to hold.
    """
    missing = {one.lacks for one in structural if one.lacks and one.at == "key"}
    empty = {one.lacks for one in structural if one.lacks} - missing
    rules = [
        one
        for one in broken
        if (place := one.lacks or one.path) not in missing and not (place in empty and _says_required_alone(one))
    ]
    told = {one.lacks or one.path for one in rules if asks(one.rule)} & empty
    return [one for one in structural if one.lacks not in told], rules


def _says_required_alone(violation: Violation) -> bool:
    return violation.lacks is not None and violation.message == f"'{violation.lacks[1]}' is required"


def _why_not_judged(document: Document) -> str:
    """Why nobody can judge an object here: it is a program's, or SOPS encrypted its kind, too; '' for others."""
    group = document.group
    if document.is_encrypted and "ENC[" in (document.api_version + document.kind):
        return "SOPS encrypted its kind, too: nobody can judge it here"
    if document.api_version and (group in CLIENT_GROUPS or group.partition("/")[0] in CLIENT_GROUPS):
        return f"{document.kind} of {document.api_version} is read by a program, not a cluster"
    return ""


def _not_of_dropped(found: list[Violation], document: Document, compiled: Check, version: str) -> list[Violation]:
    """Without what is missing inside of fields that the server decodes, and drops before it validates."""
    kept = as_validated(document.value, int(version.partition(".")[2]))
    if kept is document.value:
        return found
    still: list[Violation] = []
    compiled(kept, None, still)
    return [problem for problem in found if problem.rule != "schema/required" or problem in still]


def _identity(document: Document) -> Iterator[Violation]:
    for key in ("apiVersion", "kind"):
        value = document.value.get(key)
        if value in (None, ""):
            yield Violation("schema/required", None, f"required field '{key}' is missing", at="key", decode=True)
        elif not isinstance(value, str):
            yield Violation("schema/type", (None, key), f"'{key}' must be a string", decode=True)


def _duplicates(loaded: Loaded, document: Document) -> Iterator[Violation]:
    for key, offset in loaded.duplicates:
        if document.is_kustomized and offset in loaded.overriding:
            continue
        yield Violation("yaml/duplicate-key", None, f"key '{key}' is set twice", "Remove one of them.", offset=offset)


def _in_versions(found: Mapping[str, Sequence[Violation]]) -> list[Violation]:
    """Each violation once, as the newest version words it, with the versions for which it holds."""
    holds: dict[Violation, dict[str, Violation]] = {}
    for version, violations in found.items():
        for violation in violations:
            holds.setdefault(_without_version(violation, version), {})[version] = violation
    return [_of(*list(of.items())[-1], list(of), is_always=len(of) == len(found)) for of in holds.values()]


def _without_version(violation: Violation, version: str) -> Violation:
    """What is the same in all versions: not the version itself, the values that it would take, and the hint."""
    message = violation.message.replace(f"{_PRODUCT} {version} ", "", 1).partition(_VALUES)[0]
    return violation._replace(message=message, hint="")


def _of(version: str, violation: Violation, versions: Sequence[str], *, is_always: bool) -> Violation:
    named, message = _named(versions), violation.message
    if f"{_PRODUCT} {version} " in message:
        return violation._replace(message=message.replace(f"{_PRODUCT} {version} ", f"{_PRODUCT} {named} ", 1))
    return violation if is_always else violation._replace(message=f"{message} (in {_PRODUCT} {named})")


def _named(versions: Sequence[str]) -> str:
    """`1.29 to 1.31, 1.34`."""
    runs: list[list[str]] = []
    for version in versions:
        is_next = runs and int(version.partition(".")[2]) == int(runs[-1][-1].partition(".")[2]) + 1
        runs[-1].append(version) if is_next else runs.append([version])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else run[0] for run in runs)
