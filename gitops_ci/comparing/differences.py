"""What differs between two values, as changes that turn one into the other (see `PathChange`)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from difflib import SequenceMatcher
from typing import Any

from gitops_ci.comparing.list_keys import ListKeys, entry_keys
from gitops_ci.comparing.masking import FOLDED, Hidden
from gitops_ci.dataclass import dataclass
from gitops_ci.model.rendered import PathChange

__all__ = ["ORDER", "differences", "is_equal", "pointer"]

ORDER = "order"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LONG = 2_000  # entries: a longest common subsequence takes a second for them
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class _Place:
    """A value on both sides: the path for persons, and the keys and indices on each side."""

    path: str = ""
    base: tuple[str | int, ...] = ()
    head: tuple[str | int, ...] = ()
    names: tuple[str, ...] = ()
    keys: ListKeys = field(default_factory=dict)

    def at(self, key: str) -> _Place:
        told = f".{key}" if _PLAIN.fullmatch(key) else f"[{key}]"
        path = f"{self.path}{told}" if self.path else told.removeprefix(".")
        return _Place(path, (*self.base, key), (*self.head, key), (*self.names, key), self.keys)

    def entry(self, name: str, old: int, new: int) -> _Place:
        return _Place(f"{self.path}[{name}]", (*self.base, old), (*self.head, new), self.names, self.keys)


def differences(old: Any, new: Any, keys: ListKeys | None = None) -> list[PathChange]:
    """All changes between two objects; none where they are equal."""
    return list(_changes(old, new, _Place(keys=keys or {})))


def pointer(parts: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def is_equal(old: Any, new: Any) -> bool:
    """Whether two values are the same JSON: 1 and 1.0 are not, nor are 1 and true."""
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(is_equal(one, new[key]) for key, one in old.items())
    if isinstance(old, list):
        return len(old) == len(new) and all(map(is_equal, old, new))
    return bool(old == new)


def _changes(old: Any, new: Any, place: _Place) -> Iterator[PathChange]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _mapping(old, new, place)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list(old, new, place)
    elif not is_equal(old, new):
        yield _change(place, old, new)


def _mapping(old: Mapping[str, Any], new: Mapping[str, Any], place: _Place) -> Iterator[PathChange]:
    for key in sorted(old.keys() | new.keys(), key=str):
        inside = place.at(key)
        if key not in new:
            yield from _one_sided(inside, old[key], _NOTHING)
        elif key not in old:
            yield from _one_sided(inside, _NOTHING, new[key])
        else:
            yield from _changes(old[key], new[key], inside)


def _one_sided(place: _Place, old: Any, new: Any) -> Iterator[PathChange]:
    """A value that only one side has. Added and removed secrets are reported key by key."""
    value = new if old is _NOTHING else old
    if isinstance(value, dict) and _holds_hidden(value):
        for key in sorted(value, key=str):
            yield from _one_sided(
                place.at(key), *((_NOTHING, value[key]) if old is _NOTHING else (value[key], _NOTHING))
            )
        return
    yield _change(place, old, new)


def _list(old: list[Any], new: list[Any], place: _Place) -> Iterator[PathChange]:
    if is_equal(old, new):
        return
    named = entry_keys(old, new, place.names, place.keys)
    if named is None:
        yield from _sequence(old, new, place)
        return
    before, after = ({name: number for number, name in enumerate(names)} for names in named)
    kept = _kept_in_order([after[name] for name in named[0] if name in after])
    for name, number in before.items():
        at = after.get(name)
        if at is None:
            yield _change(place.entry(name, number, number), old[number], _NOTHING)
        elif at in kept:
            yield from _changes(old[number], new[at], place.entry(name, number, at))
        else:
            is_same = is_equal(old[number], new[at])
            inside = place.entry(name, number, at)
            yield _change(inside, old[number], _NOTHING, noise=ORDER if is_same else "")
            yield _change(inside, _NOTHING, new[at], noise=ORDER if is_same else "")
    for name, at in after.items():
        if name not in before:
            yield _change(place.entry(name, at, at), _NOTHING, new[at])


def _kept_in_order(positions: Sequence[int]) -> set[int]:
    """The longest run of positions that ascend: what is not in it has moved."""
    ends: list[int] = []
    lengths: list[int] = []
    for position in positions:
        length = bisect_left(ends, position)
        ends[length : length + 1] = [position]
        lengths.append(length)
    kept: set[int] = set()
    wanted = len(ends) - 1
    for position, length in zip(reversed(positions), reversed(lengths), strict=True):
        if length == wanted:
            kept.add(position)
            wanted -= 1
    return kept


def _sequence(old: list[Any], new: list[Any], place: _Place) -> Iterator[PathChange]:
    """Entries that nothing names: those that are equal are the same, and of others what is in one place is one."""
    for tag, a, b, c, d in _opcodes(list(map(_frozen, old)), list(map(_frozen, new))):
        if tag == "equal":
            continue
        both = min(b - a, d - c)
        for number in range(both):
            inside = place.entry(str(c + number), a + number, c + number)
            yield from _changes(old[a + number], new[c + number], inside)
        for number in range(a + both, b):
            yield _change(place.entry(str(number), number, number), old[number], _NOTHING)
        for number in range(c + both, d):
            yield _change(place.entry(str(number), number, number), _NOTHING, new[number])


def _opcodes(old: list[Any], new: list[Any]) -> Iterator[tuple[str, int, int, int, int]]:
    if max(len(old), len(new)) > _LONG:
        yield "replace", 0, len(old), 0, len(new)
        return
    yield from SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((str(key), _frozen(one)) for key, one in value.items()))
    if isinstance(value, list):
        return ("[]", *map(_frozen, value))
    return value if isinstance(value, Hidden) else (type(value).__name__, repr(value))


def _change(place: _Place, old: Any, new: Any, *, noise: str = "") -> PathChange:
    is_hidden = _holds_hidden(old) or _holds_hidden(new)
    if isinstance(old, Hidden) and isinstance(new, Hidden) and old.word == new.word and old.word in FOLDED:
        noise = old.word
    return PathChange(
        place.path,
        None if old is _NOTHING else pointer(place.base),
        None if new is _NOTHING else pointer(place.head),
        None if old is _NOTHING or is_hidden else old,
        None if new is _NOTHING or is_hidden else new,
        masked=is_hidden,
        noise=noise,
    )


def _holds_hidden(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_hidden, value.values()))
    if isinstance(value, list):
        return any(map(_holds_hidden, value))
    return isinstance(value, Hidden)
