"""Options that several commands share, each with its environment variable."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import click
from click.core import ParameterSource

from gitops_ci.cli import complete
from gitops_ci.cli.terminal import COLORS
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError

if TYPE_CHECKING:
    from gitops_ci.model import Outcome

__all__ = ["LinesOption", "Output", "ReportFile", "Seconds", "as_known", "option", "output_options", "refuse_repeated"]

# The short forms that people type at every program.
_SHORT = {"--quiet": "-q", "--verbose": "-v", "--output": "-o", "--environment": "-e"}

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """`--report FORMAT=FILE`."""

    format: str
    path: str


@dataclass(frozen=True, slots=True)
class Output:
    """How a command reports: the format of stdout, the report files, and how many progress messages it prints.

    `printer` makes the text for stdout; failures are then reported on stderr.
    """

    format: Literal["text", "json", "docker"] = "text"
    reports: tuple[ReportFile, ...] = ()
    level: Literal["quiet", "normal", "verbose"] = "normal"
    printer: Callable[[Outcome], str] | None = None


class Seconds(click.ParamType[float]):
    """A time limit: a number of seconds, or a duration such as `5m`."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from gitops_ci.moments import duration

        try:
            seconds = float(value)
        except ValueError:
            try:
                seconds = duration(value)
            except UsageError:
                seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            self.fail(f"'{value}' is not a number of seconds (300) or a duration (5m).", param, ctx)
        return seconds


class _Option(click.Option):
    """An option that, where it may be repeated, has a value a line of its variable, or a word of its only line.

    A line break at the end of a value is none of it: block scalars of YAML (`|`) and files end with one.
    """

    def consume_value(self, ctx: click.Context, opts: Mapping[str, click.Parameter]) -> tuple[Any, ParameterSource]:
        value, source = super().consume_value(ctx, opts)
        if isinstance(value, str):
            return value.rstrip("\r\n"), source
        if isinstance(value, tuple | list):
            return tuple(one.rstrip("\r\n") if isinstance(one, str) else one for one in value), source
        return value, source

    def value_from_envvar(self, ctx: click.Context) -> Any:
        text = self.resolve_envvar_value(ctx)
        if not self.multiple or text is None or "\n" not in text:
            return super().value_from_envvar(ctx)
        return tuple(line.strip() for line in text.splitlines() if line.strip())


class LinesOption(_Option):
    """A repeatable option whose values may hold blanks: each is a line of its variable."""

    def value_from_envvar(self, ctx: click.Context) -> Any:
        text = self.resolve_envvar_value(ctx)
        return None if text is None else tuple(line.strip() for line in text.splitlines() if line.strip())


def option(name: str, *more: str, **settings: Any) -> Decorator:
    """A click option that also reads `GITOPS_CI_<NAME>`: `--config-repo` is `GITOPS_CI_CONFIG_REPO`."""
    settings.setdefault("cls", _Option)
    more = (*more, *((_SHORT[name],) if name in _SHORT else ()))
    long = name.partition("/")[0].removeprefix("--")
    settings.setdefault("envvar", "GITOPS_CI_" + long.upper().replace("-", "_"))
    settings.setdefault("show_default", not isinstance(settings.get("default"), (type(None), tuple, bool)))
    return click.option(name, *more, **settings)


def as_known(command: click.Command, ctx: click.Context, args: list[str]) -> list[str]:
    """The arguments with `--mode dry-run` for a plain `--dry-run`, where the command has modes."""
    names = {name for parameter in command.get_params(ctx) for name in parameter.opts}
    if "--mode" not in names or "--dry-run" in names:
        return args
    end = args.index("--") if "--" in args else len(args)
    return ["--mode=dry-run" if at < end and word == "--dry-run" else word for at, word in enumerate(args)]


def refuse_repeated(command: click.Command, ctx: click.Context, args: list[str]) -> None:
    """Refuse an option with one value that is given twice: the first value would be dropped in silence.

    Raises:
        UsageError: it is.
    """
    if ctx.resilient_parsing:
        return
    _, _, order = command.make_parser(ctx).parse_args(args=list(args))
    for given in order:
        single = isinstance(given, click.Option) and not given.is_flag and not given.multiple and not given.count
        if single and order.count(given) > 1:
            name = max(given.opts, key=len)
            raise UsageError(f"{name} is given twice", hint=f"It has one value: give {name} once.")


def _reports(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[ReportFile, ...]:
    from gitops_ci.reporting import for_name

    found = []
    for value in values:
        kind, equals, path = value.partition("=")
        if not equals or not path:
            raise click.BadParameter(f"'{value}' is not FORMAT=FILE, for example junit=report.xml", ctx, param)
        if path == "-":
            instead = "--output json prints that document" if kind == "json" else "name a file"
            raise UsageError(f"--report {value}: stdout already contains this document", hint=f"Instead, {instead}.")
        for_name(kind)
        found.append(ReportFile(kind, path))
    return tuple(found)


def _choose_color(ctx: click.Context, param: click.Parameter, value: str) -> None:
    del param
    ctx.color = COLORS[value]


def output_options(function: Callable[..., Any] | None = None, *, docker: bool = False) -> Callable[..., Any]:
    """Add --output, --report, --color, --quiet and --verbose; the function gets them as one `output`.

    `--color` is kept in the click context, where `terminal.wants_color` reads it.

    With `docker`, what is printed may also be options for `docker build`.
    """
    if function is None:
        return functools.partial(output_options, docker=docker)
    called = function

    def wrapper(*args: Any, **given: Any) -> Any:
        quiet, verbose = given.pop("quiet"), given.pop("verbose")
        output = Output(
            given.pop("output"), given.pop("report"), "quiet" if quiet else "verbose" if verbose else "normal"
        )
        return called(*args, output=output, **given)

    forms = ["text", "json", *(["docker"] if docker else [])]
    decorators: tuple[Decorator, ...] = (
        option("--verbose", is_flag=True, help="Show more detail."),
        option("--quiet", is_flag=True, help="Print errors only."),
        option(
            "--color",
            type=click.Choice(list(COLORS)),
            default="auto",
            expose_value=False,
            callback=_choose_color,
            help="Color the output; auto: on a terminal, unless NO_COLOR or FORCE_COLOR is set.",
        ),
        option(
            "--report",
            multiple=True,
            metavar="FORMAT=FILE",
            callback=_reports,
            shell_complete=complete.report_files,
            help="Write a report: json, junit, sarif, codequality, github, markdown, csv or html. Repeatable.",
        ),
        option("--output", type=click.Choice(forms), default="text", help="Format of stdout."),
    )
    wrapped: Callable[..., Any] = functools.wraps(function)(wrapper)
    for decorate in decorators:
        wrapped = decorate(wrapped)
    return wrapped
