"""What a command would run with, and where each value comes from: `gitops-ci config show`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import click
from click.core import ParameterSource

from gitops_ci import known_files
from gitops_ci.cli.configured import config_of
from gitops_ci.cli.console import printable
from gitops_ci.config_keys import KEYS, Config
from gitops_ci.lazy import import_member
from gitops_ci.model import Outcome, Setting
from gitops_ci.variables import variables
from gitops_ci.yamltext import MappingNode, YamlFile, read

__all__ = ["SHOWN", "as_table", "places", "shown_settings"]

_TOKENS = ("GITOPS_CI_TOKEN", "GITOPS_CI_REGISTRY_USER", "GITOPS_CI_REGISTRY_PASSWORD")
# Command -> where it is, and what it cannot do without; only its options are asked for here.
_COMMANDS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "release": ("release:command", ("image",)),
        "bump": ("bump:command", ()),
        "validate": ("validate:command", ()),
        "diff": ("diff:command", ()),
        "plan": ("plan:command", ()),
        "refresh": ("refresh:command", ()),
        "promote": ("promote:command", ()),
        "rollback": ("rollback:rollback_command", ()),
        "history": ("history:command", ()),
        "image push": ("image_push:push_command", ("image",)),
        "image tags": ("image_push:tags_command", ()),
    }
)
_VERIFYING = ("release", "bump")
_POINTING = ("release", "bump", "refresh", "promote", "rollback", "history")
SHOWN = tuple(_COMMANDS)
_ABOUT_THE_RUN = {"output", "report", "color", "quiet", "verbose", "config"}
# An environment's keys are plural where they hold several; the options they stand for are not.
_SINGULAR = {"paths": "path", "labels": "label", "reviewers": "reviewer"}


def shown_settings(name: str, chosen: Sequence[str], *, every: bool) -> Outcome:
    """Every option of a command as it would run now with the options that are chosen here; defaults only on demand."""
    found = [one for one in _settings(name, chosen) if every or one.source != "default"]
    secret = variables()
    found += [
        Setting(variable, "(set)", f"environment variable {variable}") for variable in _TOKENS if secret.get(variable)
    ]
    return Outcome(command="config show", status="unchanged", settings=tuple(found), summary={"settings": len(found)})


def as_table(outcome: Outcome) -> str:
    """The settings as lines: option, value, source."""
    rows = [(one.option, printable(_text(one.value)), one.source) for one in outcome.settings]
    if not rows:
        return "Nothing is set: every option has its default (--all shows them).\n"
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "".join(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}\n" for row in rows)


def places(config: Config, environment: object, path: str) -> dict[str, str]:
    """Where the file has each option's value: `FILE:LINE` by option; the environment's own value goes first."""
    if not config.options and not config.environments:
        return {}
    with open(path, encoding="utf-8", newline="") as text:
        file = read(text.read())
    root = file.documents[0]
    found: dict[str, str] = {}
    for section, keys in KEYS.items():
        node: Any = root
        names = [str(environment) if part == "*" else part for part in section.split(".") if part]
        for part in names:
            node = node.get(part) if isinstance(node, MappingNode) else None
        if isinstance(node, MappingNode):
            where = f" (environment {environment})" if "*" in section else ""
            found |= {
                _SINGULAR.get(keys[key][0], keys[key][0]): f"{path}:{line}{where}"
                for key, line in _keys(file, node)
                if key in keys
            }
    return found


def _settings(name: str, chosen: Sequence[str]) -> Iterator[Setting]:
    where, arguments = _COMMANDS[name]
    described = import_member("cli", where)
    options = [option for option in described.params if isinstance(option, click.Option)]
    takes = {word for option in options for word in option.opts}
    with described.make_context(name, [*arguments, *(chosen if set(chosen) & takes else ())]) as ctx:
        config = config_of(ctx)
        path = ctx.params.get("config") or known_files.CONFIG
        # Where a change is checked, the file is one of its base, and no line of it is here.
        is_here = config.source == path
        lines = places(config, ctx.params.get("environment"), path) if is_here else {}
        lines |= dict.fromkeys(ctx.meta["gitops_ci.of_image"], f"{config.source} (images)")
        for option in options:
            if option.name in ctx.params and option.name not in _ABOUT_THE_RUN:
                source = ctx.get_parameter_source(option.name)
                yield Setting(
                    max(option.opts, key=len).removeprefix("--"),
                    _plain(ctx.params[option.name]),
                    _origin(source, option, lines, config.source),
                )
        yield from _rules(name, config, path if is_here else "")


def _rules(name: str, config: Config, path: str) -> Iterator[Setting]:
    """The rules that no option stands for, for the commands that use them; `path` is '' for a file that is not here."""
    for section, used_by, rules in (
        ("verify", _VERIFYING, ((glob, rule.who) for glob, rule in config.verify.items())),
        ("pointers", _POINTING, ((one.image, one.pointer.text) for one in config.pointers)),
    ):
        if name in used_by:
            line = _line_of(path, section) if path else ""
            for what, value in rules:
                yield Setting(f"{section} {what}", value, line or config.source)


def _line_of(path: str, section: str) -> str:
    with open(path, encoding="utf-8", newline="") as text:
        file = read(text.read())
    root = file.documents[0] if file.documents else None
    lines = dict(_keys(file, root)) if isinstance(root, MappingNode) else {}
    return f"{path}:{lines[section]}" if section in lines else ""


def _origin(source: ParameterSource | None, option: click.Option, lines: Mapping[str, str], file: str) -> str:
    if source is ParameterSource.ENVIRONMENT:
        return f"environment variable {option.envvar}"
    if source is ParameterSource.DEFAULT_MAP:
        return lines.get(str(option.name), file)
    return "command line" if source is ParameterSource.COMMANDLINE else "default"


def _keys(file: YamlFile, node: MappingNode) -> Iterator[tuple[str, int]]:
    for key, _ in node.pairs:
        yield str(getattr(key, "value", "")), file.position(key.start)[0]


def _plain(value: object) -> str | bool | int | float | tuple[str, ...] | None:
    """A value as JSON has it."""
    if isinstance(value, tuple):
        return tuple(str(item) for item in value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "-"
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None or value == "" else str(value)
