"""The life of a pull request on GitHub: real Git over HTTP, a GitHub that judges by its contract."""

import pytest

from tests.flows.test_bump import FILES, HEAD, IMAGE
from tests.support.forge_github import GitHubStub
from tests.support.git_repo import commit_files
from tests.support.manifests import LIMITED

pytestmark = pytest.mark.over_http


@pytest.fixture
def repo(git_server):
    return git_server.make_repo("acme/config", FILES)


@pytest.fixture
def github(git_server, repo):
    with GitHubStub(lambda branch: branch in repo.branches(), token=git_server.token) as stub:
        stub.tip = repo.head
        yield stub


@pytest.fixture
def bump(run, git_server, github):
    def call(image=IMAGE, *more, token=git_server.token, environment=None):
        where = ("--config-repo", git_server.url_of("acme/config"), "--forge", "github", "--api-url", github.api_url)
        variables = {"GITOPS_CI_TOKEN": token} if token else {}
        return run("bump", image, *where, "--output", "json", *more, environment=variables | (environment or {}))

    return call


def test_a_pull_request_is_opened_with_title_body_labels_and_reviewers(bump, github, repo):
    ran = bump(IMAGE, "--label", "gitops", "--reviewer", "ada")
    assert ran.code == 0, ran.out
    [pull] = github.pulls
    assert (pull.head, pull.base, pull.title) == (HEAD, "main", "Bump shop to 1.5.0")
    assert "| `base/deployment.yaml:14` | `Deployment/shop` |" in pull.body
    assert pull.labels == ["gitops"]
    assert pull.reviewers == ["ada"]
    found = ran.document["pull_request"]
    assert (found["number"], found["branch"], found["base"], found["state"]) == (pull.number, HEAD, "main", "opened")
    assert found["url"].endswith(f"/pull/{pull.number}")
    assert repo.count(HEAD) == 2
    assert repo.git("rev-parse", f"{HEAD}^") == repo.head()


def test_the_same_image_again_changes_nothing_and_says_so(bump, github, repo):
    bump(environment={"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.example/jobs/1"})
    tip, sent = repo.head(HEAD), len([r for r in github.requests if r.method != "GET"])
    again = bump(environment={"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.example/jobs/2"})
    assert again.code == 0
    assert (again.document["status"], again.document["pull_request"]["state"]) == ("unchanged", "unchanged")
    assert again.document["changes"] == []
    assert repo.head(HEAD) == tip
    assert len([r for r in github.requests if r.method != "GET"]) == sent


def test_a_newer_image_updates_the_same_pull_request(bump, github, repo):
    first = bump().document["pull_request"]["number"]
    newer = bump("ghcr.io/acme/shop:1.6.0").document
    assert newer["pull_request"]["number"] == first
    assert (newer["status"], newer["pull_request"]["state"]) == ("changed", "updated")
    [pull] = github.pulls
    assert pull.title == "Bump shop to 1.6.0"
    assert "`1.6.0`" in pull.body
    assert b"shop:1.6.0" in repo.read("base/deployment.yaml", HEAD)
    assert repo.count(HEAD) == 2


def test_two_environments_are_two_pull_requests(bump, github):
    bump(IMAGE, "--environment", "staging")
    bump(IMAGE, "--environment", "production")
    assert [pull.head for pull in github.pulls] == [
        "gitops-ci/staging/ghcr.io-acme-shop",
        "gitops-ci/production/ghcr.io-acme-shop",
    ]


def test_an_image_that_the_base_has_already_opens_nothing(bump, github, repo):
    ran = bump("ghcr.io/acme/shop:1.4.1")
    assert (ran.code, ran.document["status"]) == (0, "unchanged")
    assert github.pulls == []
    assert repo.branches() == ["main"]


def test_an_invalid_result_opens_nothing(bump, github, repo):
    commit_files(repo, {"base/widget.yaml": LIMITED})
    ran = bump()
    assert ran.code == 1
    assert github.pulls == []
    assert repo.branches() == ["main"]


@pytest.mark.usefixtures("no_second_try")
@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "token"), (403, "token"), (404, "token"), (422, "refus"), (500, "500"), (503, "503")],
)
def test_a_forge_that_refuses_is_exit_6_with_a_hint_and_keeps_the_branch(bump, github, repo, status, words):
    body = {"message": "Validation Failed", "errors": [{"message": "refused by a rule"}]} if status == 422 else None
    github.fault("POST", "/repos/acme/config/pulls", status, times=9, body=body)
    ran = bump(IMAGE)
    assert ran.code == 6, ran.out
    error = ran.document["error"]
    assert error["kind"] == "forge"
    assert words in (error["message"] + error["hint"]).lower()
    assert ran.document["commit"]["branch"] == HEAD
    github.faults.clear()
    assert bump().document["pull_request"]["state"] == "opened"
    assert len(github.pulls) == 1


def test_a_wrong_token_stops_before_anything(bump, github, repo):
    ran = bump(token="gho_not-the-right-token")
    assert ran.code == 5
    assert "refuses the token" in ran.document["error"]["message"]
    assert "OAuth token needs the scope" in ran.document["error"]["hint"]
    assert repo.branches() == ["main"]


def test_a_jobs_token_of_another_repository_is_told_what_to_use_instead(bump):
    ran = bump(token="ghs_the-token-of-another-repository")
    assert ran.code == 5
    assert "actions/create-github-app-token" in ran.document["error"]["hint"]


def test_the_tokens_of_the_forge_are_found_by_their_usual_names(bump, github, git_server):
    ran = bump(token="", environment={"GITHUB_TOKEN": git_server.token})
    assert ran.code == 0, ran.out
    assert len(github.pulls) == 1


def test_outputs_summary_and_annotations_reach_github(bump, github, tmp_path):
    output, summary = tmp_path / "output", tmp_path / "summary"
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    ran = bump(environment=environment)
    assert ran.code == 0, ran.out
    [pull] = github.pulls
    assert str(pull.number) in output.read_text()
    assert "pull-request-url" in output.read_text()
    assert "ghcr.io/acme/shop" in summary.read_text()
    refused = bump("ghcr.io/acme/shopp:1", environment=environment)
    assert "::error" in refused.err


def test_a_dotenv_file_reaches_gitlab(bump, github, tmp_path):
    ran = bump(environment={"GITLAB_CI": "true"})
    assert ran.code == 0, ran.out
    dotenv = (tmp_path / "gitops-ci.env").read_text()
    assert "GITOPS_CI_RESULT_PULL_REQUEST_URL=http" in dotenv
    assert "GITOPS_CI_RESULT_CHANGED=true" in dotenv


def test_a_label_that_may_not_be_made_costs_nothing_but_a_warning(bump, github):
    """GitHub refuses it to tokens without Issues: write (github.com/actions/labeler/issues/870)."""
    words = {"message": "You do not have permission to create labels on this repository."}
    github.fault("POST", "/labels$", 403, body={**words, "documentation_url": "x"}, times=9)
    github.status = "BLOCKED"
    more = (
        "--label",
        "gitops",
        "--reviewer",
        "ada",
        "--assignee",
        "grace",
        "--milestone",
        "Q3",
        "--merge",
        "when-green",
    )
    ran = bump(IMAGE, *more)
    assert (ran.code, ran.document["pull_request"]["number"]) == (0, 1)
    [pull] = github.pulls
    assert (pull.reviewers, pull.assignees, pull.milestone) == (["ada"], ["grace"], "Q3")
    assert pull.auto_merge == "merge"
    assert "do not have permission to create labels" in ran.err


def test_a_draft_that_is_to_be_merged_is_refused_before_anything_is_done(bump, github, repo):
    ran = bump(IMAGE, "--draft", "--merge", "when-green")
    assert (ran.code, ran.document["error"]["message"]) == (2, "A draft is never merged")
    assert (repo.branches(), github.pulls) == (["main"], [])


def test_the_source_commit_is_a_link(bump, github):
    names = {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/shop"}
    bump(environment=names | {"GITHUB_SHA": "0a1b2c3d" * 5, "GITHUB_REF": "refs/heads/main"})
    assert f"https://github.com/acme/shop/commit/{'0a1b2c3d' * 5}" in github.pulls[0].body
