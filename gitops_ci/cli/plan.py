"""`gitops-ci plan`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import click

from gitops_ci import __version__
from gitops_ci.cli.config_schema import options_of
from gitops_ci.cli.configured import ConfiguredCommand, config_of
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.run import execute
from gitops_ci.cli.validate import changed_since, exclude_option
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.quantities import whole_number

if TYPE_CHECKING:
    from gitops_ci.model import Log, Outcome

__all__ = ["command"]

# What the plan itself decides, or what concerns one job's own report.
_OWN = {"shard", "changed-since", "output", "report", "color", "quiet", "verbose", "environment", "base", "path"}


@click.command("plan", cls=ConfiguredCommand)
@click.argument("arguments", nargs=-1, metavar="[PATH... | REF...]")
@click.option("--config", metavar="FILE", envvar="GITOPS_CI_CONFIG", help="Configuration file. [.gitops-ci.yaml]")
@option("--for", "work", type=click.Choice(["validate", "bump"]), default="validate", help="The command to divide.")
@option(
    "--shards",
    metavar="auto|N",
    default="auto",
    help="Number of validate jobs. auto: about one for each minute of work.",
)
@option("--changed-since", metavar="REF", help="validate: check only what a change since REF affects.")
@option(
    "--render",
    type=click.Choice(["auto", "none"]),
    default="auto",
    help="validate: whether the jobs build kustomizations and template charts.",
)
@exclude_option
@option("--environment", "wanted", multiple=True, metavar="GLOB", help="bump: only these environments. Repeatable.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github-matrix", "gitlab-child-pipeline"]),
    default="text",
    envvar="GITOPS_CI_PLAN_FORMAT",  # GITOPS_CI_FORMAT is another command's
    show_default=True,
    help="Format of stdout.",
)
@option("--job-image", metavar="NAME", help="GitLab: container image of the jobs. [this job's, else python:3.13]")
@option("--package", metavar="TEXT", help="GitLab: package that pip installs in the jobs. [as in this job]")
@output_options
@click.pass_context
def command(ctx: click.Context, /, arguments: tuple[str, ...], work: str, output: Output, **options: Any) -> None:
    """Divide a command among jobs: a matrix for GitHub Actions, a child pipeline for GitLab.

    For validate, each job checks a share of PATH. For bump, each environment of .gitops-ci.yaml gets a job that brings
    the images REF there.
    """
    form = options["form"]
    if form != "text" and output.format == "json":
        raise UsageError(f"--output json and --format {form} both write to stdout", hint="Give one of them.")
    output = replace(output, printer=_printer(form, work, options))
    if work == "validate":
        execute("plan", output, lambda log: _validation(arguments, options, log))
    execute("plan", output, lambda log: _bumps(ctx, arguments, options, log))


def _validation(paths: tuple[str, ...], options: Mapping[str, Any], log: Log) -> Outcome:
    from gitops_ci.flows.fan_out import plan_validation
    from gitops_ci.flows.validate import ValidateRequest

    if "-" in paths:
        raise UsageError("Standard input cannot be divided among jobs", hint="Name files or folders.")
    changed = changed_since(options["changed_since"], log)
    request = ValidateRequest(
        paths=paths or (".",), exclude=options["validate_exclude"], render=options["render"], changed_since=changed
    )
    return plan_validation(request, _number(options["shards"]), log)


def _bumps(ctx: click.Context, references: tuple[str, ...], options: Mapping[str, Any], log: Log) -> Outcome:
    from gitops_ci.flows.fan_out import plan_bumps

    for reference in references:
        ImageRef.parse(reference)
    return plan_bumps(references, config_of(ctx).environments, options["wanted"], log)


def _number(text: str) -> int | None:
    """How many jobs; None is "as many as are worth it"."""
    from gitops_ci.flows.fan_out import MOST

    if text == "auto":
        return None
    number = whole_number(text)
    if number is None or not 1 <= number <= MOST:
        raise UsageError(f"--shards {text} is not a number of jobs", hint=f"auto, or a number from 1 to {MOST}.")
    return number


def _printer(
    form: Literal["text", "github-matrix", "gitlab-child-pipeline"], work: str, options: Mapping[str, Any]
) -> Any:
    from gitops_ci.reporting.fan_out import Runner, child_pipeline, matrix

    if form == "github-matrix":
        return lambda outcome: matrix(outcome) + "\n"
    if form == "gitlab-child-pipeline":
        image = options["job_image"] or os.environ.get("CI_JOB_IMAGE") or "python:3.13"
        package = options["package"] or f"gitops-ci=={__version__}"
        runner = Runner(image, package, _handed_on(work) | _given(options))
        return lambda outcome: child_pipeline(outcome, runner)
    return None


def _given(options: Mapping[str, Any]) -> dict[str, str]:
    """What the jobs have to know of this command's own options."""
    given = {
        "config": options["config"],
        "render": options["render"] if options["render"] != "auto" else "",
        "exclude": "\n".join(options["validate_exclude"]),
    }
    return {name: value for name, value in given.items() if value}


def _handed_on(work: str) -> dict[str, str]:
    """Options of the divided command that variables of this job say: a child pipeline inherits no job's variables."""
    found = {}
    for one in options_of(work):
        name = max(one.opts, key=len).removeprefix("--")
        if name not in _OWN and isinstance(one.envvar, str) and (value := os.environ.get(one.envvar)):
            found[name] = value
    return found
