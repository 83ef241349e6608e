"""`gitops-ci config`: is the configuration file right, what holds in the end, and what an editor should know of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from gitops_ci import known_files
from gitops_ci.cli import complete
from gitops_ci.cli.configured import config_of
from gitops_ci.cli.console import printable
from gitops_ci.cli.help import HelpfulGroup
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.run import execute
from gitops_ci.config import KEYS, Config, load
from gitops_ci.errors import UsageError
from gitops_ci.lazy import import_member
from gitops_ci.model import Log, Outcome
from gitops_ci.yamltext import MappingNode, YamlFile, read

__all__ = ["command"]

_TOKENS = ("GITOPS_CI_TOKEN", "GITOPS_CI_REGISTRY_USER", "GITOPS_CI_REGISTRY_PASSWORD")
# What a command cannot do without; only its options are asked for here.
_ARGUMENTS = {"release": ["image"], "bump": [], "validate": []}
_ABOUT_THE_RUN = {"output", "report", "quiet", "verbose", "config"}


@click.group("config", cls=HelpfulGroup)
def command() -> None:
    """Look at .gitops-ci.yaml: check it, show what holds, print its JSON Schema."""


@command.command("check")
@click.argument("path", metavar="[FILE]", default=known_files.CONFIG)
@output_options
def check(path: str, output: Output) -> None:
    """Say whether a configuration file is right, and what is wrong at which line."""
    execute("config check", output, lambda log: _checked(path, log))


@command.command("show")
@click.option(
    "--command",
    "name",
    type=click.Choice(list(_ARGUMENTS)),
    default="release",
    show_default=True,
    help="The command whose options are shown.",
)
@option("--environment", metavar="NAME", shell_complete=complete.environments, help="As for the command.")
@click.option("--all", "every", is_flag=True, help="Defaults as well.")
def show(name: str, environment: str | None, *, every: bool) -> None:
    """Show each value that a command would run with, and where it comes from."""
    more = ["--environment", environment] if environment else []
    found = [setting for setting in _settings(name, more) if every or not setting.is_default]
    rows = [(setting.option, setting.value, setting.source) for setting in found]
    rows += [(variable, "set", "environment") for variable in _TOKENS if os.environ.get(variable)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    for row in rows:
        click.echo(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}")
    if not rows:
        click.echo("Nothing is set: every option has its default (--all shows them).")


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of the file, for editors: save it and name it in `# yaml-language-server: $schema=`."""
    from gitops_ci.cli.config_schema import schema_text

    sys.stdout.write(schema_text())


def _checked(path: str, log: Log) -> Outcome:
    if not os.path.isfile(path):
        raise UsageError(f"There is no {path}", hint="gitops-ci init writes one.")
    config = load(path)
    for problem in _problems(config):
        raise UsageError(f"{path}: {problem}", hint="gitops-ci config schema prints what the file may hold.")
    for warning in _without_effect(config, path):
        log.warn(warning)
    log.step(f"{path} is valid")
    counts = {"settings": len(config.options), "environments": len(config.environments)}
    return Outcome(command="config check", status="unchanged", summary=counts)


def _problems(config: Config) -> Iterator[str]:
    """What every key alone cannot show. Values are read as the commands read them, which raises by itself."""
    from gitops_ci.cli.image_verify import verification_of
    from gitops_ci.cli.proposal_texts import check_templates
    from gitops_ci.imageref import ImageRef
    from gitops_ci.repourl import RepoUrl
    from gitops_ci.validation import versions

    options = config.options
    verification_of(config)
    if repository := options.get("config_repo"):
        RepoUrl.parse(repository)
    for to in options.get("to", ()):
        if not to.startswith("oci:"):
            ImageRef.parse(to)
    if asked := options.get("kubernetes_version"):
        versions(asked)
    check_templates({name: options[name] for name in ("branch", "title", "commit_message") if name in options})
    known = ", ".join(sorted(config.environments))
    if config.environments and (chosen := options.get("environment")) and chosen not in config.environments:
        yield f"environment is '{chosen}', which environments: does not define; it defines {known}"
    for environment in config.environments.values():
        for source in (name for name in environment.promote_from if name not in config.environments):
            yield f"environments.{environment.name}.promote-from is '{source}', which is none of them: {known}"


def _without_effect(config: Config, path: str) -> Iterator[str]:
    """Keys that the file may have and that no command uses yet."""
    for environment in config.environments.values():
        if environment.promote_from:
            where = _lines(config, environment.name, path).get("promote_from", path)
            yield (
                f"{where}: promote-from has no effect yet. `bump --environment {environment.name}` writes any "
                f"version, whether {', '.join(environment.promote_from)} runs it or not."
            )


@dataclass(frozen=True, slots=True)
class _Setting:
    option: str
    value: str
    source: str
    is_default: bool


def _settings(name: str, more: list[str]) -> Iterator[_Setting]:
    """Every option of a command as it would run now."""
    described = import_member("cli", f"{name}:command")
    with described.make_context(name, [*_ARGUMENTS[name], *more]) as ctx:
        lines = _lines(config_of(ctx), ctx.params.get("environment"), ctx.params.get("config") or known_files.CONFIG)
        for option in described.params:
            if not isinstance(option, click.Option) or option.name in _ABOUT_THE_RUN or option.name not in ctx.params:
                continue
            source = ctx.get_parameter_source(option.name)
            yield _Setting(
                max(option.opts, key=len).removeprefix("--"),
                _shown(ctx.params[option.name]),
                _origin(source, option, lines),
                source is ParameterSource.DEFAULT,
            )


def _origin(source: ParameterSource | None, option: click.Option, lines: dict[str, str]) -> str:
    if source is ParameterSource.ENVIRONMENT:
        return f"environment variable {option.envvar}"
    if source is ParameterSource.DEFAULT_MAP:
        return lines.get(str(option.name), "configuration file")
    return "command line" if source is ParameterSource.COMMANDLINE else "default"


def _lines(config: Config, environment: object, path: str) -> dict[str, str]:
    """Where the file says what: `FILE:LINE` by option. The chosen environment's word goes before the rest."""
    if not config.options and not config.environments:
        return {}
    with open(path, encoding="utf-8") as text:
        file = read(text.read())
    root = file.documents[0]
    found: dict[str, str] = {}
    for section, keys in KEYS.items():
        node: Any = root
        names = [str(environment) if part == "*" else part for part in section.split(".") if part]
        for part in names:
            node = node.get(part) if isinstance(node, MappingNode) else None
        if isinstance(node, MappingNode):
            where = f" (environment {environment})" if "*" in section else ""
            found |= {_option(keys[key]): f"{path}:{line}{where}" for key, line in _keys(file, node) if key in keys}
    return found


def _keys(file: YamlFile, node: MappingNode) -> Iterator[tuple[str, int]]:
    for key, _ in node.pairs:
        yield str(getattr(key, "value", "")), file.position(key.start)[0]


def _option(entry: tuple[str, str]) -> str:
    # An environment's keys are plural where they hold several; the options they stand for are not.
    return {"paths": "path", "labels": "label", "reviewers": "reviewer"}.get(entry[0], entry[0])


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_shown(item) for item in value) or "-"
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None or value == "" else printable(str(value))
