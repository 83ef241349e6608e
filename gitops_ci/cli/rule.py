"""`gitops-ci rule`: explain the rules of `gitops-ci validate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from gitops_ci.cli import complete
from gitops_ci.cli.console import printable
from gitops_ci.cli.help import HelpfulCommand
from gitops_ci.cli.options import option

if TYPE_CHECKING:
    from gitops_ci.rules.pages import RulePage

__all__ = ["command"]


@click.command("rule", cls=HelpfulCommand)
@click.argument("rule", metavar="[ID]", required=False, shell_complete=complete.rules)
@option(
    "--output",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Format of stdout.",
)
def command(rule: str | None, form: str) -> None:
    """Explain a rule of `gitops-ci validate`: what it means, an example, and its source.

    ID is a rule such as api/selector, or a glob such as 'api/*'. Without ID, all rules are listed.
    """
    from gitops_ci.rules.catalog import check_globs
    from gitops_ci.rules.pages import rule_pages

    if rule is not None:
        check_globs([rule])
    pages = [page for page in rule_pages() if rule is None or fnmatchcase(page.id, rule)]
    if form == "json":
        sys.stdout.write(_json(pages))
    elif rule is None:
        sys.stdout.write("\n".join(_listed(pages)) + "\n")
    else:
        sys.stdout.write("\n\n".join("\n".join(_explained(page)) for page in pages) + "\n")


def _json(pages: list[RulePage]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps([asdict(page) for page in pages], indent=2) + "\n"


def _listed(pages: list[RulePage]) -> Iterator[str]:
    from gitops_ci.rules.pages import FAMILY_TITLES

    width = max(len(page.id) for page in pages)
    family = ""
    for page in pages:
        if (first := page.id.partition("/")[0]) != family:
            yield f"{chr(10) * bool(family)}{FAMILY_TITLES[first]}:"
            family = first
        yield f"  {page.id:<{width}}  {printable(page.what)}"


def _explained(page: RulePage) -> Iterator[str]:
    yield page.id
    yield f"  {page.what}"
    yield f"  {page.why}"
    for title, example in (("Breaks the rule", page.bad), ("Follows the rule", page.good)):
        if example:
            yield ""
            yield f"  {title}{f' ({page.kind})' if page.kind else ''}:"
            yield from (f"    {line}" for line in example.splitlines())
    yield ""
    yield "  Source:" if len(page.source) == 1 else "  Sources:"
    yield from (f"    {source}" for source in page.source)
