"""A rendered diff as one comment: what is dangerous first, every part whole, never longer than the host accepts.

A group that does not fit is given by its places, then by its title. What is left out is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape

from gitops_ci.display import shorten, visible
from gitops_ci.model.rendered import ObjectChange, ObjectGroup, RenderedDiff, RiskGroup, UnitChange
from gitops_ci.reporting import commonmark as md
from gitops_ci.reporting.plaintext import defused
from gitops_ci.reporting.rendered import (
    folded,
    group_title,
    headline,
    image_users,
    kind_and_name,
    listed,
    listed_names,
    not_rendered,
    objects_by_id,
    risk_line,
    sides,
    state_words,
)
from gitops_ci.reporting.summary import count

__all__ = ["rendered_markdown", "rendered_parts"]

_LONGEST_TITLE = 300
# The share of the room that each list may have, so that no list leaves nothing to the others.
_LISTS = 4
_MOST_GROUPS = 400  # sections: a page with more is not read, and slow to show


def rendered_parts(diff: RenderedDiff, limit: int, link: str = "", most: int = 1) -> list[str]:
    """At most `most` texts like `rendered_markdown`: groups that do not fit whole into one go on in the next."""
    if most == 1:
        return [rendered_markdown(diff, limit, link)]
    known = objects_by_id(diff)
    first = rendered_markdown(replace(diff, groups=()), limit, link)
    shares: list[list[ObjectGroup]] = [[]]
    left = limit - len(first.encode()) - 600
    for group in diff.groups:
        size = len(_whole(group, known).encode()) + 2
        if size > left and len(shares) < most and shares[-1]:
            shares.append([])
            left = limit - 1_000
        shares[-1].append(group)
        left -= size
    if len(shares) == 1:
        return [rendered_markdown(diff, limit, link)]
    numbers = [f"{number}/{len(shares)}" for number in range(1, len(shares) + 1)]
    more = (_more(diff, share, number, limit) for share, number in zip(shares[1:], numbers[1:], strict=True))
    return [rendered_markdown(replace(diff, groups=tuple(shares[0])), limit, link, part=numbers[0]), *more]


def _more(diff: RenderedDiff, groups: Sequence[ObjectGroup], number: str, limit: int) -> str:
    head = f"**Rendered objects**, part {number}"
    room = _Room(limit - len(head) - 200)
    return "\n\n".join((head, *_groups(replace(diff, groups=tuple(groups)), objects_by_id(diff), room))) + "\n"


def rendered_markdown(diff: RenderedDiff, limit: int, link: str = "", *, part: str = "", has_head: bool = True) -> str:
    """Markdown of at most `limit` bytes (from 2,000 on); `link` is the address of the job with the rest.

    Without a head it goes below one that has the headline.
    """
    known = objects_by_id(diff)
    head = f"**Rendered objects**{f', part {part}' if part else ''}: {md.plain(headline(diff))}" if has_head else ""
    between = (md.plain(sides(diff)),) if diff.base else ()
    foot = " · ".join((*between, *((md.link(link, "job"),) if link else ())))
    room = _Room(limit - len(head.encode()) - len(foot.encode()) - 400)
    parts = [
        _table(("risk", "object", "why"), [_risk(risk, known) for risk in diff.risks], room, room.left // 2),
        _table(("image", "from", "to", "where"), list(_images(diff, known)), room),
        _table(("", "objects", "unit"), list(_listed(diff)), room),
    ]
    tail = [
        _list("Not rendered", [_unit(one) for one in not_rendered(diff)], room),
        _list("Notes", [md.plain(note) for note in diff.notes], room),
        room.take(f"Folded: {md.plain(told)}." if (told := folded(diff)) else ""),
    ]
    groups = list(_groups(diff, known, room))
    return "\n\n".join(part for part in (head, *parts, *groups, *tail, foot) if part) + "\n"


class _Room:
    """Bytes that are left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, text: str) -> str:
        """The text if it fits, else nothing."""
        size = len(text.encode()) + 2
        if not text or size > self.left:
            return ""
        self.left -= size
        return text


def _risk(risk: RiskGroup, known: Mapping[str, ObjectChange]) -> Sequence[str]:
    who, why = risk_line(risk, known)
    words = md.plain(risk.words) if risk.is_hint else f"**{md.plain(risk.words)}**"
    return words, md.code(who), md.plain(why)


def _images(diff: RenderedDiff, known: Mapping[str, ObjectChange]) -> Iterator[Sequence[str]]:
    for one in diff.images:
        yield md.code(one.image), md.code(one.old), md.code(one.new), md.plain(image_users(one, known))


def _listed(diff: RenderedDiff) -> Iterator[Sequence[str]]:
    for state, rows in listed(diff):
        for unit, kind, objects in rows:
            yield md.plain(state_words(diff, state)), md.code(f"{kind} {listed_names(objects)}"), md.code(unit)


def _unit(one: UnitChange) -> str:
    return f"{md.code(one.id)}: {md.plain(one.reason)}{f' {md.plain(one.remedy)}' if one.remedy else ''}"


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], room: _Room, most: int = 0) -> str:
    """Whole rows, as many as fit into the room of one list."""
    if not rows:
        return ""
    head = md.table_head(*names)
    shown = _fitting(map(md.row, rows), (most or room.left // _LISTS) - len("\n".join(head)) - 60)
    more = ("", f"… and {count(len(rows) - len(shown), 'more row')}") if len(shown) < len(rows) else ()
    return room.take("\n".join((*head, *shown, *more)))


def _list(title: str, lines: Sequence[str], room: _Room) -> str:
    if not lines:
        return ""
    shown = _fitting((f"- {line}" for line in lines), room.left // _LISTS - 100)
    more = (f"- … and {len(lines) - len(shown):,} more",) if len(shown) < len(lines) else ()
    return room.take("\n".join((f"{title}:", "", *shown, *more)))


def _fitting(lines: Iterable[str], room: int) -> list[str]:
    shown = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        shown.append(line)
    return shown


def _groups(diff: RenderedDiff, known: Mapping[str, ObjectChange], room: _Room) -> Iterator[str]:
    """Sections, the risky ones first; each in the longest form that fits. The last line counts what is left out."""
    forms: Sequence[Callable[[ObjectGroup, Mapping[str, ObjectChange]], str]] = (_whole, _places, _title)
    room.left -= 100
    left_out = 0
    for number, group in enumerate(diff.groups):
        # Titles of those that follow have to fit as well: what is long gets shorter before others get lost.
        following = min(len(diff.groups), _MOST_GROUPS) - number - 1
        fair = max(room.left - following * 80, room.left // 8)
        text = next((made for form in forms if len((made := form(group, known)).encode()) + 2 <= fair), "")
        if number >= _MOST_GROUPS or not room.take(text):
            left_out += len(group.objects)
            continue
        yield text
    if left_out:
        yield f"{count(left_out, 'more object')}: see the report of the job."


def _whole(group: ObjectGroup, known: Mapping[str, ObjectChange]) -> str:
    return _section(_summary(group, known), md.fence(group.text, "diff"))


def _places(group: ObjectGroup, known: Mapping[str, ObjectChange]) -> str:
    """The paths that change, without their values."""
    first = known[group.objects[0]]
    return _section(_summary(group, known), "\n".join(f"- {md.code(one.path)}" for one in first.shown_paths[:100]))


def _title(group: ObjectGroup, known: Mapping[str, ObjectChange]) -> str:
    first = known[group.objects[0]]
    name = " ".join(kind_and_name(first))
    more = f" and {len(group.objects) - 1:,} more" if len(group.objects) > 1 else ""
    return f"- {md.code(name)}{more}: {count(len(first.shown_paths), 'change')}"


def _section(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _summary(group: ObjectGroup, known: Mapping[str, ObjectChange]) -> str:
    """The title in HTML, in which nothing is a mention, a link or a tag."""
    return f"<code>{escape(defused(shorten(visible(group_title(group, known)), _LONGEST_TITLE)))}</code>"
