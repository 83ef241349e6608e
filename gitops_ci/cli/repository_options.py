"""The options of every command that changes the config repository."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from gitops_ci.cli import complete
from gitops_ci.cli.options import Decorator, Seconds, option
from gitops_ci.forges import FORGES

__all__ = [
    "FORGE_CHOICES",
    "forge_option",
    "promotion_options",
    "proposal_options",
    "repository_options",
    "seconds_option",
]

FORGE_CHOICES = ("auto", *FORGES)


def forge_option(purpose: str = "") -> Decorator:
    """`--forge`. The kinds are in its help: as choices behind the option they are wider than a terminal."""
    kinds = ", ".join(FORGE_CHOICES)
    about = f"Code host{purpose}: {kinds}."
    return option("--forge", type=click.Choice(FORGE_CHOICES), default="auto", metavar="KIND", help=about)


_MODES = ("pull-request", "push", "dry-run")


def repository_options(function: Callable[..., Any]) -> Any:
    """Adds the options below to a command; `bump_request` reads them back."""
    return functools.reduce(lambda decorated, decorate: decorate(decorated), reversed(_OPTIONS), function)


def proposal_options(function: Callable[..., Any]) -> Any:
    """Adds those options that are about the repository, its host, the commit and the pull request.

    The others have their defaults: what is proposed is known.
    """
    return _without(_SEARCHES, function)


def promotion_options(function: Callable[..., Any]) -> Any:
    """Adds those options that a promotion has: its environments and images say where to look."""
    return _without(_PLACES, function)


def _without(left_out: dict[str, Any], function: Callable[..., Any]) -> Any:
    def wrapper(*args: Any, **given: Any) -> Any:
        return function(*args, **{**left_out, **given})

    chosen = [decorate for decorate in _OPTIONS if _name_of(decorate) not in left_out]
    wrapped: Any = functools.wraps(function)(wrapper)
    return functools.reduce(lambda decorated, decorate: decorate(decorated), reversed(chosen), wrapped)


def _name_of(decorate: Callable[..., Any]) -> str:
    """The parameter that an option gives to a function."""

    def nothing() -> None: ...

    decorate(nothing)
    return str(nothing.__click_params__[0].name)  # type: ignore[attr-defined]


# The options that say where to look, and the values that say nothing.
_PLACES: dict[str, Any] = {
    "environment": None,
    "path": (),
    "exclude": (),
    "format": (),
    "at": (),
    "any_flavour": False,
    "allow_empty": False,
    "group": None,
}
# The options that select what is edited, with the values that select nothing.
_SEARCHES: dict[str, Any] = {
    "path": (),
    "exclude": (),
    "format": (),
    "pin": "keep",
    "allow_downgrade": False,
    "any_flavour": False,
    "allow_empty": False,
    "match_name": False,
    "follow_anchors": False,
    "app_version": False,
    "at": (),
    "group": None,
    "reopen": False,
    "skip_ci": False,
}


def _only_held(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """`--fail-on held`; what the variable says of findings is for the commands that only check."""
    given = ctx.get_parameter_source(str(param.name))
    for value in values:
        if value != "held" and given is not None and given.name == "COMMANDLINE":
            raise click.BadParameter(f"'{value}' is not 'held'", ctx, param)
    return tuple(value for value in values if value == "held")


def seconds_option(name: str, *, default: float, help: str) -> Any:  # noqa: A002 - click's own word
    return option(name, type=Seconds(), default=default, metavar="SECONDS", help=help)


_OPTIONS = (
    click.option("--config", metavar="FILE", envvar="GITOPS_CI_CONFIG", help="Configuration file. [.gitops-ci.yaml]"),
    option("--config-repo", metavar="URL|PATH", help="The Git repository with the manifests."),
    option("--base", metavar="BRANCH", help="Branch to change. [the repository's default branch]"),
    option(
        "--environment",
        metavar="NAME",
        shell_complete=complete.environments,
        help="Environment of .gitops-ci.yaml, or a folder's name.",
    ),
    option("--path", multiple=True, metavar="GLOB", help="Only these files. Repeatable."),
    option("--exclude", multiple=True, metavar="GLOB", help="Leave out these files. Repeatable."),
    option(
        "--format",
        multiple=True,
        metavar="NAME",
        shell_complete=complete.formats,
        help="Only places in files of this format. Repeatable.",
    ),
    option("--mode", type=click.Choice(_MODES), help="How to publish. [pull-request]"),
    forge_option(),
    option("--api-url", metavar="URL", help="Address of the code host's API, if it is not the default one."),
    option(
        "--pin",
        type=click.Choice(["keep", "tag", "digest", "tag+digest"]),
        default="keep",
        help="Parts to write: the same as before, the tag, the digest, or both.",
    ),
    option("--allow-downgrade", is_flag=True, help="Let an older version replace a newer one."),
    option("--any-flavour", is_flag=True, help="Also replace tags of another flavor: 3.12-alpine by 3.13-slim."),
    option(
        "--allow-empty",
        is_flag=True,
        help="Succeed if no file references the image, or if no reference can be edited.",
    ),
    option("--ignore-hold", is_flag=True, help="Propose images that are held or blocked; the commit records it."),
    option(
        "--fail-on",
        multiple=True,
        metavar="held",
        callback=_only_held,
        help="held: exit with 1 if a hold, a block or a gate stops an image.",
    ),
    option("--match-name", is_flag=True, help="The same repository path on another registry is the same image."),
    option("--follow-anchors", is_flag=True, help="Edit a value behind an alias or merge key at its anchor."),
    option("--app-version", is_flag=True, help="Edit a chart's appVersion if its values name no tag."),
    option(
        "--at",
        multiple=True,
        metavar="FILE:$.PATH",
        help="Place that no format finds: 'apps/x.yaml:$.images[?name==\"shop\"].tag', "
        "or in any text 'main.tf:/image_tag = \"(.+)\"/'. Repeatable.",
    ),
    option("--title", metavar="TEXT", help="Title of the pull request; {environment}, {image}, {tag} are filled in."),
    option(
        "--body",
        metavar="FILE",
        help="Template of the pull request's description; {summary}, {changes}, … are filled in.",
    ),
    option(
        "--branch",
        metavar="TEMPLATE",
        help="Name of the pull request's branch: deploy/{environment}/{image}. [gitops-ci/{environment}/{image}]",
    ),
    option(
        "--fork",
        metavar="OWNER[/NAME]|URL",
        help="Push the pull request's branch to this fork. [the config repository itself]",
    ),
    option("--group", metavar="NAME", help="Share one pull request with other runs of this group."),
    option("--label", multiple=True, metavar="NAME", help="Label of the pull request. Repeatable."),
    option("--reviewer", multiple=True, metavar="NAME", help="Reviewer to ask. Repeatable."),
    option("--assignee", multiple=True, metavar="NAME", help="Assignee. Repeatable."),
    option("--milestone", metavar="TITLE", help="Milestone of the pull request, if it has none."),
    option("--reopen", is_flag=True, help="Open a new pull request if somebody closed the last one."),
    option("--draft", is_flag=True, help="Open the pull request as a draft."),
    option("--merge", type=click.Choice(["when-green"]), help="Let the host merge once its checks pass."),
    option(
        "--merge-method",
        type=click.Choice(["auto", "merge", "squash", "rebase", "fast-forward"]),
        default="auto",
        help="How the host merges with --merge. auto: a method that the repository allows.",
    ),
    option("--commit-message", metavar="TEXT", help="Message of the commit, with fields. [the title]"),
    option("--skip-ci", is_flag=True, help="With --mode push: let the host start no pipeline for the commit."),
    option("--signoff", is_flag=True, help="Add Signed-off-by with the committer to the commit."),
    option("--author", metavar="'NAME <EMAIL>'", help="Author of the commit. [gitops-ci]"),
    option("--committer", metavar="'NAME <EMAIL>'", help="Committer of the commit. [gitops-ci]"),
    option("--sign", type=click.Choice(["gpg", "ssh"]), help="Sign the commit with --signing-key."),
    option(
        "--signing-key",
        metavar="KEY",
        help="GPG key's id or address; SSH key's file; or 'key::' and a public key, if an agent has the private key.",
    ),
    option(
        "--commit-with",
        type=click.Choice(["git", "api"]),
        default="git",
        help="Create the commit with git, or with the code host's API. GitHub signs the commits of an app.",
    ),
    seconds_option("--deadline", default=300.0, help="Time limit for answers of hosts and for retries of the push."),
    option(
        "--kubernetes-version",
        metavar="VERSION",
        shell_complete=complete.kubernetes_versions,
        help="Kubernetes version, or range, to validate for.",
    ),
    option(
        "--skip-rules",
        multiple=True,
        metavar="GLOB",
        shell_complete=complete.rules,
        help="Validation rules to leave out. Repeatable.",
    ),
    option(
        "--allow-untrusted",
        is_flag=True,
        help="Publish even from a fork's pull request or pull_request_target (dangerous).",
    ),
)
