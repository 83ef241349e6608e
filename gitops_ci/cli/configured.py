"""Commands whose options also come from `.gitops-ci.yaml`: flag, then environment variable, then file, then default."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from gitops_ci import known_files
from gitops_ci.ci import detect
from gitops_ci.cli.help import HelpfulCommand
from gitops_ci.cli.settings_of_base import settings_for
from gitops_ci.config_keys import Config
from gitops_ci.errors import UsageError
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.flows.environments import Environment

__all__ = ["ConfiguredCommand", "EnvironmentsCommand", "JudgingCommand", "config_of", "message_of"]


class ConfiguredCommand(HelpfulCommand):
    """A click command whose defaults are the configuration file's values, the chosen environment's before the rest.

    With `judges_changes` the file in the folder is not used where it is a part of what the command checks. Without
    `has_environment` the command is about several environments, and none of them decides defaults.
    """

    judges_changes = False
    has_environment = True

    def set_defaults(self, ctx: click.Context, args: list[str]) -> None:
        # The file decides defaults, and options name the file: they are read once ahead, wherever they stand.
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        named = given.get("config") or os.environ.get("GITOPS_CI_CONFIG")
        config = self._of_base(ctx) if self.judges_changes and not named else _load(ctx, named)
        defaults = dict(config.options)
        of_image: dict[str, Any] = {}
        if config.images:
            from gitops_ci.cli.image_settings import defaults_of_image

            of_image = defaults_of_image(config.images, given, os.environ)
        name = given.get("environment") or os.environ.get("GITOPS_CI_ENVIRONMENT")
        name = name or of_image.get("environment") or defaults.get("environment")
        if self.has_environment and isinstance(name, str) and name in config.environments:
            defaults |= _defaults(config.environments[name])
        defaults |= of_image
        ctx.meta["gitops_ci.of_image"] = frozenset(of_image)
        ctx.default_map = defaults
        ctx.meta["gitops_ci.config"] = config

    @staticmethod
    def _of_base(ctx: click.Context) -> Config:
        try:
            settings = settings_for(detect(variables()))
        except UsageError:
            if ctx.resilient_parsing:
                return Config()
            raise
        ctx.meta["gitops_ci.message"] = settings.message
        return settings.config


class EnvironmentsCommand(ConfiguredCommand):
    """A command about several environments."""

    has_environment = False


class JudgingCommand(ConfiguredCommand):
    """A command that checks changes."""

    judges_changes = True


def message_of(ctx: click.Context) -> str:
    """What has to be told of the settings that the command was started with, or an empty text."""
    return str(ctx.meta.get("gitops_ci.message", ""))


def config_of(ctx: click.Context) -> Config:
    """The configuration that the command was started with."""
    config = ctx.meta["gitops_ci.config"]
    assert isinstance(config, Config)
    return config


def _load(ctx: click.Context, path: object) -> Config:
    if not (isinstance(path, str) and path):
        path = known_files.CONFIG if os.path.isfile(known_files.CONFIG) else ""
    if not path:
        return Config()
    from gitops_ci.config import load

    try:
        return load(path)
    except UsageError:
        if ctx.resilient_parsing:
            return Config()  # for completion in a shell; the command reports the error when it runs
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
        "config_repo": environment.config_repo,
    }
    return {name: value for name, value in said.items() if value}
