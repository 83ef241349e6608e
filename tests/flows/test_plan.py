"""`gitops-ci plan`: work divided among jobs, as CI systems read it."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from gitops_ci.reporting.fan_out import BEFORE
from tests.support import CHECKOUT, dev_tool
from tests.support.workspace import git

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: b}\n"
IMAGE = "ghcr.io/acme/shop:1.5.0"


@pytest.fixture
def repository(tmp_path):
    """Six folders with a manifest each, committed on main; a branch is checked out."""
    for name in "abcdef":
        (tmp_path / f"team-{name}").mkdir()
        (tmp_path / f"team-{name}" / "cm.yaml").write_text(GOOD.replace("NAME", name))
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=Files")
    git(tmp_path, "checkout", "--quiet", "-b", "change")
    return tmp_path


def matrix(ran):
    assert ran.code == 0, ran.err
    assert ran.out.count("\n") == 1  # GITHUB_OUTPUT and `$(...)` take one line
    return json.loads(ran.out)["include"]


def test_small_repository_is_one_job(run, repository):
    assert matrix(run("plan", "--format", "github-matrix")) == [{"name": "1/1", "shard": "1/1", "changed-since": ""}]


def test_jobs_as_many_as_asked_for_but_none_without_work(run, repository):
    jobs = matrix(run("plan", "--shards", "4", "--format", "github-matrix"))
    assert [job["shard"] for job in jobs] == ["1/4", "2/4", "3/4", "4/4"]
    assert len(matrix(run("plan", "--shards", "200", "--format", "github-matrix"))) == 6
    counts = [run("validate", "--shard", job["shard"], "--output", "json").document["summary"] for job in jobs]
    assert sum(count["documents"] for count in counts) == 6
    assert all(count["documents"] for count in counts)


def test_large_repository_is_worth_more_jobs(run, repository, monkeypatch):
    monkeypatch.setattr("gitops_ci.flows.validate.selection._CHARACTERS", 2.0)
    jobs = matrix(run("plan", "--format", "github-matrix"))
    total = sum(len(path.read_text()) for path in repository.glob("*/*.yaml"))
    assert 1 < len(jobs) == -(-total // 2 // 60) < 6
    assert len(matrix(run("plan", "team-a", "team-b", "--format", "github-matrix"))) == 2


def test_plan_follows_the_change(run, repository):
    assert matrix(run("plan", "--changed-since", "main", "--shards", "4", "--format", "github-matrix")) == []
    (repository / "team-a" / "more.yaml").write_text(GOOD)
    [job] = matrix(run("plan", "--changed-since", "main", "--shards", "4", "--format", "github-matrix"))
    assert job["changed-since"] == git(repository, "rev-parse", "main").strip()
    assert run("plan", "--changed-since", "nowhere", "--format", "github-matrix").code == 2


def test_step_of_github_actions_gets_matrix_and_number(run, repository, tmp_path):
    output = tmp_path / "output"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    assert run("plan", "--shards", "2", environment=github).code == 0
    values = dict(
        zip(
            *[iter(line for line in output.read_text().splitlines() if not line.startswith("gitops-ci-"))] * 2,
            strict=True,
        )
    )
    found = {name.partition("<<")[0]: value for name, value in values.items()}
    assert len(json.loads(found["matrix"])["include"]) == int(found["jobs"]) == 2
    assert "validate 1/2" in (tmp_path / "summary").read_text()


def pipeline(ran, path):
    assert ran.code == 0, ran.err
    path.write_text(ran.out)
    check = [dev_tool("check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", str(path)]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    return yaml.safe_load(ran.out)


def test_child_pipeline_has_a_job_a_share_and_what_this_job_was_told(run, repository, tmp_path):
    variables = {"GITOPS_CI_PACKAGE": "--no-index gitops-ci", "CI_JOB_IMAGE": "mirror/python:3.12"}
    variables |= {
        "GITOPS_CI_SKIP_RULES": "repo/$x",
        "GITOPS_CI_TOKEN": "a-marked-token-of-the-job",
        "CI_NODE_INDEX": "1",
    }
    (repository / "a b").mkdir()
    (repository / "a b" / "cm.yaml").write_text(GOOD)
    command = ["plan", "team-a", "a b", "--shards", "2", "--changed-since", "main~0"]
    (repository / "team-a" / "more.yaml").write_text(GOOD)
    ran = run(*command, "--format", "gitlab-child-pipeline", environment=variables)
    jobs = pipeline(ran, tmp_path / "jobs.yml")
    assert "a-marked-token" not in ran.out
    assert [name for name in jobs if name.startswith("gitops-ci:")] == [
        "gitops-ci:validate 1/2",
        "gitops-ci:validate 2/2",
    ]
    base = jobs[".gitops-ci"]
    assert base["image"] == "mirror/python:3.12"
    assert base["variables"]["GITOPS_CI_PACKAGE"] == "--no-index gitops-ci"
    base_commit = git(repository, "rev-parse", "main").strip()
    assert base["variables"]["GITOPS_CI_SKIP_RULES"] == "repo/$$x"
    job = jobs["gitops-ci:validate 2/2"]
    told = {"GITOPS_CI_SHARD": "2/2", "GITOPS_CI_CHANGED_SINCE": base_commit, "GIT_DEPTH": "0"}
    assert job["variables"] == told
    assert job["script"][0].endswith("-- team-a 'a b'")


def test_child_pipeline_without_work_is_still_a_pipeline(run, repository, tmp_path):
    ran = run("plan", "--changed-since", "main", "--format", "gitlab-child-pipeline")
    jobs = pipeline(ran, tmp_path / "jobs.yml")
    assert [name for name in jobs if not name.startswith(".")] == ["stages", "gitops-ci:nothing to do"]


def test_jobs_of_a_child_pipeline_start_as_those_of_the_template_do():
    _, jobs = yaml.safe_load_all((CHECKOUT / ".gitlab-ci-template.yml").read_text())
    assert jobs[".$[[ inputs.prefix ]]"]["before_script"] == list(BEFORE)


ENVIRONMENTS = """\
environments:
  staging: {paths: ["apps/*/overlays/staging/**", "charts"]}
  eu-production: {paths: [eu], base: production}
  us-production: {paths: [us], base: production}
"""


def test_bump_of_many_environments_is_a_job_each(run):
    Path(".gitops-ci.yaml").write_text(ENVIRONMENTS)
    jobs = matrix(run("plan", "--for", "bump", IMAGE, "--format", "github-matrix"))
    assert jobs[0] == {
        "name": "staging",
        "environment": "staging",
        "base": "",
        "path": "apps/*/overlays/staging/** charts",
    }
    assert [(job["name"], job["base"]) for job in jobs[1:]] == [
        ("eu-production", "production"),
        ("us-production", "production"),
    ]
    chosen = run("plan", "--for", "bump", IMAGE, "--environment", "*-production", "--output", "json").document["jobs"]
    assert [job["name"] for job in chosen] == ["eu-production", "us-production"]
    assert chosen[0]["arguments"] == [IMAGE]


def test_child_pipeline_of_bumps_takes_turns_in_an_environment(run, tmp_path):
    Path(".gitops-ci.yaml").write_text(ENVIRONMENTS)
    told = {"GITOPS_CI_CONFIG_REPO": "https://example.com/a/b", "GITOPS_CI_MODE": "push"}
    ran = run("plan", "--for", "bump", IMAGE, "--format", "gitlab-child-pipeline", environment=told)
    jobs = pipeline(ran, tmp_path / "jobs.yml")
    job = jobs["gitops-ci:bump eu-production"]
    assert job["resource_group"] == "gitops-ci-eu-production"
    assert job["variables"]["GITOPS_CI_ENVIRONMENT"] == "eu-production"
    assert job["script"] == [f"gitops_ci bump -- {IMAGE}"]
    assert jobs[".gitops-ci"]["variables"]["GITOPS_CI_MODE"] == "push"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shards", "0"], "1 to 256"),
        (["--shards", "257"], "1 to 256"),
        (["--shards", "many"], "1 to 256"),
        (["nowhere"], "There is no file or folder nowhere"),
        (["-"], "Standard input"),
        (["--for", "bump", IMAGE], "environments:"),
        (["--for", "bump", "Not An Image"], "Not An Image"),
        (["--output", "json"], "both write to stdout"),
    ],
)
def test_what_cannot_be_planned_says_why_and_leaves_stdout_empty(run, arguments, said):
    ran = run("plan", "--format", "github-matrix", *arguments)
    assert ran.code == 2
    assert said in ran.err + ran.out
    assert ran.out == "" or "both" in said


def test_an_environment_that_is_none_of_them_is_named(run):
    Path(".gitops-ci.yaml").write_text(ENVIRONMENTS)
    ran = run("plan", "--for", "bump", IMAGE, "--environment", "prod*")
    assert ran.code == 2
    assert "eu-production, staging, us-production" in ran.out


def test_more_environments_than_a_matrix_takes_are_refused(run):
    Path(".gitops-ci.yaml").write_text(
        "environments:\n" + "".join(f"  e{number}: {{paths: [p]}}\n" for number in range(257))
    )
    assert run("plan", "--for", "bump", IMAGE).code == 2
    assert run("plan", "--for", "bump", IMAGE, "--environment", "e1*").code == 0
