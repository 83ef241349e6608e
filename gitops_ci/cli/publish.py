"""An outcome's way out: stdout, report files, and what the CI provider reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from gitops_ci.ci import detect
from gitops_ci.cli import terminal
from gitops_ci.cli.console import printable
from gitops_ci.cli.options import Output
from gitops_ci.errors import UsageError
from gitops_ci.secret import mask
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.model import Outcome

__all__ = ["publish"]

# Read by code hosts, which show them beside the files of the checkout.
_FOR_HOSTS = frozenset({"codequality", "github", "sarif"})


def publish(outcome: Outcome, output: Output) -> int:
    """Write the report files, hand the results to the CI provider, print the report, and return the exit code.

    What others read comes before what may fail on stdout, and everything is tried whatever fails. A report that is
    missing makes a run fail that would have been a success.
    """
    troubles = [trouble for write in (_files, _for_provider, _printed) if (trouble := _try(write, outcome, output))]
    for trouble in troubles:
        sys.stderr.write(f"error: {printable(trouble.message)}\nhint: {printable(trouble.hint)}\n")
    return outcome.exit_code or (UsageError.exit_code if troubles else 0)


def _try(write: Callable[[Outcome, Output], None], outcome: Outcome, output: Output) -> UsageError | None:
    try:
        write(outcome, output)
    except UsageError as error:
        return error
    return None


def _files(outcome: Outcome, output: Output) -> None:
    from gitops_ci.reporting import REPORTERS
    from gitops_ci.reporting.base import relocate

    rooted = relocate(outcome, _below_root())
    troubles = []
    for report in output.reports:
        told = rooted if report.format in _FOR_HOSTS else outcome
        try:
            _write(report.path, REPORTERS[report.format].report(told))
        except UsageError as error:
            troubles.append(error)
    if troubles:
        raise troubles[0]


def _for_provider(outcome: Outcome, output: Output) -> None:
    from gitops_ci.reporting.base import relocate

    del output
    provider = detect(variables()).provider
    if provider in {"github", "gitea"}:
        _github(relocate(outcome, _below_root()))
    elif provider == "gitlab":
        _gitlab(outcome)


def _printed(outcome: Outcome, output: Output) -> None:
    from gitops_ci.reporting import REPORTERS

    if output.format != "text":
        _print(REPORTERS[output.format].report(outcome))
    elif output.printer is None:
        _print(_errors(outcome) if output.level == "quiet" else _shown(outcome, output))
    elif outcome.error:
        sys.stderr.write(mask(_shown(outcome, output)))  # stdout is read by a machine
    else:
        _print(output.printer(outcome))


def _print(text: str) -> None:
    """Write to stdout.

    Raises:
        UsageError: it takes nothing.
    """
    if not text:
        return
    try:
        sys.stdout.write(mask(text if text.endswith("\n") else text + "\n"))
        sys.stdout.flush()
    except OSError as error:
        raise UsageError(
            f"The report cannot be written to standard output: {error.strerror}",
            hint="Everything else was done. Free some space, or send the output to another place.",
        ) from error
    if getattr(sys.stdout, "is_lost", False):
        sys.stderr.write("warning: standard output was closed before the report was printed\n")


def _shown(outcome: Outcome, output: Output) -> str:
    from gitops_ci.reporting import text

    color = terminal.wants_color(sys.stdout)
    if not terminal.is_watched(sys.stdout):
        return text.report(outcome, color=color)
    from gitops_ci.cli.source_lines import source_line

    # Findings of other commands are about files of the config repository, which are not here.
    source = source_line if outcome.command == "validate" else None
    width = terminal.columns()
    return text.report(
        outcome,
        color=color,
        table=terminal.table,
        source=source,
        columns=width,
        whole_digests=output.level == "verbose",
    )


def _errors(outcome: Outcome) -> str:
    from gitops_ci.reporting import text

    return text.errors_alone(outcome, color=terminal.wants_color(sys.stdout))


def _below_root() -> str:
    """Where the command ran, relative to the checkout's root: code hosts count paths from there."""
    root = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR")
    folder = os.path.relpath(os.getcwd(), root) if root else "."
    return "" if folder.startswith("..") else folder.replace(os.sep, "/")


def _github(outcome: Outcome) -> None:
    from secrets import token_hex

    from gitops_ci.reporting import github

    # Annotations are commands read from the log; stdout may be the JSON document, so they go to stderr.
    sys.stderr.write(mask(github.report(outcome)))
    sys.stderr.flush()
    if path := os.environ.get("GITHUB_OUTPUT"):
        _append(path, github.output_file(github.outputs(outcome), f"gitops-ci-{token_hex(16)}"))
    # The outputs first: a summary has no reader among the next steps.
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(path, github.step_summary(outcome))


def _gitlab(outcome: Outcome) -> None:
    from gitops_ci.reporting import gitlab

    path = os.environ.get("GITOPS_CI_DOTENV") or "gitops-ci.env"
    _write(path, gitlab.dotenv(outcome))


def _write(path: str, text: str) -> None:
    folder = os.path.dirname(path)
    try:
        if folder:
            os.makedirs(folder, exist_ok=True)
        is_special = os.path.exists(path) and not os.path.isfile(path) and not os.path.islink(path)
        if is_special or os.path.abspath(path).startswith("/dev/"):
            _append(path, text)  # a pipe or a device; /dev/stdout is a link to one
            return
        # A new file takes the name: a link that the checkout put there is replaced, never followed.
        beside = f"{path}.{os.getpid()}.tmp"
        with open(beside, "x", encoding="utf-8", newline="") as file:
            file.write(mask(text))
        os.replace(beside, path)
    except OSError as error:
        raise UsageError(
            f"The report {path} cannot be written: {error.strerror}", hint="Give --report a path that may be written."
        ) from error


def _append(path: str, text: str) -> None:
    """Add to a file.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        with open(path, "a", encoding="utf-8", newline="") as file:
            file.write(mask(text))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="Check the free space and the folder's permissions."
        ) from error
