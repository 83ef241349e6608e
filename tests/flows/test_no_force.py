"""Hosts that let no branch be replaced: a newer image goes on top, and the pull request still is exactly the plan.

GitHub's ruleset "Block force pushes" and protected branches (docs.github.com "Available rules for rulesets"), GitLab's
protected branches (docs.gitlab.com/user/project/repository/branches/protected), `receive.denyNonFastForwards`.
"""

import pytest

from tests.support.git_repo import commit_files
from tests.support.world import PLACES

WORDS = {
    "github": "error: GH006: Protected branch update failed.\nerror: Cannot force-push to this branch",
    "gitlab": "GitLab: You are not allowed to force push code to a protected branch on this project.",
    "git": "",
}
HOOK = """\
#!/bin/sh
while read old new ref; do
  case $old$new in 0000000*|*0000000) continue;; esac
  git merge-base --is-ancestor $old $new || {{ echo '{}' >&2; exit 1; }}
done
"""


@pytest.fixture
def strict(world):
    kind = type(world.stub).CONTRACT if world.stub else "git"
    if kind == "git":
        world.repo.git("config", "receive.denyNonFastForwards", "true")
    else:
        world.repo.hook("pre-receive", HOOK.format(WORDS[kind]))
    return world


pytestmark = pytest.mark.parametrize("world", WORDS, indirect=True)


def head(world):
    [name] = world.heads()
    return name


def ours(world):
    """How many commits a merge would bring."""
    return int(world.repo.git("rev-list", "--count", f"main..{head(world)}"))


def merges_cleanly(world):
    """What a merge of the branch into main makes of the files that name the image."""
    world.repo.git("merge-tree", "--write-tree", "main", head(world))
    return world.repo.git("merge-base", "main", head(world))


def test_newer_images_go_on_top(strict):
    world = strict
    for number, version in enumerate(["1.5.0", "1.6.0", "1.7.0"], 1):
        for state in ("changed", "unchanged"):
            ran = world.bump(version)
            assert (ran.code, ran.document["status"]) == (0, state), ran
        assert (world.proposed(), ours(world)) == ([f"all {version}"], number)
    assert merges_cleanly(world) == world.repo.head()
    assert world.bump("1.6.5").code == 1
    if world.stub:
        assert [(pull.title, pull.status) for pull in world.stub.pulls] == [("Bump shop to 1.7.0", "open")]


def test_a_narrower_plan_takes_back_what_the_branch_had(strict):
    """The base got one place by another way: the branch's own change of it is gone from the difference."""
    world = strict
    world.bump("1.5.0")
    path, _ = PLACES["staging"]
    commit_files(world.repo, {path: world.repo.read(path).decode().replace("1.4.1", "1.7.0")})
    assert world.bump("1.6.0").code == 0
    assert world.proposed() == ["base 1.6.0, production 1.6.0"]
    assert merges_cleanly(world) == world.repo.head()
    assert world.bump("1.6.0").document["status"] == "unchanged"


def test_a_base_that_changed_the_same_files_is_merged_first(strict):
    world = strict
    world.bump("1.5.0")
    path, _ = PLACES["base"]
    commit_files(world.repo, {path: "# ours\n" + world.repo.read(path).decode()})
    assert world.refresh().document["proposals"][0]["state"] == "rebuilt"
    assert (world.proposed(), merges_cleanly(world)) == (["all 1.5.0"], world.repo.head())
    assert world.repo.read(path, head(world)).decode().startswith("# ours\n")
    assert world.refresh().document["status"] == "unchanged"
    assert world.bump("1.6.0").code == 0
    assert (world.proposed(), merges_cleanly(world)) == (["all 1.6.0"], world.repo.head())


def test_after_a_squash_merge_with_the_branch_kept(strict):
    world = strict
    world.bump("1.5.0")
    name = head(world)
    commit_files(world.repo, {path: world.repo.read(path, name) for path, _ in PLACES.values()}, message="Squashed")
    if world.stub:
        world.stub.merged(world.stub.pulls[0])
        ran = world.bump("1.6.0")
        assert (ran.code, world.proposed()) == (0, ["all 1.6.0"]), ran
        assert merges_cleanly(world) == world.repo.head()
        assert [pull.status for pull in world.stub.pulls] == ["merged", "open"]


def test_a_person_on_top_is_still_never_overwritten(strict):
    world = strict
    world.bump("1.5.0")
    world.bump("1.6.0")
    tip = commit_files(world.repo, {"notes.md": "checked by hand\n"}, branch=head(world))
    assert world.bump("1.7.0").code == 5
    assert world.repo.head(head(world)) == tip


def test_what_is_refused_all_the_same_is_told_at_once(strict):
    world = strict
    world.bump("1.5.0")
    world.repo.hook("update", "#!/bin/sh\ncase $2 in 000*) exit 0;; esac\necho 'Cannot force-push' >&2\nexit 1\n")
    ran = world.bump("1.6.0")
    assert (ran.code, "refuses force pushes to gitops-ci/all/" in ran.document["error"]["message"]) == (5, True)
    assert "--mode pull-request" not in ran.document["error"]["hint"]
    assert world.proposed() == ["all 1.5.0"]
