"""`gitops-ci image copy`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.image_read import MATCH
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
)
from gitops_ci.cli.run import execute
from gitops_ci.cli.tag_options import copy_rules, promotion_rules
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef, check_destination, in_lower_case

if TYPE_CHECKING:
    from gitops_ci.flows.image.push import PushRequest
    from gitops_ci.flows.image.tags import TagRules

__all__ = ["copy_command", "named_tag", "rules_of_kept"]

_FILES = ("oci:", "oci-archive:", "docker-archive:", "docker:", "chart:")


@click.command("copy", cls=ConfiguredCommand)
@click.argument("source", metavar="SOURCE")
@click.argument("destination", metavar="[DESTINATION]", required=False)
@option("--all-tags", is_flag=True, help="Copy every tag of the repository SOURCE, under its own name.")
@MATCH
@push_options
@DEADLINE
@option("--dry-run", is_flag=True, help="Copy nothing, print what would be copied.")
@CONFIG
@output_options
def copy_command(source: str, destination: str | None, output: Output, **options: Any) -> None:
    """Copy an image to another repository or registry. The copy has the same digest.

    SOURCE is an image of a registry, or oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME],
    docker:NAME. DESTINATION, or --to, is a repository, with a tag or without, or oci:DIR. Without a tag the image keeps
    its own: 1.5.0 also becomes 1.5, 1 and latest if it is the newest there.
    """
    from gitops_ci.flows.image.copy_all import copy_all
    from gitops_ci.flows.image.push import push

    options["to"] = _destinations(destination, options)
    request = bounded(_request(source, options), options)
    with progress_for(output) as progress, given_up_after(options["deadline"]):
        if options["all_tags"]:
            execute("image copy", output, lambda log: copy_all(request, options["match"], log, progress))
        execute("image copy", output, lambda log: push("image copy", request, log, progress))


def _destinations(destination: str | None, options: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the copy goes; `image:` of the configuration is where builds go."""
    given = options["to"] if is_given("to") else ()
    if destination and click.get_current_context().get_parameter_source("to") == click.core.ParameterSource.COMMANDLINE:
        raise UsageError(f"The destination is given twice: {destination}, and --to", hint="Give one of them.")
    if not destination and not given:
        raise UsageError(
            "No destination is given", hint="Name it: gitops-ci image copy ghcr.io/acme/shop:1.5.0 DESTINATION"
        )
    return (destination,) if destination else given


def _request(source: str, options: dict[str, Any]) -> PushRequest:

    if options["all_tags"]:
        return _request_of_all(source, options)
    if options["match"]:
        raise UsageError("--match needs --all-tags", hint="Add --all-tags, or name one tag in SOURCE.")
    if source.startswith(_FILES):
        # A file or an Engine has no tag of the registry's; its name may be anything.
        rules = None if is_given("version") or is_given("tags") else _rules_of_name(source, options)
        return push_request(source, options, rules)
    name = source.removeprefix("registry:")
    ref = ImageRef.parse(in_lower_case(name))
    keeps = ref.tag is not None and not is_given("version") and not is_given("tags")
    return push_request(f"registry:{name}", options, rules_of_kept(ref.tag, options) if keeps and ref.tag else None)


def _request_of_all(source: str, options: dict[str, Any]) -> PushRequest:

    refused = next((name for name in ("version", "tags", "tag_suffix") if is_given(name)), "")
    if refused:
        raise UsageError(f"--all-tags and --{refused.replace('_', '-')} exclude each other", hint="Give one of them.")
    if source.startswith(_FILES):
        raise UsageError("--all-tags copies a repository of a registry", hint="Name it: ghcr.io/acme/shop.")
    name = source.removeprefix("registry:")
    ref = ImageRef.parse(in_lower_case(name))
    if ref.tag or ref.digest:
        raise UsageError(f"--all-tags copies a repository, and {name} names one image", hint=f"Give {ref.familiar}.")
    for to in options["to"]:
        if tag := named_tag(to):
            raise UsageError(f"The destination names the tag {tag}", hint="Leave it out: every tag keeps its name.")
    if len(options["to"]) > 1:
        raise UsageError("--all-tags has one destination", hint="Run it once for each.")
    return push_request(f"registry:{name}", options, copy_rules(options))


def _rules_of_name(source: str, options: Mapping[str, Any]) -> TagRules | None:
    """The rules for the tag at the end of `oci:DIR:1.5.0` or `docker:shop:1.5.0`; None where it has none."""
    tag = source.rpartition(":")[2]
    if source.count(":") < 2 or "@" in source or "/" in tag:
        return None
    return rules_of_kept(tag, options)


def rules_of_kept(tag: str, options: Mapping[str, Any]) -> TagRules:
    """The rules for an image that keeps its tag. A tag that a destination names is the only one there."""
    return promotion_rules(options, tag, series=not any(named_tag(to) for to in options["to"]))


def named_tag(to: str) -> str | None:
    """The tag that a destination names. Raises UsageError for what is no destination."""
    check_destination(to)
    return None if to.startswith("oci:") else ImageRef.parse(in_lower_case(to)).tag
