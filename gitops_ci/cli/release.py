"""`gitops-ci release`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from gitops_ci.ci import detect
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.image import push_options, push_request
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.progress import progress_for
from gitops_ci.cli.repository import bump_request, refuse_untrusted, repository_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.flows.image.tags import in_lower_case
from gitops_ci.flows.release import ReleaseRequest, release
from gitops_ci.imageref import ImageRef
from gitops_ci.variables import variables

__all__ = ["command"]


@click.command("release", cls=ConfiguredCommand)
@click.argument("source", metavar="SOURCE")
@push_options
@option(
    "--image-name",
    metavar="NAME",
    help="What manifests call the image, where that is not --to (a mirror, another address of the registry).",
)
@repository_options
@output_options
@click.pass_context
def command(ctx: click.Context, /, source: str, image_name: str | None, output: Output, **options: Any) -> None:
    """Push the image, bump it in the config repository, validate, open the pull request.

    SOURCE is the image that was built: a name in the Docker Engine, or oci:DIR[:NAME], oci-archive:FILE[:NAME],
    docker-archive:FILE[:NAME], registry:REF. NAME chooses one of several images: a tag, the whole name, or @DIGEST.
    """
    refuse_untrusted(detect(variables()), options)
    push = push_request(source, options)
    name = ImageRef.parse(image_name or in_lower_case(_pushed_name(options["to"]))).with_version(tag=None, digest=None)
    bump = bump_request(ctx, (name,), options)
    request = ReleaseRequest(replace(push, dry_run=bump.mode == "dry-run"), bump, name)
    with progress_for(output) as progress:
        execute("release", output, lambda log: release(request, log, progress))


def _pushed_name(to: str) -> str:
    if to.startswith("oci:"):
        raise UsageError(
            "An OCI layout folder has no image name that a manifest could hold",
            hint="Say what manifests call the image: --image-name ghcr.io/acme/shop",
        )
    return to
