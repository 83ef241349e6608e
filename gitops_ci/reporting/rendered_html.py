"""A rendered diff for the HTML page: tables, and a part to fold for each group."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitops_ci.display import visible_lines
from gitops_ci.model.rendered import RenderedDiff
from gitops_ci.reporting.rendered import (
    folded,
    group_title,
    image_users,
    kind_and_name,
    listed,
    not_rendered,
    objects_by_id,
    one_line,
    risk_line,
    sides,
    state_words,
)
from gitops_ci.reporting.tables import Table

__all__ = ["RENDERED_STYLE", "rendered_parts", "rendered_tables"]

RENDERED_STYLE = """
details { border-bottom: 1px solid #8884; padding: .3rem 0 }
summary { cursor: pointer; overflow-wrap: anywhere }
pre { overflow-x: auto; padding: .6rem; background: #8881; font-size: 13px; line-height: 1.4; margin: .5rem 0 }
.old { color: #c0362c } .new { color: #177a45 }
@media (prefers-color-scheme: dark) { .old { color: #ff8a80 } .new { color: #7ddc9f } }
"""
_CLASSES = {"-": "old", "+": "new"}


def rendered_tables(diff: RenderedDiff) -> Iterator[Table]:
    """What has to be seen, and what is listed."""
    known = objects_by_id(diff)
    yield Table("Risks", ("Risk", "Object", "Why"), [(risk.words, *risk_line(risk, known)) for risk in diff.risks])
    yield Table("Images", ("Image", "From", "To", "Where"), [
        (one.image, one.old, one.new, image_users(one, known)) for one in diff.images
    ])  # fmt: skip
    for state, rows in listed(diff):
        words = state_words(diff, state)
        yield Table(words[0].upper() + words[1:], ("Kind", "Objects", "Unit"), [
            (kind, ", ".join(kind_and_name(one)[1] for one in objects), unit)
            for unit, kind, objects in rows
        ])  # fmt: skip


def rendered_parts(diff: RenderedDiff, text: Callable[[str], str]) -> Iterator[str]:
    """Every group, what is folded, and what was not rendered; `text` escapes."""
    known = objects_by_id(diff)
    if diff.groups:
        yield "<h2>Changes</h2>"
    for number, group in enumerate(diff.groups):
        is_open = " open" if number < 3 else ""
        lines = "\n".join(_line(line, text) for line in visible_lines(group.text).split("\n"))
        units = sorted({known[name].unit for name in group.objects})
        where = f'<p class="dim">{text(", ".join(units))}</p>' if len(group.objects) > 1 else ""
        title = text(group_title(group, known))
        yield f"<details{is_open}><summary>{title}</summary>{where}<pre>{lines}</pre></details>"
    if told := folded(diff):
        rows = "\n".join(_folded(diff, text))
        yield f"<details><summary>Folded: {text(told)}</summary><pre>{rows}</pre></details>"
    if units_left := not_rendered(diff):
        rows = "\n".join(f"<li>{text(one.id)}: {text(one.reason)} {text(one.remedy)}</li>" for one in units_left)
        yield f"<h2>Not rendered</h2><ul>{rows}</ul>"
    if diff.notes:
        yield f"<ul>{''.join(f'<li>{text(note)}</li>' for note in diff.notes)}</ul>"
    yield f'<p class="dim">{text(sides(diff))}</p>'


def _line(line: str, text: Callable[[str], str]) -> str:
    shown = text(line.replace("\t", "    "))
    return f'<span class="{_CLASSES[line[0]]}">{shown}</span>' if line[:1] in _CLASSES else shown


def _folded(diff: RenderedDiff, text: Callable[[str], str]) -> Iterator[str]:
    for one in diff.objects:
        for change in one.paths:
            if change.noise:
                old, new = one_line(change)
                yield text(f"{' '.join(kind_and_name(one))}  {change.path}: {old} -> {new} ({change.noise})")
