"""Deployments that broke in public, each as a small folder: what `validate` finds of the cause."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from tests.support import CHECKOUT
from tests.support.workspace import git

CASES = sorted((CHECKOUT / "tests" / "data" / "incidents").iterdir())
TABLE = CHECKOUT / "benchmarks" / "judged" / "incidents.md"


def about(case: Path) -> dict[str, str]:
    return tomllib.loads((case / "case.toml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_found_of_an_incident(run, tool, tmp_path, case):
    tool("kubectl", "git")
    repository, options = tmp_path / "repository", []
    before = case / "before"
    shutil.copytree(before if before.is_dir() else case / "after", repository, copy_function=shutil.copyfile)
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "remote", "add", "origin", "https://git.example/acme/config.git")
    if before.is_dir():
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--message=Before")
        for path in list(repository.iterdir()):
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(case / "after", repository, dirs_exist_ok=True, copy_function=shutil.copyfile)
        options = ["--changed-since", "HEAD"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        ran = run("validate", *options, "--output", "json")
    rules = {finding["rule"] for finding in ran.document["findings"] if finding["severity"] != "note"}
    assert rules == {about(case)["rule"]}, ran.out


def test_the_table_lists_every_incident():
    rows = [line.split("|") for line in TABLE.read_text().splitlines() if line.startswith("| `")]
    told = {row[1].strip(" `"): (row[2].strip().strip("<>"), row[3].strip(" `")) for row in rows}
    assert told == {case.name: (about(case)["source"], about(case)["rule"]) for case in CASES}
