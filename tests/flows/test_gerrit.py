"""Gerrit: a push to `refs/for/BRANCH` is the request. The server is real Git, whose hook answers as Gerrit does."""

import subprocess

import pytest

from tests.flows.test_bump import FILES, IMAGE
from tests.support.gerrit import Gerrit
from tests.support.git_repo import commit_files

HEAD = "gitops-ci/all/ghcr.io-acme-shop"
OLDER, NEWER, NEWEST = (f"ghcr.io/acme/shop:{v}" for v in ("1.4.9", "1.6.0", "1.7.0"))
DEPLOYMENT = "base/deployment.yaml"


@pytest.fixture
def gerrit(git_server):
    return Gerrit(git_server.make_repo("acme/config", FILES))


@pytest.fixture
def call(run, git_server, gerrit):
    where = ("--config-repo", git_server.url_of("acme/config"), "--forge", "gerrit", "--output", "json")
    return lambda *words: run(*words, *where, environment={"GITOPS_CI_TOKEN": f"bot:{git_server.token}"})


@pytest.fixture
def bump(call):
    return lambda image=IMAGE, *more: call("bump", image, *more)


def states(gerrit):
    """(number, status, patch sets) of every change."""
    return [(change["number"], change["status"], len(change["patch_sets"])) for change in gerrit.changes()]


def version(gerrit, commit):
    return gerrit.repo.read(DEPLOYMENT, commit).decode().partition("shop:")[2].partition('"')[0]


def test_a_push_for_review_makes_a_change_and_a_newer_image_its_next_patch_set(bump, gerrit):
    ran = bump()
    found = ran.document["pull_request"]
    assert (ran.code, found["number"], found["state"], found["branch"]) == (0, 1, "opened", HEAD)
    assert found["url"] == "https://review.example/c/acme/config/+/1"
    [change] = gerrit.changes()
    assert (change["branch"], change["topic"], change["status"]) == ("refs/heads/main", HEAD, "new")
    assert gerrit.repo.branches() == ["main"]
    newer = bump(NEWER).document["pull_request"]
    assert (newer["number"], newer["state"]) == (1, "updated")
    assert states(gerrit) == [(1, "new", 2)]
    again = bump(NEWER).document
    assert (again["status"], again["pull_request"]["state"]) == ("unchanged", "unchanged")
    assert bump(OLDER).code == 1
    assert states(gerrit) == [(1, "new", 2)]


def test_labels_reviewers_and_draft_go_with_the_push(bump, gerrit):
    more = ("--label", "gitops", "--reviewer", "ada", "--reviewer", "grace", "--draft", "--assignee", "linus")
    ran = bump(IMAGE, *more)
    [change] = gerrit.changes()
    assert (change["hashtags"], change["reviewers"], change["wip"]) == ("gitops", ["ada", "grace"], True)
    assert ran.code == 0, ran
    assert "Gerrit has no assignees" in ran.err


def test_an_account_that_is_not_there_costs_no_change(bump, gerrit):
    ran = bump(IMAGE, "--reviewer", "nobody", "--reviewer", "ada")
    assert ran.code == 0, ran
    assert "reviewer nobody was not added" in ran.err
    assert gerrit.changes()[0]["reviewers"] == ["ada"]


def test_abandoned_is_a_persons_no(bump, gerrit):
    bump()
    gerrit.abandon(1)
    ran = bump()
    assert (ran.code, ran.document["status"]) == (0, "unchanged")
    assert "a person closed pull request #1" in ran.err
    assert states(gerrit) == [(1, "abandoned", 1)]
    assert bump(NEWER).document["pull_request"]["number"] == 2
    assert states(gerrit) == [(1, "abandoned", 1), (2, "new", 1)]


def test_abandoned_and_reopened_by_option_is_a_change_of_its_own(bump, gerrit):
    bump()
    gerrit.abandon(1)
    assert bump(IMAGE, "--reopen").document["pull_request"]["number"] == 2
    assert states(gerrit) == [(1, "abandoned", 1), (2, "new", 1)]


def test_a_restored_change_is_continued(bump, gerrit):
    bump()
    gerrit.abandon(1)
    gerrit.restore(1)
    assert bump(NEWER).document["pull_request"]["number"] == 1
    assert states(gerrit) == [(1, "new", 2)]


@pytest.mark.parametrize("how", ["merge if necessary", "rebase", "cherry pick"])
def test_after_the_end_of_a_change_comes_the_next_one(bump, gerrit, how):
    bump()
    commit_files(gerrit.repo, {"README.md": "moved on\n"})
    gerrit.submit(1, how)
    assert bump().document["status"] == "unchanged"
    assert bump(NEWER).document["pull_request"]["number"] == 2
    gerrit.submit(2, how)
    assert bump(NEWEST).document["pull_request"]["number"] == 3
    assert [change["status"] for change in gerrit.changes()] == ["merged", "merged", "new"]
    keys = [change["key"] for change in gerrit.changes()]
    assert len(set(keys)) == 3


def test_a_reverted_change_is_a_no_to_its_version_alone(bump, gerrit):
    bump()
    gerrit.submit(1)
    landed = gerrit.repo.head()
    before = {path: data.encode() for path, data in FILES.items() if path != "README.md"}
    commit_files(gerrit.repo, before, message=f'Revert "Bump shop to 1.5.0"\n\nThis reverts commit {landed}.')
    assert bump().document["status"] == "unchanged"
    assert states(gerrit) == [(1, "merged", 1)]
    assert bump(NEWER).document["pull_request"]["number"] == 2


def test_a_persons_patch_set_is_never_overwritten(bump, gerrit):
    bump()
    mine = gerrit.amend(1, {"README.md": b"mine\n"})
    assert bump().document["status"] == "unchanged"
    ran = bump(NEWER)
    assert ran.code == 5
    assert gerrit.change(1)["current"] == mine
    assert states(gerrit) == [(1, "new", 2)]


def test_the_rebase_button_is_nobodys_work(bump, gerrit):
    bump()
    commit_files(gerrit.repo, {"README.md": "moved on\n"})
    gerrit.rebase(1)
    assert bump().document["status"] == "unchanged"
    assert bump(NEWER).document["pull_request"]["number"] == 1
    assert states(gerrit) == [(1, "new", 3)]


def test_a_change_picked_to_another_branch_is_another_one(bump, gerrit):
    bump()
    gerrit.repo.git("update-ref", "refs/heads/release", "main")
    assert gerrit.pick(1, "release") == 2
    assert bump(NEWER).document["pull_request"]["number"] == 1
    assert states(gerrit) == [(1, "new", 2), (2, "new", 1)]


def test_each_base_has_a_change_of_its_own(bump, gerrit):
    gerrit.repo.git("update-ref", "refs/heads/release", "main")
    bump()
    assert bump(IMAGE, "--base", "release").document["pull_request"]["number"] == 2
    assert [change["branch"] for change in gerrit.open()] == ["refs/heads/main", "refs/heads/release"]


def test_where_the_base_has_it_a_person_is_asked_to_abandon_the_change(bump, gerrit):
    bump()
    commit_files(gerrit.repo, {path: gerrit.repo.read(path, gerrit.change(1)["current"]) for path in FILES})
    ran = bump()
    assert (ran.code, ran.document["status"]) == (0, "unchanged")
    assert "abandon" in ran.err
    assert states(gerrit) == [(1, "new", 1)]


@pytest.mark.parametrize("end", ["abandon", "submit"])
def test_a_server_that_shows_no_changes_tells_their_end_in_its_answer(bump, gerrit, end):
    gerrit.hide()
    assert bump().document["pull_request"]["state"] == "opened"
    assert bump(NEWER).code == 0
    assert states(gerrit) == [(1, "new", 2)]
    getattr(gerrit, end)(1)
    assert bump(NEWEST).code == 0
    assert [change["status"] for change in gerrit.changes()][1:] == ["new"]
    assert version(gerrit, gerrit.changes()[1]["current"]) == "1.7.0"


def test_without_the_history_of_changes_the_answer_to_a_push_tells_that_one_is_abandoned(bump, gerrit):
    bump()
    gerrit.abandon(1)
    gerrit.hide_notes()
    assert bump(NEWER).code == 0
    assert states(gerrit) == [(1, "abandoned", 1), (2, "new", 1)]


def test_images_of_a_group_share_a_change(call, gerrit):
    for name in ("front", "back"):
        commit_files(gerrit.repo, {f"{name}.yaml": f"image: ghcr.io/acme/{name}:1.0.0\n"})
    for name, tag in [("front", "1.1.0"), ("back", "2.0.0"), ("front", "1.2.0")]:
        assert call("bump", f"ghcr.io/acme/{name}:{tag}", "--group", "web").code == 0
    [change] = gerrit.changes()
    assert [gerrit.repo.read(f"{n}.yaml", change["current"]) for n in ("front", "back")] == [
        b"image: ghcr.io/acme/front:1.2.0\n",
        b"image: ghcr.io/acme/back:2.0.0\n",
    ]


@pytest.fixture
def meanwhile(git_server, gerrit, tmp_path):
    """What another run pushes at the moment when the next push for review has reached the server."""
    waiting = []

    def boundary():
        asked = len([one for one in git_server.requests if one.query == "service=git-receive-pack"])
        if waiting and asked > waiting[0][1]:
            (commit, _), waiting[:] = waiting[0], []
            gerrit.push(commit)

    def plan(run):
        """Let a run push, take that back, and push it again later."""
        refs = gerrit.repo.git("for-each-ref", "--format=delete %(refname)", "refs/changes/")
        before = gerrit.repo.git("for-each-ref", "--format=update %(refname) %(objectname)", "refs/changes/")
        assert run().code == 0
        made = gerrit.changes()[-1]["current"]
        now = gerrit.repo.git("for-each-ref", "--format=delete %(refname)", "refs/changes/")
        del refs
        gerrit.repo.git("update-ref", "--stdin", stdin=f"{now}\n".encode())
        gerrit.repo.git("update-ref", "--stdin", stdin=f"{before}\n".encode() if before else b"")
        asked = len([one for one in git_server.requests if one.query == "service=git-receive-pack"])
        waiting.append((made, asked))

    git_server.boundary = boundary
    return plan


@pytest.mark.over_http
@pytest.mark.parametrize("has_change", [False, True])
def test_runs_of_a_group_at_the_same_moment_lose_nothing(call, gerrit, meanwhile, has_change):
    for name in ("front", "back"):
        commit_files(gerrit.repo, {f"{name}.yaml": f"image: ghcr.io/acme/{name}:1.0.0\n"})
    if has_change:
        assert call("bump", "ghcr.io/acme/front:1.0.1", "--group", "web").code == 0
    meanwhile(lambda: call("bump", "ghcr.io/acme/front:1.1.0", "--group", "web"))
    ran = call("bump", "ghcr.io/acme/back:2.0.0", "--group", "web")
    assert ran.code == 0, ran
    [change] = gerrit.changes()
    assert [gerrit.repo.read(f"{n}.yaml", change["current"]) for n in ("front", "back")] == [
        b"image: ghcr.io/acme/front:1.1.0\n",
        b"image: ghcr.io/acme/back:2.0.0\n",
    ]


@pytest.mark.over_http
def test_an_older_build_that_pushes_at_the_same_moment_does_not_stay_on_top(bump, gerrit, meanwhile):
    meanwhile(lambda: bump(NEWER))
    assert bump(IMAGE).code == 1
    [change] = gerrit.changes()
    assert version(gerrit, change["current"]) == "1.6.0"
    assert bump(NEWER).document["status"] == "unchanged"


def test_a_committer_whom_the_account_does_not_have_is_told_with_its_option(bump, gerrit):
    gerrit.set(emails=["bot@example.com"])
    ran = bump()
    assert ran.code == 5
    assert "--committer" in ran.document["error"]["hint"]
    assert bump(IMAGE, "--committer", "Bot <bot@example.com>").code == 0


def test_an_account_without_the_right_is_told_which_one(bump, gerrit):
    gerrit.set(read_only=True)
    ran = bump()
    assert ran.code == 5
    assert "refs/for/" in ran.document["error"]["hint"]


def test_refresh_rebuilds_a_change_whose_files_moved_on(call, bump, gerrit):
    bump()
    text = gerrit.repo.read(DEPLOYMENT).decode()
    commit_files(gerrit.repo, {DEPLOYMENT: "# new\n" + text})
    ran = call("refresh")
    assert ran.code == 0, ran
    assert [(one["state"], one["branch"]) for one in ran.document["proposals"]] == [("rebuilt", HEAD)]
    assert states(gerrit) == [(1, "new", 2)]
    assert gerrit.repo.read(DEPLOYMENT, gerrit.change(1)["current"]).decode().startswith("# new\n")
    assert call("refresh").document["proposals"][0]["state"] == "unchanged"
    gerrit.abandon(1)
    assert call("refresh").document["proposals"] == []


def test_a_rollback_is_a_change_of_its_own(call, bump, gerrit):
    bump()
    gerrit.submit(1)
    ran = call("rollback", "ghcr.io/acme/shop", "--environment", "production", "--to", "1.4.1")
    assert ran.code == 0, ran
    assert ran.document["pull_request"]["number"] == 2
    assert "@rollback/" in gerrit.change(2)["topic"]


def test_a_plain_push_to_gerrit_is_told_the_kind_of_host(run, git_server, gerrit):
    where = ("--config-repo", git_server.url_of("acme/config"), "--forge", "git", "--output", "json")
    ran = run("bump", IMAGE, *where, environment={"GITOPS_CI_TOKEN": git_server.token})
    assert ran.code == 5
    assert "--forge gerrit" in ran.document["error"]["hint"]


def test_every_commit_is_one_that_git_takes(bump, gerrit):
    bump(IMAGE, "--signoff")
    subprocess.run(["git", "-C", str(gerrit.repo.path), "fsck", "--strict"], check=True)
    message = gerrit.repo.message(gerrit.change(1)["current"])
    assert message.rpartition("\n\n")[2].count("Change-Id: I") == 1
