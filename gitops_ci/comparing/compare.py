"""Two renderings compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, NamedTuple

from gitops_ci.comparing.differences import differences
from gitops_ci.comparing.grouping import grouped
from gitops_ci.comparing.images import changed_images, image_changes, version_of
from gitops_ci.comparing.inside import changes_inside
from gitops_ci.comparing.list_keys import ListKeys
from gitops_ci.comparing.masking import hide, hide_at, without_hidden
from gitops_ci.comparing.noise import UNSTABLE, Facts, class_of
from gitops_ci.comparing.objects import HASH, ManifestObject, Scope, read_objects
from gitops_ci.comparing.pairing import Pair, paired
from gitops_ci.comparing.risks import HINTS, Subject, gathered, risks_of
from gitops_ci.comparing.risks.base import UnitFacts
from gitops_ci.comparing.unstable import made_up, marked, with_common_names
from gitops_ci.dataclass import dataclass
from gitops_ci.model.rendered import ImageChange, ObjectChange, ObjectGroup, PathChange, Risk, RiskGroup

__all__ = ["Comparison", "Settings", "Side", "compare"]


def _unknown_scope(group: str, kind: str) -> bool | None:
    del group, kind
    return None


def _nothing_folded(one: ManifestObject) -> tuple[Callable[[PathChange], bool], ...]:
    del one
    return ()


@dataclass(frozen=True, slots=True)
class Side:
    """What one unit renders to on one side. `first` and `again` are what differs between two renderings of the same."""

    unit: str
    values: Sequence[Mapping[str, Any]]
    cluster: str = ""
    namespace: str = ""
    prunes: bool | None = None
    replaces: bool = False
    first: Sequence[Mapping[str, Any]] = ()
    again: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """`scope` tells cluster-scoped kinds, `keys` the list keys of custom resources, `masks` what else is secret.

    `context` are the lines around a change in a long text, `with_noise` lets groups show what is folded.
    `fold` says of an object's kind and name, its unit, and a change whether the user, or the unit, folds it.
    """

    scope: Scope = _unknown_scope
    keys: Mapping[tuple[str, str], ListKeys] = field(default_factory=dict)
    masks: tuple[re.Pattern[str], ...] = ()
    context: int = 3
    with_noise: bool = False
    fold: Callable[[ManifestObject], tuple[Callable[[PathChange], bool], ...]] = _nothing_folded


@dataclass(frozen=True, slots=True)
class Comparison:
    objects: tuple[ObjectChange, ...]
    groups: tuple[ObjectGroup, ...]
    risks: tuple[RiskGroup, ...]
    images: tuple[ImageChange, ...]
    notes: tuple[str, ...]
    summary: Mapping[str, int]


class _Known(NamedTuple):
    """Names of Secrets that end in a hash, and by unit the versions that images get."""

    hashed: frozenset[str]
    versions: Mapping[str, frozenset[str]]


def compare(base: Sequence[Side], head: Sequence[Side], settings: Settings | None = None) -> Comparison:
    """Every object that differs, what of it is noise, what has to be seen, and which of them are alike."""
    given = settings or Settings()
    before, after = with_common_names(*(_objects(sides, given) for sides in (base, head)))
    hashed = frozenset(one.name for one in (*before, *after) if one.kind == "Secret" and HASH.search(one.name))
    pairs = paired(before, after)
    known = _Known(hashed, _new_versions(pairs))
    changed = [found for pair in pairs if (found := _change(pair, given, known)) is not None]
    objects = tuple(_unique(changed))
    groups = grouped(objects, given.context, with_noise=given.with_noise)
    return Comparison(
        objects, groups, gathered(objects), image_changes(objects), tuple(_notes(after)), _summary(objects)
    )


def _objects(sides: Iterable[Side], settings: Settings) -> list[ManifestObject]:
    return [one for side in sides for one in _objects_of(side, settings)]


def _objects_of(side: Side, settings: Settings) -> list[ManifestObject]:
    objects, first, again = (
        read_objects(
            values,
            side.unit,
            settings.scope,
            cluster=side.cluster,
            namespace=side.namespace,
            prunes=side.prunes,
            replaces=side.replaces,
        )
        for values in (side.values, side.first, side.again)
    )
    return marked(objects, first, again, settings.keys) if again else objects


def _change(pair: Pair, settings: Settings, known: _Known) -> ObjectChange | None:
    """What differs between both sides of a pair, None where nothing does."""
    old = hide(pair.base.value, known.hashed, settings.masks) if pair.base else None
    new = hide(pair.head.value, known.hashed, settings.masks) if pair.head else None
    one = pair.head or pair.base
    assert one is not None
    paths: tuple[PathChange, ...] = ()
    if pair.base and pair.head:
        found = differences(old, new, settings.keys.get((one.key.group, one.kind)))
        if pair.state == "changed" and not found:
            return None
        versions = known.versions.get(one.unit, frozenset())
        facts = Facts(versions, made_up(found, pair.base, pair.head), settings.fold(one))
        whole = [replace(change, inside=changes_inside(change.path, change.old, change.new)) for change in found]
        paths = tuple(_classified(change, facts) for change in whole)
    was = _was(pair)
    unit = UnitFacts((pair.base or one).prunes, one.replaces)
    subject = Subject(pair.state, one.kind, one.key.group, old, new, paths, unit, one.shown_name, was)
    risks = risks_of(subject)
    shown = without_hidden(*_without_made_up(old, new, paths))
    return ObjectChange(
        id=_id(one),
        unit=one.unit,
        group=one.key.group,
        version=one.version,
        kind=one.kind,
        namespace=one.key.namespace,
        name=one.shown_name,
        state=pair.state,
        paths=tuple(_with_risk(change, risks) for change in paths),
        risks=risks,
        was=was,
        before=shown[0],
        after=shown[1],
    )


def _classified(change: PathChange, facts: Facts) -> PathChange:
    """A change with its class. What is made up may be a password, and is another text in each report: it is hidden."""
    noise = class_of(change, facts)
    if noise != UNSTABLE:
        return replace(change, noise=noise)
    return replace(change, noise=noise, masked=True, old=None, new=None, inside=None)


def _without_made_up(old: Any, new: Any, paths: Iterable[PathChange]) -> tuple[Any, Any]:
    made = [one for one in paths if one.noise == UNSTABLE]
    return (
        hide_at(old, (one.base_pointer for one in made), UNSTABLE),
        hide_at(new, (one.head_pointer for one in made), UNSTABLE),
    )


def _was(pair: Pair) -> str:
    if pair.state not in {"moved", "renamed"} or pair.base is None or pair.head is None:
        return ""
    old, new = pair.base, pair.head
    if pair.state == "renamed":
        return old.shown_name
    return f"in {old.unit}" if old.unit != new.unit else f"in the namespace {old.key.namespace or '(none)'}"


def _id(one: ManifestObject) -> str:
    kind = f"{one.kind}.{one.key.group}" if one.key.group else one.kind
    name = f"{one.key.namespace}/{one.shown_name}" if one.key.namespace else one.shown_name
    return f"{one.unit} {kind} {name}" + (f"#{one.key.number + 1}" if one.key.number else "")


def _unique(objects: Iterable[ObjectChange]) -> Iterable[ObjectChange]:
    """An id names one object: a removed and an added one may have the same but for a hash."""
    seen: Counter[str] = Counter()
    for one in objects:
        seen[one.id] += 1
        yield one if seen[one.id] == 1 else replace(one, id=f"{one.id}~{seen[one.id]}")


def _with_risk(change: PathChange, risks: Iterable[Risk]) -> PathChange:
    told = change.head_pointer if change.head_pointer is not None else change.base_pointer
    name = next((risk.name for risk in risks if risk.pointer is not None and risk.pointer == told), "")
    return replace(change, risk=name) if name else change


def _new_versions(pairs: Iterable[Pair]) -> Mapping[str, frozenset[str]]:
    """By unit the versions that its images change to: a label with one of them, on whichever object, says no more."""
    found: dict[str, set[str]] = {}
    for pair in pairs:
        if pair.base and pair.head:
            images = changed_images(pair.base.value, pair.head.value)
            found.setdefault(pair.head.unit, set()).update(version_of(new).partition("@")[0] for _, new in images)
    return {unit: frozenset(versions) for unit, versions in found.items()}


def _notes(objects: Iterable[ManifestObject]) -> Iterable[str]:
    """What is in one unit twice, and what two units own."""
    owners: dict[Any, list[str]] = {}
    for one in objects:
        if one.key.number:
            yield f"{one.kind} {one.shown_name} is {one.key.number + 1} times in {one.unit}"
            continue
        owners.setdefault(one.key, []).append(one.unit)
    for key, units in owners.items():
        if len(units) > 1 and key.name != "*" and key.cluster:
            yield f"{key.kind} {key.name} is in {' and in '.join(sorted(units)[:3])}: the last one to sync wins"


def _summary(objects: Sequence[ObjectChange]) -> dict[str, int]:
    states = Counter(one.state for one in objects)
    folded = sum(one.is_noise for one in objects)
    risks = Counter(risk.name for one in objects for risk in one.risks)
    return {
        "objects": len(objects),
        **{name: states[name] for name in ("added", "removed", "changed", "moved", "renamed")},
        "folded": folded,
        "noise": sum(bool(change.noise) for one in objects for change in one.paths),
        "risks": sum(number for name, number in risks.items() if name not in HINTS),
        "restarts": risks["restarts-pods"],
    }
