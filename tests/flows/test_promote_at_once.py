"""Promotions beside bumps, and promotions that are killed, over real Git HTTP: nothing is lost, no set is torn."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.flows.test_interrupted import world
from tests.support.effort import STRIDE, examples
from tests.support.forge_github import GitHubStub
from tests.support.past import CONFIG, Past, overlay
from tests.support.runs import finish, fork

FRONT, BACK = "ghcr.io/acme/front", "ghcr.io/acme/back"
SETTINGS = f"{CONFIG}promotion:\n  together: [[{FRONT}, {BACK}]]\n"
PROMOTE = ("--to", "staging", "--skip-gate", "source-agrees", "--reason", "no registry here")
PATHS = {app: Past.path(app, "staging") for app in ("front", "back", "shop")}
FILES = {
    ".gitops-ci.yaml": SETTINGS,
    **{Past.path(app, "dev"): overlay(f"ghcr.io/acme/{app}:1.1.0") for app in PATHS},
    **{path: overlay(f"ghcr.io/acme/{app}:1.0.0") for app, path in PATHS.items()},
}


def versions(repo, ref):
    texts = (repo.read(path, ref).decode() for path in PATHS.values())
    return [text.partition('newTag: "')[2].partition('"')[0] for text in texts]


def is_torn(repo, ref="main"):
    """Whether some commit has one image of the set without the other."""
    commits = repo.git("rev-list", ref).split()
    return any(len(set(versions(repo, commit)[:2])) > 1 for commit in commits)


def at_once(folder, server, commands, *where):
    environment = {"GITOPS_CI_TOKEN": server.token}
    where = ("--config-repo", server.url_of("acme/config"), *where)
    running = [fork(folder, *command, *where, environment=environment) for command in commands]
    return [finish(process) for process in running]


def test_promotions_and_bumps_at_once_make_one_request_of_each_image_and_none_is_lost(tmp_path, git_server):
    repo = git_server.make_repo("acme/config", FILES)
    with GitHubStub(lambda branch: branch in repo.branches(), token=git_server.token) as github:
        github.tip = repo.head
        promote = ("promote", "ghcr.io/acme/shop", *PROMOTE)
        bump = ("bump", "ghcr.io/acme/shop:1.1.0", "--environment", "staging")
        commands = [promote, bump] * examples(3, times=8)
        for code, output in at_once(tmp_path, git_server, commands, "--forge", "github", "--api-url", github.api_url):
            assert code == 0, output
        head = "gitops-ci/staging/ghcr.io-acme-shop"
        assert [(pull.head, pull.status) for pull in github.pulls] == [(head, "open")]
        assert (versions(repo, head)[2], repo.count(head), repo.count()) == ("1.1.0", 2, 1)


def test_promotions_of_a_set_beside_bumps_of_others_all_land(tmp_path, git_server):
    repo = git_server.make_repo("acme/config", FILES)
    promote = ("promote", FRONT, BACK, *PROMOTE, "--mode", "push")
    bump = ("bump", "ghcr.io/acme/shop:1.1.0", "--environment", "staging", "--mode", "push")
    for code, output in at_once(tmp_path, git_server, [promote, bump, promote, bump]):
        assert code == 0, output
    assert (versions(repo, "main"), repo.count(), is_torn(repo)) == (["1.1.0"] * 3, 3, False)


def killed_and_run_again(mode, number):
    with world(mode, fatal=number, files=FILES, command=("promote", *PROMOTE, FRONT, BACK)) as place:
        assert place.run()[0] == -signal.SIGKILL
        time.sleep(0.2)  # what the server had begun for the dead client comes to its end
        code, output = place.run()
        assert code == 0, output
        assert not is_torn(place.repo)
        return place.state()


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["pull-request", "push"])
def test_a_promotion_that_is_killed_and_run_again_ends_like_an_uninterrupted_one(mode):
    with world(mode, files=FILES, command=("promote", *PROMOTE, FRONT, BACK)) as place:
        code, output = place.run()
        assert code == 0, output
        expected, requests = place.state(), place.boundaries.count
        ref = "main" if mode == "push" else place.github.pulls[0].head
        assert versions(place.repo, ref)[:2] == ["1.1.0", "1.1.0"]
    with ThreadPoolExecutor(4) as pool:
        numbers = range(1, requests + 1, STRIDE**3)
        for number, state in zip(numbers, pool.map(lambda n: killed_and_run_again(mode, n), numbers), strict=True):
            assert _without_age(state) == _without_age(expected), f"killed at request {number}"


def _without_age(state):
    """A body tells for how long a version has been there."""
    branches, pulls, *rest = state
    return [tip[:2] for tip in branches.values()], [(p[0], p[1], p[2], p[4:]) for p in pulls], rest
