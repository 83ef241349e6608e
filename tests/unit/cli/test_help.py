"""`--help`: everything is listed once, where it belongs, in lines that fit; every example is a line that parses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from gitops_ci.cli import COMMANDS, main, run_command_line
from gitops_ci.cli.help_texts import COMMAND_SECTIONS, EXAMPLES, OPTION_SECTIONS


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its name as it is typed."""
    with click.Context(main) as ctx:
        for name in main.list_commands(ctx):
            command = main.get_command(ctx, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())
            else:
                yield name, command


EVERY = dict(_commands())


@pytest.fixture
def help_of(capsys):
    def call(name: str) -> str:
        assert run_command_line([*name.split(), "--help"]) == 0
        return capsys.readouterr().out

    return call


def test_every_command_is_listed_with_a_line_of_its_own(help_of):
    listed = {name for told in COMMAND_SECTIONS.values() for name in told}
    assert listed == COMMANDS.keys()
    text = help_of("")
    assert "..." not in text.partition("Options:")[2]
    for told in COMMAND_SECTIONS.values():
        for name, about in told.items():
            assert re.search(rf"^  {name} +{re.escape(about)}$", text, re.MULTILINE), name


@pytest.mark.parametrize("name", EVERY)
def test_help_lists_every_option_once_under_a_heading_that_says_what_it_is_about(help_of, name):
    text = help_of(name)
    assert "Further options" not in text, "an option has no place in OPTION_SECTIONS"
    for option in EVERY[name].params:
        if isinstance(option, click.Option):
            assert (
                len(re.findall(rf"^  (?:-[a-z], )?{re.escape(max(option.opts, key=len))}(?![\w-])", text, re.MULTILINE))
                == 1
            )
    assert [line for line in text.splitlines() if len(line) > 80] == []
    for option in EVERY[name].params:
        for word in (getattr(option, "help", None) or "").partition(" [")[0].split():
            assert word in text, "at 80 columns it is broken: write a shorter one"


def test_no_section_lists_what_no_command_has():
    options = {
        max(option.opts, key=len).removeprefix("--")
        for command in EVERY.values()
        for option in command.params
        if isinstance(option, click.Option)
    }
    listed = [name for names in OPTION_SECTIONS.values() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) - {"help"} == options


@pytest.mark.parametrize("name", EVERY)
def test_every_option_is_explained(name):
    for option in EVERY[name].params:
        if isinstance(option, click.Option) and option.name != "help":
            assert option.help, option.name
            assert option.help.endswith((".", "]", ")")), option.help


def test_what_holds_without_an_option_is_written_one_way(help_of):
    text = " ".join(help_of("release").split())
    assert "How to publish. [default: pull-request]" in text
    assert "gerrit, git. [default: auto]" in text


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_line_that_parses_and_copies_whole(help_of, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = help_of(name).partition("Examples:")[2].replace("\\\n", "")
    for _, line in EXAMPLES[name]:
        assert " ".join(line.split()) in " ".join(shown.split())
        words = shlex.split(re.sub(r'eval "\$\((.*)\)"|(.*) \| source', r"\1\2", line))
        assert words[: 1 + len(name.split())] == ["gitops-ci", *name.split()]
        EVERY[name].make_context(name, words[1 + len(name.split()) :]).close()


def test_a_group_says_in_whole_lines_what_its_commands_are_for(help_of):
    assert "..." not in help_of("config").partition("Commands:")[2]
    assert "..." not in help_of("image").partition("Commands:")[2]


@pytest.mark.parametrize("words", [["-q"], ["-v"], ["-o", "json"]])
def test_short_forms_are_taken(words, tmp_path, capfd):
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert run_command_line(["validate", str(tmp_path / "a.yaml"), *words]) == 0
    capfd.readouterr()


@pytest.mark.parametrize(("words", "code"), [(["--dry-run"], 5), (["--dry-run", "--mode", "push"], 2)])
def test_dry_run_is_the_mode(words, code, tmp_path, capfd):
    run_command_line(["bump", "a/b:1", "--config-repo", str(tmp_path / "none"), *words])
    message = capfd.readouterr().err
    assert ("--mode is given twice" in message) == (code == 2)
    assert "No such option" not in message


def test_every_command_that_has_an_outcome_prints_it_as_json():
    lacking = [
        name
        for name, command in EVERY.items()
        if not any("--output" in one.opts and "json" in getattr(one.type, "choices", ()) for one in command.params)
    ]
    assert lacking == ["config schema", "completion", "demo"]  # a schema, a script, a show
