"""Definitions of the bundle compiled to functions that check a value's structure as Go's strict decoder does.

Own code instead of a JSON Schema engine for three reasons, each measured: a message per field that says what to do
(an engine speaks of "anyOf" where a quantity is wrong), Go's decoding rules (null is absence, a field is missing when
it is empty), and start-up: a definition is compiled when a document first reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gitops_ci.text import nearest_field
from gitops_ci.validation.apimachinery.scalars import SCALARS, type_name
from gitops_ci.validation.openapi.bundle import Bundle
from gitops_ci.validation.violation import Check, Path, Violation

__all__ = ["EMPTY", "StrictDecoder"]

# What the server decodes, but does not validate wherever it stands: owners are asked for their fields in the metadata
# of a whole object (apimachinery/object_meta.py) and not in a template's, a webhook of a definition where one converts
# (apiserver/apiextensions/definitions.py); projections of features that are off by default are dropped
# (ClusterTrustBundleProjection, PodCertificateRequest).
_NOTHING_REQUIRED = frozenset(
    {
        "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion",
        "io.k8s.api.core.v1.ClusterTrustBundleProjection",
        "io.k8s.api.core.v1.PodCertificateProjection",
        # Parts of fields that a server drops while their alpha feature is off.
        "io.k8s.api.core.v1.EvictionResponder",
        "io.k8s.api.resource.v1.DeviceDerivedAttribute",
        "io.k8s.api.scheduling.v1alpha3.TopologyConstraint",
        "io.k8s.api.scheduling.v1alpha3.WorkloadPodGroupResourceClaim",
    }
)
# To Go an absent, a null and an empty field are one: its zero value.
EMPTY: tuple[Any, ...] = (None, "", [])


class StrictDecoder:
    """The compiled definitions of one Kubernetes version."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._compiled: dict[int, Check] = {}
        # Where a definition is waited for that is not compiled yet: (fields, name).
        self._awaited: dict[int, list[tuple[dict[str, Check], str]]] = {}

    @staticmethod
    @cache
    def of(version: str) -> StrictDecoder:
        return StrictDecoder(Bundle.load(version))

    def kind(self, api_version: str, kind: str) -> Check | None:
        """The check of a kind, None when this version serves no such kind."""
        number = self._bundle.find(api_version, kind)
        return None if number is None else self._reference(number)

    def named(self, name: str) -> Check:
        """The check of a definition by its full name."""
        return self._reference(self._bundle.names.index(name))

    def _reference(self, number: int) -> Check:
        if compiled := self._compiled.get(number):
            return compiled

        def compile_when_reached(value: Any, path: Path, problems: list[Violation]) -> None:
            check = self._compiled.get(number)
            if check is None:
                check = self._compiled[number] = self._compile(self._definition(number))
                for fields, name in self._awaited.pop(number, ()):
                    fields[name] = check
            check(value, path, problems)

        return compile_when_reached

    def _definition(self, number: int) -> Mapping[str, Any]:
        definition = self._bundle.definition(number)
        return {**definition, "required": ()} if self._bundle.names[number] in _NOTHING_REQUIRED else definition

    def _fields(self, properties: Mapping[str, Any]) -> dict[str, Check]:
        fields = {name: self._compile(field) for name, field in properties.items()}
        is_object = {"apiVersion", "kind", "status"} <= fields.keys()
        if is_object:
            fields["status"] = _only_decoded(fields["status"])
        for name, field in properties.items():
            number = field.get("$ref")
            if number is not None and number not in self._compiled and not (is_object and name == "status"):
                self._awaited.setdefault(number, []).append((fields, name))
        return fields

    def _compile(self, schema: Mapping[str, Any]) -> Check:
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        if "anyOf" in schema:
            options = schema["anyOf"]
            return _any_of(
                [self._compile(one) for one in options], drops_scalars=any("items" in one for one in options)
            )
        if "properties" in schema:
            return _object(self._fields(schema["properties"]), tuple(schema.get("required", ())))
        if "additionalProperties" in schema:
            return _map(self._compile(schema["additionalProperties"]))
        if "items" in schema:
            items = schema["items"]
            return _array(self._compile(items), is_struct="$ref" in items or "properties" in items)
        return _scalar(schema["type"])


def _object(fields: Mapping[str, Check], required: tuple[str, ...]) -> Check:
    find = fields.get

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if type(value) is not dict:
            problems.append(wrong_type(path, f"must be a mapping, is {type_name(value)}"))
            return
        for key, item in value.items():
            field = find(key)
            if field is _string:
                # Two values of three are strings: no call and no path for those that are sound.
                if type(item) is not str and item is not None:
                    _string(item, (path, key), problems)
            elif field is None:
                problems.append(unknown_field((path, key), key, fields))
            elif item is not None:
                field(item, (path, key), problems)
        for key in required:
            if not (found := value.get(key)) and found in EMPTY:
                problems.append(missing(path, key, value))  # noqa: PERF401 - a generator costs more than it saves

    return check


def _only_decoded(check_status: Check) -> Check:
    """A status is decoded and then dropped: on creation nobody validates it."""

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        found: list[Violation] = []
        check_status(value, path, found)
        problems.extend(problem for problem in found if problem.rule != "schema/required")

    return check


def _map(item_check: Check) -> Check:
    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if type(value) is not dict:
            problems.append(wrong_type(path, f"must be a mapping, is {type_name(value)}"))
            return
        for key, item in value.items():
            if item is not None and not (item_check is _string and type(item) is str):
                item_check(item, (path, key), problems)

    return check


def _array(item_check: Check, *, is_struct: bool) -> Check:
    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if type(value) is not list:
            problems.append(wrong_type(path, f"must be a list, is {type_name(value)}"))
            return
        for index, item in enumerate(value):
            if item is not None:
                item_check(item, (path, index), problems)
            elif is_struct:
                # To Go an item that is null is an empty one, with none of the fields it must have.
                item_check({}, (path, index), problems)

    return check


def _string(value: Any, path: Path, problems: list[Violation]) -> None:
    if type(value) is not str:
        problems.append(wrong_type(path, f"must be a string, is {type_name(value)}"))


def _scalar(name: str) -> Check:
    if name == "string":
        return _string
    refuse = SCALARS[name]

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        refusal = refuse(value)
        if refusal is not None:
            problems.append(Violation(f"schema/{refusal[0]}", path, refusal[1], decode=True))

    return check


def _any_of(options: list[Check], *, drops_scalars: bool) -> Check:
    """One of several: the schemas in a definition's schema. They decode themselves, and drop what they do not know."""

    def check(value: Any, path: Path, problems: list[Violation]) -> None:
        if drops_scalars and type(value) not in {dict, list}:
            return
        best: list[Violation] | None = None
        for option in options:
            found: list[Violation] = []
            option(value, path, found)
            found = [problem for problem in found if problem.rule != "schema/unknown-field"]
            if not found:
                return
            # The option of the value's own type says more than "must be a boolean".
            if best is None or (best[0].path == path and found[0].path != path):
                best = found
        problems.extend(best or ())

    return check


def wrong_type(path: Path, message: str) -> Violation:
    return Violation("schema/type", path, message, decode=True)


def unknown_field(path: Path, key: str, fields: Mapping[str, Any]) -> Violation:
    return Violation("schema/unknown-field", path, f"unknown field '{key}'", nearest_field(key, fields), at="key")


def missing(path: Path, key: str, value: Mapping[str, Any]) -> Violation:
    if key in value:
        return Violation("schema/required", (path, key), f"'{key}' must not be empty", lacks=(path, key))
    return Violation("schema/required", path, f"required field '{key}' is missing", at="key", lacks=(path, key))
