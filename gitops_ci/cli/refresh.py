"""`gitops-ci refresh`."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from gitops_ci.ci import detect
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.facts import origin_url
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.repository_options import proposal_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.variables import variables

__all__ = ["command"]


@click.command("refresh", cls=ConfiguredCommand)
@proposal_options
@option("--behind", is_flag=True, help="Also rebuild pull requests that are only behind the base branch.")
@output_options
@click.pass_context
def command(ctx: click.Context, /, output: Output, *, behind: bool, **options: Any) -> None:
    """Bring the open pull requests of gitops-ci up to date with their base branch, or close them.

    It rebuilds a pull request whose files changed on the base. It closes one that proposes nothing new, or whose
    environment was removed from .gitops-ci.yaml of the config repository, and writes the reason. Run it in the config
    repository's pipeline after each push to the base branch. By default it uses the repository of the checkout.
    """
    from gitops_ci.cli.repository import bump_request, refuse_untrusted
    from gitops_ci.flows.refresh import RefreshRequest, refresh

    context = detect(variables())
    refuse_untrusted(context, options)
    options["config_repo"] = options["config_repo"] or context.repository_url or origin_url()
    if options["mode"] == "push" and ctx.get_parameter_source("mode") is ParameterSource.COMMANDLINE:
        raise UsageError("refresh changes pull requests and no base branch", hint="Leave out --mode push.")
    request = RefreshRequest(bump_request(ctx, (), options), behind)
    execute("refresh", output, lambda log: refresh(request, log))
