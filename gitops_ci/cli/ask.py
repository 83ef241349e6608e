"""Questions to a person at a terminal. In a CI job, and with a pipe on either side, nobody is asked.

Each question has an option that answers it, and a default that Enter takes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from gitops_ci.cli.spinner import paused
from gitops_ci.cli.terminal import is_watched
from gitops_ci.display import visible
from gitops_ci.errors import UsageError

__all__ = ["ask", "choose", "confirm", "is_asked"]

_T = TypeVar("_T")


def is_asked() -> bool:
    """Whether somebody can answer."""
    return is_watched(sys.stdin) and is_watched(sys.stderr)


def ask(question: str, judge: Callable[[str], _T], default: str = "") -> _T:
    """The answer, judged: it is asked again while `judge` refuses it.

    Raises:
        click.Abort: the person ended the input.
    """

    def checked(text: str) -> _T:
        try:
            return judge(text.strip())
        except UsageError as error:
            raise click.BadParameter(f"{visible(error.message)}. {error.hint}".strip()) from None

    # click shows no default that is empty, and takes it.
    with paused():
        answer: _T = click.prompt(question, default=default, show_default=bool(default), value_proc=checked, err=True)
    return answer


def choose(question: str, choices: Sequence[str], default: str | None) -> str:
    """One of the choices."""
    kind = click.Choice(choices)
    with paused():
        answer: str = click.prompt(question, default=default, type=kind, show_choices=True, err=True)
    return answer


def confirm(question: str) -> bool:
    """Yes or no; Enter is yes."""
    with paused():
        return click.confirm(question, default=True, err=True)
