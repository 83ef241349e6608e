"""`gitops-ci promote`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli import complete
from gitops_ci.cli.configured import EnvironmentsCommand, config_of
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.proposing import image_names, proposing_request, trusted_context
from gitops_ci.cli.registry_options import access_options, registry_access
from gitops_ci.cli.repository_options import promotion_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.model import SKIPPABLE
from gitops_ci.moments import duration
from gitops_ci.secret import mask

if TYPE_CHECKING:
    from gitops_ci.flows.bump import BumpRequest

__all__ = ["command"]


@click.command("promote", cls=EnvironmentsCommand)
@click.argument("references", nargs=-1, metavar="[IMAGE...]")
@option(
    "--to",
    "target",
    metavar="ENV|auto",
    envvar="GITOPS_CI_PROMOTE_TO",
    shell_complete=complete.environments,
    help="Environment that gets the images. auto: each environment with promote: auto.",
)
@option(
    "--from",
    "sources",
    multiple=True,
    metavar="ENV",
    envvar="GITOPS_CI_PROMOTE_FROM",
    shell_complete=complete.environments,
    help="Environment that the images come from. Repeatable. [promote-from]",
)
@option(
    "--select",
    type=click.Choice(["current", "newest-soaked"]),
    default="current",
    envvar="GITOPS_CI_PROMOTE_SELECT",
    help="Promote the current version, or the newest that has soaked.",
)
@option(
    "--version",
    metavar="TAG",
    envvar="GITOPS_CI_PROMOTE_VERSION",
    help="Promote this version. It needs exactly one IMAGE.",
)
@option("--together", is_flag=True, help="All images in one pull request, or none.")
@option("--copy", is_flag=True, help="With --match-name: copy an image that the target's registry lacks.")
@option(
    "--wait",
    metavar="DURATION",
    envvar="GITOPS_CI_PROMOTE_WAIT",
    help="How long to wait for gates that open without a person: 30m.",
)
@option(
    "--skip-gate",
    "skips",
    multiple=True,
    metavar="NAME",
    type=click.Choice(SKIPPABLE),
    help=f"Skip a gate, and record the --reason: {', '.join(SKIPPABLE)}. Repeatable.",
)
@option("--reason", metavar="TEXT", help="Why a gate is skipped. The commit and the pull request contain it.")
@promotion_options
@access_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    references: tuple[str, ...],
    target: str | None,
    sources: tuple[str, ...],
    select: Any,
    version: str | None,
    wait: str | None,
    skips: tuple[str, ...],
    reason: str | None,
    output: Output,
    *,
    together: bool,
    copy: bool,
    **options: Any,
) -> None:
    """Carry the images of one environment to the next, by pull request, through gates.

    It promotes the version that all places of the source environment have, with the digest that ran there. A waiting
    gate (soak, status, window, hold, set) opens by itself, and the exit code is 0. A closed gate (age, source-agrees,
    validate) needs a person, and the exit code is 1.
    """
    from gitops_ci.config import parse
    from gitops_ci.flows.promote import PromoteRequest, promote

    trusted_context(options)
    if not target:
        raise UsageError("No environment is given", hint="gitops-ci promote --to production, or --to auto")
    if target == "auto" and (sources or version):
        raise UsageError("--to auto excludes --from and --version", hint="Name the environment with --to.")
    if version and len(references) != 1:
        raise UsageError("--version needs exactly one image", hint="Name the image.")
    if skips and not reason:
        raise UsageError("--skip-gate needs a --reason", hint="The commit and the pull request contain it.")
    images = image_names(references, ", and --version TAG.")

    def request_for(address: str = "") -> BumpRequest:
        return replace(proposing_request(ctx, images, options, address), access=registry_access(options))

    request = PromoteRequest(
        bump=request_for(),
        to=target,
        sources=sources,
        select=select,
        version=version or "",
        sets=config_of(ctx).together,
        read_sets=lambda text, source: parse(text, source).together,
        together=together,
        copies=copy,
        skips=frozenset(skips),
        reason=mask(reason or ""),
        wait=duration(wait) if wait else 0,
        elsewhere=request_for,
    )
    execute("promote", output, lambda log: promote(request, log))
