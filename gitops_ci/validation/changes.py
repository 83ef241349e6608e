"""Where a change broke something: the object in what was rendered, and from there the file that people edit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from gitops_ci.model import Finding
from gitops_ci.quantities import whole_number
from gitops_ci.validation.lint.base import Keys, at
from gitops_ci.validation.manifests.documents import Document, split
from gitops_ci.validation.manifests.go_yaml import GoYamlError
from gitops_ci.validation.provenance import SourceMap
from gitops_ci.validation.report import Rendered
from gitops_ci.yamltext import YamlError

__all__ = ["Place", "finding_in"]


class Place(NamedTuple):
    """An object of a side, and the value in it, by its JSON pointer; `field` is its name where it is not there."""

    value: Mapping[str, Any]
    pointer: str
    field: str = ""


def finding_in(
    rule: str,
    message: str,
    hint: str,
    place: Place,
    rendered: Iterable[Rendered],
    files: Iterable[tuple[str, str]],
    *,
    severity: Literal["warning", "note"] = "warning",
) -> Finding | None:
    """A finding at the value; None where the object is in neither the rendered units nor the files."""
    for document in _documents(place.value, rendered, files):
        keys = _keys(place.value, place.pointer)
        where = ".".join(map(str, keys))
        if document.unknown is not None and document.unknown.hides_field(where):
            return None
        is_gone = len(keys) < place.pointer.count("/") and place.field
        said = f"{place.field} {message}" if is_gone else message
        return at(document, keys, rule, said, hint=hint, severity=severity)
    return None


def _documents(
    value: Mapping[str, Any], rendered: Iterable[Rendered], files: Iterable[tuple[str, str]]
) -> Iterator[Document]:
    for unit in rendered:
        yield from (SourceMap(unit).locate(one) for one in _same(unit.file, unit.text, value))
    for path, text in files:
        yield from _same(path, text, value)


def _same(path: str, text: str, value: Mapping[str, Any]) -> Iterator[Document]:
    """The documents of a text with the kind, name and namespace of an object."""
    name, namespace = (_metadata(value, key) for key in ("name", "namespace"))
    for index, piece in enumerate(split(text)):
        if name not in piece.text:
            continue
        try:
            loaded = piece.load().value
        except (YamlError, GoYamlError):
            continue
        if not isinstance(loaded, dict) or loaded.get("kind") != value.get("kind"):
            continue
        if (_metadata(loaded, "name"), _metadata(loaded, "namespace")) == (name, namespace):
            yield Document(path, str(index), piece, loaded)


def _metadata(value: Mapping[str, Any], key: str) -> str:
    metadata = value.get("metadata")
    found = metadata.get(key) if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else ""


def _keys(value: Any, pointer: str) -> Keys:
    """The keys of a JSON pointer, as far as the object has them."""
    keys: list[str | int] = []
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and (at_item := whole_number(name)) is not None and at_item < len(value):
            keys.append(at_item)
            value = value[at_item]
        elif isinstance(value, dict) and name in value:
            keys.append(name)
            value = value[name]
        else:
            break
    return tuple(keys)
