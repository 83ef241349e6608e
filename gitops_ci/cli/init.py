"""`gitops-ci init`."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.cli.ask import confirm, is_asked
from gitops_ci.cli.help import HelpfulCommand
from gitops_ci.cli.init_answers import files_here, gathered, text_of
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import Interrupted, UsageError
from gitops_ci.flows.init import SYSTEMS
from gitops_ci.model import FileChange, Log, Outcome

if TYPE_CHECKING:
    from gitops_ci.flows.init import InitRequest
    from gitops_ci.flows.init.survey import Survey

__all__ = ["command"]


@click.command("init", cls=HelpfulCommand)
@option("--ci", type=click.Choice(SYSTEMS), help="CI system. [found by the repository's files and address]")
@option("--config-repo", metavar="URL", help="The repository with the manifests. [this one, if it contains manifests]")
@option("--image", metavar="NAME", help="Repository that the image is pushed to. [the registry of the code host]")
@option("--dockerfile", "dockerfiles", metavar="PATH", multiple=True, help="Dockerfile to build. Repeatable. [all]")
@option("--environment", metavar="NAME", help="Environment of the first deployment. [the first one found here]")
@option("--address", metavar="TEXT", help="Address of gitops-ci for the CI system: owner/name@ref, host/path.")
@option("--yes", is_flag=True, help="Ask nothing, and accept the defaults.")
@option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@option("--force", is_flag=True, help="Replace files that exist.")
@output_options
def command(
    output: Output,
    *,
    address: str | None,
    yes: bool,
    dry_run: bool,
    force: bool,
    **options: Any,
) -> None:
    """Look at this repository, and write .gitops-ci.yaml and a workflow or pipeline for it.

    Run it at the root: of an application (it has a Dockerfile), of a config repository (it has manifests), or of both.
    Each Dockerfile gets a job, an image and Git tags of its own. At a terminal, init asks for each missing value.
    """
    from gitops_ci.flows.init import applied_with_own_files, next_steps, starter_files

    def work(log: Log) -> Outcome:
        files = dict(files_here())
        is_person = not yes and output.format == "text" and is_asked()
        request, found, left_out = gathered(files, is_person=is_person, address=address or "", **options)
        _report(request, found, left_out, log)
        for message in applied_with_own_files(files):
            log.warn(message)
        written = starter_files(request, found)
        if is_person and not dry_run and not confirm(f"Write {', '.join(written)}?"):
            raise Interrupted("Nothing was written")
        outcome = _write(written, log, dry_run=dry_run, force=force)
        for step in next_steps(request, found) if outcome.files else ():
            log.step(f"next: {step.text}")
            for line in step.commands:
                log.step(f"      $ {line}")
        return outcome

    execute("init", output, work)


def _write(files: Mapping[str, str], log: Log, *, dry_run: bool, force: bool) -> Outcome:
    changes = [FileChange(path, text_of(path), text) for path, text in files.items()]
    wrong = [change.path for change in changes if change.before not in {"", change.after}]
    if wrong and not force:
        raise UsageError(
            f"{', '.join(wrong)} would be replaced",
            hint="Nothing was written. Use --dry-run to see the difference, and --force to replace the files.",
        )
    changed = tuple(change for change in changes if change.before != change.after)
    for change in changed:
        if not dry_run:
            os.makedirs(os.path.dirname(change.path) or ".", exist_ok=True)
            with open(change.path, "w", encoding="utf-8", newline="") as file:
                file.write(change.after)
            if change.after.startswith("#!"):
                os.chmod(change.path, 0o755)  # noqa: S103 - a script that others run as well
        log.step(f"{'would write' if dry_run else 'wrote'} {change.path}")
    return Outcome(
        command="init",
        status="changed" if changed else "unchanged",
        files=changed,
        summary={"files": len(changed)},
        dry_run=dry_run,
    )


def _report(request: InitRequest, found: Survey, left_out: Collection[str], log: Log) -> None:
    from gitops_ci.flows.init import applications_of, image_of

    for application in applications_of(request, found):
        log.step(f"an application: {application.dockerfile} -> {image_of(request, application)}")
    for path in left_out:
        log.warn(f"{path} is not built: name it with --dockerfile to build it")
    if found.kinds:
        log.step("manifests: " + ", ".join(f"{kind} ({number})" for kind, number in found.kinds.items()))
    if found.environments:
        log.step(f"environments: {', '.join(found.environments)}")
