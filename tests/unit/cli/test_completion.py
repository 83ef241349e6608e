"""Shell completion: what a real bash offers, and that each shell gets a script of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from gitops_ci.cli import main, run_command_line
from gitops_ci.cli.completion import VARIABLE
from tests.support import missing

CONFIG = """\
environments:
  staging: {paths: ["staging/**"]}
  production: {base: production}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(".gitops-ci.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def offered(here):
    def call(*words: str) -> list[str]:
        *before, begun = words
        return [item.value for item in ShellComplete(main, {}, "gitops-ci", VARIABLE).get_completions(before, begun)]

    return call


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["val"], ["validate"]),
        (["image", "re"], ["retag"]),
        (["bump", "--mo"], ["--mode"]),
        (["bump", "--mode", "p"], ["pull-request", "push"]),
        (["bump", "--forge", "git"], ["github", "gitlab", "gitea", "git"]),
        (["bump", "--pin", "t"], ["tag", "tag+digest"]),
        (["bump", "--format", "helm"], ["helm-values", "helm-chart", "helm-template"]),
        (["release", "--environment", ""], ["staging", "production"]),
        (["config", "show", "--environment", "pro"], ["production"]),
        (["validate", "--skip-rules", "repo/mu"], ["repo/mutable-tag"]),
        (["validate", "--rules", "ya"], ["yaml/*", "yaml/duplicate-key", "yaml/not-an-object", "yaml/syntax"]),
        (["validate", "--kubernetes-version", "1.3"], ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]),
        (["validate", "--report", "ju"], ["junit="]),
        (["image", "push", "--tags", "semver,s"], ["semver,semver", "semver,sha"]),
        (["completion", "f"], ["fish"]),
    ],
)
def test_values_are_offered(offered, words, expected):
    assert sorted(offered(*words)) == sorted(expected)


def test_environments_are_those_of_the_file_that_the_line_names(offered, here):
    (here / "other.yaml").write_text("environments: {qa: {base: qa}}\n")
    assert offered("bump", "--config", "other.yaml", "--environment", "") == ["qa"]


@pytest.mark.parametrize("text", ["environments: [", "evnironments: {}\n"])
def test_a_broken_configuration_offers_nothing_and_says_nothing(offered, here, text, capsys):
    (here / ".gitops-ci.yaml").write_text(text)
    assert offered("bump", "--environment", "") == []
    assert offered("bump", "--mode", "dr") == ["dry-run"]
    assert capsys.readouterr().err == ""


def test_a_real_bash_completes(here):
    bash = shutil.which("bash") or missing("bash is not on PATH")
    program = here / "bin" / "gitops-ci"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gitops_ci "$@"\n')
    program.chmod(0o755)
    script = """
        eval "$(gitops-ci completion bash)"
        tab() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); "$handler" gitops-ci; echo "${COMPREPLY[*]}"; }
        handler=$(complete -p gitops-ci | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
        tab gitops-ci va
        tab gitops-ci bump --environment st
        tab gitops-ci validate --skip-rules repo/mut
    """
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    ran = subprocess.run([bash, "--norc", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.stdout.split("\n"), ran.stderr) == (["validate", "staging", "repo/mutable-tag", ""], "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(shell, capsys):
    assert run_command_line(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"{VARIABLE}={shell}_complete" in script
    found = shutil.which(shell)
    if found:
        checked = subprocess.run([found, "-n"], input=script, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr


def test_an_unknown_shell_is_refused_with_those_there_are(capsys):
    assert run_command_line(["completion", "tcsh"]) == 2
    assert "bash" in capsys.readouterr().err
