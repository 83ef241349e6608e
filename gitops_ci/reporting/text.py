"""What a person reads at the end of a run, on a terminal and in a log: plain lines, the most important ones last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from gitops_ci.display import log_line, short_digests, visible, visible_lines
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.code_frame import SourceLine, code_frame
from gitops_ci.reporting.results import image_name
from gitops_ci.reporting.skips import grouped_skips
from gitops_ci.reporting.summary import count, is_told, location, old_and_new, sentence
from gitops_ci.reporting.tables import Table, tables

if TYPE_CHECKING:
    from gitops_ci.model import Change, ErrorDetail, Finding, Job, Outcome, PullRequest, PushedTag, Refreshed, Skip

__all__ = ["ID", "errors_alone", "report"]

ID = "text"

# Beyond this a location is not padded: one long path would push every value off the screen.
_WIDEST_LOCATION = 72
_COLORS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}
_LISTED = 2  # more skips of one kind are counted instead of listed
_SEVERITY = {"error": "red", "warning": "yellow", "note": "cyan"}

Paint = Callable[[str, str], str]
Drawer = Callable[[Sequence[str], Sequence[Sequence[str]]], Sequence[str]]


def report(
    outcome: Outcome,
    *,
    color: bool = False,
    table: Drawer | None = None,
    source: SourceLine | None = None,
    columns: int = 80,
    whole_digests: bool = True,
) -> str:
    """Everything the outcome holds; the diff for dry runs only, since a commit shows it otherwise.

    `table` draws headings and rows for a terminal, or nothing where they do not fit; else changes are lines. `source`
    has the lines of files for findings, which are shown where they fit into `columns`. Digests of what was pushed are
    shortened unless they are asked for whole.
    """
    outcome = prepare(outcome)
    paint = _painted if color else _plain
    asked_why = any(image.why for image in outcome.images)
    blocks = [
        _tags(outcome, paint) if asked_why else _images(outcome.images, paint, whole_digests=whole_digests),
        # Warnings and errors tell of gates.
        *(_table(one, paint) for one in tables(outcome) if one.title != "Gates"),
        _changes(outcome, paint, table),
        _diff(outcome, paint),
        *_rendered(outcome, paint),
        _skipped(() if asked_why else _untold(outcome), paint),
        _findings(outcome.findings, paint, source, columns),
        _published(outcome, paint),
        _jobs(outcome.jobs, paint),
        # A single one of a promotion is shown as its pull request.
        _proposals(outcome.proposals if outcome.command == "refresh" or outcome.proposals[1:] else (), paint),
        _result(outcome, paint),
    ]
    text = "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block)))
    return "\n".join(log_line(line) for line in text.split("\n")) + "\n"


def _rendered(outcome: Outcome, paint: Paint) -> list[Iterator[str]]:
    if outcome.rendered is None:
        return []
    from gitops_ci.reporting.rendered_text import rendered_blocks

    return rendered_blocks(outcome.rendered, paint)


def _plain(text: str, color: str) -> str:
    del color
    return text


def _painted(text: str, color: str) -> str:
    return f"\x1b[{_COLORS[color]}m{text}\x1b[0m"


def _images(images: Iterable[PushedTag], paint: Paint, *, whole_digests: bool) -> Iterator[str]:
    """One line for a name and digest, one for the tags of each state."""
    for (name, digest), group in groupby(images, key=lambda image: (image_name(image), image.digest)):
        found = list(group)
        shown = digest if whole_digests else short_digests(digest or "")
        yield paint("Image ", "bold") + visible(f"{name}@{shown}" if shown else name)
        for state, words in _STATES.items():
            if tags := [image.tag or "(no tag)" for image in found if image.state == state]:
                yield f"  {words:<13} {visible(', '.join(tags))}"


def _tags(outcome: Outcome, paint: Paint) -> Iterator[str]:
    """A line a tag: whether this build gets it, why or why not, and what the tag names today."""
    name = outcome.images[0].reference.removesuffix(outcome.images[0].tag or "").rstrip(":")
    yield paint("Tags", "bold") + (f" of {visible(name)}" if name else "")
    rows = [("yes", image.tag or "", image.why, image.digest) for image in outcome.images]
    rows += [("no", skip.path.removeprefix(f"{name}:"), skip.reason, None) for skip in outcome.skipped]
    width, wide = max(len(tag) for _, tag, _, _ in rows), max(len(why) for _, _, why, _ in rows)
    for answer, tag, why, digest in rows:
        today = paint(f"  {short_digests(digest)} today", "dim") if digest else ""
        mark = paint(f"{answer:<3}", "green" if answer == "yes" else "yellow")
        yield f"  {mark}  {visible(tag):<{width}}  {visible(why):<{wide}}{today}".rstrip()


def _table(table: Table, paint: Paint) -> Iterator[str]:
    """Columns beside each other; the last one is not padded."""
    if not table.rows:
        return
    if table.title:
        yield paint(table.title, "bold")
    rows = [tuple(visible(cell) for cell in row) for row in table.rows]
    lines = [table.headings, *rows]
    used = [n for n in range(len(table.headings)) if any(row[n] for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in used]
    for number, line in enumerate(lines):
        text = "  ".join(f"{line[n]:<{width}}" for n, width in zip(used, widths, strict=True)).rstrip()
        yield paint(text, "dim") if number == 0 else text


_STATES = {
    "pushed": "pushed       ",
    "present": "already there",
    "planned": "would push   ",
    "deleted": "deleted      ",
}


def _changes(outcome: Outcome, paint: Paint, table: Drawer | None) -> Iterator[str]:
    if not outcome.changes:
        return
    yield paint("Would change" if outcome.dry_run else "Changed", "bold")
    several = len({change.image.name for change in outcome.changes}) > 1
    rows = [_change(change, name=change.image.familiar if several else "") for change in outcome.changes]
    if table and (drawn := table(("Where", "Before", "After", "What"), rows)):
        yield from (f"  {line}" for line in drawn)
        return
    width = max((len(row[0]) for row in rows if len(row[0]) <= _WIDEST_LOCATION), default=0)
    for where, old, new, about in rows:
        yield f"  {where:<{width}}  {old} -> {new}" + (paint(f"  ({about})", "dim") if about else "")


def _change(change: Change, *, name: str) -> tuple[str, str, str, str]:
    """Where, the value before, the value after, and whose value it is."""
    old, new = (visible(text) for text in old_and_new(change))
    about = ", ".join(filter(None, (change.resource, name)))
    where = location(change.path, change.edit.span.line, change.edit.span.column)
    return where, old or "(none)", new or "(removed)", visible(about)


def _diff(outcome: Outcome, paint: Paint) -> Iterator[str]:
    # What is repaired is in no commit that shows it.
    if not outcome.files or (not outcome.dry_run and outcome.command != "validate"):
        return
    from gitops_ci.reporting.diff import readable

    for line in readable(outcome.files).splitlines():
        yield paint(line, color) if (color := _diff_color(line)) else line


def _diff_color(line: str) -> str:
    if line.startswith(("--- ", "+++ ")):
        return "bold"
    return {"@": "cyan", "-": "red", "+": "green"}.get(line[:1], "")


def _untold(outcome: Outcome) -> list[Skip]:
    """The skipped places without the one that the error names: the error reports it."""
    said = outcome.error.message if outcome.error else ""
    return [skip for skip in outcome.skipped if not said.endswith(f"{location(skip.path, skip.line)}: {skip.reason}")]


def _skipped(skipped: Iterable[Skip], paint: Paint) -> Iterator[str]:
    """One line a place, and one for many of a kind; what to do is said once."""
    listed = grouped_skips(skipped, _LISTED)
    if listed:
        yield paint("Skipped", "bold")
    told = ""
    for skip, number in listed:
        where = location(skip.path, skip.line)
        if number > 1:
            where = f"{count(number, 'place' if skip.line else 'file')}, {where} and others"
        failed = paint("error: ", "red") if skip.failed else ""
        yield f"  {where}: {failed}{visible(skip.reason)}"
        if skip.hint and skip.hint != told:
            yield f"      {visible(skip.hint)}"
        told = skip.hint


def errors_alone(outcome: Outcome, *, color: bool = False) -> str:
    """What `--quiet` leaves: errors, and nothing where there are none."""
    outcome = prepare(outcome)
    paint = _painted if color else _plain
    blocks = [
        _skipped([skip for skip in _untold(outcome) if skip.failed], paint),
        _findings([one for one in outcome.findings if one.severity == "error"], paint, None, 0),
        _result(outcome, paint) if outcome.exit_code else iter(()),
    ]
    text = "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block)))
    return "".join(f"{log_line(line)}\n" for line in text.split("\n")) if text else ""


def _findings(findings: Iterable[Finding], paint: Paint, source: SourceLine | None, columns: int) -> Iterator[str]:
    for number, (_, group) in enumerate(groupby(findings, key=lambda finding: finding.path)):
        if number:
            yield ""
        for finding in group:
            yield from _finding(finding, paint, source, columns)


def _finding(finding: Finding, paint: Paint, source: SourceLine | None, columns: int) -> Iterator[str]:
    where = location(finding.path, finding.line, finding.column)
    severity = paint(finding.severity, _SEVERITY[finding.severity])
    resource = paint(f" ({visible(finding.resource)})", "dim") if finding.resource else ""
    yield f"{where}: {severity} {visible(finding.rule)}: {visible(finding.message)}{resource}"
    if source and (line := source(finding)) is not None:
        yield from code_frame(finding, line, paint, columns)
    if finding.hint:
        yield f"    {visible(finding.hint)}"


def _published(outcome: Outcome, paint: Paint) -> Iterator[str]:
    if outcome.commit:
        yield f"{paint('Commit', 'bold')} {visible(outcome.commit.sha[:12])} on {visible(outcome.commit.branch)}"
    if outcome.pull_request:
        yield from _pull_request(outcome.pull_request, paint)


def _pull_request(request: PullRequest, paint: Paint) -> Iterator[str]:
    """A link where the host has pull requests; else the text to open one with, unless it was told before."""
    branches = f"{visible(request.head)} -> {visible(request.base)}"
    if request.url:
        number = f"#{request.number} " if request.number is not None else ""
        yield f"{paint('Pull request', 'bold')} {number}{request.state}: {visible(request.url)}"
        yield f"  {visible(request.title)}"
        yield f"  {branches}"
        yield from (f"  {paint('warning:', 'yellow')} {visible(warning)}" for warning in request.warnings)
        return
    yield f"{paint('Pull request', 'bold')} to open by hand, because this Git host has no API:"
    yield f"  {branches}"
    yield f"  {visible(request.title)}"
    if request.state == "unchanged":
        return
    yield ""
    for line in visible_lines(request.body).rstrip("\n").split("\n"):
        yield f"    {line}".rstrip()


def _jobs(jobs: Iterable[Job], paint: Paint) -> Iterator[str]:
    for job in jobs:
        options = [f"--{name} {value}" for name, value in job.options.items() if value]
        yield paint("Job ", "bold") + visible(" ".join((job.command, *options, *job.arguments)))


def _proposals(proposals: Iterable[Refreshed], paint: Paint) -> Iterator[str]:
    for one in proposals:
        pull = one.pull_request
        name = f"#{pull.number} {pull.url}" if pull and pull.number is not None else one.branch
        reason = f": {visible(one.reason)}" if one.reason else ""
        yield f"{paint(f'{one.state:<9}', _REFRESHED.get(one.state, 'dim'))} {visible(name)}{reason}"


_REFRESHED = {"rebuilt": "green", "closed": "yellow", "failed": "red"}


def _result(outcome: Outcome, paint: Paint) -> Iterator[str]:
    yield paint(visible(sentence(outcome)), "green" if outcome.exit_code == 0 else "red")
    if outcome.error and not is_told(outcome):
        yield from _problem(outcome.error, paint)


def _problem(error: ErrorDetail, paint: Paint) -> Iterator[str]:
    """What happened, what to do. Further lines of a message (what a program printed) are indented below the first."""
    yield paint("error:", "red") + " " + _indented(error.message)
    if error.hint:
        yield paint("hint:", "cyan") + " " + _indented(error.hint)


def _indented(text: str) -> str:
    return re.sub(r"\n+", "\n    ", visible_lines(text.strip()))
