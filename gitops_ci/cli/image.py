"""`gitops-ci image tags`, `image push` and `image retag`."""

from __future__ import annotations

import functools
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

import click

from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.help import HelpfulGroup
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.progress import progress_for
from gitops_ci.cli.run import execute
from gitops_ci.cli.tag_options import TAG_OPTIONS, tag_rules
from gitops_ci.errors import RegistryError, UsageError
from gitops_ci.flows.image.push import PushRequest, push
from gitops_ci.flows.image.tags import TagsRequest, in_lower_case, list_tags
from gitops_ci.imageref import ImageRef
from gitops_ci.registry.connection import Access

__all__ = ["access_options", "command", "push_options", "push_request", "registry_access"]

_ACCESS_OPTIONS = (
    option("--insecure", multiple=True, metavar="HOST", help="Registry without TLS or with any certificate."),
    option("--registry-ca", metavar="FILE", help="Certificate authority of the registry."),
    option(
        "--registry-auth-host",
        multiple=True,
        metavar="HOST",
        help="Token server of another domain that the registry's password may go to. Repeatable.",
    ),
)
_GUARD_OPTIONS = (
    option("--allow-move", is_flag=True, help="A released tag may be given to another image."),
    option("--with-referrers", is_flag=True, help="Copy signatures and attestations of the image too."),
    option("--expect-revision", metavar="COMMIT", help="Refuse an image whose label names another commit."),
)
_DEADLINE = option("--deadline", type=float, metavar="SECONDS", help="When to give up. [each request after 2 minutes]")
_CONFIG = click.option(
    "--config", metavar="FILE", envvar="GITOPS_CI_CONFIG", help="Configuration file. [.gitops-ci.yaml]"
)


_GRACE = 2.0  # seconds in which what is under way may end by itself, and say more about it


def push_options(function: Callable[..., Any]) -> Any:
    """Adds the options of everything that pushes an image; `push_request` reads them back."""
    return _with(function, *TAG_OPTIONS, *_GUARD_OPTIONS, *_ACCESS_OPTIONS)


def access_options(function: Callable[..., Any]) -> Any:
    """Adds the options of everything that asks a registry; `registry_access` reads them back."""
    return _with(function, *_ACCESS_OPTIONS)


def _with(function: Callable[..., Any], *options: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Any:
    return functools.reduce(lambda decorated, decorate: decorate(decorated), reversed(options), function)


def _tags_options(function: Callable[..., Any]) -> Any:
    return _with(function, *TAG_OPTIONS, *_ACCESS_OPTIONS)


def push_request(source: str, options: Mapping[str, Any]) -> PushRequest:
    """The request that the command line, the configuration and the CI context add up to.

    Raises:
        UsageError: there is no destination.
    """
    if not options["to"]:
        raise UsageError(
            "No destination is given",
            hint="Give --to ghcr.io/acme/shop, set GITOPS_CI_TO, or write image: into .gitops-ci.yaml.",
        )
    first, *more = options["to"]
    return PushRequest(
        source=source,
        to=first,
        also=tuple(more),
        account_of=first,
        rules=tag_rules(options),
        allow_move=options["allow_move"],
        expect_revision=options["expect_revision"],
        with_referrers=options["with_referrers"],
        access=registry_access(options),
    )


@click.group("image", cls=HelpfulGroup)
def command() -> None:
    """Compute tags, push an image, add tags to what is in the registry."""


@command.command("push", cls=ConfiguredCommand)
@click.argument("source", metavar="SOURCE")
@push_options
@_DEADLINE
@option("--dry-run", is_flag=True, help="Push nothing, say what would be pushed.")
@_CONFIG
@output_options
def push_command(source: str, output: Output, **options: Any) -> None:
    """Push an image under all of its tags.

    SOURCE is a name in the Docker Engine, or oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME],
    registry:REF. NAME chooses one of several images: a tag, the whole name, or @DIGEST.
    """
    request = _bounded(push_request(source, options), options)
    with progress_for(output) as progress, _given_up_after(options["deadline"]):
        execute("image push", output, lambda log: push("image push", request, log, progress))


@command.command("retag", cls=ConfiguredCommand)
@click.argument("source", metavar="REFERENCE")
@click.argument("names", nargs=-1, metavar="[TAG...]")
@push_options
@_DEADLINE
@option("--dry-run", is_flag=True, help="Tag nothing, say what would be tagged.")
@_CONFIG
@output_options
def retag_command(source: str, names: tuple[str, ...], output: Output, **options: Any) -> None:
    """Give more tags to an image that is in a registry, or promote it to another repository, by its digest.

    The tags are TAG..., or what --version and --tags decide. With --to REPOSITORY and none of them the image keeps its
    tag. Without --to it stays in its own repository.
    """
    source = source.removeprefix("registry:")
    ref = ImageRef.parse(in_lower_case(source))
    # `image:` and `tags:` of the configuration are for builds; an image that is named stays where it is, and as it is.
    destinations = options["to"] if _is_given("to") else (ref.familiar,)
    for to in destinations:
        if names and not to.startswith("oci:") and (tag := ImageRef.parse(in_lower_case(to)).tag):
            raise UsageError(f"--to names the tag {tag}, and {', '.join(names)} too", hint="Leave the tag out of --to.")
    options |= {"to": destinations, "tags": (*(f"raw={name}" for name in names), *options["tags"])}
    if not names and ref.tag and _is_given("to") and not _is_given("version") and not _is_given("tags"):
        options |= {"tags": (f"raw={ref.tag}",)}
    request = _bounded(push_request(f"registry:{source}", options), options)
    with progress_for(output) as progress, _given_up_after(options["deadline"]):
        execute("image retag", output, lambda log: push("image retag", request, log, progress))


def _is_given(name: str) -> bool:
    """Whether an option was given to this run, not just to all of them by the configuration."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not None and source.name in {"COMMANDLINE", "ENVIRONMENT"}


@command.command("tags", cls=ConfiguredCommand)
@_tags_options
@_CONFIG
@output_options
def tags_command(output: Output, **options: Any) -> None:
    """Say which tags this build gets, and why or why not.

    The versions that exist are those of the registry at --to, and of the Git checkout.
    """
    request = TagsRequest(options["to"], tag_rules(options), registry_access(options))
    execute("image tags", output, lambda log: list_tags(request, log))


def _bounded(request: PushRequest, options: Mapping[str, Any]) -> PushRequest:
    """The request of a command that only pushes: when it gives up, and whether it does anything."""
    seconds = options["deadline"]
    deadline = time.monotonic() + seconds if seconds is not None else None
    return replace(request, dry_run=options["dry_run"], access=replace(request.access, deadline=deadline))


@contextmanager
def _given_up_after(seconds: float | None) -> Iterator[None]:
    """End what hangs a little after the deadline: an Engine that is silent, an answer that comes byte by byte."""
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(number: int, frame: object) -> NoReturn:
        del number, frame
        raise RegistryError(
            f"Given up after {seconds:g} seconds, as --deadline says",
            hint="Run it again: what is there already is not sent twice. Or raise --deadline.",
        )

    before = signal.signal(signal.SIGALRM, give_up)
    # Again and again: where it comes, an error may be expected, and passed over.
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE, _GRACE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def registry_access(options: Mapping[str, Any]) -> Access:
    """How registries are reached. Raises UsageError for a certificate authority that is not there."""
    authority = options["registry_ca"]
    if authority and not os.path.isfile(authority):
        raise UsageError(f"There is no file {authority}", hint="--registry-ca names a PEM file with certificates.")
    return Access(frozenset(options["insecure"]), authority, tuple(options["registry_auth_host"]))
