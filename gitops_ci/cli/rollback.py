"""`gitops-ci rollback`, `gitops-ci hold` and `gitops-ci unhold`."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import click

from gitops_ci.ci import CiContext
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.proposing import image_names, proposing_request, trusted_context
from gitops_ci.cli.registry_options import access_options, registry_access
from gitops_ci.cli.repository_options import repository_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.moments import moment
from gitops_ci.secret import mask

__all__ = ["hold_command", "rollback_command", "unhold_command"]

_UNTIL = option("--until", metavar="DATE", help="When the hold ends by itself: 2026-12-24, or a time with its zone.")
_REASON = option("--reason", metavar="TEXT", help="The reason. The commit, the pull request and the hold contain it.")


@click.command("rollback", cls=ConfiguredCommand)
@click.argument("references", nargs=-1, metavar="[IMAGE...]")
@option(
    "--to",
    "target",
    metavar="WHERE",
    envvar="GITOPS_CI_ROLLBACK_TO",
    help="previous, -N (N versions back), TAG, @DIGEST, COMMIT or DATE. [previous]",
)
@option("--all", "every", is_flag=True, help="All images of the environment; needs --to COMMIT or DATE.")
@_REASON
@option("--hold", "holds", is_flag=True, help="Propose no version at all until `gitops-ci unhold`.")
@_UNTIL
@option("--no-block", is_flag=True, help="Let the version that is taken back be proposed again.")
@repository_options
@access_options
@output_options
@click.pass_context
def rollback_command(
    ctx: click.Context,
    /,
    references: tuple[str, ...],
    target: str | None,
    reason: str | None,
    until: str | None,
    output: Output,
    *,
    every: bool,
    holds: bool,
    no_block: bool,
    **options: Any,
) -> None:
    """Take IMAGE in an environment back to a version that ran there before.

    It makes a new commit that changes only the versions, so later changes by others stay. The version
    that is taken back stays blocked in the environment. A newer version ends the block.
    """
    from gitops_ci.flows.rollback import RollbackRequest, rollback

    context = trusted_context(options)
    if every and not references and (target or "") in {"", "previous"}:
        raise UsageError("--all needs a commit or a date", hint="For example --to 2026-11-29.")
    if until and not holds:
        raise UsageError("--until goes with --hold", hint="A block ends when a newer version comes.")
    if holds and no_block:
        raise UsageError("--hold and --no-block contradict each other", hint="Leave out one of them.")
    request = RollbackRequest(
        bump=replace(proposing_request(ctx, image_names(references), options), access=registry_access(options)),
        to=target or "",
        reason=mask(reason or ""),
        hold=holds,
        until=_end(until),
        block=not no_block,
        every=every,
        by=_asker(context),
    )
    execute("rollback", output, lambda log: rollback(request, log))


@click.command("hold", cls=ConfiguredCommand)
@click.argument("image", metavar="IMAGE")
@_UNTIL
@_REASON
@repository_options
@output_options
@click.pass_context
def hold_command(
    ctx: click.Context, /, image: str, until: str | None, reason: str | None, output: Output, **options: Any
) -> None:
    """Stop proposals for IMAGE in an environment: `bump`, `release` and `promote` leave it as it is."""
    from gitops_ci.flows.rollback import HoldRequest, hold

    context = trusted_context(options)
    request = HoldRequest(
        proposing_request(ctx, image_names((image,)), options), _end(until), mask(reason or ""), _asker(context)
    )
    execute("hold", output, lambda log: hold(request, log))


@click.command("unhold", cls=ConfiguredCommand)
@click.argument("image", metavar="IMAGE")
@repository_options
@output_options
@click.pass_context
def unhold_command(ctx: click.Context, /, image: str, output: Output, **options: Any) -> None:
    """End the hold of IMAGE in an environment, and every block of its versions."""
    from gitops_ci.flows.rollback import HoldRequest, unhold

    trusted_context(options)
    request = HoldRequest(proposing_request(ctx, image_names((image,)), options))
    execute("unhold", output, lambda log: unhold(request, log))


def _end(until: str | None) -> int | None:
    """Raises UsageError for a hold that would be over when it begins."""
    if until is None:
        return None
    end = moment(until, ends=True)
    if end < time.time():
        raise UsageError(f"--until {until} is in the past: the hold would stop nothing", hint="Name a later time.")
    return end


def _asker(context: CiContext) -> str:
    """Who asks: the CI's actor, else who commits here."""
    return context.actor or os.environ.get("GIT_AUTHOR_NAME", "")
