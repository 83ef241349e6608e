"""One HTML file: tables, and for deployments a line of time for each environment. It loads nothing.

Every foreign text is escaped. The page forbids itself requests, and every script but that of its search field, by its
own Content-Security-Policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from gitops_ci.display import short_digests, visible
from gitops_ci.moments import rfc3339
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.html_search import SEARCH, SEARCH_STYLE, script_source
from gitops_ci.reporting.summary import is_told, location, old_and_new, sentence
from gitops_ci.reporting.tables import Table, by_environment, tables

if TYPE_CHECKING:
    from gitops_ci.model import Deployment, Outcome

__all__ = ["ID", "report"]

ID = "html"

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem }
h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin-top: 2rem }
.wide { overflow-x: auto; margin-top: 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid #8884; vertical-align: top }
th { position: sticky; top: 0; background: Canvas }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; min-width: 4.5em }
td.whole { white-space: nowrap; overflow-wrap: normal }
svg { width: 100%; height: 3.2rem; display: block }
svg line { stroke: #8888 } svg text { font-size: 11px; fill: currentColor }
.deploy { fill: #2b7de9 } .add { fill: #8a63d2 } .promote { fill: #1a9c5b } .rollback { fill: #d43a2f }
.redeploy { fill: #c98a00 } .remove { fill: #888 }
.key span { margin-right: 1.2rem } .key svg { width: .8rem; height: .8rem; display: inline }
"""
_KINDS = ("deploy", "promote", "rollback", "redeploy", "add", "remove")
_WIDTH = 1000
_WHOLE = ' class="whole"'
_SHORT = 20  # characters of a time
_FEW = 10  # rows that nobody needs to search


def report(outcome: Outcome) -> str:
    """The page."""
    outcome = prepare(outcome)
    body = [f"<h1>gitops-ci {_text(sentence(outcome))}</h1>"]
    if outcome.error and not is_told(outcome):
        body.append(f"<p><strong>{_text(outcome.error.message)}</strong> {_text(outcome.error.hint)}</p>")
    body += _timelines(outcome.deployments)
    body += [_table(table) for table in (*tables(outcome), *_lists(outcome)) if table.rows]
    style = _STYLE + SEARCH_STYLE
    if outcome.rendered:
        from gitops_ci.reporting.rendered_html import RENDERED_STYLE, rendered_parts, rendered_tables

        style += RENDERED_STYLE
        body += [_table(table) for table in rendered_tables(outcome.rendered) if table.rows]
        body += rendered_parts(outcome.rendered, _text)
    is_long = sum(part.count("<tr>") + part.count("<details") for part in body) > _FEW
    script, allowed = script_source() if is_long else ("", "script-src 'none'")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; {allowed}"
    return "\n".join([
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>gitops-ci {_text(outcome.command)}</title>",
        f"<style>{style}</style></head><body>",
        *body[:1],
        *((SEARCH,) if is_long else ()),
        *body[1:],
        f"{script}</body></html>",
    ]) + "\n"  # fmt: skip


def _text(text: str) -> str:
    return escape(visible(text).encode("utf-8", "backslashreplace").decode(), quote=True)


def _table(table: Table) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in table.headings)
    rows = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    title = f"<h2>{_text(table.title)}</h2>\n" if table.title else ""
    return f'{title}<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>'


def _cell(text: str) -> str:
    """A cell; a time or the id of a commit is read in one piece."""
    return f"<td{_WHOLE if len(text) <= _SHORT else ''}>{_text(text)}</td>"


def _lists(outcome: Outcome) -> Iterator[Table]:
    if matrix := by_environment(outcome.changes):
        yield matrix
    yield Table("Findings", ("Severity", "Where", "Rule", "Message", "Resource", "What to do"), [
        (f.severity, location(f.path, f.line, f.column), f.rule, f.message, f.resource, f.hint)
        for f in outcome.findings
    ])  # fmt: skip
    yield Table("Would change" if outcome.dry_run else "Changes", ("Where", "Resource", "From", "To"), [
        (location(c.path, c.edit.span.line), c.resource, *old_and_new(c)) for c in outcome.changes
    ])  # fmt: skip
    yield Table("Skipped", ("Where", "Reason", "What to do"), [
        (location(skip.path, skip.line), skip.reason, skip.hint) for skip in outcome.skipped
    ])  # fmt: skip


def _timelines(deployments: Sequence[Deployment]) -> Iterator[str]:
    """A line for each environment, with a dot for each deployment."""
    if not deployments:
        return
    start, end = min(d.time for d in deployments), max(d.time for d in deployments)
    key = "".join(
        f'<span><svg viewBox="0 0 10 10"><circle class="{kind}" cx="5" cy="5" r="4"/></svg> {kind}</span>'
        for kind in _KINDS
        if any(d.kind == kind for d in deployments)
    )
    yield f'<p class="key">{key}</p>'
    for environment in dict.fromkeys(d.environment for d in deployments):
        here = [d for d in deployments if d.environment == environment]
        dots = "".join(_dot(d, start, end) for d in reversed(here))
        yield (
            f"<h2>{_text(environment)}</h2>\n"
            f'<svg viewBox="0 0 {_WIDTH + 20} 48" role="img" aria-label="{_text(environment)}: {len(here)} dots">'
            f'<line x1="10" y1="18" x2="{_WIDTH + 10}" y2="18"/>{dots}'
            f'<text x="10" y="42">{rfc3339(start)[:10]}</text>'
            f'<text x="{_WIDTH + 10}" y="42" text-anchor="end">{rfc3339(end)[:10]}</text></svg>'
        )


def _dot(d: Deployment, start: int, end: int) -> str:
    x = 10 + round(_WIDTH * (d.time - start) / max(end - start, 1), 1)
    old, new = (short_digests(version or "(none)") for version in (d.old, d.new))
    told = f"{rfc3339(d.time)} {d.image} {old} to {new}, {d.kind} by {d.by}"
    return f'<circle class="{d.kind}" cx="{x}" cy="18" r="6"><title>{_text(told)}</title></circle>'
