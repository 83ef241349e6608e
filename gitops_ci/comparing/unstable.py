"""Values that differ in each rendering of a template: passwords, certificates, the time, and names with such a text.

Each side is rendered twice, and what differs between both is made up. A value that only one side makes up is a change,
and so is the rest of a text of which a part is made up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from string import ascii_letters, digits
from typing import Any

from gitops_ci.comparing.differences import differences
from gitops_ci.comparing.list_keys import ListKeys
from gitops_ci.comparing.objects import Key, ManifestObject
from gitops_ci.model.rendered import PathChange
from gitops_ci.quantities import whole_number

__all__ = ["made_up", "marked", "with_common_names"]

_NAME = "/metadata/name"
_WORDS = re.compile(r"([^A-Za-z0-9]+)")
_LETTERS = ascii_letters + digits


def marked(
    objects: Iterable[ManifestObject],
    first: Sequence[ManifestObject],
    again: Sequence[ManifestObject],
    keys: Mapping[tuple[str, str], ListKeys],
) -> list[ManifestObject]:
    """The objects of a side, each with what is made up in it. `first` and `again` differ between two renderings."""
    found: dict[Key, Mapping[str, Any]] = {}
    for one, other in _pairs(first, again):
        changes = differences(one.value, other.value, keys.get((one.key.group, one.kind)))
        found[one.key] = {change.base_pointer: change.new for change in changes if change.base_pointer is not None}
    return [replace(one, unstable=found[one.key]) if one.key in found else one for one in objects]


def _pairs(
    first: Sequence[ManifestObject], again: Sequence[ManifestObject]
) -> list[tuple[ManifestObject, ManifestObject]]:
    """The same objects of both renderings. Those whose names are made up are the same in order, if all have one."""
    others = {one.key: one for one in again}
    mine = {one.key for one in first}
    pairs = [(one, others[one.key]) for one in first if one.key in others]
    left = _by_class(one for one in first if one.key not in others)
    for name, ones in _by_class(one for one in again if one.key not in mine).items():
        if len(left.get(name, ())) == len(ones):
            pairs += zip(left[name], ones, strict=True)
    return pairs


def _by_class(objects: Iterable[ManifestObject]) -> dict[Hashable, list[ManifestObject]]:
    found: dict[Hashable, list[ManifestObject]] = {}
    for one in objects:
        key = one.key
        found.setdefault((one.unit, key.cluster, key.group, key.kind, key.namespace), []).append(one)
    return found


def with_common_names(
    base: Sequence[ManifestObject], head: Sequence[ManifestObject]
) -> tuple[list[ManifestObject], list[ManifestObject]]:
    """Both sides, in which objects with made-up names are the same ones where both have as many of a kind."""
    classes = [_by_class(one for one in side if _NAME in one.unstable) for side in (base, head)]
    renamed: dict[int, ManifestObject] = {}
    for name, ones in classes[0].items():
        others = classes[1].get(name, [])
        if len(ones) != len(others):
            continue
        for number, (old, new) in enumerate(zip(ones, others, strict=True)):
            prefix = _common_start(new.name, str(new.unstable[_NAME])).rstrip(_LETTERS)
            for one in (old, new):
                key = one.key._replace(name=f"{prefix}*", number=number)
                renamed[id(one)] = replace(one, key=key, name=key.name)
    return [renamed.get(id(one), one) for one in base], [renamed.get(id(one), one) for one in head]


def _common_start(one: str, other: str) -> str:
    both = zip(one, other, strict=False)
    return one[: next((number for number, (mine, its) in enumerate(both) if mine != its), len(one))]


def made_up(
    changes: Iterable[PathChange], base: ManifestObject, head: ManifestObject
) -> frozenset[tuple[str | None, str | None]]:
    """The pointers of those changes that any other rendering has as well."""
    if not base.unstable or not head.unstable:
        return frozenset()
    found: set[tuple[str | None, str | None]] = set()
    came: list[PathChange] = []
    for one in changes:
        if one.base_pointer is None or one.head_pointer is None:
            came.append(one)
        elif _is_made_up(one.base_pointer, one.head_pointer, base, head):
            found.add((one.base_pointer, one.head_pointer))
    return frozenset(found | _keys_made_up(came, base, head))


def _keys_made_up(
    changes: Iterable[PathChange], base: ManifestObject, head: ManifestObject
) -> set[tuple[str | None, str | None]]:
    """Keys and entries, where as many come as go in one place: one more, or one less, is a change."""
    gone, new = Counter[str](), Counter[str]()
    kept: list[tuple[str, PathChange]] = []
    for one in changes:
        side, count = (base, gone) if one.head_pointer is None else (head, new)
        told = one.base_pointer if one.head_pointer is None else one.head_pointer
        if told is not None and _known(told, side.unstable):
            place = told.rpartition("/")[0]
            count[place] += 1
            kept.append((place, one))
    return {(one.base_pointer, one.head_pointer) for place, one in kept if gone[place] == new[place]}


def _known(told: str, unstable: Mapping[str, Any]) -> bool:
    return told in unstable or any(told.startswith(f"{one}/") for one in unstable)


def _is_made_up(old: str, new: str, base: ManifestObject, head: ManifestObject) -> bool:
    if old not in base.unstable or new not in head.unstable:
        return _known(old, base.unstable) and _known(new, head.unstable)
    kept = [_constant(_value(side.value, told), side.unstable[told]) for side, told in ((base, old), (head, new))]
    return None in kept or kept[0] == kept[1]


def _constant(first: Any, again: Any) -> list[str] | None:
    """The words of a text that two renderings have in common; None where nobody can tell them apart."""
    if not isinstance(first, str) or not isinstance(again, str):
        return None
    one, other = _WORDS.split(first), _WORDS.split(again)
    if len(one) != len(other):
        return None
    return [word if word == same else "" for word, same in zip(one, other, strict=True)]


def _value(value: Any, told: str) -> Any:
    for part in told.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(name)
            continue
        at = whole_number(name)
        if not isinstance(value, list) or at is None or at >= len(value):
            return None
        value = value[at]
    return value
