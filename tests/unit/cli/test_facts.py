"""What is known about a build: the CI system's variables, and the Git checkout around the run."""

from __future__ import annotations

import json
import subprocess

import pytest

from gitops_ci.ci import CiContext, detect
from gitops_ci.cli.facts import build_facts
from gitops_ci.cli.version_file import version_from
from gitops_ci.errors import UsageError
from gitops_ci.tags import GitTagRule, version_of

COMMITTED = 1767571200.0  # 2026-01-05


@pytest.fixture
def git(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments, **variables):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)

    call("init", "--quiet", "-b", "main")
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "2026-01-05T00:00:00+00:00")
    call("commit", "--quiet", "--allow-empty", "-m", "one")
    return call


def test_a_build_has_the_date_of_its_commit(git):
    assert build_facts(CiContext(), None).moment == COMMITTED
    assert build_facts(CiContext(provider="github", event="push"), None).moment == COMMITTED


def test_outside_of_a_checkout_git_is_not_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gitops_ci.process.run", lambda *_, **__: pytest.fail("a program was started"))
    facts = build_facts(CiContext(), "1.2.3")
    assert (facts.commit, facts.branch, facts.tag) == (None, None, None)


@pytest.mark.parametrize("place", ["apps/shop", ".git/hooks", "bare", "worktree/apps"])
def test_a_checkout_is_found_from_every_folder_of_it(git, tmp_path, monkeypatch, place):
    git("clone", "--quiet", "--bare", ".", "bare")
    git("worktree", "add", "--quiet", "--detach", "worktree")  # there .git is a file
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / place)
    assert len(build_facts(CiContext(), None).commit or "") == 40


def test_a_build_by_a_schedule_has_the_date_of_the_run(git, monkeypatch):
    started = "2026-11-30T02:00:00+00:00"
    nightly = CiContext(provider="gitlab", scheduled=True, started=started)
    assert build_facts(nightly, None).moment == 1796004000.0
    assert build_facts(nightly, None).moment != COMMITTED
    assert build_facts(nightly, None, dated_by="commit").moment == COMMITTED
    now = build_facts(CiContext(provider="github", scheduled=True), None).moment
    assert now > COMMITTED
    assert build_facts(CiContext(provider="github"), None, dated_by="run").moment >= now
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "42")
    assert build_facts(nightly, None).moment == 42


def test_the_date_is_that_of_the_commit_that_is_built(git, monkeypatch):
    """After workflow_run another commit may be checked out."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-02-05T00:00:00+00:00")
    git("commit", "--quiet", "--allow-empty", "-m", "two")
    assert build_facts(CiContext(provider="github", commit=head), None).moment == COMMITTED
    assert build_facts(CiContext(provider="github", commit="f" * 40), None).moment > COMMITTED


def test_a_tag_that_is_checked_out_is_a_version(git):
    git("tag", "v1.0.0")
    assert build_facts(CiContext(), None).tag is None, "a branch is checked out"
    git("checkout", "--quiet", "--detach")
    assert version_of(build_facts(CiContext(), None)) == "1.0.0"
    git("tag", "nightly")
    assert version_of(build_facts(CiContext(), None)) == "1.0.0"
    git("tag", "worker/v9.0.0")
    assert build_facts(CiContext(), None).tag is None, "which of the two is not known"
    assert build_facts(CiContext(), None, tag_rule=GitTagRule("worker/")).tag == "worker/v9.0.0"


@pytest.mark.parametrize("variables", [{"ARGO_NODE_ID": "shop-7"}, {"TEAMCITY_VERSION": "2026.1", "BUILD_NUMBER": "7"}])
def test_a_system_without_branch_and_tag_takes_those_of_the_checkout(git, variables):
    """A workflow of Argo is started by anything: what it checked out is all that there is."""
    context = detect(variables)
    facts = build_facts(context, None)
    assert (facts.branch, facts.tag, facts.moment) == ("main", None, COMMITTED)
    git("tag", "v1.4.2")
    git("checkout", "--quiet", "--detach")
    facts = build_facts(context, None)
    assert (facts.branch, version_of(facts), facts.trusted) == (None, "1.4.2", True)
    assert len(facts.commit) == 40


# ------------------------------------------------------------------------------------------------ --version-from


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", json.dumps({"name": "shop", "version": "1.4.2"})),
        ("pyproject.toml", '[project]\nname = "shop"\nversion = "1.4.2"\n'),
        ("pyproject.toml", '[tool.poetry]\nversion = "1.4.2"\n'),
        ("Cargo.toml", '[package]\nname = "shop"\nversion = "1.4.2"\n'),
        ("Cargo.toml", '[workspace.package]\nversion = "1.4.2"\n'),
        ("gradle.properties", "group=acme\nversion = 1.4.2\n"),
        ("setup.cfg", "[metadata]\nname = shop\nversion = 1.4.2\n"),
        ("Chart.yaml", 'version: 0.1.0\nappVersion: "1.4.2"\n'),
        ("Chart.yaml", "version: 1.4.2\n"),
        ("VERSION", "1.4.2\n"),
        ("version.txt", " 1.4.2 "),
    ],
)
def test_the_version_of_a_file(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert version_from(str(tmp_path / name)) == "1.4.2"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", "{"),
        ("package.json", "[]"),
        ("package.json", '{"version": {"a": 1}}'),
        ("pyproject.toml", "[project]\nname = 'a'\ndynamic = ['version']\n"),
        ("pyproject.toml", "["),
        ("Chart.yaml", "- a\n"),
        ("Chart.yaml", "a: [\n"),
        ("VERSION", ""),
        ("VERSION", "1.4.2\n1.4.3\n"),
        ("VERSION", "x" * 300),
        ("VERSION", None),
    ],
)
def test_a_file_without_a_version(tmp_path, name, text):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=name) as refused:
        version_from(str(tmp_path / name))
    assert refused.value.hint
