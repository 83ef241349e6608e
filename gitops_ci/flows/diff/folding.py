"""What a user, or an Argo CD Application, asks not to be shown: it is folded, not dropped.

`fold` has the form of `ignore`: `[kind=GLOB] [name=GLOB] path=GLOB`. The `ignoreDifferences` of an Application are JSON
pointers, or managers and jq paths, which nothing here can follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from gitops_ci.comparing import ManifestObject
from gitops_ci.errors import UsageError
from gitops_ci.flows.diff.expansion import Expansion
from gitops_ci.model.rendered import PathChange
from gitops_ci.rendering.documents import dig, items, text_of

__all__ = ["Fold", "folds", "masks"]

Rule = Callable[[PathChange], bool]


class Fold(NamedTuple):
    """One line of `fold`."""

    kind: str = "*"
    name: str = "*"
    path: str = "*"

    @classmethod
    def parse(cls, text: str) -> Fold:
        """Read `kind=GLOB name=GLOB path=GLOB`.

        Raises:
            UsageError: it is another form.
        """
        found: dict[str, str] = {}
        for word in text.split():
            key, equals, value = word.partition("=")
            if not equals or not value or key not in cls._fields or key in found:
                raise UsageError(
                    f"'{text}' is not a rule of diff.fold", hint="For example: kind=Deployment path=spec.replicas"
                )
            found[key] = value
        if "path" not in found:
            raise UsageError(f"'{text}' names no path", hint="For example: kind=Deployment path=spec.replicas")
        return cls(**found)

    def matches(self, one: ManifestObject) -> bool:
        return fnmatchcase(one.kind, self.kind) and fnmatchcase(one.name, self.name)


def folds(rules: Sequence[str], expansion: Expansion) -> Callable[[ManifestObject], tuple[Rule, ...]]:
    """For each object the rules that are about it."""
    own = [Fold.parse(text) for text in rules]
    ignored: dict[str, list[tuple[str, str, str, str]]] = {}
    for name, found in expansion.head.units.items():
        if found.unit.kind == "application":
            ignored[name] = [
                (text_of(dig(one, "group")), text_of(dig(one, "kind")), text_of(dig(one, "name")), text_of(pointer))
                for one in items(found.unit.value, "spec", "ignoreDifferences")
                for pointer in items(one, "jsonPointers")
            ]

    def of(one: ManifestObject) -> tuple[Rule, ...]:
        mine: list[Rule] = [_by_path(rule.path) for rule in own if rule.matches(one)]
        for group, kind, name, pointer in ignored.get(one.unit, ()):
            if (group, kind) == (one.key.group, one.kind) and name in {"", one.name}:
                mine.append(_by_pointer(pointer))
        return tuple(mine)

    return of


def _by_path(glob: str) -> Rule:
    # A bracket of a path is not one of a glob: * may stand for it.
    pattern = glob.replace("[", "[[]")
    return lambda change: fnmatchcase(change.path, pattern)


def _by_pointer(pointer: str) -> Rule:
    def matches(change: PathChange) -> bool:
        told = change.head_pointer if change.head_pointer is not None else change.base_pointer or ""
        return told == pointer or told.startswith(f"{pointer}/")

    return matches


def masks(globs: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Globs of `Kind.path.of.value`, in which * is anything."""
    return tuple(re.compile(".*".join(map(re.escape, glob.split("*"))), re.DOTALL) for glob in globs)
