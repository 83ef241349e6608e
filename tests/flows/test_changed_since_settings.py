"""`--changed-since` finds the same changes whatever the user's settings of git are, and whoever starts the program."""

from __future__ import annotations

import os

import pytest

from tests.flows.test_validate import BAD, GOOD
from tests.support.workspace import git, make_checkout

SETTINGS = (
    "diff.relative=true",
    "diff.external=false",
    "diff.orderFile=nowhere",
    "diff.orderFile=order",
    "diff.noPrefix=true",
    "diff.mnemonicPrefix=true",
    "diff.renames=copies",
    "diff.ignoreSubmodules=all",
    "diff.submodule=log",
    "color.ui=always",
    "color.diff=always",
    "core.pager=false",
    "core.quotePath=true",
    "core.fsmonitor=false",
    "status.relativePaths=true",
    "status.showUntrackedFiles=no",
    "diff.statGraphWidth=1",
    "diff.wordRegex=.",
    "log.showSignature=true",
    "alias.diff=!false",
    "alias.merge-base=!false",
    "merge.tool=false",
)


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """A checkout with a broken manifest changed in sub/, one new in new/, one in the root; the command runs in sub/."""
    make_checkout(tmp_path, {"sub/ä.yaml": GOOD.format(name="a"), "b.yaml": GOOD.format(name="b")}, origin="")
    for name in ("sub/ä.yaml", "b.yaml", "new/c.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(BAD)
    (tmp_path / "order").write_text("sub/*\n")
    return tmp_path


def found(run, monkeypatch, folder, *paths):
    monkeypatch.chdir(folder)
    ran = run("validate", *paths, "--changed-since", "HEAD", "--output", "json")
    assert ran.code == 1, ran
    return sorted({os.path.normpath(one["path"]) for one in ran.document["findings"]})


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_of_the_user_hide_no_change(run, changed, monkeypatch, clean_environment, setting):
    key, _, value = setting.partition("=")
    git(clean_environment, "config", "--file", str(clean_environment / ".gitconfig"), key, value)
    assert found(run, monkeypatch, changed / "sub", ".") == ["ä.yaml"]
    assert found(run, monkeypatch, changed, "sub", "new", "b.yaml") == ["b.yaml", "new/c.yaml", "sub/ä.yaml"]


VARIABLES = (
    {"GIT_DIR": "{other}/.git"},
    {"GIT_DIR": "{other}/.git", "GIT_WORK_TREE": "{other}"},
    {"GIT_WORK_TREE": "{other}"},
    {"GIT_INDEX_FILE": "{other}/.git/index"},
    {"GIT_PREFIX": "sub/"},
    {"GIT_CEILING_DIRECTORIES": "{here}"},
    {"GIT_EXTERNAL_DIFF": "false"},
    {"GIT_DIFF_OPTS": "--unified=1"},
    {"GIT_OBJECT_DIRECTORY": "{other}/.git/objects"},
    {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "diff.relative", "GIT_CONFIG_VALUE_0": "true"},
    {"GIT_CONFIG_PARAMETERS": "'diff.relative=true'"},
    {"GIT_NAMESPACE": "x", "GIT_PAGER": "false", "GIT_TRACE": "1"},
    {"GIT_LITERAL_PATHSPECS": "0", "GIT_GLOB_PATHSPECS": "1", "GIT_ICASE_PATHSPECS": "1"},
)


@pytest.mark.parametrize("variables", VARIABLES, ids="+".join)
def test_variables_of_a_hook_or_a_shell_change_nothing(run, changed, monkeypatch, tmp_path_factory, variables):
    other = make_checkout(tmp_path_factory.mktemp("other"), {"x.yaml": GOOD.format(name="x")}, origin="")
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value.format(other=other, here=changed))
        assert found(run, monkeypatch, changed / "sub", ".") == ["ä.yaml"]
        assert found(run, monkeypatch, changed, "b.yaml", "new") == ["b.yaml", "new/c.yaml"]


def test_facts_of_the_build_are_those_of_this_checkout(run, changed, monkeypatch, tmp_path_factory):
    other = make_checkout(tmp_path_factory.mktemp("other"), {"x": ""}, origin="", tag="v9.9.9")
    git(changed, "tag", "v1.2.3")
    monkeypatch.chdir(changed)
    ran = run("image", "tags", "--output", "json", environment={"GIT_DIR": f"{other}/.git"})
    assert "9.9.9" not in ran.out
