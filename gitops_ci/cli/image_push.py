"""`gitops-ci image push`, `image retag` and `image tags`."""

from __future__ import annotations

from typing import Any

import click

from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.image_copy import named_tag, rules_of_kept
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.progress import progress_for
from gitops_ci.cli.registry_options import (
    CONFIG,
    DEADLINE,
    bounded,
    given_up_after,
    is_given,
    push_options,
    push_request,
    registry_access,
    tags_options,
)
from gitops_ci.cli.run import execute
from gitops_ci.cli.tag_options import tag_rules
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef, in_lower_case

__all__ = ["push_command", "retag_command", "tags_command"]


@click.command("push", cls=ConfiguredCommand)
@click.argument("source", metavar="SOURCE")
@push_options
@DEADLINE
@option("--dry-run", is_flag=True, help="Push nothing, print what would be pushed.")
@CONFIG
@output_options
def push_command(source: str, output: Output, **options: Any) -> None:
    """Push an image under all of its tags.

    SOURCE is a name in the Docker Engine, or oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME],
    registry:REF. NAME chooses one of several images: a tag, the whole name, or @DIGEST. A Helm chart is chart:FILE, or
    an archive FILE.tgz.
    """
    from gitops_ci.flows.image.push import push

    request = bounded(push_request(source, options), options)
    with progress_for(output) as progress, given_up_after(options["deadline"]):
        execute("image push", output, lambda log: push("image push", request, log, progress))


@click.command("retag", cls=ConfiguredCommand)
@click.argument("source", metavar="REFERENCE")
@click.argument("names", nargs=-1, metavar="[TAG...]")
@push_options
@DEADLINE
@option("--dry-run", is_flag=True, help="Tag nothing, print what would be tagged.")
@CONFIG
@output_options
def retag_command(source: str, names: tuple[str, ...], output: Output, **options: Any) -> None:
    """Add tags to an image in a registry, or copy it to another repository with the same digest.

    The tags are TAG..., or those of --version and --tags. With --to REPOSITORY alone, the image keeps its tag: 1.5.0
    also becomes 1.5, 1 and latest if it is the newest there. Without --to, it stays in its own repository.
    """
    from gitops_ci.flows.image.push import push

    source = source.removeprefix("registry:")
    ref = ImageRef.parse(in_lower_case(source))
    # `image:` and `tags:` of the configuration are for builds; an image that is named stays where it is, and as it is.
    destinations = options["to"] if is_given("to") else (ref.familiar,)
    for to in destinations:
        if names and (tag := named_tag(to)):
            raise UsageError(f"--to names the tag {tag}, and {', '.join(names)} too", hint="Leave the tag out of --to.")
    options |= {"to": destinations, "tags": (*(f"raw={name}" for name in names), *options["tags"])}
    keeps = not names and is_given("to") and not is_given("version") and not is_given("tags")
    rules = rules_of_kept(ref.tag, options) if keeps and ref.tag else None
    request = bounded(push_request(f"registry:{source}", options, rules), options)
    with progress_for(output) as progress, given_up_after(options["deadline"]):
        execute("image retag", output, lambda log: push("image retag", request, log, progress))


@click.command("tags", cls=ConfiguredCommand)
@tags_options
@CONFIG
@output_options
def tags_command(output: Output, **options: Any) -> None:
    """List the tags that this build gets, each with its reason.

    Existing versions come from the registry at --to and from the Git checkout.
    """
    from gitops_ci.flows.image.tags import TagsRequest, list_tags

    request = TagsRequest(options["to"], tag_rules(options), registry_access(options))
    execute("image tags", output, lambda log: list_tags(request, log))
