"""`gitops-ci compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli import complete
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.reading import fail_on_option, reading_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError

if TYPE_CHECKING:
    from gitops_ci.flows.history import Source
    from gitops_ci.model import Log, Outcome

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
@option(
    "--what",
    type=click.Choice(["images", "rendered"]),
    default="images",
    help="Compare versions of images, or the objects that both render to.",
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
    what: str,
    fail_on: tuple[str, ...],
    output: Output,
    **options: Any,
) -> None:
    """Show what differs between two environments: versions of images, or rendered objects.

    In rendered objects, the names and namespaces of the two environments count as equal.
    """
    from gitops_ci.cli.reading import source_of
    from gitops_ci.flows.history import CompareRequest, compare

    source, reasons = source_of(ctx, options), frozenset(fail_on)
    if what == "images":
        request = CompareRequest(source, one, other, images, reasons)
        execute("compare", output, lambda log: compare(request, log))
        return
    if images:
        raise UsageError("--image goes with --what images", hint="Leave it out: units are rendered whole.")
    execute("compare", output, lambda log: _rendered(source, one, other, reasons, log))


def _rendered(source: Source, one: str, other: str, fail_on: frozenset[str], log: Log) -> Outcome:
    from gitops_ci.cli.rendering_settings import chart_values, limits_of
    from gitops_ci.config import parse
    from gitops_ci.flows.history.rendered import RenderedRequest, RenderingSettings, compare_rendered
    from gitops_ci.validation import versions

    def settings(text: str, name: str) -> RenderingSettings:
        """How objects are rendered, as a config repository's own file says."""
        own = parse(text, name).options
        asked = own.get("kubernetes_version")
        version = versions(asked)[-1] if asked else ""
        masks = tuple(own.get("diff_mask", ()))
        return RenderingSettings(limits_of(own), chart_values(own.get("values", ())), version, masks)

    return compare_rendered(RenderedRequest(source, one, other, settings, fail_on), log)
