"""Pull requests from a fork: the account may push there alone."""

import pytest

from tests.flows.test_bump import FILES, HEAD, IMAGE
from tests.support.forge_hosts import FORKED, hosting
from tests.support.git_repo import commit_files
from tests.support.world import ForkWorld, fork_of, world_on

NEWER = "1.6.0"
WITH_API = [name for name in FORKED if name != "git"]
DEPLOYMENT = "base/deployment.yaml"


@pytest.fixture(params=WITH_API)
def world(request, run, git_server):
    with world_on(f"{request.param}/fork", run, git_server, FILES) as made:
        yield made


@pytest.fixture
def plain(run, git_server):
    """Without a code host's API: what lies in the fork is all there is."""
    with world_on("git/fork", run, git_server, FILES) as made:
        yield made


def test_the_branch_is_in_the_fork_and_the_request_in_the_repository(world):
    ran = world.bump("1.5.0")
    assert ran.code == 0, ran
    assert (world.repo.branches(), world.head_repo.branches()) == (["main"], [HEAD, "main"])
    [pull] = world.stub.pulls
    assert (pull.head, pull.base, pull.origin) == (HEAD, "main", "bot/config")
    assert ran.document["pull_request"]["number"] == pull.number
    assert world.bump("1.5.0").document["pull_request"]["state"] == "unchanged"
    assert world.bump(NEWER).document["pull_request"]["state"] == "updated"
    assert len(world.stub.pulls) == 1
    assert world.proposed() == ["all 1.6.0"]


def test_a_strangers_fork_with_the_same_branch_is_none_of_ours(world):
    world.stub.add_pull(HEAD, "main", fork=True)
    assert world.bump("1.5.0").document["pull_request"]["number"] == 2


def test_a_lost_answer_makes_no_second_request(world):
    world.stub.fault("POST", "pulls$|merge_requests$", 502, after=True, body=b"<html>")
    assert world.bump("1.5.0").code == 0
    assert len(world.stub.pulls) == 1


def test_refresh_finds_the_branches_of_the_fork(world):
    world.bump("1.5.0")
    text = world.repo.read(DEPLOYMENT).decode()
    commit_files(world.repo, {DEPLOYMENT: "# new\n" + text})
    ran = world.refresh()
    assert ran.code == 0, ran
    assert [(one["state"], one["branch"]) for one in ran.document["proposals"]] == [("rebuilt", HEAD)]
    assert world.head_repo.read(DEPLOYMENT, HEAD).decode().startswith("# new\n")


def test_a_persons_commit_in_the_fork_is_kept(world):
    world.bump("1.5.0")
    commit_files(world.head_repo, {"README.md": "mine\n"}, branch=HEAD)
    tip = world.head_repo.head(HEAD)
    assert world.bump(NEWER).code == 5
    assert world.head_repo.head(HEAD) == tip


@pytest.mark.parametrize("more", [(), ("--path", "base/**")], ids=["whole", "narrow"])
@pytest.mark.parametrize("state", ["behind", "far behind", "empty", "diverged", "without the base"])
def test_a_fork_that_is_not_up_to_date_takes_the_branch(plain, more, state):
    fork = plain.head_repo
    for number in range(30 if state == "far behind" else 3):
        commit_files(plain.repo, {"README.md": f"{number}\n"})
    if state == "diverged":
        commit_files(fork, {"README.md": "the fork's own\n"})
    elif state == "without the base":
        fork.git("update-ref", "refs/heads/old", "main")
        fork.git("update-ref", "-d", "refs/heads/main")
    elif state == "empty":
        fork.git("update-ref", "-d", "refs/heads/main")
    more = (*more, "--deadline", "60")
    ran = plain.bump("1.5.0", *more)
    assert ran.code == 0, ran
    [head] = [name for name in fork.branches() if name.startswith("gitops-ci/")]
    assert fork.git("rev-parse", f"{head}^") == plain.repo.head()
    fork.git("fsck", "--connectivity-only")
    commit_files(plain.repo, {"README.md": "once more\n"})
    assert plain.bump(NEWER, *more).code == 0
    assert fork.read(DEPLOYMENT, head) != plain.repo.read(DEPLOYMENT)


def test_commits_by_api_are_made_in_the_fork(run, git_server):
    with hosting("github", token=git_server.token) as host:
        world = ForkWorld(run, git_server, FILES, host.stub, "github")
        stub, fork = host.stub, world.head_repo
        stub.branch_exists = lambda branch: branch in world.repo.branches()

        def on_commit(commit):
            return commit_files(fork, commit.files, branch=commit.branch, message=commit.message)

        stub.on_commit = on_commit
        stub.refs = _Refs(fork)
        ran = world.bump("1.5.0", "--commit-with", "api")
        assert ran.code == 0, ran
        assert fork.branches() == [HEAD, "main"]
        assert fork.git("rev-parse", f"{HEAD}^") == world.repo.head()
        assert stub.pulls[0].origin == "bot/config"


class _Refs(dict):
    """The branches of a repository as they are now."""

    def __init__(self, repo):
        super().__init__()
        self.repo = repo

    def __contains__(self, branch):
        return branch in self.repo.tips()

    def __getitem__(self, branch):
        return self.repo.tips()[branch]


def test_a_fork_of_the_same_owner_is_named_by_its_name(run, git_server):
    with hosting("github", token=git_server.token) as host:
        world = ForkWorld(run, git_server, FILES, host.stub, "github")
        own = fork_of(git_server, world.repo, "acme/config-bot")
        host.stub.fork, host.stub.fork_tip = "acme/config-bot", lambda branch: own.tips().get(branch, "")
        host.stub.branch_exists = lambda branch: branch in world.repo.branches()
        host.stub.tip = world.repo.head
        where = [*world.where[:-1], "acme/config-bot", "--output", "json"]
        for number in range(2):
            ran = run("bump", IMAGE, *where, environment={"GITOPS_CI_TOKEN": git_server.token})
            assert ran.code == 0, ran
            state = ran.document["pull_request"]["state"]
            assert state == ("opened" if number == 0 else "unchanged")
        assert [pull.origin for pull in host.stub.pulls] == ["acme/config-bot"]


@pytest.mark.parametrize("kind", ["bitbucket", "bitbucket-dc", "azure-devops", "gerrit"])
def test_a_host_that_cannot_says_so(run, kind):
    path = {"azure-devops": "org/project/_git/config", "bitbucket-dc": "scm/acme/config"}.get(kind, "acme/config")
    where = ("--config-repo", f"http://127.0.0.1:9/{path}", "--forge", kind)
    ran = run("bump", IMAGE, *where, "--fork", f"http://127.0.0.1:9/{path}-fork", "--output", "json")
    assert ran.code == 2, ran
    assert "--fork does not work with" in ran.document["error"]["message"]


@pytest.mark.parametrize(
    ("fork", "said"),
    [
        ("https://evil.example/acme/config", "is not on the host"),
        ("ssh://git@github.com/bot/config", "is not on the host"),
        ("acme/config", "itself"),
        ("-x", "is not a fork"),
        ("../config", "is not a fork"),
        ("bot/", "is not a fork"),
        ("", ""),
    ],
)
def test_what_is_no_fork_is_refused_before_anything_is_asked(run, fork, said):
    ran = run("bump", IMAGE, "--config-repo", "https://github.com/acme/config", "--fork", fork, "--output", "json")
    if said:
        assert (ran.code, said in ran.document["error"]["message"]) == (2, True), ran
    else:
        assert ran.code == 5  # as without it


def test_with_push_a_fork_has_no_effect(plain):
    plain.repo.hook("update", "#!/bin/sh\nexit 0\n")
    ran = plain.bump("1.5.0", "--mode", "push")
    assert ran.code == 0, ran
    assert "--fork has no effect with --mode push" in ran.err
    assert plain.head_repo.branches() == ["main"]
