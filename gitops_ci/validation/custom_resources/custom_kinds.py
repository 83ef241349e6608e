"""Schemas of custom resources: from the CustomResourceDefinitions that are at hand, then from schema locations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gitops_ci.dataclass import dataclass
from gitops_ci.validation.openapi.strict_decoding import StrictDecoder
from gitops_ci.validation.report import Lookup
from gitops_ci.validation.violation import Check, Path, Violation

__all__ = ["Conflict", "CustomKinds", "NoSchema", "Where"]


@dataclass(frozen=True, slots=True)
class NoSchema:
    """Why there is no schema: `known` are the versions of the kind that a definition at hand serves, if any.

    `failure` is why a schema location could not be asked.
    """

    known: tuple[str, ...] = ()
    where: str = ""
    failure: str = ""


class Where(NamedTuple):
    """Where a definition is written; what a unit renders is made of other files, and may differ from them."""

    path: str
    line: int
    is_rendered: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two definitions of one kind with other schemas."""

    kind: str
    group: str
    first: Where
    second: Where


@dataclass(frozen=True, slots=True)
class _Definition:
    """`versions` are the schemas of those that are served; `with_status` those whose status is a subresource."""

    versions: Mapping[str, Mapping[str, Any]]
    with_status: frozenset[str]
    where: Where


class CustomKinds:
    """Definitions by group and kind.

    Where a kind has several that differ, an object is sound when it is for one of them: which of them a cluster has
    cannot be read from the repository.
    """

    def __init__(self, lookup: Lookup | None = None) -> None:
        self._definitions: dict[tuple[str, str], list[_Definition]] = {}
        self.conflicts: list[Conflict] = []
        self._compiled: dict[tuple[str, str, str], Check | NoSchema] = {}
        self._lookup = lookup

    def add(self, definition: Mapping[str, Any], where: Where) -> None:
        """Learn from the value of a CustomResourceDefinition; one that is no good is left to its own findings."""
        spec = definition.get("spec")
        names = spec.get("names") if isinstance(spec, Mapping) else None
        if not isinstance(spec, Mapping) or not isinstance(names, Mapping):
            return
        versions = spec.get("versions")
        served, with_status = {}, set()
        for version in versions if isinstance(versions, list) else ():
            if isinstance(version, Mapping) and version.get("served") is True:
                holder = version.get("schema")
                schema = holder.get("openAPIV3Schema") if isinstance(holder, Mapping) else None
                if isinstance(schema, Mapping):
                    served[str(version.get("name"))] = schema
                    subresources = version.get("subresources")
                    if isinstance(subresources, Mapping) and subresources.get("status") is not None:
                        with_status.add(str(version.get("name")))
        key = (str(spec.get("group")), str(names.get("kind")))
        if served:
            self._remember(key, _Definition(served, frozenset(with_status), where))

    def _remember(self, key: tuple[str, str], definition: _Definition) -> None:
        known = self._definitions.setdefault(key, [])
        if any(one.versions == definition.versions or one.where == definition.where for one in known):
            return
        alike = (one for one in known if one.where.is_rendered == definition.where.is_rendered)
        if first := next(alike, None):
            self.conflicts.append(Conflict(key[1], key[0], first.where, definition.where))
        known.append(definition)

    def find(self, api_version: str, kind: str, kubernetes: str) -> Check | NoSchema:
        """The check of a custom kind."""
        key = (api_version, kind, kubernetes)
        if key not in self._compiled:
            self._compiled[key] = self._compile(*key)
        return self._compiled[key]

    def _compile(self, api_version: str, kind: str, kubernetes: str) -> Check | NoSchema:
        group, _, version = api_version.rpartition("/")
        if definitions := self._definitions.get((group, kind)):
            compiled = [
                _custom(one.versions[version], kubernetes, drops_status=version in one.with_status)
                for one in definitions
                if version in one.versions
            ]
            known = sorted({name for one in definitions for name in one.versions})
            return _any_of(compiled) if compiled else NoSchema(tuple(known), str(definitions[0].where))
        found = self._lookup(api_version, kind, kubernetes) if self._lookup else None
        if isinstance(found, str):
            return NoSchema(failure=found)
        return _custom(found, kubernetes, lenient=True) if found is not None else NoSchema()


def _any_of(checks: Sequence[Check]) -> Check:
    """A check that an object passes when it passes one of several; else the one that finds the least says why."""
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        answers: list[list[Violation]] = [[] for _ in checks]
        for one, answer in zip(checks, answers, strict=True):
            one(value, path, answer)
        fewest: list[Violation] = min(answers, key=len)
        problems.extend(fewest)

    return check


def _custom(schema: Mapping[str, Any], kubernetes: str, *, lenient: bool = False, drops_status: bool = False) -> Check:
    """The check of a whole custom object: its metadata is Kubernetes' own, its schema may leave the envelope out.

    A status that is a subresource is decoded and then dropped: on creation nobody validates it
    (apiextensions pkg/registry/customresource/strategy.go, PrepareForCreate).
    """
    from gitops_ci.validation.cel.schema_rules import rules_of
    from gitops_ci.validation.custom_resources.schema_values import compile_schema
    from gitops_ci.validation.custom_resources.structural_schema import Structural

    envelope = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    properties = schema.get("properties")
    whole = {**schema, "properties": {**(properties if isinstance(properties, Mapping) else {}), **envelope}}
    structure = Structural(whole, kubernetes, lenient=lenient)
    body = compile_schema(whole, minor=int(kubernetes.partition(".")[2]), definitions=schema)
    rules = rules_of(whole)
    metadata = StrictDecoder.of(kubernetes).named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if not isinstance(value, Mapping):
            return
        if (meta := value.get("metadata")) is not None:
            metadata(meta, (path, "metadata"), problems)
            if any(problem.decode for problem in problems):
                return
        completed = structure.completed(value)
        structure.examine(completed, path, problems)
        if drops_status and "status" in completed:
            completed = {key: item for key, item in completed.items() if key != "status"}
        body(completed, path, problems)
        # The server runs rules over what its schema takes (apiextensions pkg/registry/customresource/strategy.go).
        if rules is not None and not problems:
            rules(completed, path, problems)

    return check
