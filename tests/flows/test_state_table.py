"""Every state a pull request can be in when the pipeline runs again, for the same, a newer and an older image.

On every kind of code host, with real Git; the code host is a stub that is held against its official description.
"""

import pytest

from tests.flows.test_bump import DEPLOYMENT, FILES, HEAD
from tests.support.forge_hosts import KINDS, hosting
from tests.support.git_repo import commit_files

pytestmark = pytest.mark.every_host

SAME, NEWER, OLDER = "ghcr.io/acme/shop:1.5.0", "ghcr.io/acme/shop:1.6.0", "ghcr.io/acme/shop:1.4.9"


@pytest.fixture(params=KINDS)
def host(request, git_server):
    def tips():
        return git_server.repo(running.stub.path).tips()

    with hosting(request.param, lambda branch: branch in tips(), token=git_server.token) as running:
        running.stub.tip = lambda branch: tips().get(branch, "1" * 40)
        yield running


@pytest.fixture
def repo(git_server, host):
    return git_server.make_repo(host.stub.path, FILES)


@pytest.fixture
def forge(host, repo):
    return host.stub


@pytest.fixture
def bump(run, git_server, host, repo):
    url = git_server.url_of(host.stub.path)
    where = ("--config-repo", url, "--forge", host.kind.forge, "--api-url", host.stub.api_url)

    def call(image, *more):
        return run("bump", image, *where, "--output", "json", *more, environment={"GITOPS_CI_TOKEN": git_server.token})

    return call


@pytest.fixture
def proposed(bump, forge, repo):
    """An open pull request for 1.5.0 on a base that has 1.4.1."""
    assert bump(SAME).code == 0
    return forge.pulls[0]


def image_in(repo, ref):
    text = repo.read("base/deployment.yaml", ref).decode()
    return text.partition('image: "')[2].partition('"')[0]


def statuses(forge):
    return [pull.status for pull in forge.pulls]


# --- closed by a person


@pytest.fixture
def declined(proposed):
    proposed.status = "closed"
    return proposed


def test_closed_same_with_reopen(bump, declined, repo, forge):
    document = bump(SAME, "--reopen").document
    assert (document["status"], document["pull_request"]["state"]) == ("changed", "opened")
    assert statuses(forge) == ["closed", "open"]


# --- merged


@pytest.fixture
def merged(proposed, repo):
    commit_files(repo, {path: data for path, data in repo.files(HEAD).items() if path != "README.md"})
    proposed.status = "merged"
    return proposed


def test_merged_newer(bump, merged, repo, forge):
    assert bump(NEWER).document["pull_request"]["state"] == "opened"
    assert (statuses(forge), image_in(repo, HEAD)) == (["merged", "open"], NEWER)
    assert repo.git("rev-parse", f"{HEAD}^") == repo.head()


def test_merged_and_taken_back_same_is_proposed_again(bump, merged, repo, forge):
    commit_files(repo, {"base/deployment.yaml": FILES["base/deployment.yaml"]}, message="Revert")
    assert bump(SAME).document["pull_request"]["state"] == "opened"
    assert statuses(forge) == ["merged", "open"]
    # On the base as it is: what was merged from the old commit is not a proposal any more.
    assert repo.git("rev-parse", f"{HEAD}^") == repo.head()


def test_merged_with_somebodys_commit_and_the_branch_kept(bump, proposed, repo, forge):
    """On GitHub the branch stays unless a setting says otherwise (renovatebot/renovate issues/16657)."""
    commit_files(repo, {"notes.md": "checked by hand\n"}, branch=HEAD)
    commit_files(repo, {path: data for path, data in repo.files(HEAD).items() if path != "README.md"})  # squashed
    forge.merged(proposed)
    assert bump(NEWER).document["pull_request"]["state"] == "opened"
    assert (statuses(forge), image_in(repo, HEAD)) == (["merged", "open"], NEWER)
    assert repo.git("rev-parse", f"{HEAD}^") == repo.head()


def test_what_somebody_commits_after_the_merge_is_never_overwritten(bump, merged, repo, forge):
    forge.merged(merged)
    commit_files(repo, {"notes.md": "for the next one\n"}, branch=HEAD)
    tip = repo.head(HEAD)
    assert bump(NEWER).code == 5
    assert repo.head(HEAD) == tip


# --- the branch was deleted, which closes the pull request


@pytest.fixture
def deleted(declined, repo):
    repo.git("update-ref", "-d", f"refs/heads/{HEAD}")
    return declined


def test_branch_deleted_same_is_a_no(bump, deleted, repo, forge):
    assert bump(SAME).document["status"] == "unchanged"
    assert (repo.branches(), statuses(forge)) == (["main"], ["closed"])


def test_branch_deleted_newer(bump, deleted, repo, forge):
    assert bump(NEWER).document["pull_request"]["state"] == "opened"
    assert (image_in(repo, HEAD), statuses(forge)) == (NEWER, ["closed", "open"])


def test_branch_deleted_older(bump, deleted, repo, forge):
    # Nothing is left of the newer one, and the base has 1.4.1: 1.4.9 is a step forward.
    assert bump(OLDER).document["pull_request"]["state"] == "opened"
    assert image_in(repo, HEAD) == OLDER


# --- the branch is behind the base


@pytest.fixture
def behind(proposed, repo):
    commit_files(repo, {"other.yaml": "a: 1\n"})
    return proposed


def test_behind_same_needs_nothing_while_its_files_are_as_they_were(bump, behind, repo, forge):
    tip = repo.head(HEAD)
    assert bump(SAME).document["status"] == "unchanged"
    assert repo.head(HEAD) == tip


def test_behind_same_is_rebuilt_where_its_files_changed(bump, proposed, repo, forge):
    commit_files(repo, {"base/deployment.yaml": DEPLOYMENT.replace("  name: shop\n", "  name: shop-two\n", 1)})
    assert bump(SAME).document["pull_request"]["state"] in {"unchanged", "updated"}
    assert repo.git("rev-parse", f"{HEAD}^") == repo.head()
    assert image_in(repo, HEAD) == SAME
    assert b"shop-two" in repo.read("base/deployment.yaml", HEAD)


def test_behind_same_is_rebuilt_where_its_very_line_changed(bump, proposed, repo, forge):
    text = FILES["base/deployment.yaml"].replace("shop:1.4.1", "shop:1.4.2", 1)
    commit_files(repo, {"base/deployment.yaml": text})
    assert bump(SAME).document["status"] == "changed"
    assert repo.git("rev-parse", f"{HEAD}^") == repo.head()
    assert (image_in(repo, HEAD), statuses(forge)) == (SAME, ["open"])


def test_behind_newer_stands_on_the_newest_base(bump, behind, repo, forge):
    bump(NEWER)
    assert repo.git("rev-parse", f"{HEAD}^") == repo.head()
    assert (image_in(repo, HEAD), statuses(forge)) == (NEWER, ["open"])


def test_behind_older(bump, behind, repo, forge):
    assert bump(OLDER).code == 1
    assert image_in(repo, HEAD) == SAME


def merge_into_head(repo, branch):
    if not _has_merge_tree(repo):
        pytest.skip("git merge-tree --write-tree needs git 2.38")
    tree = repo.git("merge-tree", "--write-tree", HEAD, branch)
    author = ("-c", "user.name=web-flow", "-c", "user.email=noreply@forge.com")
    merge = repo.git(*author, "commit-tree", tree, "-p", HEAD, "-p", branch, "-m", f"Merge branch '{branch}'")
    repo.git("update-ref", f"refs/heads/{HEAD}", merge)
    return merge


def test_a_base_merged_into_the_branch_by_the_host_is_nobodys_work(bump, behind, repo, forge):
    merge_into_head(repo, "main")
    commit_files(repo, {"other.yaml": "a: 2\n"})
    merge = merge_into_head(repo, "main")
    commit_files(repo, {"other.yaml": "a: 3\n"})
    assert bump(SAME).document["status"] == "unchanged"
    assert repo.head(HEAD) == merge
    assert bump(NEWER).code == 0
    assert image_in(repo, HEAD) == NEWER


def rebase_head(repo, message=None, **files):
    """Put the proposal's commit on the newest base as a host's button does: another tree, the same message."""
    message = message or repo.message(HEAD)
    changed = {path: data for path, data in repo.files(HEAD).items() if data != repo.files(f"{HEAD}^").get(path)}
    repo.git("update-ref", f"refs/heads/{HEAD}", "main")
    commit_files(repo, changed | files, branch=HEAD, message=message)
    return repo.head(HEAD)


def test_a_rebase_by_the_host_is_nobodys_work(bump, behind, repo, forge):
    tip = rebase_head(repo)
    assert bump(SAME).document["status"] == "unchanged"
    assert repo.head(HEAD) == tip
    assert bump(OLDER).code == 1
    assert bump(NEWER).document["pull_request"]["state"] == "updated"
    assert (image_in(repo, HEAD), statuses(forge)) == (NEWER, ["open"])


@pytest.mark.parametrize("theirs", ["another file", "another line", "another version", "on top of theirs"])
def test_a_rebase_with_somebodys_change_is_somebodys_work(bump, behind, repo, forge, theirs):
    text = repo.read("base/deployment.yaml", HEAD).decode()
    changed = {
        "another file": {"notes.md": "checked by hand\n"},
        "another line": {"base/deployment.yaml": text.replace("  name: shop\n", "  name: shop-two\n", 1)},
        "another version": {"base/deployment.yaml": text.replace("shop:1.5.0", "shop:1.5.1")},
        "on top of theirs": {},
    }[theirs]
    tip = rebase_head(repo, **changed)
    if theirs == "on top of theirs":
        repo.git("update-ref", "refs/heads/main", "main^")
    assert bump(NEWER).code == 5
    assert repo.head(HEAD) == tip


def test_somebodys_branch_merged_into_the_branch_is_somebodys_work(bump, proposed, repo, forge):
    repo.git("update-ref", "refs/heads/feature", "main")
    commit_files(repo, {"notes.md": "checked by hand\n"}, branch="feature")
    merge = merge_into_head(repo, "feature")
    assert bump(SAME).document["status"] == "unchanged"
    assert bump(NEWER).code == 5
    assert repo.head(HEAD) == merge


def _has_merge_tree(repo):
    version = repo.git("--version").split()[2].split(".")
    return (int(version[0]), int(version[1])) >= (2, 38)


# --- somebody else's commits lie on the branch


@pytest.fixture
def shared_branch(proposed, repo):
    commit_files(repo, {"notes.md": "checked by hand\n"}, branch=HEAD)
    return proposed


def test_work_of_others_same(bump, shared_branch, repo, forge):
    tip = repo.head(HEAD)
    document = bump(SAME).document
    assert (document["status"], document["pull_request"]["number"]) == ("unchanged", shared_branch.number)
    assert repo.head(HEAD) == tip


def test_work_of_others_newer_is_never_overwritten(bump, shared_branch, repo, forge):
    tip = repo.head(HEAD)
    ran = bump(NEWER)
    assert ran.code == 5
    assert "did not make" in ran.document["error"]["message"]
    assert (repo.head(HEAD), forge.pulls[0].title) == (tip, "Bump shop to 1.5.0")


def test_work_of_others_older(bump, shared_branch, repo, forge):
    tip = repo.head(HEAD)
    assert bump(OLDER).code == 1
    assert repo.head(HEAD) == tip


# --- another base


def test_a_proposal_to_another_branch_stands_on_a_branch_of_its_own(bump, proposed, repo, forge):
    repo.git("update-ref", "refs/heads/release/2026", "main")
    commit_files(repo, {"only-there.yaml": "a: 1\n"}, branch="release/2026")
    tip = repo.head(HEAD)
    assert bump(NEWER, "--base", "release/2026").document["pull_request"]["state"] == "opened"
    assert (repo.head(HEAD), [p.head for p in forge.pulls]) == (tip, [HEAD, HEAD.replace("all", "all@release/2026")])
    assert bump(SAME, "--base", "main").document["pull_request"]["number"] == proposed.number


# --- the base got the image by another way


def test_an_open_pull_request_is_closed_when_the_base_has_its_image(bump, proposed, repo, forge):
    assert bump(NEWER, "--mode", "push").code == 0
    document = bump(NEWER).document
    assert statuses(forge) == ["closed"]
    assert "main" in "".join(proposed.comments.values())
    assert document["status"] == "changed"
    assert bump(NEWER).document["status"] == "unchanged"


# --- answers that get lost, and twins


def test_a_lost_answer_never_makes_a_second_pull_request(bump, repo, host, forge):
    forge.fault("POST", host.kind.creates, 0, after=True)
    ran = bump(SAME)
    assert ran.code == 0, ran.out
    assert len(forge.pulls) == 1


@pytest.mark.usefixtures("no_second_try")
def test_a_branch_without_its_pull_request_gets_it_on_the_next_run(bump, repo, host, forge):
    forge.fault("POST", host.kind.creates, 500, times=9)
    assert bump(SAME).code == 6
    forge.faults.clear()
    tip = repo.head(HEAD)
    assert bump(SAME).document["pull_request"]["state"] == "opened"
    assert (repo.head(HEAD), len(forge.pulls)) == (tip, 1)
