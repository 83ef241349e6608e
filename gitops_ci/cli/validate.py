"""`gitops-ci validate`."""

from __future__ import annotations

import sys
from typing import Any

import click

from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.run import execute

__all__ = ["command"]


@click.command("validate", cls=ConfiguredCommand)
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--config", metavar="FILE", envvar="GITOPS_CI_CONFIG", help="Configuration file. [.gitops-ci.yaml]")
@option("--kubernetes-version", metavar="VERSION", help="1.33, or a range 1.33..1.35. [the newest known]")
@option(
    "--missing-schema",
    type=click.Choice(["fail", "warn", "ignore"]),
    default="warn",
    help="What a resource without a schema is.",
)
@option("--rules", multiple=True, metavar="GLOB", help="Only these rules: family/name. Repeatable.")
@option("--skip-rules", multiple=True, metavar="GLOB", help="Not these rules. Repeatable.")
@option("--allow-empty", is_flag=True, help="It is fine when there is nothing to validate.")
@output_options
def command(paths: tuple[str, ...], output: Output, **options: Any) -> None:
    """Check manifests against the Kubernetes schemas and the API server's own rules, without network or cluster.

    PATH is a file, a folder, or - for standard input; the current folder when none is given.
    """
    from gitops_ci.flows.validate import ValidateRequest, validate

    request = ValidateRequest(
        paths=paths or (".",),
        checks=_checks(options),
        allow_empty=options["allow_empty"],
        stdin=sys.stdin.buffer.read,
    )
    execute("validate", output, lambda log: validate(request, log))


def _checks(options: dict[str, Any]) -> Any:
    from gitops_ci.schemas import DEFAULT_VERSION, Checks, versions

    asked = options["kubernetes_version"]
    return Checks(
        kubernetes_versions=versions(asked) if asked else (DEFAULT_VERSION,),
        missing_schema=options["missing_schema"],
        rules=tuple(options["rules"]) or ("*",),
        skip_rules=tuple(options["skip_rules"]),
    )
