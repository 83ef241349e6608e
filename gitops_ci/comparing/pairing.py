"""Which object of the base is which of the head: the same identity first, then moved, then renamed.

Renames: the share of equal lines is at least a half, best pairs first, and not more than 50 unmatched objects a side
(argoproj-labs/argocd-diff-preview pkg/matching; szhekpisov/diffyml#34), since the search is quadratic
(databus23/helm-diff#320).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from gitops_ci.comparing.objects import ManifestObject
from gitops_ci.dataclass import dataclass

__all__ = ["Pair", "paired"]

_MOST_UNMATCHED = 50
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Pair:
    """An object before and after; None where it is not there."""

    state: Literal["added", "removed", "changed", "moved", "renamed"]
    base: ManifestObject | None
    head: ManifestObject | None


def paired(base: Sequence[ManifestObject], head: Sequence[ManifestObject]) -> list[Pair]:
    """Every object of both sides, in the order of their identities."""
    before = {(one.unit, one.key): one for one in base}
    after = {(one.unit, one.key): one for one in head}
    pairs = [Pair("changed", before[key], after[key]) for key in before.keys() & after.keys()]
    removed = [one for key, one in before.items() if key not in after]
    added = [one for key, one in after.items() if key not in before]
    for match in (_same_key, _same_name):
        found = list(_moved(removed, added, match))
        pairs += found
        removed, added = _left(removed, added, found)
    found = _renamed(removed, added)
    pairs += found
    removed, added = _left(removed, added, found)
    pairs += [Pair("removed", one, None) for one in removed]
    pairs += [Pair("added", None, one) for one in added]
    return sorted(pairs, key=_order)


def _order(pair: Pair) -> tuple[Any, ...]:
    one = pair.head or pair.base
    assert one is not None
    return one.key.kind, one.key.namespace, one.key.name, one.key.group, one.unit, one.key


def _left(
    removed: Iterable[ManifestObject], added: Iterable[ManifestObject], pairs: Iterable[Pair]
) -> tuple[list[ManifestObject], list[ManifestObject]]:
    done = {id(one) for pair in pairs for one in (pair.base, pair.head)}
    return [one for one in removed if id(one) not in done], [one for one in added if id(one) not in done]


def _same_key(one: ManifestObject) -> object:
    return one.key


def _same_name(one: ManifestObject) -> object:
    """In another namespace of the same cluster."""
    return one.unit, one.key.cluster, one.key.group, one.kind, one.key.name, one.key.number


def _moved(removed: Sequence[ManifestObject], added: Sequence[ManifestObject], match: Any) -> Iterator[Pair]:
    places: dict[object, list[ManifestObject]] = {}
    for one in added:
        places.setdefault(match(one), []).append(one)
    for one in removed:
        if there := places.get(match(one)):
            yield Pair("moved", one, there.pop(0))


def _renamed(removed: Sequence[ManifestObject], added: Sequence[ManifestObject]) -> list[Pair]:
    if not removed or not added or max(len(removed), len(added)) > _MOST_UNMATCHED:
        return []
    lines = {id(one): frozenset(_lines(one.value)) for one in (*removed, *added)}
    scores = []
    for number, old in enumerate(removed):
        for other, new in enumerate(added):
            if (old.key.cluster, old.key.group, old.kind) != (new.key.cluster, new.key.group, new.kind):
                continue
            common = len(lines[id(old)] & lines[id(new)])
            share = 2 * common / (len(lines[id(old)]) + len(lines[id(new)]) or 1)
            if share >= _LEAST_SHARE and common > 1:
                scores.append((-share, number, other))
    done: set[tuple[str, int]] = set()
    pairs = []
    for _, number, other in sorted(scores):
        if ("-", number) not in done and ("+", other) not in done:
            done |= {("-", number), ("+", other)}
            pairs.append(Pair("renamed", removed[number], added[other]))
    return pairs


def _lines(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Each scalar with its path, without what names the object and its kind, which all have in common."""
    for key, one in value.items():
        here = f"{path}/{key}"
        if here not in {"/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"}:
            yield from _flat(one, here)


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from _lines(value, path)
    elif isinstance(value, list):
        for one in value:
            yield from _flat(one, f"{path}/-")
    else:
        yield path, value
