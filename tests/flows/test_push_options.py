"""A token that may push and not use GitLab's API: opened with push options for the merge request.

The server is real Git with a hook that does what GitLab does: it reads options and answers with an address.
"""

import pytest

from tests.flows.test_bump import FILES, HEAD, IMAGE
from tests.support.forge_gitlab import GitLabStub

PROJECT = f"{GitLabStub.OWNER}/{GitLabStub.NAME}"
NEWER = "ghcr.io/acme/shop:1.6.0"
# The words of gitlab-shell's post-receive, after docs.gitlab.com/topics/git/commit.
HOOK = f"""\
#!/bin/sh
n=0
while [ $n -lt ${{GIT_PUSH_OPTION_COUNT:-0}} ]; do
  eval "printf '%s\\n' \\"\\$GIT_PUSH_OPTION_$n\\"" >> options
  n=$((n+1))
done
echo >&2
echo 'View merge request for gitops-ci/all/ghcr.io-acme-shop:' >&2
echo '  https://gitlab.example/{PROJECT}/-/merge_requests/7' >&2
"""


@pytest.fixture
def repo(git_server):
    repo = git_server.make_repo(PROJECT, FILES)
    repo.set(receive__advertisePushOptions="true")
    repo.hook("post-receive", HOOK)
    return repo


@pytest.fixture
def gitlab(git_server, repo):
    with GitLabStub(lambda branch: branch in repo.branches(), token=git_server.token) as stub:
        stub.tip = repo.head
        yield stub


@pytest.fixture
def bump(run, git_server, gitlab):
    where = ("--config-repo", git_server.url_of(PROJECT), "--forge", "gitlab", "--api-url", gitlab.api_url)

    def call(image=IMAGE, *more):
        return run("bump", image, *where, "--output", "json", *more, environment={"GITOPS_CI_TOKEN": git_server.token})

    return call


def refusing(gitlab, status):
    gitlab.fault("GET", "merge_requests", status, times=99, body={"message": f"{status} refused"})


def options_in(repo):
    return (repo.path / "options").read_text().splitlines()


@pytest.mark.parametrize("status", [401, 403])
def test_the_push_opens_the_merge_request_and_its_address_is_reported(bump, repo, gitlab, status):
    refusing(gitlab, status)
    ran = bump(IMAGE, "--label", "gitops", "--merge", "when-green")
    assert ran.code == 0, ran
    found = ran.document["pull_request"]
    assert (found["number"], found["state"], found["branch"]) == (7, "opened", HEAD)
    assert found["url"] == f"https://gitlab.example/{PROJECT}/-/merge_requests/7"
    options = options_in(repo)
    assert options[0] == "merge_request.create"
    assert {
        "merge_request.target=main",
        "merge_request.title=Bump shop to 1.5.0",
        "merge_request.label=gitops",
        "merge_request.auto_merge",
    } <= set(options)
    assert "opened with push options" in ran.err
    assert gitlab.pulls == []


def test_run_again_nothing_is_pushed_and_a_newer_image_goes_to_the_same_branch(bump, repo, gitlab):
    refusing(gitlab, 403)
    bump()
    asked = len(options_in(repo))
    again = bump().document
    assert (again["status"], again["pull_request"]["state"]) == ("unchanged", "unchanged")
    assert len(options_in(repo)) == asked
    assert bump(NEWER).document["status"] == "changed"
    assert repo.count(HEAD) == 2
    assert "merge_request.title=Bump shop to 1.6.0" in options_in(repo)


def test_an_image_that_is_there_already_needs_no_api(bump, repo, gitlab):
    ran = bump()
    assert ran.code == 0, ran
    repo.git("update-ref", "refs/heads/main", repo.head(HEAD))
    refusing(gitlab, 403)
    ran = bump()
    assert (ran.code, ran.document["status"]) == (0, "unchanged")


def test_other_troubles_of_the_api_are_no_reason_to_go_around_it(bump, repo, gitlab):
    refusing(gitlab, 404)
    ran = bump()
    assert ran.code == 6
    assert repo.branches() == ["main"]


def test_a_server_without_push_options_says_so(bump, repo, gitlab):
    repo.set(receive__advertisePushOptions="false")
    refusing(gitlab, 403)
    ran = bump()
    assert ran.code == 5
    assert "push options" in ran.document["error"]["message"]
    assert repo.branches() == ["main"]
