"""An option with one value is given once: of two the first would be dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from gitops_ci.cli import main, run_command_line


def commands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    ctx = click.Context(command)
    for name in command.list_commands(ctx):
        found = command.get_command(ctx, name)
        assert found is not None
        yield from commands(found, *path, name)


def options(*, single: bool) -> list[tuple[tuple[str, ...], click.Option]]:
    return [
        (path, option)
        for path, command in commands(main)
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag and option.multiple is not single
    ]


SINGLE = options(single=True)


def name_of(option: click.Option) -> str:
    return max(option.opts, key=len)


def value_of(option: click.Option) -> str:
    return next(iter(option.type.choices)) if isinstance(option.type, click.Choice) else "1"


def test_every_command_has_been_found():
    assert len(SINGLE) > 100
    assert {path[0] for path, _ in SINGLE} >= {"release", "bump", "validate", "plan", "image", "init", "config", "demo"}


@pytest.mark.parametrize(
    ("path", "option"), SINGLE, ids=[" ".join((*path, name_of(option))) for path, option in SINGLE]
)
def test_a_single_value_is_given_once(path, option, capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    name, value = name_of(option), value_of(option)
    for twice in ([f"{name}={value}", f"{name}={value}"], [name, value, f"{name}={value}"]):
        assert run_command_line([*path, *twice]) == 2
        assert f"{name} is given twice" in "".join(capfd.readouterr())


def test_a_flag_and_an_option_of_several_values_may_be_repeated(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    several = ["--tags", "raw=a", "--tags", "raw=b", "--verbose", "--verbose"]
    assert run_command_line(["image", "tags", *several]) == 0
    assert "b" in capfd.readouterr().out
    # After `--` everything is an argument.
    assert run_command_line(["validate", "--report", "json=a", "--", "--report", "--render", "--render"]) == 2
    assert "given twice" not in "".join(capfd.readouterr())
