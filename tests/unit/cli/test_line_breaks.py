"""A line break at the end of a value, as block scalars of YAML and files have it, is none of the value."""

from __future__ import annotations

import pytest

from gitops_ci.cli import run_command_line


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_value_ends_before_its_line_break(capfd, monkeypatch, tmp_path, end, by):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITOPS_CI_TAG_SUFFIX", f"-alpine{end}")
    arguments = ["image", "tags", "--no-floating"]
    if by == "option":
        arguments += ["--version", f"1.2.3{end}"]
    else:
        monkeypatch.setenv("GITOPS_CI_VERSION", f"1.2.3{end}")
    assert run_command_line(arguments) == 0
    assert "1.2.3-alpine " in capfd.readouterr().out


@pytest.mark.parametrize("value", ["1.2\n.3", "\n1.2.3", " 1.2.3"])
def test_whatever_else_is_no_version_stays_none(capfd, monkeypatch, tmp_path, value):
    monkeypatch.chdir(tmp_path)
    assert run_command_line(["image", "tags", "--version", value]) == 2


def test_the_values_of_an_option_that_may_be_repeated(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run_command_line(["image", "tags", "--tags", "raw=a\n", "--tags", "raw=b\n"]) == 0
    out = capfd.readouterr().out
    assert "a" in out
    assert "b" in out
