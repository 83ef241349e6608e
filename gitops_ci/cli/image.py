"""`gitops-ci image`: the commands for images, a module for each group of them."""

from __future__ import annotations

import click

from gitops_ci.cli.help import HelpfulGroup
from gitops_ci.cli.image_copy import copy_command
from gitops_ci.cli.image_labels import labels_command
from gitops_ci.cli.image_prune import prune_command
from gitops_ci.cli.image_push import push_command, retag_command, tags_command
from gitops_ci.cli.image_read import digest_command, inspect_command, list_command
from gitops_ci.cli.image_verify import verify_command

__all__ = ["command"]


@click.group("image", cls=HelpfulGroup)
def command() -> None:
    """Compute tags, push and copy images, show the contents of a registry."""


for _command in (
    tags_command,
    labels_command,
    push_command,
    retag_command,
    copy_command,
    list_command,
    digest_command,
    inspect_command,
    prune_command,
    verify_command,
):
    command.add_command(_command)
