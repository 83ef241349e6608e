"""Objects with the same change, shown once: first with equal lines, then with lines that differ in their own names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from gitops_ci.comparing.change_text import change_text
from gitops_ci.comparing.risks import HINTS, rank_of
from gitops_ci.model.rendered import ObjectChange, ObjectGroup

__all__ = ["grouped"]

_SHORTEST_NAME = 3  # a shorter one stands in other words


def grouped(objects: Iterable[ObjectChange], context: int = 3, *, with_noise: bool = False) -> tuple[ObjectGroup, ...]:
    """Groups of objects of one kind with something to read, those with a risk first."""
    shapes: dict[tuple[str, ...], list[tuple[ObjectChange, str]]] = {}
    for one in objects:
        paths = one.paths if with_noise else one.shown_paths
        if one.state in {"added", "removed"} or not paths:
            continue
        text = change_text(paths, context)
        shape = _shape(one)(text)
        was = one.was if one.state == "moved" else ""
        shapes.setdefault((one.group, one.kind, one.state, was, one.hook, shape), []).append((one, text))
    made = [(key[-1], members) for key, members in shapes.items()]
    made.sort(key=lambda group: (_rank(group[1]), group[1][0][0].kind, group[1][0][0].name))
    return tuple(
        ObjectGroup(tuple(one.id for one, _ in members), _common(shape, [text for _, text in members]))
        for shape, members in made
    )


def _common(shape: str, texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else shape


def _rank(members: Sequence[tuple[ObjectChange, str]]) -> int:
    ranks = [rank_of(risk.name) for one, _ in members for risk in one.risks if risk.name not in HINTS]
    return min(ranks, default=rank_of(""))


def _shape(one: ObjectChange) -> Callable[[str], str]:
    """Replaces the object's name, its namespace and the last words of its unit by placeholders."""
    unit = re.split(r"[:/@#]", one.unit)
    words = {"{name}": one.name, "{namespace}": one.namespace, "{unit}": unit[-1]}
    found = {name: word for name, word in words.items() if len(word) >= _SHORTEST_NAME}
    ordered = sorted(found.items(), key=lambda pair: -len(pair[1]))

    def shape(text: str) -> str:
        for name, word in ordered:
            text = name.join(re.split(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", text))
        return text

    return shape
