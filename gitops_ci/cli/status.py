"""`gitops-ci status`."""

from __future__ import annotations

from typing import Any

import click

from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.reading import environments_option, fail_on_option, reading_options
from gitops_ci.cli.run import execute

__all__ = ["command"]


@click.command("status", cls=ConfiguredCommand)
@environments_option
@option(
    "--image",
    "images",
    multiple=True,
    metavar="GLOB",
    envvar="GITOPS_CI_STATUS_IMAGE",
    help="Only these images. Repeatable. [all]",
)
@fail_on_option("status", "drift", "held")
@reading_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    wanted: tuple[str, ...],
    images: tuple[str, ...],
    fail_on: tuple[str, ...],
    output: Output,
    **options: Any,
) -> None:
    """Show which version of each image the config repository has for each environment.

    An environment is drifting when it is behind the one before, or has several versions of an image.
    """
    from gitops_ci.cli.reading import source_of
    from gitops_ci.flows.history import StatusRequest, status

    request = StatusRequest(source_of(ctx, options), wanted, images, frozenset(fail_on))
    execute("status", output, lambda log: status(request, log))
