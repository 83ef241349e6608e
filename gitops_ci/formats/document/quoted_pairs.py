"""Name and version in keys of their own, in languages of configuration that are not YAML.

`{ repository = "ghcr.io/acme/shop", tag = "1.4.1" }`, `image: 'ghcr.io/acme/shop', version: '1.4.1'`, and blocks of
names and values such as `set { name = "image.tag" value = "1.4.1" }`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from itertools import groupby

from gitops_ci.dataclass import dataclass
from gitops_ci.formats.document.chart_repositories import OCI, WHOLE_VERSION
from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.imageref import TAG, ImageRef
from gitops_ci.model import Field, ImageSite, Spelling

__all__ = ["quoted_pairs"]

_TOKEN = re.compile(
    r"(?P<comment>#[^\r\n]*|//[^\r\n]*)|(?P<open>[{\[])|(?P<close>[}\]])"
    r"""|["']?(?<![\w-])(?P<key>[A-Za-z_][\w-]*)["']?[ \t]*\+?(?::{1,3}|=)[ \t]*"""
    r"""(?P<quote>["'])(?P<value>[^"'\\\r\n]*)(?P=quote)(?P<more>[ \t]*[+%.*])?"""
    r"""|"[^"\\\r\n]*"|'[^'\\\r\n]*'"""
)
# `version` beside one of these belongs to an API or a chart.
_SELECTORS = frozenset({"kind", "group", "resource", "apiVersion", "api_version", "chart"})
_DEEPEST = 100


@dataclass(slots=True)
class _Block:
    """What stands between two braces or brackets: strings under keys, and what blocks of a name and a value set."""

    strings: dict[str, Field] = field(default_factory=dict)
    settings: dict[str, Field] = field(default_factory=dict)


def quoted_pairs(source: ManifestText, text: str, *, format_id: str) -> Iterator[ImageSite]:
    """The images whose name and version are two strings of one block.

    `text` is as long as the source's, with space where it is not to be read.
    """
    if not source.mentions(text):
        return
    stack = [_Block()]
    for token in _TOKEN.finditer(text):
        if token["open"]:
            if len(stack) == _DEEPEST:
                return
            stack.append(_Block())
        elif token["close"] and len(stack) > 1:
            block = stack.pop()
            yield from _images(source, block, format_id)
            if {"name", "value"} <= block.strings.keys():
                stack[-1].settings[block.strings["name"].text] = block.strings["value"]
        elif token["key"] and not token["more"]:
            found = Field("tag", source.span(*token.span("value")), token["value"], Spelling("raw"))
            stack[-1].strings.setdefault(token["key"], found)
    for block in stack:
        yield from _images(source, block, format_id)


def _images(source: ManifestText, block: _Block, format_id: str) -> Iterator[ImageSite]:
    has_selector = not _SELECTORS.isdisjoint(block.strings)
    if chart := _chart(source, block.strings, format_id):
        yield chart
    own = {("", key): place for key, place in block.strings.items()}
    below = {(key.rpartition(".")[0], key.rpartition(".")[2]): place for key, place in block.settings.items()}
    for settings, is_selected in ((own, has_selector), (below, False)):
        for _, group in groupby(sorted(settings.items(), key=lambda one: _group(one[0])), lambda one: _group(one[0])):
            parts: dict[str, Field] = {role[1]: place for (_, key), place in group if (role := image_role_of(key))}
            if site := _site(source, parts, format_id, with_version=not is_selected):
                yield site


def _chart(source: ManifestText, strings: Mapping[str, Field], format_id: str) -> ImageSite | None:
    """A chart of an OCI registry: `helm_release` of Terraform has its `version` beside `repository` and `chart`."""
    version, chart = strings.get("version"), strings.get("chart")
    if version is None or chart is None or not WHOLE_VERSION.fullmatch(version.text):
        return None
    repository = strings["repository"].text if "repository" in strings else ""
    address = chart.text if chart.text.startswith(OCI) else f"{repository.rstrip('/')}/{chart.text}"
    image = ImageRef.try_parse(address.removeprefix(OCI)) if address.startswith(OCI) else None
    if image is None or image.tag or image.digest:
        return None
    tag = version.text.replace("+", "_", 1)
    return ImageSite(format_id, source.path, "", image.with_version(tag=tag, digest=None), (version,))


def _group(at: tuple[str, str]) -> tuple[str, str]:
    role = image_role_of(at[1])
    return at[0], role[0] if role else ""


def _site(source: ManifestText, parts: Mapping[str, Field], format_id: str, *, with_version: bool) -> ImageSite | None:
    named = parts.get("repository") or parts.get("reference") or parts.get("name")
    tag = parts.get("tag") or (parts.get("version") if with_version else None)
    if named is None or tag is None or not TAG.fullmatch(tag.text):
        return None
    registry = parts["registry"].text if "registry" in parts else ""
    name = f"{registry}/{named.text}" if registry else named.text
    image = ImageRef.try_parse(name) if "/" in name else None
    if image is None or image.tag or image.digest:
        return None
    return ImageSite(format_id, source.path, "", image.with_version(tag=tag.text, digest=None), (tag,))
