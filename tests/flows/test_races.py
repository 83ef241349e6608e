"""Many runs of the real program at once against one repository over real Git HTTP: nothing is lost, nothing doubled."""

import subprocess

import pytest

from tests.flows.test_bump import FILES, HEAD, IMAGE
from tests.support.effort import examples
from tests.support.forge_github import GitHubStub
from tests.support.runs import finish, fork

OLDER, NEWER = "ghcr.io/acme/shop:1.5.0", "ghcr.io/acme/shop:1.6.0"
ENTRY = "app{n}:\n  image:\n    repository: ghcr.io/acme/app{n}\n    tag: 1.0.0\n"
ROUNDS = examples(2)


@pytest.fixture
def at_once(tmp_path, git_server):
    """Run `gitops-ci bump` for each of these argument lists at the same time; exit codes and outputs, in order."""

    def run(*runs):
        environment = {"GITOPS_CI_TOKEN": git_server.token}
        where = ("--config-repo", git_server.url_of("acme/config"))
        running = [fork(tmp_path, "bump", *arguments, *where, environment=environment) for arguments in runs]
        return [finish(process) for process in running]

    return run


@pytest.fixture
def repo(git_server):
    return git_server.make_repo("acme/config", FILES)


@pytest.fixture
def github(git_server, repo):
    with GitHubStub(lambda branch: branch in repo.branches(), token=git_server.token) as stub:
        stub.tip = repo.head
        yield stub


def clean(repo):
    subprocess.run(["git", "-C", str(repo.path), "fsck", "--strict"], check=True, capture_output=True)
    return True


@pytest.mark.parametrize("place", ["one file", "files of their own"])
def test_every_writer_lands_once_and_nothing_is_lost(git_server, at_once, place):
    writers = 8
    entries = {n: ENTRY.format(n=n) for n in range(writers)}
    one = {"values.yaml": "".join(entries.values())}
    own = {f"apps/app{n}/values.yaml": entry for n, entry in entries.items()}
    repo = git_server.make_repo("acme/config", one if place == "one file" else own)
    for code, output in at_once(*((f"ghcr.io/acme/app{n}:2.0.0", "--mode", "push") for n in range(writers))):
        assert code == 0, output
    after = b"".join(repo.files().values()).decode()
    assert after.count("tag: 2.0.0") == writers
    assert repo.count() == 1 + writers
    assert clean(repo)


def test_ten_identical_runs_make_one_branch_one_commit_and_one_pull_request(at_once, repo, github):
    for code, output in at_once(*[(IMAGE, "--forge", "github", "--api-url", github.api_url)] * 10):
        assert code == 0, output
    assert repo.branches() == [HEAD, "main"]
    assert (repo.count("main"), repo.count(HEAD)) == (1, 2)
    assert [(pull.head, pull.status) for pull in github.pulls] == [(HEAD, "open")]
    assert clean(repo)


@pytest.mark.soak
def test_runs_that_look_at_other_places_at_once_share_one_pull_request_and_all_are_in_it(tmp_path, git_server):
    """Each application repository has its own idea of what the environment `live` is."""
    teams = 4
    values = {f"team{n}/values.yaml": ENTRY.format(n="").replace("app:", "shop:") for n in range(teams)}
    for n in range(teams):
        (tmp_path / f"app{n}").mkdir()
        layout = f"environments:\n  live:\n    paths: ['team{n}/**']\n"
        (tmp_path / f"app{n}" / ".gitops-ci.yaml").write_text(layout)
    for _ in range(ROUNDS):
        repo = git_server.make_repo("acme/config", values)
        with GitHubStub(lambda branch, repo=repo: branch in repo.branches(), token=git_server.token) as github:
            github.tip = repo.head
            where = (
                "--config-repo",
                git_server.url_of("acme/config"),
                "--forge",
                "github",
                "--api-url",
                github.api_url,
            )
            arguments = ("bump", "ghcr.io/acme/app:2.0.0", "--environment", "live", *where)
            environment = {"GITOPS_CI_TOKEN": git_server.token}
            running = [fork(tmp_path / f"app{n}", *arguments, environment=environment) for n in range(teams)]
            for code, output in map(finish, running):
                assert code == 0, output
            head = "gitops-ci/live/ghcr.io-acme-app"
            assert [(pull.head, pull.status) for pull in github.pulls] == [(head, "open")]
            assert [repo.read(path, head).count(b"tag: 2.0.0") for path in values] == [1] * teams
            assert all(path in github.pulls[0].body for path in values)
            assert repo.count(head) == 2
        repo.remove()


@pytest.mark.soak
def test_of_an_older_and_a_newer_image_the_newer_ends_on_the_branch(git_server, at_once):
    for _ in range(ROUNDS):
        repo = git_server.make_repo("acme/config", FILES)
        older, newer = at_once((OLDER, "--mode", "push"), (NEWER, "--mode", "push"))
        assert newer[0] == 0, newer[1]
        assert older[0] == 0 or "refusing to downgrade" in older[1]
        assert b"shop:1.6.0" in repo.read("base/deployment.yaml")
        assert repo.count() == (3 if older[0] == 0 else 2)
        repo.remove()


@pytest.mark.soak
def test_of_an_older_and_a_newer_image_the_newer_ends_in_the_pull_request(git_server, at_once):
    for _ in range(ROUNDS):
        repo = git_server.make_repo("acme/config", FILES)
        with GitHubStub(lambda branch, repo=repo: branch in repo.branches(), token=git_server.token) as github:
            github.tip = repo.head
            where = ("--forge", "github", "--api-url", github.api_url)
            older, newer = at_once((OLDER, *where), (NEWER, *where))
            assert newer[0] == 0, newer[1]
            assert older[0] == 0 or "a newer image already" in older[1]
            assert b"shop:1.6.0" in repo.read("base/deployment.yaml", HEAD)
            assert repo.count(HEAD) == 2
            assert [(pull.head, pull.title) for pull in github.pulls] == [(HEAD, "Bump shop to 1.6.0")]
        repo.remove()
