"""Markdown for a job summary or a pull request comment: tables first, the diff folded away at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from typing import TypeVar

from gitops_ci.dataclass import dataclass
from gitops_ci.display import shorten
from gitops_ci.model import Change, ErrorDetail, Finding, Job, Outcome, PullRequest, Refreshed, Skip
from gitops_ci.reporting import commonmark as md
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.diff import readable
from gitops_ci.reporting.results import Results
from gitops_ci.reporting.skips import grouped_skips
from gitops_ci.reporting.summary import count, is_told, location, old_and_new, sentence
from gitops_ci.reporting.tables import by_environment, tables

__all__ = ["ID", "report"]

ID = "markdown"

_T = TypeVar("_T")

# What GitHub takes in a comment; the smallest of the hosts that take HTML.
LIMIT = 65_536
# Kept free for the lines that say what did not fit.
_RESERVE = 1_000
_ICONS = {"error": "❌", "warning": "⚠️", "note": "ℹ️"}


def report(outcome: Outcome, *, limit: int = LIMIT) -> str:
    """At most `limit` bytes of UTF-8 (from 4,000 on); what does not fit is counted, the diff goes first."""
    outcome = prepare(outcome)
    page = _Page(limit - _RESERVE)
    page.add(_heading(outcome))
    if outcome.error and not is_told(outcome):
        page.add(_problem(outcome.error))
    page.add(_facts(outcome))
    if outcome.rendered:
        from gitops_ci.reporting.rendered_markdown import rendered_markdown

        # The heading has the headline.
        page.add(rendered_markdown(outcome.rendered, page.room - 2_000, has_head=False))
    # Where not all fit, errors are what has to be seen.
    findings = sorted(outcome.findings, key=lambda finding: list(_ICONS).index(finding.severity))
    page.table("Findings", ("Severity", "Where", "Rule", "Message"), findings, _finding)
    for table in tables(outcome):
        page.table(table.title or "Versions", table.headings, table.rows, _cells)
    if matrix := by_environment(outcome.changes):
        page.table(matrix.title, matrix.headings, matrix.rows, _cells)
    changes = "Would change" if outcome.dry_run else "Changes"
    page.table(changes, ("Where", "Resource", "From", "To"), outcome.changes, _change)
    page.table("Skipped", ("Where", "Reason", "What to do"), grouped_skips(outcome.skipped, 1), _skip)
    page.table("Jobs", ("Job", "Options"), outcome.jobs, _job)
    page.table("Pull requests", ("Pull request", "State", "Reason"), outcome.proposals, _proposal)
    page.diff(readable(outcome.files))
    return page.text()


@dataclass(slots=True)
class _Page:
    """Blocks of Markdown until `room` bytes are used up."""

    room: int
    blocks: list[str] = field(default_factory=list)

    def add(self, block: str) -> None:
        if block:
            self.blocks.append(block)
            self.room -= len(block.encode()) + 2

    def table(self, title: str, names: Sequence[str], items: Sequence[_T], row: Callable[[_T], str]) -> None:
        if not items:
            return
        head = [f"**{title}**", "", *md.table_head(*names)]
        rows = list(_fitting(map(row, items), self.room - len("\n".join(head).encode())))
        if not rows:
            self.add(f"**{title}**: {count(len(items), 'line')}, too many to show here")
            return
        hidden = len(items) - len(rows)
        self.add("\n".join([*head, *rows, *(("", f"… and {hidden:,} more") if hidden else ())]))

    def diff(self, text: str) -> None:
        lines = text.splitlines()
        # The fences grow with the backticks they hold.
        shown = list(_fitting(lines, self.room - 120 - 2 * text.count("`")))
        if not shown:
            return
        hidden = f"\n\n… and {count(len(lines) - len(shown), 'more line')}" if len(shown) < len(lines) else ""
        block = md.fence("\n".join(shown), "diff")
        self.add(f"<details><summary>Diff</summary>\n\n{block}{hidden}\n\n</details>")

    def text(self) -> str:
        return "\n\n".join(self.blocks) + "\n"


def _fitting(lines: Iterable[str], room: int) -> Iterator[str]:
    """The first lines that fit into `room` bytes, each with its line end."""
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            return
        yield line


def _heading(outcome: Outcome) -> str:
    worst = "error" if outcome.exit_code else ""
    return f"### {_ICONS[worst] if worst else '✅'} gitops-ci {md.plain(sentence(outcome))}"


def _problem(error: ErrorDetail) -> str:
    first, _, rest = error.message.strip().partition("\n")
    blocks = [f"**{md.plain(first, longest=1_000)}**"]
    if rest.strip():
        blocks.append(md.fence(shorten(rest, 2_000), "text"))
    if error.hint:
        blocks.append(f"What to do: {md.plain(error.hint, longest=1_000)}")
    return "\n\n".join(blocks)


def _facts(outcome: Outcome) -> str:
    return "\n".join(f"- {fact}" for fact in (*_image(outcome), *_published(outcome)))


def _image(outcome: Outcome) -> Iterator[str]:
    results = Results.of(outcome)
    if results.image:
        yield f"Image {md.code(results.image)}"
    for state, verb in (("pushed", "Pushed"), ("present", "Already there"), ("planned", "Would push")):
        if tags := [md.code(image.tag or "(no tag)") for image in outcome.images if image.state == state]:
            yield f"{verb}: {', '.join(tags[:20])}{f' and {len(tags) - 20} more' if len(tags) > 20 else ''}"
    if results.digest:
        yield f"Digest {md.code(results.digest)}"


def _published(outcome: Outcome) -> Iterator[str]:
    if outcome.pull_request:
        yield _pull_request(outcome.pull_request)
    if outcome.commit:
        yield f"Commit {md.code(outcome.commit.sha[:12])} on {md.code(outcome.commit.branch)}"


def _pull_request(request: PullRequest) -> str:
    if not request.url:
        return f"Pull request to open by hand: {md.code(request.head)} into {md.code(request.base)}"
    return f"Pull request {request.state}: {md.link(request.url)}"


def _finding(finding: Finding) -> str:
    where = md.code(location(finding.path, finding.line, finding.column))
    resource = f" {md.code(finding.resource)}" if finding.resource else ""
    hint = f" — {md.plain(finding.hint)}" if finding.hint else ""
    message = f"{md.plain(finding.message)}{resource}{hint}"
    return md.row((f"{_ICONS[finding.severity]} {finding.severity}", where, md.code(finding.rule), message))


def _change(change: Change) -> str:
    where = md.code(location(change.path, change.edit.span.line))
    return md.row((where, md.code(change.resource), *(md.code(value) for value in old_and_new(change))))


def _cells(row: Sequence[str]) -> str:
    return md.row(md.code(cell) for cell in row)


def _job(job: Job) -> str:
    options = " ".join(f"--{name} {value}" for name, value in job.options.items() if value)
    return md.row((md.plain(f"{job.command} {job.name}"), md.code(options)))


def _proposal(one: Refreshed) -> str:
    pull = one.pull_request
    name = md.link(pull.url) if pull and pull.url else md.code(one.branch)
    return md.row((name, one.state, md.plain(one.reason)))


def _skip(told: tuple[Skip, int]) -> str:
    skip, number = told
    icon = f"{_ICONS['error']} " if skip.failed else ""
    more = f" and {number - 1:,} more" if number > 1 else ""
    return md.row((icon + md.code(location(skip.path, skip.line)) + more, md.plain(skip.reason), md.plain(skip.hint)))
