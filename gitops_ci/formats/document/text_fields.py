"""Fields of characters that something points at, in YAML and in any other text."""

from __future__ import annotations

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.model import Field, Role, Spelling
from gitops_ci.yamltext import ScalarNode, YamlError

__all__ = ["field_at"]


def field_at(source: ManifestText, role: Role, start: int, end: int) -> Field:
    """The field of some characters: the scalar that they are, a part of one, or of a text that is not YAML."""
    text = source.text[start:end]
    scalar = _scalar_at(source, start, end)
    if scalar is None:
        return Field(role, source.span(start, end), text, Spelling("raw"))
    if scalar.value == text and (whole := source.scalar_field(role, scalar)):
        return whole
    # Part of a longer string (`--image=…`): its characters stand for themselves there.
    return Field(role, source.span(start, end), text, Spelling("raw", (scalar.style,)))


def _scalar_at(source: ManifestText, start: int, end: int) -> ScalarNode | None:
    if not source.is_yaml:
        return None
    try:
        found = source.scalar_before(start)
    except YamlError:
        return None
    return found if found and end <= found.end else None
