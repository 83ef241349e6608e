"""What `--help` shows: options by what they are about, examples at the end, the commands in the order of use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click

from gitops_ci.errors import UsageError
from gitops_ci.lazy import lazy_pattern

__all__ = ["HelpfulCommand", "HelpfulGroup"]

_VARIABLES = (
    "Every option has an environment variable: --config-repo is GITOPS_CI_CONFIG_REPO. An option overrides the "
    "variable, and the variable overrides .gitops-ci.yaml. 'gitops-ci config show' prints each value and its source."
)
_DEFAULT = lazy_pattern(r" \[(?!default)([^\[\]]+)\](?=$| Repeatable\.$)")


@contextmanager
def _better_advice(command: click.Command) -> Iterator[None]:
    """An option that does not exist here is answered by what it is called here."""
    try:
        yield
    except click.NoSuchOption as error:
        from gitops_ci.cli.foreign_options import advice_for, safe_suggestions

        if advice := advice_for(error.option_name):
            raise UsageError(f"No such option '{error.option_name}'", hint=advice) from None
        known = [name for one in command.params for name in one.opts if name.startswith("--")]
        near = safe_suggestions(error.option_name, error.possibilities or (), known)
        message = f"No such option '{error.option_name}'."
        if near:
            words = "' or '".join(near)
            message += f" Did you mean '{words}'?"
        raise click.UsageError(message, ctx=error.ctx) from None


class HelpfulCommand(click.Command):
    """A command whose options are listed by section, with examples below; none of them is given twice by mistake."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from gitops_ci.cli.options import as_known, refuse_repeated

        args = as_known(self, ctx, args)
        with _better_advice(self):
            refuse_repeated(self, ctx, args)
        self.set_defaults(ctx, args)
        return super().parse_args(ctx, args)

    def set_defaults(self, ctx: click.Context, args: list[str]) -> None:
        """Decide the defaults of the options before they are read."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from gitops_ci.cli.help_texts import OPTION_SECTIONS

        records = {}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)):
                records[max(parameter.opts, key=len).removeprefix("--")] = (record[0], _told(record[1]))
        for heading, names in OPTION_SECTIONS.items():
            if rows := [records.pop(name) for name in names if name in records]:
                with formatter.section(heading):
                    formatter.write_dl(rows)
        if records:
            with formatter.section("Further options"):
                formatter.write_dl(list(records.values()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from gitops_ci.cli.help_texts import EXAMPLES

        name = ctx.command_path.partition(" ")[2]
        if examples := EXAMPLES.get(name, ()):
            with formatter.section("Examples"):
                for number, (what_for, line) in enumerate(examples):
                    if number:
                        formatter.write_paragraph()
                    formatter.write_text(what_for)
                    formatter.indent()
                    formatter.write(_command_line(line, formatter))
                    formatter.dedent()
        if any(isinstance(option, click.Option) and option.envvar for option in self.params):
            formatter.write_paragraph()
            formatter.write_text(_VARIABLES)


class HelpfulGroup(click.Group):
    """A group of such commands, which says in whole lines what each is for."""

    command_class = HelpfulCommand

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and ctx.parent is not None and self.get_command(ctx, args[0]) is None:
            from gitops_ci.cli.foreign_commands import advice_for_command

            group = ctx.command_path.partition(" ")[2]
            if advice := advice_for_command(group, args[0]):
                raise UsageError(f"There is no command '{group} {args[0]}'", hint=advice)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from gitops_ci.cli.help_texts import COMMAND_SECTIONS

        rest = dict.fromkeys(self.list_commands(ctx))
        sections = COMMAND_SECTIONS if ctx.parent is None else {}
        for heading, told in sections.items():
            if rows := [(name, text) for name, text in told.items() if name in rest]:
                with formatter.section(heading):
                    formatter.write_dl(rows)
            rest = {name: None for name in rest if name not in told}
        if rest:
            with formatter.section("Commands"):
                formatter.write_dl([(name, self._about(ctx, name)) for name in rest])

    def _about(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str(limit=200) if command else ""


def _told(text: str) -> str:
    """`[x]` at the end of an option's help is what applies without the option."""
    return _DEFAULT.sub(r" [default: \1]", text)


def _command_line(line: str, formatter: click.HelpFormatter) -> str:
    """A command to copy: cut before options where it is long, each line but the last with a backslash."""
    indent = " " * formatter.current_indent
    first, *options = re.split(r" (?=--)", line)
    lines = [indent + first]
    for option in options:
        if len(lines[-1]) + len(option) > formatter.width - 4:
            lines[-1] += " \\"
            lines.append(f"{indent}   ")
        lines[-1] += f" {option}"
    return "\n".join(lines) + "\n"
