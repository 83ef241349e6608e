"""`gitops-ci wait`."""

from __future__ import annotations

import re
from typing import Any

import click

from gitops_ci.cli import complete
from gitops_ci.cli.configured import EnvironmentsCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.reading import reading_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.moments import duration

__all__ = ["command"]


@click.command("wait", cls=EnvironmentsCommand)
@reading_options
@option("--commit", metavar="SHA", envvar="GITOPS_CI_WAIT_COMMIT", help="A commit of the config repository.")
@option(
    "--environment",
    metavar="NAME",
    shell_complete=complete.environments,
    help="The newest commit that changed this environment.",
)
@option("--status", "statuses", multiple=True, metavar="GLOB", help="Commit status or check run. Repeatable.")
@option("--status-by", multiple=True, metavar="NAME", help="Count only reports of this account or app. Repeatable.")
@option("--timeout", metavar="DURATION", default="15m", help="How long to wait.")
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    commit: str | None,
    environment: str | None,
    statuses: tuple[str, ...],
    status_by: tuple[str, ...],
    timeout: str,
    output: Output,
    **options: Any,
) -> None:
    """Wait until the operator reports success (exit 0) or failure (exit 1), or until the timeout (exit 1).

    The operator reports by commit statuses. Statuses of later commits on the branch count, too, because they
    contain this one.
    """
    from gitops_ci.cli.reading import config_repository, source_of
    from gitops_ci.cli.repository import connection
    from gitops_ci.flows.wait import WaitRequest, wait

    if bool(commit) == bool(environment):
        raise UsageError("Give --commit or --environment", hint="gitops-ci wait --environment staging --status 'e2e'")
    if not statuses:
        raise UsageError(
            "No status is given",
            hint="Give --status with the name that the operator reports: 'kustomization/*' for Flux.",
        )
    if commit and not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        raise UsageError(f"'{commit}' is not a commit id", hint="Give 7 hexadecimal digits or more.")
    request = WaitRequest(
        source_of(ctx, options),
        connection({**options, "config_repo": config_repository(options)}).connect,
        statuses,
        commit or "",
        environment or "",
        status_by,
        duration(timeout),
    )
    execute("wait", output, lambda log: wait(request, log))
