"""`gitops-ci history`."""

from __future__ import annotations

import time
from typing import Any

import click

from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.reading import environments_option, reading_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.moments import duration, since

__all__ = ["command"]


@click.command("history", cls=ConfiguredCommand)
@click.argument("images", nargs=-1, metavar="[IMAGE...]")
@environments_option
@option("--since", "start", metavar="DURATION|DATE", default="30d", help="How far back: 30d, 12h, 2026-11-01, or all.")
@option("--limit", type=click.IntRange(min=0), default=100, help="Deployments to show; 0 shows all.")
@option("--metrics", "with_metrics", is_flag=True, help="Delivery figures of each environment in the period.")
@option("--failure-window", metavar="DURATION", default="7d", help="A rollback within it counts as a failed change.")
@option("--anonymous", is_flag=True, help="Numbers in place of people's names.")
@reading_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    images: tuple[str, ...],
    wanted: tuple[str, ...],
    start: str,
    limit: int,
    failure_window: str,
    output: Output,
    *,
    with_metrics: bool,
    anonymous: bool,
    **options: Any,
) -> None:
    """Show who brought which version of IMAGE to which environment and when, newest first.

    IMAGE is a name or a glob. Every commit of the branch counts, whoever made it: what changed in the files decides.
    """
    from gitops_ci.cli.reading import source_of
    from gitops_ci.flows.history import HistoryRequest, history

    request = HistoryRequest(
        source=source_of(ctx, options),
        images=images,
        environments=wanted,
        since=0 if start == "all" else since(start, time.time()),
        limit=limit,
        with_metrics=with_metrics,
        failure_window=_window(failure_window),
        is_anonymous=anonymous,
    )
    execute("history", output, lambda log: history(request, log))


def _window(text: str) -> int:
    try:
        return duration(text)
    except UsageError as error:
        raise UsageError(f"--failure-window: {error.message}", hint=error.hint) from None
