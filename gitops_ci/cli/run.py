"""The boundary between commands and the process: errors become exit codes, outcomes become reports."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import click

from gitops_ci.cli.console import Console, printable
from gitops_ci.cli.misspelled import unknown_variables
from gitops_ci.cli.options import Output
from gitops_ci.cli.spinner import spinning
from gitops_ci.cli.terminal import painted
from gitops_ci.errors import GitopsCiError, Interrupted, ProgramError, UsageError
from gitops_ci.process import stop
from gitops_ci.secret import Secret, mask
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.model import Log, Outcome

__all__ = ["execute", "guarded"]

# Shorter values of such variables are words that a text may well hold.
_SHORTEST_SECRET = 12
# Commands that have commands.
_GROUPS = frozenset({"config", "image"})
_BUG_HINT = "This is a bug in gitops-ci: please report it with the output of the same command and --verbose."


def execute(command: str, output: Output, work: Callable[[Log], Outcome]) -> NoReturn:
    """Run a flow, report its outcome everywhere it belongs, and end the command with its exit code."""
    console = Console(output.level)
    for message in unknown_variables(os.environ):
        console.warn(message)
    try:
        with spinning(command, wanted=output.level != "quiet") as console.spinner:
            outcome = work(console)
    except GitopsCiError as error:
        outcome = failed(command, error)
    except (OSError, MemoryError) as error:
        outcome = failed(command, ProgramError.of_machine(error))
    raise click.exceptions.Exit(_publish(outcome, output))


def guarded(command: click.Command, arguments: list[str]) -> int:
    """Run the command line; whatever is raised becomes an exit code, one line and a hint."""
    _learn_secrets()
    # What a run builds lives to its end: looking through it for garbage again and again would take a third of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:  # a job in the background ignores it
        signal.signal(signal.SIGINT, _terminate)
    try:
        # Outside of standalone mode click returns the code of `Exit` instead of raising it.
        return int(command.main(arguments, prog_name="gitops-ci", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        click.echo(help_wanted.format_message(), err=True)
        return UsageError.exit_code
    except click.ClickException as error:
        return _early(UsageError(" ".join(error.format_message().split()), hint=_usage_hint(error)), arguments)
    except (KeyboardInterrupt, click.Abort):
        return _early(Interrupted("Interrupted"), arguments)
    except GitopsCiError as error:
        return _early(error, arguments)
    except (OSError, MemoryError) as error:
        return _early(ProgramError.of_machine(error), arguments)
    except Exception as error:  # noqa: BLE001 - a bug is reported as one, not as a mistake of the user
        if _wants("--verbose", arguments):
            import traceback

            sys.stderr.write(mask(traceback.format_exc()))
        return _early(GitopsCiError(f"{type(error).__name__}: {error}", hint=_BUG_HINT), arguments)


def _learn_secrets() -> None:
    """Mask tokens from the first line on: a mistake in the command line is printed before any of them is used."""
    for name, value in variables().items():
        if name.upper().endswith(("TOKEN", "PASSWORD")) and len(value) >= _SHORTEST_SECRET:
            Secret(value)


def failed(command: str, error: GitopsCiError) -> Outcome:
    from gitops_ci.model import ErrorDetail, Outcome

    return Outcome(command=command, status="failed", exit_code=error.exit_code, error=ErrorDetail.of(error))


def _publish(outcome: Outcome, output: Output) -> int:
    from gitops_ci.cli.publish import publish

    return publish(outcome, output)


def _early(error: GitopsCiError, arguments: list[str]) -> int:
    """Report an error from before a command's own options were known."""
    name = _command_name(arguments)
    if "json" in {_value("--output", arguments), _value("-o", arguments)}:
        _publish(failed(name, error), Output(format="json"))
        return error.exit_code
    color = _value("--color", arguments)
    sys.stderr.write(f"{painted('error:', 'red', sys.stderr, color)} {printable(error.message)}\n")
    if error.hint:
        sys.stderr.write(f"{painted('hint:', 'cyan', sys.stderr, color)} {printable(error.hint)}\n")
    return error.exit_code


def _command_name(arguments: list[str]) -> str:
    """The command that was meant: `config show`, where there is one with such parts."""
    words = [word for word in arguments if not word.startswith("-")][:2]
    if words and words[0] in _GROUPS:
        return " ".join(words)
    return words[0] if words else ""


def _value(name: str, arguments: list[str]) -> str:
    """The value of an option, before the command line is parsed: from the arguments, else from its variable."""
    for word, following in itertools.pairwise([*arguments, ""]):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name:
            return following
    return os.environ.get("GITOPS_CI_" + name.removeprefix("--").upper(), "") if name.startswith("--") else ""


def _wants(flag: str, arguments: list[str]) -> bool:
    return flag in arguments or bool(os.environ.get("GITOPS_CI_" + flag.removeprefix("--").upper()))


def _usage_hint(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    if ctx is None:
        return ""
    from gitops_ci.cli.help_texts import EXAMPLES

    _, _, command = ctx.command_path.partition(" ")
    # What is missing, and what is too much, is seen best beside an example.
    of_arguments = isinstance(error, click.MissingParameter) or "unexpected extra argument" in error.message
    examples = EXAMPLES.get(command, ()) if of_arguments else ()
    return f"For example: {examples[0][1]}" if examples else f"See '{ctx.command_path} --help'."


def _terminate(number: int, frame: object) -> NoReturn:
    del number, frame
    stop()
    raise KeyboardInterrupt
