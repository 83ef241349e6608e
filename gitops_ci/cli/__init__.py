"""The command line: one module a command, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping

import click

from gitops_ci import __version__
from gitops_ci.cli.help import HelpfulGroup
from gitops_ci.errors import UsageError
from gitops_ci.lazy import LazyModules
from gitops_ci.text import did_you_mean

__all__ = ["COMMANDS", "main", "run_command_line"]

COMMANDS: Mapping[str, click.Command] = LazyModules(
    "cli",
    {
        "release": "release:command",
        "bump": "bump:command",
        "refresh": "refresh:command",
        "validate": "validate:command",
        "rule": "rule:command",
        "diff": "diff:command",
        "wait": "wait:command",
        "plan": "plan:command",
        "promote": "promote:command",
        "rollback": "rollback:rollback_command",
        "hold": "rollback:hold_command",
        "unhold": "rollback:unhold_command",
        "status": "status:command",
        "compare": "compare:command",
        "history": "history:command",
        "image": "image:command",
        "init": "init:command",
        "config": "config:command",
        "completion": "completion:command",
        "demo": "demo:command",
    },
)


class _LazyGroup(HelpfulGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        return COMMANDS.get(cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"-h", "--help", "-V", "--version"}
        command = next((word for word in args[1:3] if word in COMMANDS), "")
        if command and args[0].startswith("-") and args[0] not in own:
            raise UsageError(
                f"The option {args[0]} must follow the command", hint=f"Write gitops-ci {command} {args[0]} …."
            )
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[:1] == ["help"]:
            # As other programs have it: `help` and `help COMMAND`.
            args = [*args[1:], "--help"] if args[1:2] and args[1] in COMMANDS else args
            if args[0] == "help":
                click.echo(ctx.get_help())
                ctx.exit()
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from gitops_ci.cli.foreign_commands import advice_for_command

            if advice := advice_for_command("", args[0]):
                raise UsageError(f"There is no command '{args[0]}'", hint=advice)
            meant = " ".join(filter(None, (did_you_mean(args[0], COMMANDS), f"Commands: {', '.join(COMMANDS)}.")))
            raise click.UsageError(f"There is no command '{args[0]}'. {meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s", prog_name="gitops-ci")
def main() -> None:
    """Push an image, update it in the config repository, validate the manifests, and open the pull request.

    Argo CD, Flux or Rancher Fleet then deploys the merged change. gitops-ci never talks to a cluster.
    """


def run_command_line(arguments: list[str]) -> int:
    """Run one command and return the process's exit code."""
    from gitops_ci.cli.run import guarded

    return guarded(main, arguments)
