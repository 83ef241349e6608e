"""A rendered diff for a terminal: what has to be seen first, then each change once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import unified_diff

from gitops_ci.display import shorten, visible, visible_lines
from gitops_ci.model.rendered import ObjectChange, PathChange, RenderedDiff
from gitops_ci.reporting.rendered import (
    folded,
    group_title,
    image_users,
    kind_and_name,
    listed,
    listed_names,
    not_rendered,
    objects_by_id,
    one_line,
    risk_line,
    sides,
    state_words,
)
from gitops_ci.yaml_view import yaml_lines

__all__ = ["rendered_blocks"]

Paint = Callable[[str, str], str]
_LONGEST_LINE = 500
_COLORS = {"-": "red", "+": "green"}


def rendered_blocks(diff: RenderedDiff, paint: Paint) -> list[Iterator[str]]:
    """Blocks of lines, the headline apart."""
    forms = {"summary": _groups, "paths": _paths, "yaml": _yaml}
    return [
        _risks(diff, paint),
        _images(diff, paint),
        *(_listed(diff, state, rows, paint) for state, rows in listed(diff)),
        forms[diff.view.form](diff, paint),
        _folded(diff, paint),
        _not_rendered(diff, paint),
        _notes(diff, paint),
        iter([paint(sides(diff), "dim")]),
    ]


def _risks(diff: RenderedDiff, paint: Paint) -> Iterator[str]:
    if diff.risks:
        yield paint("Risks", "bold")
    known = objects_by_id(diff)
    for risk in diff.risks:
        who, why = risk_line(risk, known)
        color = "yellow" if risk.is_hint else "red"
        yield f"  {paint(risk.words, color)}  {visible(who)}{visible(f': {why}') if why else ''}"


def _images(diff: RenderedDiff, paint: Paint) -> Iterator[str]:
    if diff.images:
        yield paint("Images", "bold")
    known = objects_by_id(diff)
    for image in diff.images:
        where = paint(f"  ({visible(image_users(image, known))})", "dim")
        yield f"  {visible(image.image)}: {visible(image.old) or '(none)'} -> {visible(image.new) or '(none)'}{where}"


def _listed(
    diff: RenderedDiff, state: str, rows: Sequence[tuple[str, str, Sequence[ObjectChange]]], paint: Paint
) -> Iterator[str]:
    words = state_words(diff, state)
    yield paint(visible(words[0].upper() + words[1:]), "bold")
    mark = {"removed": "-", "added": "+"}.get(state, ">")
    for unit, kind, objects in rows:
        names = f"{visible(kind)} {visible(listed_names(objects))}"
        yield f"  {paint(f'{mark} {names}', _COLORS.get(mark, 'cyan'))} {paint(f'({visible(unit)})', 'dim')}"


def _groups(diff: RenderedDiff, paint: Paint) -> Iterator[str]:
    known = objects_by_id(diff)
    for number, group in enumerate(diff.groups):
        if number:
            yield ""
        yield paint(visible(group_title(group, known)), "bold")
        yield from _colored(group.text, paint)


def _colored(text: str, paint: Paint) -> Iterator[str]:
    for line in visible_lines(text).split("\n"):
        color = _COLORS.get(line[:1], "cyan" if line[:2].strip() and not line.startswith("   ") else "")
        yield f"  {paint(line, color)}" if color else f"  {line}"


def _paths(diff: RenderedDiff, paint: Paint) -> Iterator[str]:
    for one in diff.objects:
        kind, name = kind_and_name(one)
        for change in one.paths:
            if change.noise and not diff.view.show_noise:
                continue
            told = paint(f"  (folded: {change.noise})", "dim") if change.noise else ""
            for path, (old, new) in _lines_of(change):
                yield f"{visible(kind)}/{visible(name)}  {visible(path)}: {visible(old)} -> {visible(new)}{told}"


def _lines_of(change: PathChange) -> Iterator[tuple[str, tuple[str, str]]]:
    """The path and both values; of JSON or YAML in a text those of each change in it."""
    if not change.inside:
        yield change.path, one_line(change)
    for inner in change.inside or ():
        yield f"{change.path} > {inner.path}", one_line(inner)


def _yaml(diff: RenderedDiff, paint: Paint) -> Iterator[str]:
    for one in diff.objects:
        if one.state in {"added", "removed"} or (one.is_noise and not diff.view.show_noise):
            continue
        yield from _object(one, diff.view.context, paint)


def _object(one: ObjectChange, context: int, paint: Paint) -> Iterator[str]:
    before, after = (yaml_lines(side) for side in (one.before, one.after))
    title = f"{' '.join(kind_and_name(one))} ({one.unit})"
    for number, line in enumerate(unified_diff(before, after, "base", "head", lineterm="", n=context)):
        if number == 0:
            yield paint(visible(title), "bold")
        elif number > 1:
            color = "cyan" if line.startswith("@@") else _COLORS.get(line[:1], "")
            shown = visible_lines(shorten(line, _LONGEST_LINE))
            yield f"  {paint(shown, color)}" if color else f"  {shown}"


def _folded(diff: RenderedDiff, paint: Paint) -> Iterator[str]:
    if told := folded(diff):
        hint = "" if diff.view.show_noise else " (--show-noise shows them)"
        yield paint(f"Folded: {told}{hint}", "dim")


def _not_rendered(diff: RenderedDiff, paint: Paint) -> Iterator[str]:
    if listed := not_rendered(diff):
        yield paint("Not rendered", "bold")
    for one in listed:
        yield f"  {visible(one.id)}: {visible(one.reason)}"
        if one.remedy:
            yield f"      {visible(one.remedy)}"


def _notes(diff: RenderedDiff, paint: Paint) -> Iterator[str]:
    for note in diff.notes:
        yield f"{paint('note:', 'cyan')} {visible(note)}"
