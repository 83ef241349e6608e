"""`promote` over HTTP, beside a stub code host: what a run asks for. tests/live/test_promote.py has what it decides."""

import secrets

import pytest

from tests.support.past import CONFIG, Past, overlay
from tests.support.world import world_on

pytestmark = pytest.mark.over_http

PASSED = ("--skip-gate", "source-agrees", "--reason", "no registry here")
AUTO = CONFIG.replace("promote-from: dev", "promote-from: dev, promote: auto, mode: push").replace(
    "promote-from: staging", "promote-from: staging, promote: auto, mode: push"
)


def apps(*names, settings=CONFIG):
    """An environment dev that is ahead of staging and production in each of these applications."""
    files = {".gitops-ci.yaml": settings}
    for app in names:
        for environment in ("dev", "staging", "production"):
            tag = "1.1.0" if environment == "dev" else "1.0.0"
            files[Past.path(app, environment)] = overlay(f"ghcr.io/acme/{app}:{tag}")
    return files


def test_a_chain_goes_one_environment_a_run_and_then_only_reads(run, git_server):
    with world_on("github", run, git_server, apps("shop", settings=AUTO)) as world:
        seen = []
        for number in range(4):
            if number == 3:
                tips, asked, fetched = world.repo.tips(), len(world.stub.requests), len(git_server.requests)
            ran = world.call("promote", "--to", "auto", *PASSED)
            assert ran.code == 0, ran.err
            texts = [world.repo.read(Past.path("shop", name)) for name in ("staging", "production")]
            seen.append((ran.document["status"], *(b"1.1.0" in text for text in texts)))
        assert seen == [("changed", True, False), ("changed", True, True), *[("unchanged", True, True)] * 2]
        assert world.repo.tips() == tips
        assert {request.method for request in world.stub.requests[asked:]} <= {"GET"}
        assert not [one for one in git_server.requests[fetched:] if "receive-pack" in one.path + one.query]


def test_the_images_of_a_run_are_promoted_from_one_clone(run, git_server):
    size = 200_000
    files = apps("front", "back", "shop") | {"apps/shop/overlays/staging/big.yaml": f"# {secrets.token_hex(size)}\n"}
    with world_on("github", run, git_server, files) as world:
        assert world.call("promote", "--to", "staging", *PASSED).code == 0
        assert len(world.stub.pulls) == 3
    # The file is read for the history, and once for the changes.
    assert size < git_server.sent < 3 * size


def test_the_error_of_one_promotion_names_no_commit_of_another(run, git_server):
    files = apps("back", "front")
    files[Past.path("front", "staging")] = overlay("ghcr.io/acme/front:1.2.0")
    with world_on("git", run, git_server, files) as world:
        ran = world.call("promote", "--to", "staging", "--mode", "push", *PASSED)
        assert (ran.code, world.repo.count()) == (1, 2), "back was promoted, front is newer in staging"
        assert "ghcr.io/acme/front is stopped by age" in ran.document["error"]["message"]
        assert world.repo.head()[:12] not in ran.document["error"]["hint"]


def test_each_further_image_of_a_run_takes_few_requests_to_git(run, git_server):
    taken = []
    for names in (("shop",), ("back", "front", "shop")):
        with world_on("github", run, git_server, apps(*names)) as world:
            before = len(git_server.requests)
            assert world.call("promote", "--to", "staging", *PASSED).code == 0
            taken.append(len(git_server.requests) - before)
            world.repo.remove()
    assert taken[1] - taken[0] <= 2 * 11, "13 each where every run looked at its branch twice after the push"
