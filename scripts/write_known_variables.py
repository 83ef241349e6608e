"""Write gitops_ci/cli/known_variables.txt: the environment variables of all options, to find misspelled ones fast."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gitops_ci.cli import COMMANDS

FILE = Path(__file__).resolve().parents[1] / "gitops_ci" / "cli" / "known_variables.txt"


def variables_of_options() -> list[str]:
    """The variable of every option of every command, sorted."""
    found: set[str] = set()
    waiting: list[click.Command] = list(COMMANDS.values())
    while waiting:
        command = waiting.pop()
        waiting += command.commands.values() if isinstance(command, click.Group) else ()
        found |= {str(option.envvar) for option in command.params if isinstance(option, click.Option) and option.envvar}
    return sorted(found)


def main() -> int:
    FILE.write_text("".join(f"{name}\n" for name in variables_of_options()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
