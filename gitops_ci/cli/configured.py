"""Commands whose options also come from `.gitops-ci.yaml`: flag, then environment variable, then file, then default."""

from __future__ import annotations

import os
from typing import Any

import click

from gitops_ci import known_files
from gitops_ci.cli.help import HelpfulCommand
from gitops_ci.config import Config, load
from gitops_ci.errors import UsageError
from gitops_ci.flows.environments import Environment

__all__ = ["ConfiguredCommand", "config_of"]


class ConfiguredCommand(HelpfulCommand):
    """A click command whose defaults are the configuration file's values, the chosen environment's before the rest."""

    def set_defaults(self, ctx: click.Context, args: list[str]) -> None:
        # The file decides defaults, and options name the file: they are read once ahead, wherever they stand.
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        config = _load(ctx, given.get("config") or os.environ.get("GITOPS_CI_CONFIG"))
        defaults = dict(config.options)
        name = given.get("environment") or os.environ.get("GITOPS_CI_ENVIRONMENT") or defaults.get("environment")
        if isinstance(name, str) and name in config.environments:
            defaults |= _defaults(config.environments[name])
        ctx.default_map = defaults
        ctx.meta["gitops_ci.config"] = config


def config_of(ctx: click.Context) -> Config:
    """The configuration that the command was started with."""
    config = ctx.meta["gitops_ci.config"]
    assert isinstance(config, Config)
    return config


def _load(ctx: click.Context, path: object) -> Config:
    if not (isinstance(path, str) and path):
        path = known_files.CONFIG if os.path.isfile(known_files.CONFIG) else ""
    try:
        return load(path) if path else Config()
    except UsageError:
        if ctx.resilient_parsing:
            return Config()  # a shell asks how the line may go on: what is wrong is told when it is run
        raise


def _defaults(environment: Environment) -> dict[str, Any]:
    """What an environment says, as values of options."""
    said = {
        "path": environment.paths,
        "base": environment.base,
        "mode": environment.mode,
        "title": environment.title,
        "label": environment.labels,
        "reviewer": environment.reviewers,
        "merge": environment.merge,
    }
    return {name: value for name, value in said.items() if value}
