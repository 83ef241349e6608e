"""`gitops-ci completion`."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from gitops_ci.cli.help import HelpfulCommand

__all__ = ["VARIABLE", "command"]

VARIABLE = "_GITOPS_CI_COMPLETE"  # what click reads when a shell asks


@click.command("completion", cls=HelpfulCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script for the shell that completes commands, options and their values.

    Values are completed too: environments of .gitops-ci.yaml, rules, formats, code hosts, versions of Kubernetes.
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows these shells"
    script = kind(ctx.find_root().command, {}, "gitops-ci", VARIABLE)
    # Not `source()`, which runs bash to see its version and prints what it thinks of it.
    sys.stdout.write(script.source_template % script.source_vars())
