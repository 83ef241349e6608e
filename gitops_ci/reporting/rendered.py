"""What every form of a rendered diff says: the headline, the names of objects, the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from gitops_ci.display import shorten
from gitops_ci.model.rendered import (
    ImageChange,
    ObjectChange,
    ObjectGroup,
    PathChange,
    RenderedDiff,
    RiskGroup,
    UnitChange,
)
from gitops_ci.quantities import whole_number
from gitops_ci.reporting.summary import count
from gitops_ci.yaml_view import scalar

__all__ = [
    "folded",
    "group_title",
    "headline",
    "image_users",
    "kind_and_name",
    "listed",
    "listed_names",
    "not_rendered",
    "objects_by_id",
    "one_line",
    "risk_line",
    "sides",
    "state_words",
]

_MOST_NAMES = 6
_LONGEST_VALUE = 300
# The classes of folded changes whose names are things that can be counted.
_COUNTABLE = ("chart label", "version label", "checksum", "description", "same value")
_MANY = {name: f"{name}s" for name in _COUNTABLE} | {"hash": "hashes"}


def headline(diff: RenderedDiff) -> str:
    """`4 objects changed in 3 of 9 units, 1 removed · restarts 3 workloads (7 pods) · 1 risk · 1 unit not rendered`."""
    numbers = diff.summary
    told = _states(diff)
    left = sum(one.state in {"skipped", "failed"} for one in diff.units)
    unknown = [f"{count(left, 'unit')} not rendered"] if left else []
    if not told:
        same = "no change to the rendered objects" if diff.is_change else "the rendered objects are the same"
        return " · ".join((same, *unknown))
    units = f"{numbers.get('units', 0):,} of {count(numbers.get('all_units', 0), 'unit')}"
    parts = [f"{told[0]} in {units}{''.join(f', {one}' for one in told[1:])}"]
    if restarts := numbers.get("restarts", 0):
        parts.append(f"restarts {count(restarts, 'workload')}{_pods(diff)}")
    if risks := numbers.get("risks", 0):
        parts.append(count(risks, "risk"))
    return " · ".join((*parts, *unknown))


def _states(diff: RenderedDiff) -> list[str]:
    states = Counter[str](one.state for one in diff.objects)
    names = ("changed", "added", "removed", "moved", "renamed")
    found = [(states[name], state_words(diff, name)) for name in names if states[name]]
    return [f"{count(number, 'object') if not at else f'{number:,}'} {name}" for at, (number, name) in enumerate(found)]


def _pods(diff: RenderedDiff) -> str:
    told = [risk.why for one in diff.objects for risk in one.risks if risk.name == "restarts-pods"]
    number = sum(whole_number(why.split()[0]) or 0 for why in told)
    return f" ({count(number, 'pod')})" if number else ""


def state_words(diff: RenderedDiff, state: str) -> str:
    """What a state is called: nothing was added or removed between two environments."""
    if diff.is_change:
        return state
    only = {"removed": f"only in {diff.base}", "added": f"only in {diff.head}"}
    return {**only, "changed": "different", "moved": "in another namespace"}.get(state, state)


def sides(diff: RenderedDiff) -> str:
    if not diff.is_change:
        return f"- {diff.base} · + {diff.head}"
    return f"base {diff.base[:10]} · head {diff.head[:10] or 'working tree'}"


def kind_and_name(one: ObjectChange) -> tuple[str, str]:
    """`Deployment` and `shop/web`."""
    return one.kind, f"{one.namespace}/{one.name}" if one.namespace else one.name


def objects_by_id(diff: RenderedDiff) -> Mapping[str, ObjectChange]:
    return {one.id: one for one in diff.objects}


def group_title(group: ObjectGroup, known: Mapping[str, ObjectChange]) -> str:
    """`Deployment shop/web (application:shop)`, or `Same change in 3 Deployments: …`."""
    objects = [known[name] for name in group.objects if name in known]
    first = objects[0]
    was = {one.was for one in objects}
    verb = "" if first.state == "changed" else f" {first.state}{f', was {first.was}' if len(was) == 1 else ''}"
    if len(objects) == 1:
        where = ", ".join(filter(None, (_other_than(first), f"hook {first.hook}" if first.hook else "")))
        return f"{' '.join(kind_and_name(first))}{f' ({where})' if where else ''}{verb}"
    hook = f" (hook {first.hook})" if first.hook else ""
    return f"Same change in {count(len(objects), first.kind)}{hook}: {listed_names(objects)}{verb}"


def _other_than(one: ObjectChange) -> str:
    """The unit, without what the object's own name says: an Application is a unit of that name."""
    name = kind_and_name(one)[1]
    for own in (f"{one.kind.lower()}:{name}", f"flux-{one.kind.lower()}:{name}"):
        if one.unit == own or one.unit.startswith(f"{own}@"):
            return one.unit.removeprefix(own).removeprefix("@")
    return one.unit


def listed_names(objects: Sequence[ObjectChange], most: int = _MOST_NAMES) -> str:
    """What tells objects apart: their names, else their units."""
    names = list(dict.fromkeys(kind_and_name(one)[1] for one in objects))
    units = list(dict.fromkeys(one.unit for one in objects))
    if len(names) == 1 and len(units) > 1:
        return f"{names[0]} in {_cut(units, most)}"
    return _cut(names, most)


def _cut(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def listed(diff: RenderedDiff) -> Iterator[tuple[str, list[tuple[str, str, list[ObjectChange]]]]]:
    """By state the objects without a text of their own, as (unit, kind, objects): listed, not printed.

    These are objects of one side, and those that moved or have another name and are the same otherwise.
    """
    printed = {name for group in diff.groups for name in group.objects}
    for state in ("removed", "added", "moved", "renamed"):
        groups: dict[tuple[str, str, str], list[ObjectChange]] = {}
        for one in diff.objects:
            if one.state == state and one.id not in printed:
                words = (f", was {one.was}" if one.was else "") + (f", hook {one.hook}" if one.hook else "")
                groups.setdefault((one.unit, one.kind, words), []).append(one)
        if groups:
            rows = sorted(groups.items())
            yield state, [(unit + words, kind, objects) for (unit, kind, words), objects in rows]


def image_users(image: ImageChange, known: Mapping[str, ObjectChange]) -> str:
    """`Deployment shop/web`, or `3 Deployments, 1 CronJob`."""
    objects = [known[name] for name in image.objects if name in known]
    if len(objects) == 1:
        return " ".join(kind_and_name(objects[0]))
    kinds = Counter(one.kind for one in objects)
    return ", ".join(count(number, kind) for kind, number in sorted(kinds.items()))


def folded(diff: RenderedDiff) -> str:
    """`6 chart labels, 3 checksums`: what is not shown, by class."""
    classes = Counter(change.noise for one in diff.objects for change in one.paths if change.noise)
    told = ", ".join(
        f"{number:,} {name if number == 1 else _MANY.get(name, name)}" for name, number in sorted(classes.items())
    )
    whole = sum(one.is_noise for one in diff.objects)
    return f"{told}; {count(whole, 'object')} with nothing else" if whole else told


def not_rendered(diff: RenderedDiff) -> list[UnitChange]:
    return [one for one in diff.units if one.reason]


def risk_line(risk: RiskGroup, known: Mapping[str, ObjectChange]) -> tuple[str, str]:
    """(the objects, why) of a risk."""
    objects = [known[name] for name in risk.objects if name in known]
    if len(objects) == 1:
        return " ".join(kind_and_name(objects[0])), risk.why or objects[0].risks[-1].why
    kinds = {one.kind for one in objects}
    kind = kinds.pop() if len(kinds) == 1 else "object"
    return f"{count(len(objects), kind)}: {listed_names(objects, 3)}", risk.why


def one_line(change: PathChange) -> tuple[str, str]:
    """Both values on one line each, shortened; a secret has none."""
    if change.masked:
        return (
            "(none)" if change.base_pointer is None else "(secret)",
            "(removed)" if change.head_pointer is None else "(secret, changed)" if change.base_pointer else "(secret)",
        )
    old = "(none)" if change.base_pointer is None else shorten(scalar(change.old), _LONGEST_VALUE)
    return old, "(removed)" if change.head_pointer is None else shorten(scalar(change.new), _LONGEST_VALUE)
