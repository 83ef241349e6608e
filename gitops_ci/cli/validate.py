"""`gitops-ci validate`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.ci import detect
from gitops_ci.cli import complete
from gitops_ci.cli.checks import checks_here, schema_cache
from gitops_ci.cli.comments import comment_options, post_comment
from gitops_ci.cli.configured import JudgingCommand, config_of, message_of
from gitops_ci.cli.fail_on import fail_on_option, parse_fail_on
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.rendering_settings import inside, limits_of, pairs, values_of
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.flows.validate import ValidateRequest
    from gitops_ci.flows.validate.selection import Shard
    from gitops_ci.model import Finding, Log, Outcome
    from gitops_ci.validation import Checks

__all__ = ["changed_since", "command", "exclude_option"]


def exclude_option(function: Any) -> Any:
    """`--exclude`, whose key in the file is one of `validate:`: that of the top level is about bumps."""
    text = "Do not check these files: globs from the working folder. Repeatable."
    return option("--exclude", "validate_exclude", multiple=True, metavar="GLOB", help=text)(function)


@click.command("validate", cls=JudgingCommand)
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--config", metavar="FILE", envvar="GITOPS_CI_CONFIG", help="Configuration file. [.gitops-ci.yaml]")
@option(
    "--kubernetes-version",
    metavar="VERSION",
    shell_complete=complete.kubernetes_versions,
    help="1.33, or a range 1.33..1.35. [the newest known]",
)
@option("--crd-path", multiple=True, metavar="PATH", help="More CustomResourceDefinitions. Repeatable.")
@option(
    "--schema-location",
    multiple=True,
    metavar="TEMPLATE",
    help="Folder, https address or template with schemas of custom resources; 'crds-catalog' is one. Repeatable.",
)
@option("--offline", is_flag=True, help="Fetch nothing. Use bundled, local and cached schemas.")
@option(
    "--missing-schema",
    type=click.Choice(["fail", "warn", "ignore"]),
    default="warn",
    help="How to treat objects that have no schema.",
)
@option(
    "--render",
    type=click.Choice(["auto", "none"]),
    default="auto",
    help="Build kustomizations and charts, and check the result.",
)
@option("--allow-remote", is_flag=True, help="Let renderers fetch remote bases and chart dependencies.")
@option("--substitute", multiple=True, metavar="NAME=VALUE", help="Value of ${NAME} in manifests. Repeatable.")
@option(
    "--values",
    multiple=True,
    metavar="CHART=FILE",
    help="Render the chart in folder CHART with the values of FILE. Repeatable.",
)
@option("--clusters", metavar="FILE", help="Clusters for the generators of ApplicationSets: a YAML list.")
@exclude_option
@option(
    "--skip-kind",
    multiple=True,
    metavar="KIND",
    help="Do not check objects of this kind: Secret, Certificate.cert-manager.io, apps/v1/Deployment. Repeatable.",
)
@option(
    "--changed-since",
    metavar="REF|auto",
    help="Check only what a change since REF affects; auto is the target of this job's pull request or merge queue.",
)
@option(
    "--changed",
    is_flag=True,
    help="PATHs are files that changed: check all that they affect in this folder. For hooks before a commit.",
)
@option("--shard", metavar="I/N", help="This job's share of N. [CI_NODE_INDEX/CI_NODE_TOTAL]")
@option(
    "--rules",
    multiple=True,
    metavar="GLOB",
    shell_complete=complete.rules,
    help="Only these rules: family/name. Repeatable.",
)
@option(
    "--skip-rules",
    multiple=True,
    metavar="GLOB",
    shell_complete=complete.rules,
    help="Leave out these rules. Repeatable.",
)
@option(
    "--ignore",
    multiple=True,
    metavar="RULE",
    shell_complete=complete.rules,
    help="Findings to accept: 'RULE [path=GLOB] [kind=GLOB] [name=GLOB]'. Repeatable.",
)
@option(
    "--fix",
    is_flag=True,
    help="Repair misspelled fields, quoted numbers and old API versions where only one repair is possible.",
)
@option("--dry-run", is_flag=True, help="With --fix: show the repairs and write nothing.")
@option("--check-images", is_flag=True, help="Ask the registries whether each image exists.")
@option("--insecure", multiple=True, metavar="HOST", help="Registry without TLS or with any certificate.")
@fail_on_option()
@option("--allow-empty", is_flag=True, help="Succeed if there is nothing to validate.")
@comment_options
@output_options
def command(paths: tuple[str, ...], output: Output, **options: Any) -> None:
    """Check manifests against the Kubernetes schemas and the API server's own rules, without network or cluster.

    PATH is a file, a folder, or - for standard input; the current folder when none is given.
    """
    from gitops_ci.flows.validate import validate

    request = _request(paths, options)
    changed = options["changed_since"]
    message = message_of(click.get_current_context())

    def work(log: Log) -> Outcome:
        if message:
            log.warn(message)
        asked = replace(request, changed_since=changed_since(changed, log))
        outcome = validate(asked, log)
        if options["fix"]:
            outcome = _fixed(outcome, lambda: validate(asked, log), request.checks, dry_run=options["dry_run"])
        is_empty = not (outcome.findings or outcome.error)
        post_comment("validate", options, lambda limit: _page(outcome, limit), log, is_empty=is_empty)
        return outcome

    execute("validate", output, work)


def _page(outcome: Outcome, limit: int) -> str:
    from gitops_ci.reporting import markdown

    return markdown.report(outcome, limit=limit)


def _fixed(outcome: Outcome, again: Callable[[], Outcome], checks: Checks, *, dry_run: bool) -> Outcome:
    """The outcome with the repairs. After they are written, the files are checked again."""
    from dataclasses import replace

    from gitops_ci.flows.validate.fix import fixes, write_fixes

    files = tuple(fixes(outcome.findings, checks))
    if dry_run or not files:
        return replace(outcome, files=files, dry_run=dry_run)
    write_fixes(files)
    after = again()
    return replace(after, files=files, status="changed" if after.exit_code == 0 else after.status)


def changed_since(text: str | None, log: Log) -> tuple[str, ...]:
    """The references that `--changed-since` stands for; () is everything."""
    if text != "auto":
        return (text,) if text else ()
    if not (bases := detect(variables()).bases):
        log.step("Not a pull request or merge queue: checking everything")
    return bases


def _request(paths: tuple[str, ...], options: dict[str, Any]) -> ValidateRequest:
    from gitops_ci.flows.validate import ValidateRequest

    clusters = None
    if options["clusters"]:
        from gitops_ci.flows.clusters import read_clusters

        clusters = read_clusters(options["clusters"])
    ctx = click.get_current_context()
    settings = config_of(ctx).options
    if options["changed"] and options["changed_since"]:
        raise UsageError("--changed and --changed-since exclude each other", hint="Drop one of them.")
    if options["fix"] and "-" in paths:
        raise UsageError("--fix writes files, and standard input is not a file", hint="Name the file.")
    return ValidateRequest(
        paths=(".",) if options["changed"] else paths or (".",),
        changed=frozenset(map(_here, paths)) if options["changed"] else None,
        exclude=tuple(options["validate_exclude"]),
        checks=checks_here(ctx),
        allow_empty=options["allow_empty"],
        stdin=sys.stdin.buffer.read,
        crd_paths=tuple(map(inside, options["crd_path"])),
        schema_locations=tuple(map(inside, options["schema_location"])),
        offline=options["offline"],
        cache=schema_cache(),
        render=options["render"],
        branches=detect(variables()).target_branches,
        allow_remote=options["allow_remote"],
        substitute=dict(pairs((*settings.get("substitute", ()), *options["substitute"]), "substitute", "CLUSTER=prod")),
        values=values_of(settings, options["values"]),
        limits=limits_of(settings),
        clusters=clusters,
        shard=_shard(options["shard"] or _shard_of_ci()),
        check_images=options["check_images"],
        insecure=tuple(options["insecure"]),
        fail_on=parse_fail_on(tuple(options["fail_on"])),
        windows=_windows(ctx, options),
    )


def _windows(ctx: click.Context, options: Mapping[str, Any]) -> Callable[[], tuple[Finding, ...]]:
    """What looks at the windows of the environments that a pull request, or a merge queue, is about.

    Of several jobs, the first one does.
    """
    context, environments = detect(variables()), config_of(ctx).environments
    share = _shard(options["shard"] or _shard_of_ci())
    if not context.bases or (share and share.index != 1) or not checks_here(ctx).wants("gitops/window"):
        return tuple

    def look() -> tuple[Finding, ...]:
        from gitops_ci.flows.validate.windows import window_findings

        return window_findings(environments, context.bases, context.branch, time.time())

    return look


def _here(path: str) -> str:
    """A path as the files of the working folder are named."""
    return os.path.relpath(path).replace(os.sep, "/")


def _shard(text: str) -> Shard | None:
    if not text:
        return None
    from gitops_ci.flows.validate.selection import Shard

    return Shard.parse(text)


def _shard_of_ci() -> str:
    """The share that a parallel job of GitLab (and its like) has."""
    index, total = os.environ.get("CI_NODE_INDEX", ""), os.environ.get("CI_NODE_TOTAL", "")
    return f"{index}/{total}" if index and total else ""
