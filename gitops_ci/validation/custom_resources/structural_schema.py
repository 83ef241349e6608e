"""What the structure of a custom schema does to a value: unknown fields, defaults, nulls, unique lists, objects inside.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema: pruning, defaulting, listtype and objectmeta. Values
themselves are judged by schema_values.py, over the value that `completed` gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.object_meta import embedded_metadata
from gitops_ci.validation.go.json_numbers import identity
from gitops_ci.validation.openapi.strict_decoding import StrictDecoder, unknown_field
from gitops_ci.validation.violation import Path, Violation

__all__ = ["Structural", "resolved"]

_KEEP = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_ENVELOPE = frozenset({"apiVersion", "kind", "metadata"})
Schema = Mapping[str, Any] | None


class Structural:
    """A schema by its structure. `lenient` is for JSON Schema that was made from a definition and may say less: an
    object without fields is open there, and to a server it is closed. `has_defaults` is known where they may stand in
    what the schema refers to.
    """

    def __init__(
        self, schema: Mapping[str, Any], version: str, *, lenient: bool = False, has_defaults: bool | None = None
    ) -> None:
        self._root = schema
        self._version = version
        self._minor = int(version.partition(".")[2])
        self._lenient = lenient
        self._has_defaults = _mentions(schema, "default") if has_defaults is None else has_defaults

    def completed(self, value: Any) -> Any:
        """The value with its defaults and without nulls that no field takes: what the server validates."""
        return self._complete(value, self._root) if self._has_defaults or _has_null(value) else value

    def _complete(self, value: Any, schema: Any) -> Any:
        schema = resolved(schema, self._root)
        if schema is None or not isinstance(value, dict | list):
            return value
        if isinstance(value, list):
            items = _mapping(schema.get("items"))
            return [self._complete(_default(items) if _is_void(item, items) else item, items) for item in value]
        made = {}
        properties, extra = _mapping(schema.get("properties")) or {}, _mapping(schema.get("additionalProperties"))
        for key, item in value.items():
            field = _mapping(properties[key]) if key in properties else extra
            found = _default(field) if _is_void(item, field) else item
            if found is not None or not _is_void(item, field):
                made[key] = self._complete(found, field)
        for key, field in properties.items():
            if key not in made and (default := _default(_mapping(field))) is not None:
                made[key] = self._complete(default, field)
        return made

    def examine(self, value: Any, path: Path, problems: list[Violation]) -> None:
        """What is unknown, given twice, or no sound object inside of a completed object."""
        self._walk(value, {**self._root, _EMBEDDED: True}, path, problems, whole=True)

    def examine_part(self, value: Any, problems: list[Violation]) -> None:
        """The same of a value that is not a whole object: a default."""
        self._walk(value, self._root, None, problems)

    def _walk(
        self, value: Any, schema: Any, path: Path, problems: list[Violation], *, whole: bool = False, keep: bool = False
    ) -> None:
        schema = resolved(schema, self._root)
        if isinstance(value, dict):
            self._walk_object(value, schema, path, problems, whole=whole, keep=keep)
        elif isinstance(value, list):
            known = schema or {}
            keep = keep or known.get(_KEEP) is True
            items = known.get("items")
            if known.get("x-kubernetes-list-type") in {"set", "map"}:
                _unique(value, known.get("x-kubernetes-list-map-keys"), path, problems)
            for index, item in enumerate(value):
                if isinstance(item, dict | list):
                    self._walk(item, items, (path, index), problems, keep=keep)

    def _walk_object(
        self, value: dict[str, Any], schema: Schema, path: Path, problems: list[Violation], *, whole: bool, keep: bool
    ) -> None:
        known = schema or {}
        properties, extra = _mapping(known.get("properties")) or {}, known.get("additionalProperties")
        is_object = known.get(_EMBEDDED) is True
        is_open = keep or known.get(_KEEP) is True or (self._lenient and "properties" not in known)
        if is_object and not whole:
            self._embedded(value, path, problems)
        for key, item in value.items():
            if is_object and key in _ENVELOPE:
                continue
            if key in properties or extra is not None:
                if isinstance(item, dict | list):
                    self._walk(item, properties.get(key, extra), (path, key), problems)
            elif not is_open:
                problems.append(unknown_field((path, key), key, properties))

    def _embedded(self, value: dict[str, Any], path: Path, problems: list[Violation]) -> None:
        for key in ("apiVersion", "kind"):
            why = _why_no_identity(key, value.get(key))
            if key not in value:
                problems.append(Violation("schema/required", path, f"required field '{key}' is missing", at="key"))
            elif why:
                problems.append(Violation("schema/value", (path, key), why))
        if "metadata" not in value or value["metadata"] is None:
            return
        found: list[Violation] = []
        meta = (path, "metadata")
        StrictDecoder.of(self._version).named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")(
            value["metadata"], meta, found
        )
        if not found:
            embedded_metadata(Field(value["metadata"], meta, found, self._minor))
        problems.extend(found)


def resolved(schema: Any, root: Mapping[str, Any]) -> Schema:
    """A schema, a reference inside its document followed; None for what is none. Nothing is fetched."""
    for _ in range(32):
        if not isinstance(schema, Mapping):
            return None
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        if not reference.startswith("#/"):
            return {_KEEP: True}
        schema = root
        for key in reference.removeprefix("#/").split("/"):
            schema = schema.get(key.replace("~1", "/").replace("~0", "~")) if isinstance(schema, Mapping) else None
    return None


def _mapping(schema: Any) -> Schema:
    return schema if isinstance(schema, Mapping) else None


def _default(schema: Schema) -> Any:
    return schema.get("default") if schema is not None else None


def _is_void(value: Any, schema: Schema) -> bool:
    """Whether a value is a null that its schema does not take: it counts as absent."""
    return value is None and schema is not None and schema.get("nullable") is not True


def _mentions(schema: Any, word: str) -> bool:
    if isinstance(schema, Mapping):
        return word in schema or any(_mentions(part, word) for part in schema.values())
    return isinstance(schema, list) and any(_mentions(part, word) for part in schema)


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(item is None or (isinstance(item, dict | list) and _has_null(item)) for item in value.values())
    return isinstance(value, list) and any(
        item is None or (isinstance(item, dict | list) and _has_null(item)) for item in value
    )


def _unique(value: Sequence[Any], keys: Any, path: Path, problems: list[Violation]) -> None:
    if len(value) < 2:
        return
    names = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
    seen: set[str] = set()
    for index, item in enumerate(value):
        mark = {name: item[name] for name in names if name in item} if names and isinstance(item, dict) else item
        text = identity({} if mark is None and names else mark)
        if text in seen:
            problems.append(Violation("schema/duplicate", (path, index), "is given twice in a list of unique items"))
        seen.add(text)


def _why_no_identity(key: str, value: Any) -> str:
    """Why an object inside of another cannot be of this apiVersion or kind."""
    if not isinstance(value, str):
        return "must be a string"
    if not value:
        return "must not be empty"
    if key == "apiVersion":
        return f"'{value}' is not an API version" if value.count("/") > 1 else ""
    why = formats.dns_label_1035(value.lower())
    return f"'{value}' {why}" if why else ""
