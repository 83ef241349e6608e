"""What stands when a run begins, by what runs: seven times five rows, on every kind of code host and on plain Git.

A row is the exit code and what is proposed afterward. Git is real, over HTTP where a test is marked so; the code hosts
are stubs that are held against their official descriptions.
"""

import pytest

from tests.support.forge_hosts import FORKED, KINDS
from tests.support.git_repo import commit_files
from tests.support.world import PLACES

pytestmark = pytest.mark.every_host

OF_STAGING, OF_PRODUCTION = ("--path", "overlays/staging/**"), ("--path", "overlays/production/**")
FORKS = [f"{name}/fork" for name in FORKED]
RUNS = {
    "same": ("1.5.0",),
    "older": ("1.4.9",),
    "newer": ("1.6.0",),
    "other selection": ("1.5.0", *OF_STAGING),
    "deployed again": ("1.4.1",),
}
NOTHING = (0, [])
TABLE = {
    "none": {
        "same": (0, ["all 1.5.0"]),
        "older": (0, ["all 1.4.9"]),
        "newer": (0, ["all 1.6.0"]),
        "other selection": (0, ["staging 1.5.0"]),
        "deployed again": NOTHING,
    },
    "same": {
        "same": (0, ["all 1.5.0"]),
        "older": (1, ["all 1.5.0"]),
        "newer": (0, ["all 1.6.0"]),
        "other selection": (0, ["all 1.5.0"]),
        "deployed again": (0, ["all 1.5.0"]),
    },
    "older": {
        "same": (0, ["all 1.5.0"]),
        "older": (0, ["all 1.4.9"]),
        "newer": (0, ["all 1.6.0"]),
        "other selection": (0, ["base 1.4.5, production 1.4.5, staging 1.5.0"]),
        "deployed again": (0, ["all 1.4.5"]),
    },
    "newer": {
        "same": (1, ["all 1.7.0"]),
        "older": (1, ["all 1.7.0"]),
        "newer": (1, ["all 1.7.0"]),
        "other selection": (1, ["all 1.7.0"]),
        "deployed again": (0, ["all 1.7.0"]),
    },
    "other selection": {
        "same": (0, ["all 1.5.0", "production 1.5.0"]),
        "older": (0, ["all 1.4.9", "production 1.5.0"]),
        "newer": (0, ["all 1.6.0", "production 1.5.0"]),
        "other selection": (0, ["production 1.5.0", "staging 1.5.0"]),
        "deployed again": (0, ["production 1.5.0"]),
    },
    "closed by a person": {
        "same": NOTHING,
        "older": (1, []),
        "newer": (0, ["all 1.6.0"]),
        "other selection": NOTHING,
        "deployed again": NOTHING,
    },
    "merged, branch kept": {
        "same": NOTHING,
        "older": (1, []),
        "newer": (0, ["all 1.6.0"]),
        "other selection": NOTHING,
        "deployed again": NOTHING,
    },
}
# There the branch is the proposal: a person says no by deleting it, and nothing remembers that.
ON_PLAIN_GIT = TABLE | {"closed by a person": TABLE["none"]}


def commit_as_ada(repo, tree, *parents):
    """A commit of a person, a second after the last of its parents."""
    seconds = max(int(repo.git("show", "-s", "--format=%ct", parent)) for parent in parents) + 1
    lines = [f"tree {repo.git('rev-parse', tree)}", *(f"parent {repo.git('rev-parse', parent)}" for parent in parents)]
    lines += [f"{role} ada <ada@example.com> {seconds} +0000" for role in ("author", "committer")]
    return repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin="\n".join([*lines, "", "m\n"]).encode())


def let_stand(world, what):
    version = {"older": ("1.4.5",), "newer": ("1.7.0",), "other selection": ("1.5.0", *OF_PRODUCTION)}
    if what == "none":
        return
    assert world.bump(*version.get(what, ("1.5.0",))).code == 0
    if what == "merged, branch kept":
        world.merge()
    elif what == "closed by a person":
        world.close()


@pytest.mark.parametrize("world", [*KINDS, *FORKS, "gerrit", "git"], indirect=True)
@pytest.mark.parametrize("standing", TABLE)
def test_what_stands_by_what_runs(world, standing):
    let_stand(world, standing)
    saved, found = world.saved(), {}
    for name, arguments in RUNS.items():
        world.restore(saved)
        deployed_again = name == "deployed again" and standing == "merged, branch kept"
        ran = world.bump(*(("1.5.0",) if deployed_again else arguments))
        found[name] = (ran.code, world.proposed())
    assert found == (ON_PLAIN_GIT if world.kind == "git" else TABLE)[standing]


@pytest.mark.parametrize("world", ["github", "git"], indirect=True)
@pytest.mark.parametrize("is_persons", [False, True])
def test_the_base_was_merged_into_the_branch_and_had_changed_the_same_files(world, is_persons):
    """ "Update branch": found by the model of weeks. What a person adds to such a merge is a person's."""
    assert world.bump("1.5.0").code == 0
    [head] = world.heads()
    path, _ = PLACES["staging"]
    text = world.repo.read(path).decode()
    commit_files(world.repo, {path: "# staging\n" + text})
    changes = {place: world.repo.read(place, head) for place, _ in PLACES.values()}
    changes[path] = ("# staging\n" + text).replace("1.4.1", "1.5.0")
    if is_persons:
        changes[path] += "# mine\n"
    merged = commit_files(world.repo, changes, branch="merged", parent="main")
    tip = commit_as_ada(world.repo, f"{merged}^{{tree}}", head, "main")
    world.repo.git("update-ref", "-d", "refs/heads/merged")
    world.repo.git("update-ref", f"refs/heads/{head}", tip)
    ran = world.bump("1.6.0")
    if is_persons:
        assert (ran.code, world.repo.head(head)) == (5, tip)
    else:
        assert (ran.code, world.proposed()) == (0, ["all 1.6.0"]), ran
        assert world.repo.read(path, head).decode().startswith("# staging\n")


@pytest.mark.over_http
def test_a_merge_that_was_reverted_is_proposed_again(world):
    """On plain Git, too, where the branch is all there is of the pull request."""
    assert world.bump("1.5.0").code == 0
    [head] = world.heads()
    repo = world.repo
    merge = commit_as_ada(repo, f"{head}^{{tree}}", "main", head)
    revert = commit_as_ada(repo, "main^{tree}", merge)
    repo.git("update-ref", "refs/heads/main", revert)
    if world.stub:
        world.stub.merged(world.stub.pulls[0])
    for state in ("changed", "unchanged"):
        ran = world.bump("1.5.0")
        assert (ran.code, ran.document["status"], world.proposed()) == (0, state, ["all 1.5.0"])
    assert repo.git("rev-parse", f"{head}^") == revert


@pytest.mark.parametrize("world", ["git"], indirect=True)
@pytest.mark.parametrize("name", ["gitops-ci", "gitops-ci/all"])
def test_a_branch_in_the_way_is_told_at_once(world, name):
    world.repo.git("update-ref", f"refs/heads/{name}", "main")
    ran = world.bump("1.5.0")
    assert ran.code == 5
    assert f"has a branch {name}, so there can be no branch gitops-ci/all/" in ran.document["error"]["message"]
    assert "Rename or delete" in ran.document["error"]["hint"]


def test_a_run_of_what_is_deployed_never_costs_a_newer_release(world):
    assert world.bump("1.6.0").code == 0
    again = world.bump("1.4.1")
    assert (again.code, again.document["status"], again.document["pull_request"]) == (0, "unchanged", None)
    assert world.proposed() == ["all 1.6.0"]
    assert world.bump("1.6.0").document["status"] == "unchanged"
    assert world.proposed() == ["all 1.6.0"]


def test_what_the_tool_closed_itself_is_no_persons_refusal(world):
    world.bump("1.6.0")
    before = world.repo.head()
    assert world.bump("1.6.0", "--mode", "push").code == 0
    again = world.bump("1.6.0").document
    if world.stub:
        assert (again["status"], again["pull_request"]["state"]) == ("changed", "closed")
        assert [pull.status for pull in world.stub.pulls] == ["closed"]
    world.repo.git("update-ref", "refs/heads/main", before)  # taken back
    assert world.bump("1.6.0").code == 0
    assert world.proposed() == ["all 1.6.0"]
    if world.stub:
        # A person's refusal of the new one counts.
        world.stub.pulls[-1].status = "closed"
        ran = world.bump("1.6.0")
        assert (ran.code, ran.document["status"], world.proposed()) == (0, "unchanged", [])
        assert "a person closed pull request" in ran.err


@pytest.mark.parametrize("world", KINDS, indirect=True)
def test_a_person_who_reopens_and_closes_what_the_tool_closed_refuses_it(world):
    world.bump("1.6.0")
    before = world.repo.head()
    world.bump("1.6.0", "--mode", "push")
    world.bump("1.6.0")
    world.repo.git("update-ref", "refs/heads/main", before)
    [pull] = world.stub.pulls
    pull.status = "open"
    assert world.bump("1.6.0").document["pull_request"]["number"] == pull.number
    pull.status = "closed"
    assert world.bump("1.6.0").document["status"] == "unchanged"
    assert [p.status for p in world.stub.pulls] == ["closed"]


def test_two_teams_keep_their_places_in_one_proposal(world, tmp_path):
    """Each application repository says for itself what `production` means."""

    def team(place, version):
        text = f"environments:\n  live:\n    paths: ['{place}/**']\n"
        (tmp_path / ".gitops-ci.yaml").write_text(text)
        return world.bump(version, "--environment", "live")

    for place, version, after in [
        ("base", "1.5.0", ["base 1.5.0"]),
        ("overlays", "1.5.0", ["all 1.5.0"]),
        ("base", "1.6.0", ["base 1.6.0, production 1.5.0, staging 1.5.0"]),
        ("overlays", "1.6.0", ["all 1.6.0"]),
        ("base", "1.7.0", ["base 1.7.0, production 1.6.0, staging 1.6.0"]),
        ("overlays", "1.6.0", ["base 1.7.0, production 1.6.0, staging 1.6.0"]),
    ]:
        ran = team(place, version)
        assert (ran.code, world.proposed()) == (0, after), ran
    # The words are of everything that is proposed, and a run that adds nothing leaves them alone.
    if world.stub:
        [pull] = world.stub.pulls
        assert "`overlays/staging/kustomization.yaml:4`" in pull.body
        assert "`1.7.0`" in pull.body
        assert ran.document["pull_request"]["state"] == "unchanged"
    [head] = world.heads()
    assert world.repo.count(head) == world.repo.count() + 1
    # Half of it was merged by another way: the other half stays.
    world.bump("1.7.0", "--mode", "push", "--path", "base/**")
    assert team("base", "1.7.0").document["status"] == "unchanged"
    assert world.proposed() == ["production 1.6.0, staging 1.6.0"]


@pytest.mark.parametrize("world", KINDS, indirect=True)
def test_a_persons_words_are_kept(world):
    """Title and description belong to whoever changed them last; a marked block of the description stays ours."""
    world.bump("1.5.0")
    [pull] = world.stub.pulls
    assert world.bump("1.5.0").document["pull_request"]["state"] == "unchanged"
    pull.body = f"Wait for the DBA.\n\n{pull.body}\n\n## Rollout\n- [x] DBA told\n"
    assert world.bump("1.5.0").document["pull_request"]["state"] == "unchanged"
    assert world.bump("1.6.0").document["pull_request"]["state"] == "updated"
    assert (pull.title, pull.body.count("1.5.0")) == ("Bump shop to 1.6.0", 0)
    pull.title = "OPS-1 shop, wait for the DBA"
    assert world.bump("1.7.0").document["pull_request"]["state"] == "updated"
    assert pull.title == "OPS-1 shop, wait for the DBA"
    assert pull.body.startswith("Wait for the DBA.")
    assert pull.body.rstrip().endswith("- [x] DBA told")
    assert "`1.7.0`" in pull.body
    assert (pull.body.count("gitops-ci:begin"), pull.body.count("gitops-ci:end")) == (1, 1)
    pull.body = "Only mine now."
    world.bump("1.8.0")
    assert (pull.title, pull.body.strip()) == ("OPS-1 shop, wait for the DBA", "Only mine now.")
    assert world.proposed() == ["all 1.8.0"]
