"""The options of every command that reads the config repository's history, and the source they add up to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli import complete
from gitops_ci.cli.configured import config_of
from gitops_ci.cli.facts import origin_url
from gitops_ci.cli.options import option
from gitops_ci.cli.repository_options import forge_option, seconds_option
from gitops_ci.errors import UsageError

if TYPE_CHECKING:
    from gitops_ci.flows.history import Source

__all__ = ["config_repository", "environments_option", "fail_on_option", "reading_options", "source_of"]

_OPTIONS = (
    click.option("--config", metavar="FILE", envvar="GITOPS_CI_CONFIG", help="Configuration file. [.gitops-ci.yaml]"),
    option("--config-repo", metavar="URL|PATH", help="The Git repository with the manifests. [this checkout's origin]"),
    option("--base", metavar="BRANCH", help="Branch to read. [the repository's default branch]"),
    forge_option(),
    option("--api-url", metavar="URL", help="Address of the code host's API, if it is not the default one."),
    seconds_option("--deadline", default=300.0, help="Time limit for answers of hosts."),
)


def reading_options(function: Callable[..., Any]) -> Any:
    """Adds the options above to a command; `source_of` reads them back."""
    return functools.reduce(lambda decorated, decorate: decorate(decorated), reversed(_OPTIONS), function)


def environments_option(function: Callable[..., Any]) -> Any:
    return option(
        "--environment",
        "wanted",
        multiple=True,
        metavar="NAME",
        shell_complete=complete.environments,
        help="Only this environment. Repeatable. [all]",
    )(function)


def fail_on_option(command: str, *choices: str) -> Callable[[Callable[..., Any]], Any]:
    """`--fail-on` of a command that has no findings: what makes it exit 1."""
    return option(
        "--fail-on",
        multiple=True,
        envvar=f"GITOPS_CI_{command.upper()}_FAIL_ON",
        type=click.Choice(choices),
        help=f"Exit with 1 on {' or '.join(choices)}. Repeatable.",
    )


def config_repository(options: Mapping[str, Any]) -> str:
    """The repository that is meant: the option's, else the one that this checkout comes from.

    Raises:
        UsageError: there is neither.
    """
    found = options["config_repo"] or origin_url()
    if not found:
        raise UsageError(
            "No config repository is given",
            hint="Run this in a checkout of it, give --config-repo, or write config-repo: into .gitops-ci.yaml.",
        )
    return str(found)


def source_of(ctx: click.Context, options: Mapping[str, Any]) -> Source:
    """What the command line, the environment and the configuration file add up to.

    Raises:
        UsageError: something of it is missing or wrong.
    """
    from gitops_ci.cli.repository import connection
    from gitops_ci.config import parse
    from gitops_ci.configrepo import check_branch
    from gitops_ci.flows.history import Source

    if options["base"]:
        check_branch(options["base"])
    there = connection({**options, "config_repo": config_repository(options)})
    return Source(
        url=there.url,
        credentials=there.credentials,
        base=options["base"],
        environments=config_of(ctx).environments,
        read_environments=lambda text, source: parse(text, source).environments,
        rules=config_of(ctx).pointers,
        read_rules=lambda text, source: parse(text, source).pointers,
        seconds=options["deadline"],
        # Its branch is the environment's, else its default one.
        elsewhere=lambda address: source_of(ctx, {**options, "config_repo": address, "base": None}),
    )
