"""Options of other programs are answered with what they are called here."""

import pytest

from gitops_ci.cli import COMMANDS, run_command_line
from gitops_ci.cli.foreign_options import _ADVICE


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("bump a:1 --token abc", "Set the variable GITOPS_CI_TOKEN"),
        ("bump a:1 --token=abc", "Set the variable GITOPS_CI_TOKEN"),
        ("bump a:1 --repo acme/x", "Use --config-repo"),
        ("validate --strict", "Use --fail-on warning"),
        ("bump a:1 --labels a,b", "Use --label, once for each"),
        ("bump a:1 --push", "--mode push"),
        ("bump a:1 --environmnet x", "Did you mean '--environment'"),
    ],
)
def test_a_foreign_spelling_gets_the_right_answer(capsys, line, said):
    assert run_command_line(line.split()) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "abc" not in err


@pytest.mark.parametrize("line", ["image push a --excludes x", "validate --insecures", "bump a:1 --unsecure"])
def test_what_weakens_a_run_is_suggested_only_for_what_begins_like_it(capsys, line):
    assert run_command_line(line.split()) == 2
    assert ("--insecure" in capsys.readouterr().err) is ("--insecures" in line)


def test_the_advice_names_options_that_exist():
    names = {
        word
        for text in _ADVICE.values()
        for word in text.replace(",", " ").replace(".", " ").split()
        if word[:2] == "--"
    }
    known = {
        name
        for command in COMMANDS.values()
        for one in getattr(command, "commands", {"": command}).values()
        for option in one.params
        for name in option.opts
    }
    assert {name.rstrip(":;") for name in names} <= known


@pytest.mark.parametrize("words", [["help"], ["help", "bump"], ["-V"]])
def test_help_and_version_as_other_programs_have_them(capsys, words):
    assert run_command_line(words) == 0
    assert "gitops-ci" in capsys.readouterr().out
