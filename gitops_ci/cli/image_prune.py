"""`gitops-ci image prune`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from gitops_ci.ci import detect
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.image_read import MATCH
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.registry_options import CONFIG, DEADLINE, access_options, given_up_after, timed_access
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.variables import variables

__all__ = ["prune_command"]


@click.command("prune", cls=ConfiguredCommand)
@click.argument("repository", metavar="REPOSITORY")
@MATCH
@option("--keep", type=click.IntRange(min=0), metavar="N", help="How many of the newest of these tags to keep.")
@option("--config-repo", metavar="URL|PATH", help="The Git repository with the manifests. Tags that it names are kept.")
@option(
    "--also-named-in", multiple=True, metavar="URL|PATH", help="Another repository whose tags are kept. Repeatable."
)
@option("--allow-unchecked", is_flag=True, help="Delete tags without reading a config repository.")
@option("--dry-run", is_flag=True, help="Delete nothing, print what would be deleted.")
@access_options
@DEADLINE
@CONFIG
@output_options
def prune_command(repository: str, output: Output, **options: Any) -> None:
    """Delete the tags that match --match, except the newest ones.

    It never deletes versions, latest, and tags that a file of the config repository names on any branch.
    """
    from gitops_ci.reporting import images

    _check(repository, options)
    with given_up_after(options["deadline"]):
        from gitops_ci.cli.repository import connection
        from gitops_ci.flows.image.named import ConfigSource
        from gitops_ci.flows.image.prune import PruneRequest, prune

        places = (*([options["config_repo"]] if options["config_repo"] else []), *options["also_named_in"])
        hosts = {"forge": "auto", "api_url": None, "deadline": 0.0}
        connections = [connection({**hosts, "config_repo": place}) for place in places]
        request = PruneRequest(
            repository,
            match=options["match"],
            keep=options["keep"],
            sources=tuple(ConfigSource(one.url, one.credentials) for one in connections),
            dry_run=options["dry_run"],
            access=timed_access(options),
        )
        execute("image prune", replace(output, printer=images.pruned), lambda log: prune(request, log))


def _check(repository: str, options: dict[str, Any]) -> None:
    ref = ImageRef.parse(repository.removeprefix("registry:"))
    if ref.tag or ref.digest:
        raise UsageError(f"{repository} names one image", hint=f"Name the repository: {ref.familiar}.")
    if not options["match"]:
        raise UsageError("No tags are chosen", hint="Give --match with a glob: --match 'pr-*'.")
    if options["keep"] is None:
        raise UsageError("No number of tags to keep is given", hint="Give --keep with a number: --keep 20.")
    if not (options["config_repo"] or options["also_named_in"] or options["allow_unchecked"]):
        raise UsageError(
            "No config repository is given, so gitops-ci cannot find out which tags are deployed",
            hint="Give --config-repo, set GITOPS_CI_CONFIG_REPO, or write config-repo: into .gitops-ci.yaml. "
            "--allow-unchecked deletes without that.",
        )
    if not options["dry_run"] and not detect(variables()).trusted:
        raise UsageError("A run for untrusted code deletes nothing", hint="--dry-run works here.")
