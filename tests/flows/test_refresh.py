"""`gitops-ci refresh`: open proposals follow their base, and those without a purpose are closed.

On every kind of code host and on plain Git, whose branches are the proposals.
"""

import pytest

from tests.support.git_repo import commit_files
from tests.support.runs import finish, start
from tests.support.world import PLACES

pytestmark = pytest.mark.every_host

FRONT, BACK = "ghcr.io/acme/front", "ghcr.io/acme/back"
# Neighboring lines: whichever is merged first, the other is in conflict.
APPS = f"front: {{image: {{repository: {FRONT}, tag: 1.0.0}}}}\nback: {{image: {{repository: {BACK}, tag: 1.0.0}}}}\n"
on_three = pytest.mark.parametrize("world", ["github", "gitlab", "git"], indirect=True)


def head_of(world, part):
    return next(head for head in world.heads() if head.endswith(part))


def merge(world, head):
    files = {path: data for path, data in world.repo.files(head).items() if path.endswith(".yaml")}
    commit_files(world.repo, files, message="Squashed")
    if world.stub:
        world.stub.merged(next(pull for pull in world.stub.pulls if pull.head == head and pull.status == "open"))
    world.repo.git("update-ref", "-d", f"refs/heads/{head}")


def states(ran):
    return [(one["branch"].rpartition("/")[2].rpartition("-")[2], one["state"]) for one in ran.document["proposals"]]


def statuses(world):
    return [pull.status for pull in world.stub.pulls] if world.stub else []


def test_a_proposal_in_conflict_is_rebuilt_from_its_own_commit(world):
    commit_files(world.repo, {"values.yaml": APPS})
    for image in (FRONT, BACK):
        assert world.bump("1.1.0", image=image).code == 0
    assert states(world.refresh()) == [("back", "unchanged"), ("front", "unchanged")]
    merge(world, head_of(world, "front"))
    ran = world.refresh()
    assert (ran.code, ran.document["status"], states(ran)) == (0, "changed", [("back", "rebuilt")]), ran
    head = head_of(world, "back")
    assert world.repo.git("rev-parse", f"{head}^") == world.repo.head()
    assert world.repo.read("values.yaml", head).decode() == APPS.replace("1.0.0", "1.1.0")
    message = world.repo.git("log", "-1", "--format=%B", head)
    assert (message.splitlines()[0], f"Image: {BACK}:1.1.0" in message) == ("Bump back to 1.1.0", True)
    again = world.refresh()
    assert (again.document["status"], states(again)) == ("unchanged", [("back", "unchanged")])
    # Its own pipeline finds it right.
    assert world.bump("1.1.0", image=BACK).document["status"] == "unchanged"
    if world.stub:
        assert [(pull.title, pull.status) for pull in world.stub.pulls][1:] == [("Bump back to 1.1.0", "open")]


def test_a_proposal_that_became_empty_is_closed_with_a_reason(world):
    world.bump("1.5.0")
    world.bump("1.6.0", "--mode", "push")
    ran = world.refresh()
    assert (ran.code, [one["state"] for one in ran.document["proposals"]]) == (0, ["closed"]), ran
    assert "main has all its changes" in ran.document["proposals"][0]["reason"]
    if world.stub:
        [pull] = world.stub.pulls
        assert pull.status == "closed"
        assert any("main has all its changes" in text for text in pull.comments.values())
        # This tool closed it: no person refused the image.
        world.repo.git("update-ref", "refs/heads/main", f"{world.repo.head()}^")
        assert world.bump("1.5.0").document["pull_request"]["state"] == "opened"
    else:
        assert world.heads() == []
    assert world.refresh().document["proposals"] in ([], world.refresh().document["proposals"])


@on_three
def test_places_that_are_gone_close_a_proposal_and_others_stay_in_it(world):
    world.bump("1.5.0", "--path", "overlays/**")
    commit_files(world.repo, {PLACES["staging"][0]: None})
    assert [one["state"] for one in world.refresh().document["proposals"]] == ["rebuilt"]
    [head] = world.heads()
    assert world.repo.git("diff", "--name-only", "main", head) == PLACES["production"][0]
    commit_files(world.repo, {PLACES["production"][0]: None})
    ran = world.refresh().document["proposals"]
    assert [(one["state"], one["reason"]) for one in ran] == [("closed", "main has nothing left to change")]


@on_three
def test_the_proposal_of_an_environment_that_is_gone_is_closed(world, tmp_path):
    both = "environments:\n  live: {paths: [base/**]}\n  old: {paths: [overlays/**]}\n"
    commit_files(world.repo, {".gitops-ci.yaml": both})
    for environment in ("live", "old"):
        world.bump("1.5.0", "--environment", environment)
    # An application's own environments are its own business: the config repository never knew this one.
    (tmp_path / ".gitops-ci.yaml").write_text("environments: {theirs: {paths: ['overlays/staging/**']}}\n")
    world.bump("1.6.0", "--environment", "theirs")
    (tmp_path / ".gitops-ci.yaml").unlink()
    commit_files(world.repo, {".gitops-ci.yaml": "environments:\n  live: {paths: [base/**]}\n"})
    ran = world.refresh()
    found = {one["environment"]: (one["state"], one["reason"]) for one in ran.document["proposals"]}
    assert found == {
        "live": ("unchanged", ""),
        "old": ("closed", "the environment old is not defined any more"),
        "theirs": ("unchanged", ""),
    }
    if world.stub:
        assert statuses(world) == ["open", "closed", "open"]


@on_three
def test_what_a_person_works_on_or_refused_is_left_alone(world):
    world.bump("1.5.0")
    [head] = world.heads()
    tip = commit_files(world.repo, {"notes.md": "checked by hand\n"}, branch=head)
    path, _ = PLACES["base"]
    commit_files(world.repo, {path: world.repo.read(path).decode().replace("replicas: 1", "replicas: 2") + "# more\n"})
    assert [one["state"] for one in world.refresh().document["proposals"]] == ["left"]
    assert world.repo.head(head) == tip
    if world.stub:
        world.stub.pulls[0].status = "closed"
        assert world.refresh().document["proposals"] == []
        assert (statuses(world), world.repo.head(head)) == (["closed"], tip)


@on_three
def test_only_behind_is_no_reason_unless_it_is_asked_for(world):
    world.bump("1.5.0")
    [head] = world.heads()
    commit_files(world.repo, {"other.yaml": "a: 1\n"})
    tip = world.repo.head(head)
    assert [one["state"] for one in world.refresh().document["proposals"]] == ["unchanged"]
    assert world.repo.head(head) == tip
    assert [one["state"] for one in world.refresh("--behind").document["proposals"]] == ["rebuilt"]
    assert world.repo.git("rev-parse", f"{head}^") == world.repo.head()
    assert world.refresh("--behind").document["status"] == "unchanged"


@on_three
def test_a_dry_run_changes_nothing(world):
    commit_files(world.repo, {"values.yaml": APPS})
    for image in (FRONT, BACK):
        world.bump("1.1.0", image=image)
    merge(world, head_of(world, "front"))
    tips = {head: world.repo.head(head) for head in world.heads()}
    ran = world.refresh("--mode", "dry-run")
    assert (ran.document["dry_run"], states(ran)) == (True, [("back", "rebuilt")])
    assert {head: world.repo.head(head) for head in world.heads()} == tips
    assert world.refresh("--mode", "push").code == 2


@on_three
def test_own_names_words_and_bases_are_kept(world, tmp_path):
    """What the pipeline was told, and the config repository's pipeline is not, comes from the proposal itself."""
    commit_files(world.repo, {"values.yaml": APPS})
    commit_files(world.repo, {"values.yaml": APPS}, branch="stable", parent="main")
    template = tmp_path / "body.md"
    template.write_text("Please look at {image} {tag}.\n")
    own = ("--title", "OPS: {image} {tag}", "--commit-message", "deploy {image}\n\nTicket: 1", "--body", str(template))
    for image in (FRONT, BACK):
        world.bump("1.1.0", *own, "--signoff", "--base", "stable", "--group", f"of-{image[-4:]}", image=image)
    first, second = (head for head in world.heads() if head.startswith("gitops-ci/"))
    assert first.startswith("gitops-ci/all@stable@group/of-")
    commit_files(world.repo, {"values.yaml": world.repo.read("values.yaml", first)}, branch="stable")
    if world.stub:
        world.stub.merged(next(pull for pull in world.stub.pulls if pull.head == first))
    world.repo.git("update-ref", "-d", f"refs/heads/{first}")
    assert [(one["base"], one["state"]) for one in world.refresh().document["proposals"]] == [("stable", "rebuilt")]
    message = world.repo.git("log", "-1", "--format=%B", second)
    assert "\n\nTicket: 1\n" in message
    assert "Signed-off-by: " in message
    assert f"Group: {second.rpartition('/')[2]}" in message
    if world.stub:
        [pull] = [pull for pull in world.stub.pulls if pull.status == "open"]
        assert "Please look at" in pull.body


@on_three
def test_one_proposal_that_cannot_be_rebuilt_keeps_no_other_from_its_turn(world):
    commit_files(world.repo, {"values.yaml": APPS})
    world.bump("1.1.0", image=FRONT)
    world.bump("1.1.0", image=BACK)
    merge(world, head_of(world, "front"))
    world.bump("1.5.0")
    path, _ = PLACES["base"]
    text = world.repo.read(path).decode()
    commit_files(world.repo, {path: "# a comment\n" + text})
    world.repo.hook("update", "#!/bin/sh\ncase $1 in *acme-back) echo 'No back on Fridays' >&2; exit 1;; esac\n")
    ran = world.refresh()
    assert (ran.code, ran.document["status"]) == (5, "failed")
    assert sorted(states(ran)) == [("back", "failed"), ("shop", "rebuilt")]
    assert "No back on Fridays" in next(one["reason"] for one in ran.document["proposals"] if one["state"] == "failed")


@pytest.mark.parametrize("world", ["github"], indirect=True)
def test_a_refresh_beside_bumps_loses_nothing(world, tmp_path, git_server):
    commit_files(world.repo, {"values.yaml": APPS})
    for image in (FRONT, BACK):
        world.bump("1.1.0", image=image)
    merge(world, head_of(world, "front"))
    where = [*world.where, "--deadline", "100"]
    environment = {"GITOPS_CI_TOKEN": git_server.token}
    running = [
        start(tmp_path, *command, *where, environment=environment)
        for command in (["refresh"], ["bump", f"{BACK}:1.2.0"], ["refresh"], ["bump", f"{FRONT}:1.3.0"])
    ]
    ended = [finish(one) for one in running]
    assert [code for code, _ in ended] == [0, 0, 0, 0], ended
    world.refresh()
    found = {
        pull.head: world.repo.read("values.yaml", pull.head).decode()
        for pull in world.stub.pulls
        if pull.status == "open"
    }
    assert [text.count("1.2.0") for head, text in found.items() if head.endswith("back")] == [1]
    assert [text.count("1.3.0") for head, text in found.items() if head.endswith("front")] == [1]
