"""The names of one environment as those of another: what then still differs is no matter of names. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gitops_ci.comparing import Side

__all__ = ["Rename", "renaming", "translated"]

Rename = Callable[[str], str]
_PATTERN = re.compile(r"[*?\[{]")


def renaming(one: str, other: str, globs: Sequence[str] = (), other_globs: Sequence[str] = ()) -> Rename:
    """A function that writes `other` for the word `one`, and what the paths of the one have for that of the other.

    A word ends where a letter or digit does not go on: `shop-staging.example.com` has the word `staging`.
    """
    words = {one: other, **dict(_of_paths(globs, other_globs))}
    listed = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{listed})(?![A-Za-z0-9])")
    return lambda text: pattern.sub(lambda found: words[found[0]], text)


def _of_paths(globs: Sequence[str], others: Sequence[str]) -> Iterable[tuple[str, str]]:
    """The parts of paths in which two lists of globs differ: `overlays/stg/**` and `overlays/prod/**`."""
    for glob, other in zip(globs, others, strict=False):
        parts, its_parts = glob.split("/"), other.split("/")
        if len(parts) == len(its_parts):
            for part, its_part in zip(parts, its_parts, strict=True):
                if part != its_part and not _PATTERN.search(part + its_part):
                    yield part, its_part


def translated(sides: Iterable[Side], to: Sequence[Side], rename: Rename) -> list[Side]:
    """The sides with the names of the other environment, in whose clusters and namespaces they are compared.

    Where the objects of a unit and those of its counterpart have all namespaces but one in common, these two count as
    the same.
    """
    renamed = [
        replace(
            side,
            unit=rename(side.unit),
            cluster="",
            namespace=rename(side.namespace),
            values=[_renamed(value, rename) for value in side.values],
        )
        for side in sides
    ]
    here, there = _namespaces(renamed), _namespaces(to)
    found = []
    for side in renamed:
        mine, its = here[side.unit], there.get(side.unit, frozenset())
        if len(mine - its) == len(its - mine) == 1:
            (old,), (new,) = mine - its, its - mine
            values = [_moved(value, old, new) for value in side.values]
            found.append(replace(side, namespace=new if side.namespace == old else side.namespace, values=values))
        else:
            found.append(side)
    return found


def _namespaces(sides: Iterable[Side]) -> dict[str, frozenset[str]]:
    """The namespaces of the objects of each unit."""
    found: dict[str, frozenset[str]] = {}
    for side in sides:
        named = (value["metadata"].get("namespace") for value in side.values if isinstance(value.get("metadata"), dict))
        own = {str(one or side.namespace) for one in named if one or side.namespace}
        found[side.unit] = found.get(side.unit, frozenset()) | own
    return found


def _renamed(value: Any, rename: Rename) -> Any:
    if isinstance(value, str):
        return rename(value)
    if isinstance(value, Mapping):
        return {_renamed(key, rename): _renamed(one, rename) for key, one in value.items()}
    return [_renamed(one, rename) for one in value] if isinstance(value, list) else value


def _moved(value: Any, old: str, new: str) -> Any:
    """With another namespace wherever a field is called so."""
    if isinstance(value, Mapping):
        return {key: new if key == "namespace" and one == old else _moved(one, old, new) for key, one in value.items()}
    return [_moved(one, old, new) for one in value] if isinstance(value, list) else value
