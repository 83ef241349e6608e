"""Closed windows and a freeze: pull requests are opened, pushing and merging wait, and the check says so."""

import json

import pytest

from tests.support.git_repo import commit_files
from tests.support.past import CONFIG, Past
from tests.support.workspace import git, make_checkout
from tests.support.world import world_on

SHOP = "ghcr.io/acme/shop"
CLOSED = "windows: {deny: [{from: 2000-01-01, to: 2999-12-31, reason: audit}]}"
SHUT = CONFIG.replace("promote-from: staging", f"promote-from: staging, {CLOSED}")
FREEZE = ".gitops-ci/freeze.yaml"
DEPLOYED = "apps/shop/overlays/production/kustomization.yaml"


@pytest.fixture
def past(tmp_path):
    past = Past.at(tmp_path / "config.git", dev="1.0.0", staging="1.0.0", production="1.0.0")
    past.shop("production", "1.1.0")
    return past


@pytest.fixture
def call(run, past):
    def call(*arguments, mode="push", code=0):
        where = ("--config-repo", past.repo.path, "--forge", "git", "--output", "json", "--mode", mode)
        ran = run(*arguments, "--environment", "production", *where)
        assert ran.code == code, (ran.out, ran.err)
        return ran

    return call


def gates(ran):
    return [(gate["gate"], gate["state"], gate["opens"]) for gate in ran.document["gates"]]


def test_nothing_is_pushed_outside_of_a_window_and_that_is_no_error(call, past):
    commit_files(past.repo, {".gitops-ci.yaml": SHUT}, message="Settings")
    tip = past.repo.tips()
    ran = call("bump", f"{SHOP}:1.2.0")
    assert (past.repo.tips(), ran.document["status"]) == (tip, "unchanged")
    assert gates(ran) == [("window", "waiting", "3000-01-01T00:00:00Z")]
    assert "audit, opens 3000-01-01" in ran.err
    call("bump", f"{SHOP}:1.2.0", "--fail-on", "held", code=1)


def test_nothing_is_pushed_to_what_is_frozen_and_that_needs_a_person(call, past):
    commit_files(past.repo, {FREEZE: "environments: [production]\nreason: INC-812\n"}, message="Stop")
    tip = past.repo.tips()
    ran = call("bump", f"{SHOP}:1.2.0", code=1)
    assert (gates(ran), past.repo.tips()) == ([("window", "closed", None)], tip)
    assert "INC-812" in ran.document["error"]["message"]
    commit_files(past.repo, {FREEZE: "environments: [staging]\n"}, message="Go on")
    call("bump", f"{SHOP}:1.2.0")


PROTECTED = CONFIG.replace("promote-from: staging", "promote-from: staging, soak: {for: 5000w, protect: true}")


def test_a_version_that_soaks_is_left_alone_where_the_next_environment_says_so(run, past):
    commit_files(past.repo, {".gitops-ci.yaml": PROTECTED}, message="Settings")
    where = ("--config-repo", past.repo.path, "--forge", "git", "--output", "json", "--environment")
    tip = past.repo.head()
    ran = run("bump", f"{SHOP}:1.2.0", *where, "staging", "--mode", "push")
    assert (ran.code, gates(ran), past.repo.head()) == (0, [("soak", "waiting", "2121-10-30T00:00:00Z")], tip)
    assert run("bump", f"{SHOP}:1.2.0", *where, "staging").document["pull_request"]["state"] == "opened"
    past.shop("staging", "1.1.0")
    assert run("rollback", SHOP, *where, "staging", "--mode", "push").document["status"] == "changed"
    assert run("bump", f"{SHOP}:1.2.0", *where, "dev", "--mode", "push").document["status"] == "changed"


@pytest.mark.parametrize("files", [{".gitops-ci.yaml": SHUT}, {FREEZE: "reason: INC-812\n"}])
def test_a_rollback_passes_windows_and_says_so(call, past, files):
    commit_files(past.repo, files, message="Stop")
    ran = call("rollback", SHOP)
    assert '"1.0.0"' in past.repo.read(DEPLOYED).decode()
    assert "The change is made anyway" in ran.err


@pytest.mark.parametrize("files", [{".gitops-ci.yaml": SHUT}, {FREEZE: "reason: INC-812\n"}])
def test_a_pull_request_is_opened_and_not_merged_by_itself(run, git_server, past, files):
    names = past.repo.git("ls-tree", "-r", "--name-only", "main").split()
    everything = {**{name: past.repo.read(name).decode() for name in names}, **files}
    with world_on("github", run, git_server, everything) as world:
        world.stub.status = "BLOCKED"
        ran = world.bump("1.2.0", "--environment", "production", "--merge", "when-green")
        assert (ran.code, [pull.status for pull in world.stub.pulls]) == (0, ["open"]), ran.err
        assert "not merged by itself" in ran.err
        assert ran.document["gates"][0]["gate"] == "window"
        until = (
            " yet. Gate window: frozen: INC-812"
            if FREEZE in files
            else " before 3000-01-01T00:00:00Z. Gate window: audit"
        )
        assert f"- Do not merge{until}" in world.stub.pulls[0].body
        assert world.bump("1.2.0", "--environment", "production").document["status"] == "unchanged"
        commit_files(world.repo, {DEPLOYED: f"{everything[DEPLOYED]}# more\n"}, message="In conflict")
        ran = world.refresh("--merge", "when-green")
        assert [one["state"] for one in ran.document["proposals"]] == ["rebuilt"], ran.err
        assert (world.stub.pulls[0].auto_merge, "Do not merge" in world.stub.pulls[0].body) == ("", True)
        commit_files(world.repo, {".gitops-ci.yaml": CONFIG, FREEZE: None}, message="Go on")
        assert world.bump("1.2.0", "--environment", "production").document["pull_request"]["state"] == "updated"
        assert "Do not merge" not in world.stub.pulls[0].body
        commit_files(world.repo, files, message="Stop again")
        gates = ("--skip-gate", "source-agrees", "--reason", "no registry", "--allow-downgrade")
        promoted = world.call("promote", "--to", "production", *gates, "--mode", "push")
        is_frozen = FREEZE in files
        assert (promoted.code, promoted.document["status"]) == ((1, "failed") if is_frozen else (0, "unchanged"))


@pytest.fixture
def checkout(tmp_path):
    """A pull request's checkout that changes these files, on top of others."""

    def made(before, after, *, branch="feature"):
        make_checkout(tmp_path, before, origin="")
        base = git(tmp_path, "rev-parse", "HEAD").strip()
        for path, text in after.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "--quiet", "--message", "Change")
        event = tmp_path / ".git" / "event.json"
        head = git(tmp_path, "rev-parse", "HEAD").strip()
        event.write_text(json.dumps({"pull_request": {"number": 1, "base": {"sha": base}, "head": {"sha": head}}}))
        return {
            "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event),
            "GITHUB_SHA": head, "GITHUB_HEAD_REF": branch,
        }  # fmt: skip

    return made


MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
PROD, STAGING = "apps/shop/overlays/production/a.yaml", "apps/shop/overlays/staging/a.yaml"


@pytest.mark.parametrize(
    ("before", "after", "branch", "rules"),
    [
        ({".gitops-ci.yaml": SHUT}, {PROD: MAP}, "feature", ["gitops/window"]),
        ({".gitops-ci.yaml": SHUT}, {STAGING: MAP}, "feature", []),
        # A change does not open its own window.
        ({".gitops-ci.yaml": SHUT}, {PROD: MAP, ".gitops-ci.yaml": CONFIG}, "feature", ["gitops/window"]),
        ({".gitops-ci.yaml": CONFIG}, {PROD: MAP}, "feature", []),
        ({".gitops-ci.yaml": CONFIG, FREEZE: "environments: [prod*]\n"}, {PROD: MAP}, "feature", ["gitops/window"]),
        ({".gitops-ci.yaml": CONFIG, FREEZE: "reason: x\n"}, {PROD: MAP, FREEZE: ""}, "feature", ["gitops/window"]),
        ({FREEZE: "reason: x\n", "a.yaml": ""}, {"b.yaml": MAP}, "feature", ["gitops/window"]),
        ({".gitops-ci.yaml": SHUT}, {PROD: MAP}, "gitops-ci/production@rollback/ghcr.io-acme-shop", []),
        ({".gitops-ci.yaml": f"{SHUT}validate: {{skip-rules: [gitops/window]}}\n"}, {PROD: MAP}, "feature", []),
    ],
)
def test_the_check_of_a_pull_request_is_red_while_its_environment_takes_no_changes(
    run, checkout, before, after, branch, rules
):
    environment = checkout(before, after, branch=branch)
    ran = run("validate", ".", "--output", "json", environment=environment)
    assert [one["rule"] for one in ran.document["findings"]] == rules
    assert ran.code == (1 if rules else 0)


def test_a_check_outside_of_pull_requests_knows_no_windows(run, checkout):
    checkout({".gitops-ci.yaml": SHUT}, {PROD: MAP})
    assert run("validate", ".").code == 0
