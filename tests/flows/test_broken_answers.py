"""An answer to a push that is lost, short or late: the branch is looked at before anything is printed about it."""

import time

import pytest

from gitops_ci.configrepo.git_errors import push_error
from gitops_ci.repourl import RepoUrl
from tests.flows.test_bump import FILES, IMAGE
from tests.support.fault_proxy import Answer, Cut, Hang, Passed, fault_proxy
from tests.support.forge_github import GitHubStub

PUSH = "/git-receive-pack"


@pytest.fixture
def broken(git_server, run):
    """A config repository behind a proxy that does harm: the proxy, the repository, and how to bump."""
    git_server.make_repo("acme/config", FILES)
    repo = git_server.repo("acme/config")
    address = git_server.url_of("acme/config")
    upstream = address.partition("://")[2].partition("/")[0]
    with (
        fault_proxy(upstream) as proxy,
        GitHubStub(lambda branch: branch in repo.branches(), token=git_server.token) as github,
    ):
        github.tip = repo.head
        url = address.replace(upstream, proxy.host)

        def bump(mode, deadline=60):
            github_api = ("--forge", "github", "--api-url", github.api_url)
            options = ("--mode", mode, "--deadline", str(deadline), *github_api)
            return run("bump", IMAGE, "--config-repo", url, *options, environment={"GITOPS_CI_TOKEN": git_server.token})

        yield proxy, repo, bump


def pushes(asked):
    return asked.method == "POST" and asked.path.endswith(PUSH)


def once(fault, and_then=None):
    """Do harm to the first push, and to every request after it."""
    state = []

    def script(asked):
        if state:
            return and_then
        if pushes(asked):
            state.append(asked)
            return fault
        return None

    return script


def silence():
    time.sleep(30)
    yield b""


@pytest.mark.parametrize("fault", [Hang(), Cut(of="answer"), Cut(0.5, of="response")], ids=["hang", "lost", "short"])
def test_a_push_that_landed_without_an_answer_is_a_success(broken, fault):
    proxy, repo, bump = broken
    before = repo.count("main")
    proxy.script = once(fault)
    ran = bump("push", deadline=4)
    assert (ran.code, repo.count("main")) == (0, before + 1), ran.out + ran.err
    assert_nobody_waits(proxy)


def test_a_push_that_did_not_land_in_time_is_reported_with_the_branch_as_it_is(broken):
    proxy, repo, bump = broken
    before = repo.head("main")
    proxy.script = once(Answer(200, {"Content-Type": "application/x-git-receive-pack-result"}, silence()))
    ran = bump("push", deadline=3)
    assert (ran.code, repo.head("main")) == (5, before)
    assert "main is unchanged" in ran.out
    assert "nothing is done twice" in ran.out


@pytest.mark.parametrize(
    "broken_off", [b"HTTP/1.1 200 OK\r\nContent-Ty", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["head", "body"]
)
def test_a_list_of_branches_that_broke_off_is_not_an_empty_one(broken, broken_off):
    proxy, repo, bump = broken
    proxy.script = lambda asked: Passed(lambda answer: broken_off) if len(proxy.asked) == 1 else None
    before = repo.count("main")
    ran = bump("push")
    assert (ran.code, repo.count("main")) == (0, before + 1), ran.out + ran.err


def test_no_helper_of_git_outlives_the_deadline(broken):
    proxy, _, bump = broken
    silent = Passed(lambda answer: b"", silent=True)
    proxy.script = lambda asked: silent if asked.path.endswith("/git-upload-pack") else None
    assert bump("push", deadline=2).code == 5
    assert_nobody_waits(proxy)


def assert_nobody_waits(proxy):
    """What git started to speak HTTP would hold the connection, and the token, for as long as a silent server does."""
    ended = time.monotonic()
    proxy.settle()
    assert time.monotonic() - ended < 10, "the proxy holds a connection for 60 seconds"


@pytest.mark.parametrize("fault", [Hang(), Cut(of="answer")], ids=["hang", "lost"])
@pytest.mark.parametrize("status", [404, 401, 403])
def test_where_nobody_can_look_the_change_may_have_landed(broken, fault, status):
    proxy, repo, bump = broken
    before = repo.count("main")
    proxy.script = once(fault, and_then=Answer(status))
    ran = bump("push", deadline=4)
    assert (ran.code, repo.count("main")) == (5, before + 1)
    assert "The push to main may have landed" in ran.out
    proxy.clear()
    assert bump("push").code == 0
    assert repo.count("main") == before + 1


@pytest.mark.parametrize("status", [404, 401, 403, 302])
def test_what_goes_wrong_after_the_push_does_not_hide_the_branch(broken, status):
    proxy, repo, bump = broken
    landed = []

    def script(asked):
        if pushes(asked):
            landed.append(asked)
        elif landed:
            return Answer(status, {"Location": "http://127.0.0.1:1/"} if status == 302 else {})
        return None

    proxy.script = script
    ran = bump("pull-request")
    (head,) = [branch for branch in repo.branches() if branch != "main"]
    assert ran.code == 5
    assert f"The commit {repo.head(head)[:12]} is on {head}" in ran.out
    proxy.clear()
    assert bump("pull-request").code == 0


def test_a_push_onto_a_base_that_was_replaced_meanwhile_is_tried_again():
    said = "! [remote rejected] 0a1b2c3 -> main (shallow update not allowed)"
    assert push_error(RepoUrl.parse("https://h.example/a/b"), "main", said, credentials=None) is None
