"""The options of everything that pushes to a registry or asks one, and the request that they add up to."""

from __future__ import annotations

import functools
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gitops_ci.cli.chart_source import as_source, chart_rules, is_chart, without_scheme
from gitops_ci.cli.configured import config_of
from gitops_ci.cli.image_settings import hint_for
from gitops_ci.cli.options import LinesOption, Seconds, option
from gitops_ci.cli.tag_options import TAG_OPTIONS, tag_rules
from gitops_ci.errors import RegistryError, UsageError

if TYPE_CHECKING:
    from gitops_ci.flows.image.push import PushRequest
    from gitops_ci.flows.image.tags import TagRules
    from gitops_ci.registry.connection import Access

__all__ = [
    "CONFIG",
    "DEADLINE",
    "access_options",
    "annotations_of",
    "bounded",
    "given_up_after",
    "is_given",
    "pairs_of",
    "push_options",
    "push_request",
    "registry_access",
    "tags_options",
    "timed_access",
]

# Where `docker buildx build --annotation LEVEL:KEY=VALUE` puts an annotation.
_LEVELS = frozenset({"manifest", "index", "manifest-descriptor", "index-descriptor"})

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
    option(
        "--platform",
        multiple=True,
        metavar="OS/ARCH",
        callback=lambda _ctx, _param, texts: tuple(one for text in texts for one in text.split(",") if one),
        help="Push only this platform of the image: linux/arm64. Repeatable. This changes the digest.",
    ),
    option(
        "--sparse",
        is_flag=True,
        help="With --platform: keep the index and its digest, although not all of its platforms are pushed.",
    ),
    option(
        "--annotation",
        multiple=True,
        cls=LinesOption,
        metavar="KEY=VALUE",
        help="Annotation for the image's manifest or index. It changes the digest. Repeatable.",
    ),
    option("--allow-move", is_flag=True, help="Let a released tag move to another image."),
    option("--with-referrers", is_flag=True, help="Copy signatures and attestations of the image too."),
    option("--expect-revision", metavar="COMMIT", help="Refuse an image whose label names another commit."),
)
DEADLINE = option(
    "--deadline", type=Seconds(), metavar="SECONDS", help="Time limit of the whole run. [2 minutes for each request]"
)
CONFIG = click.option(
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


def tags_options(function: Callable[..., Any]) -> Any:
    """Adds the options that decide tags, and those of registries."""
    return _with(function, *TAG_OPTIONS, *_ACCESS_OPTIONS)


def push_request(source: str, options: Mapping[str, Any], rules: TagRules | None = None) -> PushRequest:
    """The request that the command line, the configuration and the CI context add up to.

    `rules` decide the tags where these options do not.

    Raises:
        UsageError: there is no destination.
    """
    from gitops_ci.flows.image.push import PushRequest

    if not options["to"]:
        raise UsageError(
            "No destination is given",
            hint=hint_for(config_of(click.get_current_context()).images)
            or "Give --to ghcr.io/acme/shop, set GITOPS_CI_TO, or write image: into .gitops-ci.yaml.",
        )
    source = as_source(source)
    if is_chart(source):
        options = {**options, "to": tuple(map(without_scheme, options["to"]))}
        rules = chart_rules(source, options)
    if options["sparse"] and not options["platform"]:
        raise UsageError("--sparse needs --platform", hint="Name the platforms to push: --platform linux/amd64.")
    first, *more = options["to"]
    return PushRequest(
        source=source,
        to=first,
        also=tuple(more),
        account_of=first,
        rules=rules or tag_rules(options),
        allow_move=options["allow_move"],
        expect_revision=options["expect_revision"],
        with_referrers=options["with_referrers"],
        access=registry_access(options),
        platforms=options["platform"],
        sparse=options["sparse"],
        annotations=_annotations(options),
    )


def pairs_of(texts: Sequence[str], name: str) -> dict[str, str]:
    """The keys and values of `KEY=VALUE`. Raises UsageError for what is none, or a key that is given twice."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{name} {text!r} is not KEY=VALUE", hint=f"For example: {name} org.example.team=shop")
        if found.setdefault(key.strip(), value) != value:
            raise UsageError(f"{name} gives {key.strip()} two values", hint="Keep one of them.")
    return found


def annotations_of(texts: Sequence[str], name: str) -> dict[str, str]:
    """As `pairs_of`. Raises UsageError for a level, as buildx and metadata-action write it before the key, too."""
    found = pairs_of(texts, name)
    for key in found:
        level, colon, rest = key.partition(":")
        if colon and {one.partition("[")[0] for one in level.split(",")} <= _LEVELS:
            raise UsageError(
                f"{name} {key!r} names a level. gitops-ci annotates the image's manifest, "
                "or its index if it has several platforms",
                hint=f"Write {name} {rest}=…, or annotate the other levels in the build.",
            )
    return found


def _annotations(options: Mapping[str, Any]) -> dict[str, str]:
    annotations = annotations_of(options["annotation"], "--annotation")
    if annotations and options["with_referrers"]:
        raise UsageError(
            "--annotation changes the digest of the image, so its signatures would no longer match",
            hint="Leave --with-referrers or --annotation out. Sign after the push: --after-push.",
        )
    return annotations


def bounded(request: PushRequest, options: Mapping[str, Any]) -> PushRequest:
    """The request of a command that only pushes: when it gives up, and whether it does anything."""
    return replace(request, dry_run=options["dry_run"], access=timed_access(options))


def timed_access(options: Mapping[str, Any]) -> Access:
    """How registries are reached, until the deadline."""
    seconds = options["deadline"]
    return replace(registry_access(options), deadline=time.monotonic() + seconds if seconds is not None else None)


@contextmanager
def given_up_after(seconds: float | None) -> Iterator[None]:
    """End what hangs a little after the deadline: an Engine that is silent, an answer that comes byte by byte."""
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(number: int, frame: object) -> NoReturn:
        del number, frame
        raise RegistryError(
            f"Stopped after {seconds:g} seconds, the limit of --deadline",
            hint="Run the command again: it does not repeat finished uploads. Or raise --deadline.",
        )

    before = signal.signal(signal.SIGALRM, give_up)
    # Again and again: where it comes, an error may be expected, and passed over.
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE, _GRACE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def is_given(name: str) -> bool:
    """Whether an option was given to this run, not just to all of them by the configuration."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not None and source.name in {"COMMANDLINE", "ENVIRONMENT"}


def registry_access(options: Mapping[str, Any]) -> Access:
    """How registries are reached. Raises UsageError for a certificate authority that is not there."""
    from gitops_ci.registry.connection import Access

    authority = options["registry_ca"]
    if authority and not os.path.isfile(authority):
        raise UsageError(f"There is no file {authority}", hint="--registry-ca names a PEM file with certificates.")
    return Access(frozenset(options["insecure"]), authority, tuple(options["registry_auth_host"]))
