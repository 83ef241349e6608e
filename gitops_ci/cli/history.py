"""`gitops-ci history`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.reading import environments_option, reading_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.moments import duration, since

if TYPE_CHECKING:
    from gitops_ci.flows.history import Host, Source
    from gitops_ci.forges.base import Forge

__all__ = ["command"]


@click.command("history", cls=ConfiguredCommand)
@click.argument("images", nargs=-1, metavar="[IMAGE...]")
@environments_option
@option(
    "--since",
    "start",
    metavar="DURATION|DATE",
    default="30d",
    help="Start of the period: 30d, 12h, 2026-11-01, or all.",
)
@option("--limit", type=click.IntRange(min=0), default=100, help="Deployments to show; 0 shows all.")
@option("--metrics", "with_metrics", is_flag=True, help="Delivery figures of each environment in the period.")
@option(
    "--failure-window", metavar="DURATION", default="7d", help="Time within which a rollback counts as a failed change."
)
@option("--anonymous", is_flag=True, help="Replace people's names by numbers.")
@option("--ask-host", is_flag=True, help="Ask the code host who merged, and source repositories for lead times.")
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
    ask_host: bool,
    **options: Any,
) -> None:
    """Show who deployed which version of IMAGE to which environment and when, newest first.

    IMAGE is a name or a glob. It reads what changed in the files of every commit of the branch, by any author.
    """
    from gitops_ci.cli.reading import source_of
    from gitops_ci.flows.history import HistoryRequest, history

    source = source_of(ctx, options)
    request = HistoryRequest(
        source=source,
        images=images,
        environments=wanted,
        since=0 if start == "all" else since(start, time.time()),
        limit=limit,
        with_metrics=with_metrics,
        failure_window=_window(failure_window),
        is_anonymous=anonymous,
        host=_host(ctx, source, options) if ask_host else None,
    )
    execute("history", output, lambda log: history(request, log))


def _host(ctx: click.Context, source: Source, options: Mapping[str, Any]) -> Host:
    """The hosts of this run: no repository names another one."""
    from gitops_ci.cli.reading import config_repository, source_of
    from gitops_ci.cli.repository import connection
    from gitops_ci.flows.history import Host
    from gitops_ci.repourl import RepoUrl

    def connect(home: str) -> Forge:
        return connection({**options, "config_repo": home or config_repository(options)}).connect()

    def source_at(address: str) -> Source | None:
        try:
            url = RepoUrl.parse(address)
        except UsageError:
            return None
        is_here = url.scheme != "file" and url.origin == source.url.origin
        return source_of(ctx, {**options, "config_repo": address, "base": None}) if is_here else None

    return Host(connect, source_at)


def _window(text: str) -> int:
    try:
        return duration(text)
    except UsageError as error:
        raise UsageError(f"--failure-window: {error.message}", hint=error.hint) from None
