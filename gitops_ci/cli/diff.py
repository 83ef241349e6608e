"""`gitops-ci diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitops_ci.ci import detect
from gitops_ci.cli import complete
from gitops_ci.cli.comments import comment_options, post_comment
from gitops_ci.cli.configured import JudgingCommand, config_of, message_of
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.rendering_settings import limits_of, values_of
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.model.rendered import View
from gitops_ci.quantities import whole_number
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.flows.diff import DiffRequest
    from gitops_ci.model import Log, Outcome

__all__ = ["command", "number"]

# Outside of a pull request: where a branch of a developer most likely began.
_USUAL_BASES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_MOST_CONTEXT = 1_000
_MOST_PARTS = 9
# What --fail-on of other commands means, and does nothing here: a variable may say it for all of them.
_OF_OTHERS = frozenset({"error", "warning", "held", "drift"})


@click.command("diff", cls=JudgingCommand)
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--config", metavar="FILE", envvar="GITOPS_CI_CONFIG", help="Configuration file. [.gitops-ci.yaml]")
@option(
    "--base",
    "base_revision",
    envvar="GITOPS_CI_DIFF_BASE",
    metavar="REV|auto",
    default="auto",
    help="Compare with the commit where the change branched off REV; auto is the target of this job's pull request.",
)
@option("--head", metavar="REV", help="Commit with the change. [the files of the working folder]")
@option("--unit", multiple=True, metavar="GLOB", help="Only these units: 'application:*/shop'. Repeatable.")
@option(
    "--form",
    type=click.Choice(["summary", "paths", "yaml"]),
    default="summary",
    help="summary groups equal changes, paths prints a line for each value, yaml prints objects as a diff.",
)
@option(
    "--context",
    type=click.IntRange(0, _MOST_CONTEXT),
    default=3,
    metavar="N",
    help="Lines of context around a change.",
)
@option("--show-noise", is_flag=True, help="Also print labels, checksums and other values that are folded.")
@option(
    "--fail-on",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.risks,
    help="Fail for a risk by its name (deletes-data), or for risk, change or skipped: any of these. Repeatable.",
)
@option("--tests", is_flag=True, help="Also compare the tests of charts (helm.sh/hook: test).")
@option("--allow-remote", is_flag=True, help="Let renderers fetch remote bases and chart dependencies.")
@option("--clusters", metavar="FILE", help="Clusters for the generators of ApplicationSets: a YAML list.")
@option("--this-repository", multiple=True, metavar="URL", help="Another address of this repository. Repeatable.")
@option("--kubernetes-version", metavar="VERSION", help="Version that charts are templated for.")
@comment_options
@option("--comment-empty", is_flag=True, help="Also write a comment if nothing changes.")
@option(
    "--comment-parts",
    type=click.IntRange(1, _MOST_PARTS),
    default=1,
    metavar="N",
    help="Split a long comment into at most N comments.",
)
@option(
    "--from",
    "from_file",
    envvar="GITOPS_CI_DIFF_FROM",
    metavar="FILE",
    help="Read the JSON report of another job and compare nothing. For comments on a fork's pull request.",
)
@output_options
def command(paths: tuple[str, ...], output: Output, **options: Any) -> None:
    """Show what a change does to the objects that reach the cluster, without network or cluster.

    Both sides are rendered as Argo CD, Flux, Fleet, kustomize or helm would do it, and compared object by object. PATH
    narrows it to the units that use these files or folders.
    """
    from gitops_ci.flows.diff import diff, stored_diff

    request = _request(paths, options)
    message = message_of(click.get_current_context())

    def work(log: Log) -> Outcome:
        if message:
            log.warn(message)
        outcome = stored_diff(options["from_file"], request) if options["from_file"] else diff(request, log)
        if outcome.rendered is not None:
            _comment(outcome, options, log)
        return outcome

    execute("diff", output, work)


def _comment(outcome: Outcome, options: dict[str, Any], log: Log) -> None:
    from gitops_ci.reporting.base import prepare
    from gitops_ci.reporting.rendered_markdown import rendered_parts

    rendered = prepare(outcome).rendered
    assert rendered is not None
    link = detect(variables()).run_url
    has_words = outcome.status != "unchanged" or any(one.reason for one in rendered.units)
    is_empty = not (has_words or options["comment_empty"])
    most = options["comment_parts"]
    post_comment("diff", options, lambda limit: rendered_parts(rendered, limit, link, most), log, is_empty=is_empty)


def _request(paths: tuple[str, ...], options: dict[str, Any]) -> DiffRequest:
    from gitops_ci.flows.clusters import read_clusters
    from gitops_ci.flows.diff import DiffRequest
    from gitops_ci.flows.diff.inputs import paths_inside

    settings = config_of(click.get_current_context()).options
    values = values_of(settings)
    return DiffRequest(
        bases=_bases(options["base_revision"]),
        head=options["head"] or "",
        paths=paths_inside(paths),
        units=tuple(options["unit"]),
        fail_on=_fail_on(options["fail_on"]),
        urls=tuple(options["this_repository"]),
        branches=detect(variables()).target_branches,
        clusters=read_clusters(options["clusters"]) if options["clusters"] else None,
        allow_remote=options["allow_remote"],
        kubernetes_version=_version(options["kubernetes_version"]),
        limits=limits_of(settings),
        values={paths_inside((chart,))[0]: paths_inside(files) for chart, files in values.items()},
        fold=tuple(settings.get("diff_fold", ())),
        masks=tuple(settings.get("diff_mask", ())),
        large=number(settings.get("diff_large", "100")),
        tests=options["tests"],
        view=View(options["form"], options["context"], options["show_noise"]),
    )


def _version(text: str | None) -> str:
    if not text:
        return ""
    from gitops_ci.validation import versions

    return versions(text)[-1]


def number(text: str) -> int:
    """`diff.large` of the file. Raises UsageError for what is not a number."""
    if (found := whole_number(text)) is None:
        raise UsageError(f"diff.large is '{text}'", hint="It is a number of objects, for example 100.")
    return found


def _bases(text: str) -> tuple[str, ...]:
    return (detect(variables()).bases or _USUAL_BASES) if text == "auto" else (text,)


def _fail_on(names: tuple[str, ...]) -> tuple[str, ...]:
    """What makes the run fail. Several names may be in one value, separated by commas.

    Raises:
        UsageError: there is no such risk.
    """
    from gitops_ci.comparing import RISKS
    from gitops_ci.text import did_you_mean

    known = ("change", "risk", "skipped", *RISKS)
    given = [name.strip() for text in names for name in text.split(",") if name.strip() not in {"", "none"}]
    for name in given:
        if name not in known and name not in _OF_OTHERS:
            hint = f"{did_you_mean(name, known)} Known: {', '.join(known)}.".strip()
            raise UsageError(f"There is no risk '{name}'", hint=hint)
    return tuple(given)
