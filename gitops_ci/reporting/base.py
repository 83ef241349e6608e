"""What a reporter is, and what every reporter does first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from operator import is_
from typing import TYPE_CHECKING, Any, Protocol

from gitops_ci.secret import mask

if TYPE_CHECKING:
    from gitops_ci.model import Change, Finding, Outcome, Skip

__all__ = ["Reporter", "change_order", "masked", "prepare", "relocate"]


class Reporter(Protocol):
    """One output format. Pure: the same outcome gives the same text; who calls it decides where the text goes."""

    ID: str

    def report(self, outcome: Outcome) -> str:
        """The whole document, with its final newline; empty where the format has nothing to say."""


def prepare(outcome: Outcome) -> Outcome:
    """The outcome as it may be shown: secrets masked, everything in one order.

    Masked here and not only in the finished text: a format that escapes or shortens would spell a secret so that
    nobody recognizes it any more.
    """
    shown: Outcome = masked(outcome)
    return replace(
        shown,
        changes=tuple(sorted(shown.changes, key=change_order)),
        files=tuple(sorted(shown.files, key=lambda file: file.path)),
        skipped=tuple(sorted(shown.skipped, key=_skip_order)),
        findings=tuple(sorted(shown.findings, key=_finding_order)),
    )


def relocate(outcome: Outcome, folder: str) -> Outcome:
    """The outcome with every path below `folder`: for hosts that count paths from the repository's root.

    `folder` is where the command ran, relative to that root; empty and `.` change nothing.
    """
    prefix = folder.strip("/")
    if prefix in {"", "."}:
        return outcome

    def below(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(replace(item, path=f"{prefix}/{item.path}") if item.path else item for item in items)

    return replace(
        outcome,
        changes=below(outcome.changes),
        files=below(outcome.files),
        skipped=below(outcome.skipped),
        findings=below(outcome.findings),
    )


def masked(value: Any) -> Any:
    """A value, a tuple or a frozen dataclass in which every text went through `secret.mask`; itself if none changed."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, tuple):
        items = tuple(masked(item) for item in value)
        return value if all(map(is_, items, value)) else items
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, Mapping):
        return {masked(key): masked(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for name in _fields(type(value)):
            old = getattr(value, name)
            if (new := masked(old)) is not old:
                changed[name] = new
        return replace(value, **changed) if changed else value
    return value


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def change_order(change: Change) -> tuple[str, int, int]:
    return change.path, change.edit.span.line, change.edit.span.column


def _skip_order(skip: Skip) -> tuple[str, int, str]:
    return skip.path, skip.line, skip.reason


def _finding_order(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.path, finding.line, finding.column, finding.rule, finding.message
