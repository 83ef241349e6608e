"""Statuses of commits decide: the gate `status` of a promotion, and `wait`."""

import re
import threading
import time

import pytest

from gitops_ci.cli.console import Console
from gitops_ci.configrepo import GitCredentials
from gitops_ci.errors import UsageError
from gitops_ci.flows.history import Source
from gitops_ci.flows.statuses import StatusReader, judged
from gitops_ci.flows.wait import WaitRequest, wait
from gitops_ci.forges import FORGES
from gitops_ci.forges.base import CommitStatus, ReadsStatuses
from gitops_ci.forges.plain_git import PlainGit
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret
from tests.support.forge_hosts import KINDS, hosting
from tests.support.git_repo import commit_files
from tests.support.past import CONFIG, Past, overlay
from tests.support.world import world_on

SHOP = "ghcr.io/acme/shop"
NEEDS = CONFIG.replace("promote-from: dev", 'promote-from: dev, mode: push, require-status: ["kustomization/*", e2e]')
DEV, STAGING = Past.path("shop", "dev"), Past.path("shop", "staging")
UNASKED = ("--skip-gate", "source-agrees", "--reason", "no registry here")


@pytest.mark.parametrize("name", KINDS)
def test_every_host_shows_what_was_reported_the_newest_first(name):
    with hosting(name) as host:
        host.stub.report("a" * 40, "kustomization/apps/1", "failure")
        host.stub.report("a" * 40, "kustomization/apps/1", "success")
        host.stub.report("a" * 40, "e2e", "pending")
        host.stub.report("a" * 40, "lint", "failure", by="lint-app")
        host.stub.report("b" * 40, "kustomization/apps/1", "failure")
        forge = host.connect()
        assert isinstance(forge, ReadsStatuses)
        newest = {}
        for one in forge.statuses("a" * 40):
            newest.setdefault(one.context, one.state)
        assert newest == {"kustomization/apps/1": "success", "e2e": "pending", "lint": "failure"}
        knows_who = not name.startswith("bitbucket")
        assert {one.by for one in forge.statuses("b" * 40)} == ({"flux"} if knows_who else {""})


@pytest.mark.parametrize("name", ["github", "gitlab", "gitea", "bitbucket-dc"])
def test_more_statuses_than_a_page_holds_are_all_read(name):
    with hosting(name) as host:
        for number in range(120 if name != "gitlab" else 20):
            host.stub.report("a" * 40, f"job {number}", "success")
        assert len({one.context for one in host.connect().statuses("a" * 40)}) == (120 if name != "gitlab" else 20)


def test_plain_git_has_no_statuses():
    reader = StatusReader(lambda: PlainGit(RepoUrl.parse("https://git.example/a/b")))
    with pytest.raises(UsageError, match="this is plain Git"):
        list(reader.newest(["a" * 40]))


GOOD, BAD, BUSY = (CommitStatus("e2e", state, "flux") for state in ("success", "failure", "pending"))


@pytest.mark.parametrize(
    ("newest_first", "globs", "by", "state"),
    [
        ([GOOD], ["e2e"], [], "open"),
        ([GOOD], ["e*"], [], "open"),
        ([GOOD], ["E2E"], [], "open"),
        ([BAD], ["e2e"], [], "closed"),
        ([BUSY], ["e2e"], [], "waiting"),
        ([], ["e2e"], [], "waiting"),
        ([GOOD], ["e2e", "kustomization/*"], [], "waiting"),
        # A run that was repeated: the newest counts.
        ([GOOD, BAD], ["e2e"], [], "open"),
        ([BUSY, GOOD], ["e2e"], [], "waiting"),
        # All that fit a glob have to be successful.
        ([GOOD, CommitStatus("e2e-eu", "failure")], ["e2e*"], [], "closed"),
        # Strangers do not count.
        ([GOOD], ["e2e"], ["argo"], "waiting"),
        ([CommitStatus("e2e", "failure", "stranger"), GOOD], ["e2e"], ["flux"], "open"),
    ],
)
def test_what_was_reported_is_judged(newest_first, globs, by, state):
    assert judged(iter(newest_first), globs, by).state == state


def test_what_never_came_is_told_with_what_did():
    assert "nothing that fits argo/* was reported; reported so far: e2e" in judged(iter([GOOD]), ["argo/*"]).reason


@pytest.fixture
def world(run, git_server):
    files = {".gitops-ci.yaml": NEEDS, DEV: overlay(f"{SHOP}:1.0.0"), STAGING: overlay(f"{SHOP}:1.0.0")}
    with world_on("github", run, git_server, files) as world:
        world.brought = commit_files(world.repo, {DEV: overlay(f"{SHOP}:1.1.0")}, message="Bump")
        world.promote = lambda *more: world.call("promote", "--to", "staging", *UNASKED, *more)
        yield world


def staging(world):
    return world.repo.read(STAGING).decode().partition('newTag: "')[2][:5]


def test_a_version_goes_on_when_the_operator_and_the_test_report_success(world):
    ran = world.promote()
    assert (ran.code, [gate["gate"] for gate in ran.document["gates"] if gate["state"] == "waiting"]) == (0, ["status"])
    world.stub.report(world.brought, "kustomization/apps/1", "success")
    world.stub.report(world.brought, "e2e", "failure", by="tests-app")
    ran = world.promote()
    assert (ran.code, staging(world)) == (1, "1.0.0")
    assert "e2e is a failure" in ran.document["error"]["message"]
    world.stub.report(world.brought, "e2e", "success", by="tests-app")
    assert (world.promote().code, staging(world)) == (0, "1.1.0")


def test_an_operator_may_report_on_a_later_commit(world):
    later = commit_files(world.repo, {"README.md": "more\n"}, message="Docs")
    world.stub.report(later, "kustomization/apps/1", "success")
    world.stub.report(later, "e2e", "success")
    assert (world.promote().code, staging(world)) == (0, "1.1.0")


def test_what_was_reported_of_an_earlier_commit_does_not_count(world):
    for context in ("kustomization/apps/1", "e2e"):
        world.stub.report(world.repo.head("main~1"), context, "success")
    assert (world.promote().code, staging(world)) == (0, "1.0.0")
    world.promote("--skip-gate", "status")
    assert staging(world) == "1.1.0"


def test_what_was_reported_of_the_version_after_it_does_not_count(world):
    world.stub.report(world.brought, "kustomization/apps/1", "success")
    world.stub.report(world.brought, "e2e", "failure")
    mended = commit_files(world.repo, {DEV: overlay(f"{SHOP}:1.2.0")}, message="Bump")
    for context in ("kustomization/apps/1", "e2e"):
        world.stub.report(mended, context, "success")
    ran = world.promote(SHOP, "--version", "1.1.0")
    assert (ran.code, staging(world)) == (1, "1.0.0")
    assert "e2e is a failure" in ran.document["error"]["message"]
    assert (world.promote().code, staging(world)) == (0, "1.2.0")


def test_nothing_waits_for_a_window_once_the_pull_request_is_open(world):
    closed = NEEDS.replace("mode: push", "windows: {deny: [{from: 2020-01-01, to: 2100-01-01}]}")
    commit_files(world.repo, {".gitops-ci.yaml": closed}, message="Closed")
    began = time.monotonic()
    calls = [world.promote("--skip-gate", "status", "--wait", "60s") for _ in range(2)]
    assert [(ran.code, ran.document["status"]) for ran in calls] == [(0, "changed"), (0, "unchanged")]
    assert time.monotonic() - began < 60
    told = world.stub.pulls[0].body.splitlines()
    assert any("Do not merge before 2100-01-02T00:00:00Z. Gate window: " in line for line in told)
    assert not any("are open" in line and "window" in line for line in told)
    assert not any(re.search(r"has been in dev(?! since [0-9TZ:-]+ )", line) for line in told)
    commit_files(world.repo, {STAGING: f"{overlay(f'{SHOP}:1.0.0')}# more\n"}, message="In conflict")
    world.refresh()
    told = world.stub.pulls[0].body.splitlines()
    for line in ("Promoted from dev.", "Gate status was skipped: no registry here.", "Do not merge before 2100-01-02"):
        assert any(line in one for one in told), told


def test_a_promotion_can_wait_for_gates_that_open(world, monkeypatch):
    monkeypatch.setattr("gitops_ci.flows.promote.flow._PAUSE", 0.1)

    is_over = threading.Event()

    def report():
        while not (is_over.is_set() or world.stub.sent("GET", "/statuses$")):
            time.sleep(0.05)
        time.sleep(0.5)  # the first answer is on its way by then
        for context in ("kustomization/apps/1", "e2e"):
            world.stub.report(world.brought, context, "success")

    reporter = threading.Thread(target=report)
    reporter.start()
    try:
        assert (world.promote("--wait", "120s", "--fail-on", "held").code, staging(world)) == (0, "1.1.0")
    finally:
        is_over.set()
        reporter.join()
    assert len(world.stub.sent("GET", "/statuses$")) > 1


# wait


def waited(ran):
    return ran.code, [(gate["gate"], gate["state"]) for gate in ran.document["gates"]]


def test_success_is_exit_0_and_failure_exit_1(world):
    where = ("wait", "--environment", "dev", "--status", "e2e")
    commit_files(world.repo, {"README.md": "more\n"}, message="Docs")
    world.stub.report(world.brought, "e2e", "success")
    assert waited(world.call(*where)) == (0, [("status", "open")])
    assert waited(world.call("wait", "--commit", world.brought[:9], "--status", "e2e")) == (0, [("status", "open")])
    world.stub.report(world.repo.head(), "e2e", "failure")
    assert waited(world.call(*where)) == (1, [("status", "closed")])
    # Of what another branch has, nothing later is known.
    assert waited(world.call("wait", "--commit", "c" * 40, "--status", "e2e", "--timeout", "0s"))[0] == 1


def test_a_time_that_is_over_is_told_apart_from_a_failure(world):
    world.stub.report(world.brought, "kustomization/apps/1", "success")
    ran = world.call("wait", "--environment", "dev", "--status", "e2e", "--timeout", "0s")
    assert waited(ran) == (1, [("timeout", "closed")])
    assert "reported so far: kustomization/apps/1" in ran.document["error"]["message"]


def test_strangers_are_not_listened_to(world):
    world.stub.report(world.brought, "e2e", "success", by="stranger")
    ran = world.call("wait", "--environment", "dev", "--status", "e2e", "--status-by", "flux", "--timeout", "0s")
    assert waited(ran) == (1, [("timeout", "closed")])


def test_it_waits_and_sees_what_comes_later(world, git_server):
    url, now = RepoUrl.parse(git_server.url_of(world.stub.path)), [2e9]

    def later():
        commit = commit_files(world.repo, {"README.md": "more\n"}, message="Docs")
        world.stub.report(commit, "e2e", "success")

    steps = [lambda: world.stub.report(world.brought, "e2e", "pending"), later]

    def sleep(seconds):
        now[0] += seconds
        steps.pop(0)()

    token = Secret(git_server.token)
    request = WaitRequest(
        Source(url, GitCredentials("x", token), clock=lambda: now[0]),
        lambda: FORGES["github"].connect(url, token, world.stub.api_url),
        ("e2e",),
        commit=world.brought,
        clock=lambda: now[0],
        sleep=sleep,
    )
    outcome = wait(request, Console("quiet"))
    assert (outcome.exit_code, outcome.gates[0].state, steps, now[0]) == (0, "open", [], 2e9 + 20)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--status", "e2e"), 2, "Give --commit or --environment"),
        (("--commit", "abcdef1", "--environment", "dev", "--status", "e2e"), 2, "Give --commit or --environment"),
        (("--environment", "dev"), 2, "No status is given"),
        (("--commit", "HEAD", "--status", "e2e"), 2, "is not a commit id"),
        (("--commit", "abcdef1", "--status", "e2e"), 2, "has no commit abcdef1"),
        (("--environment", "dve", "--status", "e2e"), 2, "dev"),
        (("--environment", "production", "--status", "e2e"), 8, "No commit changed production"),
        (("--environment", "dev", "--status", "e2e", "--timeout", "long"), 2, "not a duration"),
    ],
)
def test_what_cannot_be_waited_for_is_told(world, arguments, code, said):
    ran = world.call("wait", *arguments)
    assert (ran.code, said in ran.out + ran.err) == (code, True), ran.out + ran.err
