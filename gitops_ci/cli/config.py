"""`gitops-ci config`: is the configuration file right, what applies in the end, and what an editor should read."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from gitops_ci import known_files
from gitops_ci.cli import complete
from gitops_ci.cli.config_show import SHOWN, as_table, places, shown_settings
from gitops_ci.cli.config_values import refused
from gitops_ci.cli.help import HelpfulGroup
from gitops_ci.cli.options import Output, output_options
from gitops_ci.cli.run import execute
from gitops_ci.config_keys import Config
from gitops_ci.errors import UsageError
from gitops_ci.model import Log, Outcome
from gitops_ci.repourl import RepoUrl

__all__ = ["command"]

_SCHEMA_HINT = "gitops-ci config schema prints what the file may contain."


@click.group("config", cls=HelpfulGroup)
def command() -> None:
    """Check .gitops-ci.yaml, show the values that apply, print the JSON Schema."""


@command.command("check")
@click.argument("path", metavar="[FILE]", default=known_files.CONFIG)
@output_options
def check(path: str, output: Output) -> None:
    """Check a configuration file: every key, and every value as the commands do."""
    execute("config check", output, lambda log: _checked(path, log))


@command.command("show")
@click.option(
    "--command",
    "name",
    type=click.Choice(SHOWN),
    default="release",
    show_default=True,
    metavar="COMMAND",
    help=f"The command whose options are shown: {', '.join(SHOWN)}.",
)
@click.option(
    "--environment",
    "-e",
    metavar="NAME",
    shell_complete=complete.environments,
    help="Show the values for this environment.",
)
@click.option("--all", "every", is_flag=True, help="Include defaults.")
@output_options
def show(name: str, environment: str | None, output: Output, *, every: bool) -> None:
    """Show each value that a command would use, and its source."""
    chosen = ("--environment", environment) if environment else ()
    execute("config show", replace(output, printer=as_table), lambda _: shown_settings(name, chosen, every=every))


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of the file, for editors: save it and name it in `# yaml-language-server: $schema=`."""
    from gitops_ci.cli.config_schema import schema_text

    sys.stdout.write(schema_text())


def _checked(path: str, log: Log) -> Outcome:
    from gitops_ci.config import load

    if not os.path.isfile(path):
        raise UsageError(f"There is no file {path}", hint="gitops-ci init writes one.")
    config = load(path)
    for problem in _problems(config):
        raise UsageError(f"{path}: {problem}", hint=_SCHEMA_HINT)
    _judge_values(config, path, log)
    _warn_of_own_files(path, log)
    log.step(f"{path} is valid")
    counts = {"settings": len(config.options), "environments": len(config.environments)}
    return Outcome(command="config check", status="unchanged", summary=counts)


def _warn_of_own_files(path: str, log: Log) -> None:
    """Name what would apply the files of this tool, where the settings are those of the repository around."""
    if os.path.normpath(path) != known_files.CONFIG:
        return
    from gitops_ci.cli.init_answers import files_here
    from gitops_ci.flows.init import applied_with_own_files

    for told in applied_with_own_files(dict(files_here())):
        log.warn(told)


def _judge_values(config: Config, path: str, log: Log) -> None:
    """Refuse a file with a value that its command would refuse. The first is the error, the others are warnings."""
    # Paths in the file start where it is, as a command that runs there reads them.
    with contextlib.chdir(os.path.dirname(path) or os.curdir):
        wrong = list(refused(config))
    if not wrong:
        return
    first, *others = ((places(config, one.environment, path).get(one.option, path), one.error) for one in wrong)
    for where, error in others:
        log.warn(f"{where}: {error.message}. {error.hint}".rstrip())
    where, error = first
    raise UsageError(f"{where}: {error.message}", hint=error.hint or _SCHEMA_HINT)


def _problems(config: Config) -> Iterator[str]:
    """What every key alone cannot show. Values are read as the commands read them, which raises by itself."""
    from gitops_ci.cli.image_verify import verification_of
    from gitops_ci.flows.environments import in_order

    options = config.options
    verification_of(config)
    known = ", ".join(sorted(config.environments))
    if config.environments and (chosen := options.get("environment")) and chosen not in config.environments:
        yield f"environment is '{chosen}', which environments: does not define; it defines {known}"
    for one in config.images:
        if config.environments and one.environment and one.environment not in config.environments:
            yield f"images: {one.image} has the environment '{one.environment}'; environments: defines {known}"
    in_order(config.environments)
    for environment in config.environments.values():
        if environment.promote == "auto" and not environment.promote_from:
            yield f"environments.{environment.name}.promote is auto, and promote-from names no environment before it"
        if environment.config_repo:
            RepoUrl.parse(environment.config_repo)
