"""Images of several pipelines that share one pull request: each run replaces its own lines and no others."""

import pytest

from tests.support.git_repo import commit_files

pytestmark = pytest.mark.parametrize("world", ["github", "gitlab", "git"], indirect=True)

FRONT, BACK, JOBS = "ghcr.io/acme/front", "ghcr.io/acme/back", "ghcr.io/acme/jobs"
# Neighboring lines: two pull requests would be in conflict.
APPS = "".join(
    f"{name.rpartition('/')[2]}: {{image: {{repository: {name}, tag: 1.0.0}}}}\n" for name in (FRONT, BACK, JOBS)
)
HEAD = "gitops-ci/all@group/shop"
GROUP = ("--group", "shop")


@pytest.fixture(autouse=True)
def apps(world):
    commit_files(world.repo, {"values.yaml": APPS})


def tags(world, head=HEAD):
    lines = world.repo.read("values.yaml", head).decode().splitlines()
    return [line.partition("tag: ")[2].rstrip("}") for line in lines]


def test_each_pipeline_replaces_only_its_own_lines(world):
    for image, version, found in [
        (FRONT, "1.1.0", ["1.1.0", "1.0.0", "1.0.0"]),
        (BACK, "2.0.0", ["1.1.0", "2.0.0", "1.0.0"]),
        (FRONT, "1.2.0", ["1.2.0", "2.0.0", "1.0.0"]),
        (JOBS, "3.0.0", ["1.2.0", "2.0.0", "3.0.0"]),
    ]:
        assert world.bump(version, *GROUP, image=image).document["status"] == "changed"
        assert (world.heads(), tags(world)) == ([HEAD], found)
        assert world.bump(version, *GROUP, image=image).document["status"] == "unchanged"
    assert world.repo.count(HEAD) == world.repo.count() + 1
    assert world.bump("1.1.5", *GROUP, image=FRONT).code == 1
    assert world.bump("1.0.0", *GROUP, image=FRONT).document["status"] == "unchanged"
    assert tags(world) == ["1.2.0", "2.0.0", "3.0.0"]
    message = world.repo.git("log", "-1", "--format=%B", HEAD)
    assert [line for line in message.splitlines() if line.startswith(("Image: ", "Group: "))] == [
        f"Image: {JOBS}:3.0.0", f"Image: {FRONT}:1.2.0", f"Image: {BACK}:2.0.0", "Group: shop",
    ]  # fmt: skip
    if world.stub:
        [pull] = world.stub.pulls
        assert pull.title == "Update shop"
        assert all(f"`{image}`" in pull.body for image in (f"{JOBS}:3.0.0", f"{FRONT}:1.2.0", f"{BACK}:2.0.0"))


def test_what_was_merged_by_another_way_leaves_the_group(world):
    world.bump("1.1.0", *GROUP, image=FRONT)
    world.bump("2.0.0", *GROUP, image=BACK)
    world.bump("1.1.0", "--mode", "push", image=FRONT)
    assert world.bump("1.1.0", *GROUP, image=FRONT).document["status"] == "unchanged"
    assert world.bump("2.1.0", *GROUP, image=BACK).code == 0
    assert world.repo.git("diff", "--shortstat", "main", HEAD).startswith(" 1 file changed, 1 insertion(+)")
    world.bump("2.1.0", "--mode", "push", image=BACK)
    ran = world.bump("1.1.0", *GROUP, image=FRONT)
    if world.stub:
        assert (ran.document["status"], [pull.status for pull in world.stub.pulls]) == ("changed", ["closed"])


def test_a_group_and_its_images_alone_are_proposals_apart(world):
    world.bump("1.1.0", *GROUP, image=FRONT)
    world.bump("1.2.0", image=FRONT)
    world.bump("1.1.0", "--group", "Shop!", image=FRONT)
    assert len(world.heads()) == 3
    assert (tags(world)[0], tags(world, "gitops-ci/all/ghcr.io-acme-front")[0]) == ("1.1.0", "1.2.0")


def test_a_persons_refusal_of_a_group_holds_for_what_was_in_it(world):
    world.bump("1.1.0", *GROUP, image=FRONT)
    world.bump("2.0.0", *GROUP, image=BACK)
    if world.stub:
        world.stub.pulls[0].status = "closed"
        assert world.bump("2.0.0", *GROUP, image=BACK).document["status"] == "unchanged"
        assert world.bump("3.0.0", *GROUP, image=JOBS).document["pull_request"]["state"] == "opened"
        # What was refused with the old one does not come back with the new one.
        assert tags(world) == ["1.0.0", "1.0.0", "3.0.0"]


def test_the_group_of_the_settings_file(world, tmp_path):
    (tmp_path / ".gitops-ci.yaml").write_text("group: shop\nenvironments: {live: {paths: ['values.yaml']}}\n")
    world.bump("1.1.0", "--environment", "live", image=FRONT)
    assert world.heads() == ["gitops-ci/live@group/shop"]
    if world.stub:
        assert world.stub.pulls[0].title == "live: shop"


def test_a_neighbors_line_stays_when_the_base_changed_the_runs_own(world):
    """Found by the model of weeks: two lines that were changed together were dropped together."""
    world.bump("1.1.0", *GROUP, image=FRONT)
    world.bump("2.0.0", *GROUP, image=BACK)
    commit_files(world.repo, {"values.yaml": APPS.replace("front, tag: 1.0.0", "front, tag: 1.0.1")})
    assert world.bump("1.2.0", *GROUP, image=FRONT).code == 0
    assert tags(world) == ["1.2.0", "2.0.0", "1.0.0"]
