"""`gitops-ci image tags`, `image push` and `image retag`."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import click

from gitops_ci.ci import CiContext, detect
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.progress import progress_for
from gitops_ci.cli.run import execute
from gitops_ci.errors import ProgramError, UsageError
from gitops_ci.flows.push import PushRequest, outcome_of, push_image
from gitops_ci.registry.connection import Access
from gitops_ci.tags import BuildFacts

__all__ = ["command", "push_options", "push_request"]

_TAG_OPTIONS = (
    option("--to", metavar="REPOSITORY", help="Registry repository, with a tag or without; or oci:DIR."),
    option("--version", metavar="VERSION", help="The version that is released. [the Git tag's]"),
    option(
        "--tags",
        multiple=True,
        metavar="STRATEGY",
        help="semver, sha, branch, pr, tag, date, edge, channel, raw=TAG; separated by commas or repeated. "
        "[semver if there is a version, else sha]",
    ),
    option("--tag-suffix", default="", metavar="TEXT", help="What every tag ends in, for a variant: -alpine."),
)
_ACCESS_OPTIONS = (
    option("--allow-move", is_flag=True, help="A released tag may be given to another image."),
    option("--insecure", multiple=True, metavar="HOST", help="Registry without TLS or with any certificate."),
    option("--registry-ca", metavar="FILE", help="Certificate authority of the registry."),
    option(
        "--registry-auth-host",
        multiple=True,
        metavar="HOST",
        help="Token server of another domain that the registry's password may go to. Repeatable.",
    ),
)
_EXPECT = option("--expect-revision", metavar="COMMIT", help="Refuse an image whose label names another commit.")
_CONFIG = click.option(
    "--config", metavar="FILE", envvar="GITOPS_CI_CONFIG", help="Configuration file. [.gitops-ci.yaml]"
)


def push_options(function: Callable[..., Any]) -> Any:
    """Adds the options of everything that pushes an image; `push_request` reads them back."""
    return _with(function, *_TAG_OPTIONS, *_ACCESS_OPTIONS, _EXPECT)


def _with(function: Callable[..., Any], *options: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Any:
    return functools.reduce(lambda decorated, decorate: decorate(decorated), reversed(options), function)


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
    facts = _facts(detect(os.environ), options["version"])
    return PushRequest(
        source=source,
        to=options["to"],
        tags=_strategies(options["tags"]),
        facts=facts,
        suffix=options["tag_suffix"],
        known_tags=_git("tag", "--list") if facts.version or facts.tag else (),
        allow_move=options["allow_move"],
        expect_revision=options["expect_revision"],
        access=_access(options),
    )


@click.group("image")
def command() -> None:
    """Compute tags, push an image, add tags to what is in the registry."""


@command.command("push", cls=ConfiguredCommand)
@click.argument("source", metavar="SOURCE")
@push_options
@option("--dry-run", is_flag=True, help="Push nothing, say what would be pushed.")
@_CONFIG
@output_options
def push_command(source: str, output: Output, **options: Any) -> None:
    """Push an image under all of its tags.

    SOURCE is a name in the Docker Engine, or oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, registry:REF.
    """
    from dataclasses import replace

    request = replace(push_request(source, options), dry_run=options["dry_run"])
    with progress_for(output) as progress:
        execute("image push", output, lambda log: outcome_of("image push", push_image(request, log, progress), request))


def _strategies(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.strip() for text in given for word in text.split(",") if word.strip())


def _access(options: Mapping[str, Any]) -> Access:
    authority = options["registry_ca"]
    if authority and not os.path.isfile(authority):
        raise UsageError(f"There is no file {authority}", hint="--registry-ca names a PEM file with certificates.")
    return Access(frozenset(options["insecure"]), authority, tuple(options["registry_auth_host"]))


def _facts(context: CiContext, version: str | None) -> BuildFacts:
    """The build as the CI system describes it; outside of one, as the Git checkout around us does."""
    commit, branch, tag = context.commit, context.branch, context.git_tag
    if context.provider == "none":
        commit = commit or next(iter(_git("rev-parse", "--verify", "--quiet", "HEAD")), "")
        branch = branch or next(iter(_git("symbolic-ref", "--short", "--quiet", "HEAD")), "")
    return BuildFacts(
        version=version,
        branch=branch or None,
        commit=commit or None,
        pull_request=context.pull_request,
        is_default_branch=bool(branch) and branch == context.default_branch,
        tag=tag or None,
        trusted=context.trusted,
        moment=_moment(),
    )


def _moment() -> float:
    """When the build is from: the same for every run of one commit wherever that can be known."""
    if (epoch := os.environ.get("SOURCE_DATE_EPOCH", "")).isdigit():
        return float(epoch)
    for told in (os.environ.get("CI_COMMIT_TIMESTAMP", ""), *_git("log", "-1", "--format=%cI")):
        try:
            return datetime.fromisoformat(told).timestamp()
        except ValueError:
            continue
    return time.time()


def _git(*arguments: str) -> tuple[str, ...]:
    """The lines that git prints about the checkout we are in; none where there is no git or no checkout."""
    from gitops_ci.process import run

    try:
        said = run(["git", *arguments], seconds=20, allowed=frozenset({0, 1, 128, 129}))
    except ProgramError:
        return ()
    return tuple(said.stdout.decode("utf-8", "replace").splitlines()) if said.code == 0 else ()
