"""Versions that are variables: `${TAG:-1.4}`, `$TAG`, `{{ .image.tag }}`, `<< inputs.tag >>`; who sets them.

Sources: github.com/compose-spec/compose-spec, `12-interpolation.md`; fluxcd.io/flux/components/kustomize, "Post build
variable substitution" (`${var:=default}`); argo-cd.readthedocs.io, "Go Template" of ApplicationSets;
fluxcd.control-plane.io/operator/resourceset, "Inputs".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gitops_ci.dataclass import dataclass
from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.imageref import TAG, ImageRef
from gitops_ci.model import Field, ImageSite
from gitops_ci.yamltext import MappingNode, ScalarNode

__all__ = ["NAMELESS", "Variable", "layer", "setting", "settings", "tagged", "variable_of", "with_settings"]

NAMELESS = ImageRef("", "")
_VARIABLE = re.compile(
    r"\$\{(?P<braces>[A-Za-z_]\w*)(?::?[-=?](?P<default>[^${}\r\n]*))?\}|\$(?P<plain>[A-Za-z_]\w*)"
    r"|\{\{-?\s*\.?(?P<action>[A-Za-z_][\w.]*)\s*-?\}\}|<<-?\s*inputs\.(?P<input>[A-Za-z_][\w.]*)\s*-?>>"
)
_NAME = re.compile(r"(?P<name>[\w.-]+(?::\d+(?=/))?(?:/[\w.-]+)*)(?P<colon>:?)")


@dataclass(frozen=True, slots=True)
class Variable:
    """The keys of a variable, and the position of its default in the text; `default` is None without one."""

    keys: tuple[str, ...]
    default: tuple[int, int] | None

    @property
    def name(self) -> str:
        return ".".join(self.keys)


def layer(path: str) -> str:
    """The layer of the variables that a file reads."""
    return f"variables:{path}"


def variable_of(text: str, start: int = 0) -> Variable | None:
    """The variable that is all of a text from `start` on."""
    found = _VARIABLE.fullmatch(text, start)
    if found is None:
        return None
    keys = tuple((found["braces"] or found["plain"] or found["action"] or found["input"]).split("."))
    return Variable(keys, found.span("default") if found["default"] and not _is_message(found) else None)


def _is_message(found: re.Match[str]) -> bool:
    """Whether what follows is the error of a variable that has to be set: `${TAG:?set it}`."""
    return found[0][found.start("default") - found.start() - 1] == "?"


def tagged(text: str) -> tuple[ImageRef, Variable] | None:
    """The image of `name:${TAG}` and the variable that holds its tag."""
    name = _NAME.match(text)
    variable = variable_of(text, name.end()) if name and name["colon"] else None
    image = ImageRef.try_parse(name["name"]) if name and variable else None
    return (image, variable) if image and variable and not image.tag else None


def settings(
    source: ManifestText,
    mapping: MappingNode,
    *,
    format_id: str,
    resource: str,
    layers: str,
    above: tuple[str, ...] = (),
) -> Iterator[ImageSite]:
    """The values of a mapping that may be versions: each has the name of its variable, and no image's."""
    for key, entry in source.entries(mapping).items():
        if isinstance(entry.value, MappingNode):
            yield from settings(
                source, entry.value, format_id=format_id, resource=resource, layers=layers, above=(*above, key)
            )
        elif found := setting(source, entry, format_id=format_id, resource=resource, layers=layers, keys=(*above, key)):
            yield found


def setting(
    source: ManifestText, entry: Entry, *, format_id: str, resource: str, layers: str, keys: tuple[str, ...]
) -> ImageSite | None:
    """The value of a variable, if it may be a version."""
    field = _version(source, entry)
    if field is None:
        return None
    image = NAMELESS.with_version(tag=field.text, digest=None)
    return ImageSite(format_id, source.path, resource, image, (field,), layers=layers, keys=keys)


def with_settings(sites: Iterable[ImageSite], found: Sequence[ImageSite]) -> Iterator[ImageSite]:
    """The sites of an object and of the variables that it sets: what has no name there is a variable."""
    spans = {field.span for site in found for field in site.fields}
    yield from (site for site in sites if site.image.repository or spans.isdisjoint(f.span for f in site.fields))
    yield from found


def _version(source: ManifestText, entry: Entry) -> Field | None:
    if not isinstance(entry.value, ScalarNode) or not TAG.fullmatch(entry.value.value):
        return None
    return source.field("tag", entry)
