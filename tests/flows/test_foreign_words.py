"""Words of other programs: commands, options and addresses that are answered by what to use here."""

from __future__ import annotations

import click
import pytest

from gitops_ci.cli import COMMANDS, main
from gitops_ci.cli.foreign_commands import _ADVICE
from gitops_ci.cli.options import Seconds
from tests.support.git_repo import make_repo


@pytest.mark.parametrize(("group", "name"), sorted(_ADVICE))
def test_a_command_of_another_program_is_answered_by_what_to_use(run, group, name):
    done = run(*group.split(), name, "x")
    assert done.code == 2
    assert f"There is no command '{f'{group} {name}'.strip()}'" in done.err
    assert _ADVICE[group, name] in done.err
    assert "demo" not in done.err


@pytest.mark.parametrize(("group", "name"), sorted(_ADVICE))
def test_the_advice_names_commands_that_exist(group, name):
    commands = COMMANDS[group].commands if group else COMMANDS
    assert name not in commands
    for part in _ADVICE[group, name].split("'")[1::2]:
        words = part.split()
        if words[0] == "gitops-ci" and not words[1].startswith("-"):
            found = main.get_command(click.Context(main), words[1])
            assert found is not None, part
            if isinstance(found, click.Group) and len(words) > 2:
                assert words[2] in found.commands, part


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("bump", "x:1", "--env", "staging"), "Did you mean '--environment'?"),
        (("--quiet", "bump", "x:1"), "Write gitops-ci bump --quiet"),
        (("-o", "json", "validate"), "Write gitops-ci validate -o"),
        (("image", "push", "a:b", "ghcr.io/acme/shop:1.0"), "For example: gitops-ci image push shop:build --to"),
        (("bump", "GHCR.io/Acme/Shop:1.5.0"), "Write ghcr.io/acme/shop:1.5.0"),
        (("bump", "ghcr.io/acme/shop", "1.5.0"), "Write the tag after a colon: ghcr.io/acme/shop:1.5.0."),
        (("bump", "ghcr.io/acme/shop@sha256:12"), "64 hexadecimal digits"),
        (("validate", "-f", "x"), "Give files and folders as arguments."),
        (("validate", "--kubeconfig", "x"), "needs no cluster"),
        (("validate", "--kubernetes-version", "1.3"), 'In YAML, write "1.30" in quotes.'),
        (("rule", "api"), "Write api/* for all rules of this family."),
        (("validate", "--fail-on", "warnings"), "Did you mean 'warning'?"),
        (("bump", "x:1", "--deadline", "5 min"), "a number of seconds (300) or a duration (5m)"),
        (("bump", "x:1", "--config-repo", "y", "--at", "a.yaml:image.tag"), "FILE:$.PATH or FILE:/REGEX/"),
        (("validate", "--crd-path", "nosuch", "pod.yaml"), "There is no file or folder nosuch for --crd-path"),
        (("validate", "--changed-since", "main", "pod.yaml"), "leave out --changed-since"),
        (("config", "check", "--config", "x.yaml"), "Give the file as an argument."),
        (("history", "--since", "yesterday", "--config-repo", "x"), "such as 30d or 12h"),
        (
            ("image", "push", "oci:nowhere", "--to", "x/y", "--version", "1.0.0"),
            "Check the path, and that the build wrote it.",
        ),
    ],
)
def test_a_mistake_is_answered_by_what_to_write(run, tmp_path, monkeypatch, words, hint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n")
    done = run(*words)
    assert done.code in {2, 4, 5}
    assert hint in done.out + done.err


@pytest.mark.parametrize("address", ["acme/shop-config", "git@github.com/acme/shop-config"])
def test_an_address_without_its_host_is_answered_by_its_forms(run, tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    done = run("bump", "ghcr.io/acme/shop:1.0", "--config-repo", address)
    assert done.code == 5
    assert "Write https://HOST/OWNER/NAME or git@HOST:OWNER/NAME." in done.out + done.err


def test_a_list_of_environments_is_answered_by_one_run_for_each(run, tmp_path):
    overlay = "images:\n  - name: ghcr.io/acme/shop\n    newTag: 1.4.1\n"
    make_repo(
        tmp_path / "config.git", {f"apps/{name}/kustomization.yaml": overlay for name in ("staging", "production")}
    )
    done = run("bump", "ghcr.io/acme/shop:1.5.0", "--config-repo", "config.git", "--environment", "staging,production")
    assert done.code == 2
    assert "A run changes one environment: run it once for each." in done.out


def test_a_time_limit_is_a_number_of_seconds_or_a_duration():
    assert [Seconds().convert(text, None, None) for text in ("300", "1.5", "5m", "1h30m")] == [300, 1.5, 300, 5400]
