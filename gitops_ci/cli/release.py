"""`gitops-ci release`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.ci import detect
from gitops_ci.cli.chart_source import is_chart, without_scheme
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.ignored_options import warn_of_ignored
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.progress import progress_for
from gitops_ci.cli.registry_options import push_options, push_request
from gitops_ci.cli.repository_options import repository_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef, in_lower_case
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.model import Log, Outcome

if TYPE_CHECKING:
    from gitops_ci.flows.image.push import PushRequest

__all__ = ["command"]


@click.command("release", cls=ConfiguredCommand)
@click.argument("source", metavar="SOURCE")
@push_options
@option(
    "--image-name",
    metavar="NAME",
    help="Name of the image in manifests: one of several --to, or another name (a mirror). [the first --to]",
)
@option(
    "--after-push",
    metavar="COMMAND",
    help="Program to run after the push and before the bump: 'cosign sign --yes {reference}'. If it fails, nothing "
    "reaches Git. It is not read from .gitops-ci.yaml.",
)
@repository_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    source: str,
    image_name: str | None,
    after_push: str | None,
    output: Output,
    **options: Any,
) -> None:
    """Push the image, bump it in the config repository, validate, open the pull request.

    SOURCE is the image that was built: a name in the Docker Engine, or oci:DIR[:NAME], oci-archive:FILE[:NAME],
    docker-archive:FILE[:NAME], registry:REF. NAME chooses one of several images: a tag, the whole name, or @DIGEST.
    A Helm chart is chart:FILE, or an archive FILE.tgz.
    """
    from gitops_ci.cli.repository import bump_request, refuse_untrusted
    from gitops_ci.flows.after_push import AfterPush
    from gitops_ci.flows.release import ReleaseRequest, release

    context = detect(variables())
    refuse_untrusted(context, options)
    hook = AfterPush.parse(after_push or "")
    if hook and not context.trusted:
        raise UsageError(
            "--after-push does not run for untrusted code",
            hint="Leave it out here, and sign in a run that a push or a tag starts.",
        )
    push = push_request(source, options)
    if image_name and is_chart(push.source):
        image_name = without_scheme(image_name)
    push = _with_primary(push, image_name)
    name = _without_version(image_name or in_lower_case(_pushed_name(push.to)))
    bump = bump_request(ctx, (name,), options)
    request = ReleaseRequest(replace(push, dry_run=bump.mode == "dry-run"), bump, name, hook)
    with progress_for(output) as progress:

        def work(log: Log) -> Outcome:
            warn_of_ignored(ctx, options, log)
            return release(request, log, progress)

        execute("release", output, work)


def _with_primary(push: PushRequest, image_name: str | None) -> PushRequest:
    """The push with the destination that manifests name first; where none has the name, the first stays it."""
    if image_name is None:
        return push
    name, destinations = _without_version(image_name), (push.to, *push.also)
    registries = (to for to in destinations if not to.startswith("oci:"))
    primary = next((to for to in registries if name.same_image(_without_version(in_lower_case(to)))), push.to)
    return replace(push, to=primary, also=tuple(to for to in destinations if to != primary))


def _without_version(name: str) -> ImageRef:
    return ImageRef.parse(name).with_version(tag=None, digest=None)


def _pushed_name(to: str) -> str:
    if to.startswith("oci:"):
        raise UsageError(
            "An OCI layout folder has no image name for the manifests",
            hint="Name the image as the manifests do: --image-name ghcr.io/acme/shop",
        )
    return to
