"""`gitops-ci image list`, `image digest` and `image inspect`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.registry_options import CONFIG, DEADLINE, access_options, given_up_after, timed_access
from gitops_ci.cli.run import execute
from gitops_ci.reporting import images

if TYPE_CHECKING:
    from gitops_ci.model import Log, Outcome

if TYPE_CHECKING:
    from gitops_ci.flows.image.lookup import LookupRequest

__all__ = ["MATCH", "digest_command", "inspect_command", "list_command"]

MATCH = option("--match", multiple=True, metavar="GLOB", help="Only tags that match: 'pr-*'. Repeatable. [all tags]")
_PLATFORM = option("--platform", metavar="OS/ARCH", help="One platform of the image: linux/arm64.")
_SHOWN: Mapping[str, Callable[[Outcome], str]] = {
    "summary": images.details,
    "manifest": images.manifest_text,
    "config": images.config_text,
}


@click.command("list", cls=ConfiguredCommand)
@click.argument("repository", metavar="REPOSITORY")
@MATCH
@option("--digests", is_flag=True, help="Print the digest of each tag too.")
@access_options
@DEADLINE
@CONFIG
@output_options
def list_command(repository: str, output: Output, **options: Any) -> None:
    """List the tags of a repository, one per line.

    REPOSITORY is a name in a registry, or oci:DIR, oci-archive:FILE.
    """
    from gitops_ci.flows.image.lookup import LookupRequest, list_images

    request = LookupRequest(
        repository, match=options["match"], with_digests=options["digests"], access=timed_access(options)
    )
    _run("image list", list_images, request, replace(output, printer=images.tag_lines), options)


@click.command("digest", cls=ConfiguredCommand)
@click.argument("reference", metavar="REFERENCE")
@_PLATFORM
@access_options
@DEADLINE
@CONFIG
@output_options
def digest_command(reference: str, output: Output, **options: Any) -> None:
    """Print the digest of an image.

    REFERENCE is an image of a registry, or oci:DIR[:NAME], oci-archive:FILE[:NAME].
    """
    from gitops_ci.flows.image.lookup import LookupRequest, read_digest

    request = LookupRequest(reference, options["platform"] or "", access=timed_access(options))
    _run("image digest", read_digest, request, replace(output, printer=images.digests), options)


@click.command("inspect", cls=ConfiguredCommand)
@click.argument("reference", metavar="REFERENCE")
@_PLATFORM
@option(
    "--show",
    type=click.Choice(list(_SHOWN)),
    default="summary",
    help="What to print: a summary, or the manifest or config as the registry has it.",
)
@access_options
@DEADLINE
@CONFIG
@output_options
def inspect_command(reference: str, show: str, output: Output, **options: Any) -> None:
    """Show what an image is made of: platforms, layers, labels, annotations, config, signatures.

    REFERENCE is an image of a registry, or oci:DIR[:NAME], oci-archive:FILE[:NAME].
    """
    from gitops_ci.flows.image.lookup import LookupRequest, inspect_image

    request = LookupRequest(reference, options["platform"] or "", access=timed_access(options))
    _run("image inspect", inspect_image, request, replace(output, printer=_SHOWN[show]), options)


def _run(
    name: str,
    flow: Callable[[LookupRequest, Log], Outcome],
    request: LookupRequest,
    output: Output,
    options: Mapping[str, Any],
) -> None:
    with given_up_after(options["deadline"]):
        execute(name, output, lambda log: flow(request, log))
