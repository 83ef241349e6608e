"""`gitops-ci compare`."""

from __future__ import annotations

from typing import Any

import click

from gitops_ci.cli import complete
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.reading import fail_on_option, reading_options
from gitops_ci.cli.run import execute

__all__ = ["command"]


@click.command("compare", cls=ConfiguredCommand)
@click.argument("one", metavar="ENV", shell_complete=complete.environments)
@click.argument("other", metavar="ENV", shell_complete=complete.environments)
@option(
    "--image",
    "images",
    multiple=True,
    metavar="GLOB",
    envvar="GITOPS_CI_COMPARE_IMAGE",
    help="Only these images. Repeatable. [all]",
)
@fail_on_option("compare", "drift")
@reading_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    one: str,
    other: str,
    images: tuple[str, ...],
    fail_on: tuple[str, ...],
    output: Output,
    **options: Any,
) -> None:
    """Show the images that two environments have in different versions, or that one of them lacks."""
    from gitops_ci.cli.reading import source_of
    from gitops_ci.flows.history import CompareRequest, compare

    request = CompareRequest(source_of(ctx, options), one, other, images, frozenset(fail_on))
    execute("compare", output, lambda log: compare(request, log))
