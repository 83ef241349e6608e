"""Pairs of a mapping that are not written yet, or that are to go: where, and what goes with them."""

from __future__ import annotations

import re
from dataclasses import replace

from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.model import Field, Role, Span
from gitops_ci.yamltext import MappingNode, Node

__all__ = ["insertion", "removable"]


def insertion(source: ManifestText, mapping: MappingNode, after: Entry, role: Role, key: str = "") -> Field:
    """A field for a key that is not there yet, to be written after the pair of `after`."""
    key = key or role
    quote = after.key.style if after.key.style in {"'", '"'} else ""
    label = f"{quote}{key}{quote}: "
    spelling = source.spelling('"' if mapping.flow and quote else "")
    end = after.value.end
    if mapping.flow:
        return Field(role, source.span(end, end), "", spelling, key=f", {label}")
    end = _end_of_line(source.text, after.value)
    indent = " " * (after.key.start - source.lines.line_start(after.key.start))
    spelling = replace(spelling, newline=source.newline_after(end))
    return Field(role, source.span(end, end), "", spelling, key=f"\n{indent}{label}")


def removable(source: ManifestText, mapping: MappingNode, key: str, field: Field) -> Field:
    """The field with what is needed to take its pair away, or to put another pair in its place."""
    entry = source.entries(mapping)[key]
    if entry.alias or source.within:
        return field
    pair = source.span(entry.key.start, entry.value.end)
    return replace(field, pair=pair, removal=_removal(source, mapping, entry))


def _removal(source: ManifestText, mapping: MappingNode, entry: Entry) -> Span | None:
    text = source.text
    at = next(index for index, (_, value) in enumerate(mapping.pairs) if value is entry.value)
    last = at == len(mapping.pairs) - 1
    if at and mapping.flow:
        return source.span(mapping.pairs[at - 1][1].end, entry.value.end)
    if at == 0 and not last and "#" not in text[entry.value.end : mapping.pairs[1][0].start]:
        return source.span(entry.key.start, mapping.pairs[1][0].start)
    if at == 0 or mapping.flow:
        return None
    line = re.compile(r"[ \t]*(?:\r\n|\n|\r|$)").match(text, entry.value.end)
    start = source.lines.line_start(entry.key.start)
    if line is None or text[start : entry.key.start].strip():
        return None
    if line.end() == len(text) and not text.endswith(("\n", "\r")):
        start -= 2 if text[:start].endswith("\r\n") else 1
    return source.span(start, line.end())


def _end_of_line(text: str, value: Node) -> int:
    # A block scalar ends at the beginning of the line after it.
    at = value.start + len(text[value.start : value.end].rstrip())
    found = re.compile(r"[^\r\n]*").match(text, at)
    return found.end() if found else at
