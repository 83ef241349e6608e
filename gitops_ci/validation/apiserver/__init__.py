"""The API server's own rules beyond the schemas; kinds.py lists which of them concern which kind.

A rule is a function of one document (field.Field); it runs after the structure was found sound, and everything it finds
is refused by a real API server.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gitops_ci.lazy import import_member
from gitops_ci.validation.apimachinery.field import Field, Rule
from gitops_ci.validation.apimachinery.object_meta import metadata
from gitops_ci.validation.apiserver.dropped_fields import without_dropped, without_unvalidated
from gitops_ci.validation.kinds import kind_of
from gitops_ci.validation.violation import Violation

__all__ = ["api_problems", "as_validated", "rules_of"]


@cache
def rules_of(api_version: str, kind: str) -> tuple[Rule, ...]:
    """The rules of a built-in kind, each imported when an object of the kind is first met."""
    row = kind_of(api_version, kind)
    return tuple(import_member("validation.apiserver", name) for name in row.rules) if row else ()


def as_validated(value: Mapping[str, Any], minor: int) -> Mapping[str, Any]:
    """A built-in object without the fields that the server drops, or stores unread."""
    row = kind_of(str(value.get("apiVersion")), str(value.get("kind")))
    return without_unvalidated(value, row.pod_template if row else None, minor)


def api_problems(value: Mapping[str, Any], *, built_in: bool, minor: int) -> list[Violation]:
    """What the server's validation refuses in an object whose structure is sound."""
    problems: list[Violation] = []
    row = kind_of(str(value.get("apiVersion")), str(value.get("kind"))) if built_in else None
    if row:
        value = without_dropped(value, row.pod_template, minor)
    document = Field(value, None, problems, minor)
    metadata(document, built_in=built_in)
    if built_in:
        for rule in rules_of(document.text("apiVersion"), document.text("kind")):
            rule(document)
    return problems
