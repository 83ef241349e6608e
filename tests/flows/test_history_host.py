"""What `history` and `promote` ask the code host: who merged, when, and when the source was committed."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from tests.flows.test_statuses import DEV, SHOP, STAGING, UNASKED
from tests.support.forge_hosts import KINDS
from tests.support.git_repo import commit_files
from tests.support.past import CONFIG, overlay
from tests.support.world import world_on

FILES = {".gitops-ci.yaml": CONFIG, DEV: overlay(f"{SHOP}:1.0.0"), STAGING: overlay(f"{SHOP}:1.0.0")}
ASK = ("history", "--since", "all", "--ask-host")


def at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("name", KINDS)
def test_who_merged_and_when_is_told_by_every_host(name, run, git_server):
    with world_on(name, run, git_server, FILES) as world:
        merged = commit_files(world.repo, {DEV: overlay(f"{SHOP}:1.1.0")}, message="Bump")
        pushed = commit_files(world.repo, {DEV: overlay(f"{SHOP}:1.2.0")}, message="Bump")
        world.stub.merge_of(merged, 71, "ada", "2026-11-30T12:00:00Z")
        told = {one["commit"]: one for one in world.call(*ASK).document["deployments"]}
        assert (told[merged]["merged_by"], told[merged]["merged"]) == ("ada", "2026-11-30T12:00:00Z")
        assert told[merged]["pull_request"] == "#71"
        assert (told[pushed]["merged_by"], told[pushed]["merged"]) == ("", None)
        text = world.call(*ASK[:-1]).document["deployments"]
        assert {one["merged_by"] for one in text} == {""}, "nobody is asked without the option"


def test_names_of_who_merged_are_numbers_in_an_anonymous_report(run, git_server):
    with world_on("github", run, git_server, FILES) as world:
        merged = commit_files(world.repo, {DEV: overlay(f"{SHOP}:1.1.0")}, message="Bump")
        world.stub.merge_of(merged, 71, "ada", "2026-11-30T12:00:00Z")
        found = world.call(*ASK, "--anonymous").document["deployments"]
        [name] = {one["merged_by"] for one in found} - {""}
        assert name.startswith("person ")
        assert name not in {one["by"] for one in found}, "another person has another number"
        assert "ada" not in json.dumps(found)


def test_a_host_that_refuses_is_a_warning_and_plain_git_has_none(run, git_server):
    with world_on("github", run, git_server, FILES) as world:
        world.stub.token = "another-token-0123"
        ran = world.call(*ASK)
        assert (ran.code, len(ran.document["deployments"])) == (0, 2)
        assert ran.err.count("Who merged is not shown for all") == 1
    with world_on("git", run, git_server, FILES) as world:
        ran = world.call(*ASK)
        assert (ran.code, "this is plain Git" in ran.err) == (0, True)


# Lead time: from the commit of the source to the deployment.


def sources(git_server, name, number):
    """A source repository with so many commits, a minute apart."""
    repo = git_server.make_repo(name, {"main.go": "0"})
    return repo, [commit_files(repo, {"main.go": str(n)}, message="Change") for n in range(1, number + 1)]


def deployed(world, version, address, commit, path=DEV):
    trailers = f"Image: {SHOP}:{version}\nSource-Repository: {address}\nSource-Commit: {commit}"
    return commit_files(world.repo, {path: overlay(f"{SHOP}:{version}")}, message=f"Bump\n\n{trailers}")


def committed(repo, commit):
    return int(repo.git("log", "-1", "--format=%ct", commit))


def test_lead_time_is_from_the_commit_of_the_source_to_the_deployment(run, git_server):
    with world_on("github", run, git_server, FILES) as world:
        repo, commits = sources(git_server, "acme/shop", 12)
        address = git_server.url_of("acme/shop")
        leads = []
        for number, commit in enumerate(commits, 1):
            made = deployed(world, f"1.{number}.0", address, commit)
            leads.append(max(0, committed(world.repo, made) - committed(repo, commit)))
        deployed(world, "2.0.0", address, "e" * 40)
        deployed(world, "2.1.0", "https://elsewhere.example/acme/shop", commits[0])
        deployed(world, "2.2.0", address, "not-a-commit")
        deployed(world, "2.2.0", address, commits[0], path=STAGING)
        deployed(world, "1.12.0", address, commits[-1])  # back to where it was: a rollback has no lead time
        figures = world.call(*ASK, "--metrics").document["metrics"]
        found = figures["dev"]
        assert (found["counts"]["lead_versions"], found["counts"]["lead_unknown"]) == (12, 3)
        ordered = sorted(leads)
        assert found["lead_time_seconds"] == int((ordered[5] + ordered[6]) / 2)
        assert found["lead_time_p90_seconds"] == ordered[10]
        assert figures["staging"]["counts"]["lead_versions"] == 1
        bare = world.call(*ASK[:-1], "--metrics").document["metrics"]["dev"]
        assert (bare["lead_time_seconds"], bare["counts"]["lead_unknown"]) == (None, 15)


def test_a_source_that_cannot_be_read_is_a_warning(run, git_server):
    with world_on("github", run, git_server, FILES) as world:
        deployed(world, "1.1.0", git_server.url_of("acme/nowhere"), "a" * 40)
        ran = world.call(*ASK, "--metrics")
        assert (ran.code, ran.err.count("Lead times from")) == (0, 1)


@pytest.mark.parametrize(
    "address", ["--upload-pack=x", "ext::sh -c id", "file:///etc", "https://user:pw@git.example/x"]
)
def test_no_address_of_a_trailer_is_an_option_or_another_host(run, git_server, address):
    with world_on("github", run, git_server, FILES) as world:
        deployed(world, "1.1.0", address, "a" * 40)
        ran = world.call(*ASK, "--metrics")
        assert ran.code == 0
        assert ran.document["metrics"]["dev"]["counts"]["lead_unknown"] == 1


# Soak counts from the merge.

SOAKS = CONFIG.replace("promote-from: dev", "promote-from: dev, mode: push, soak: 1h")


@pytest.mark.parametrize("name", ["github", "gitlab", "gitea", "azure-devops"])
def test_soak_counts_from_the_merge_where_that_is_later(name, run, git_server):
    """A commit that was made yesterday and merged by fast-forward a minute ago has soaked for a minute."""
    files = {**FILES, ".gitops-ci.yaml": SOAKS}
    with world_on(name, run, git_server, files) as world:
        brought = commit_files(world.repo, {DEV: overlay(f"{SHOP}:1.1.0")}, message="Bump")
        assert committed(world.repo, brought) < time.time() - 7200, "the clock of these repositories is behind"
        now = int(time.time())
        world.stub.merge_of(brought, 71, "ada", at(now - 600))
        ran = world.call("promote", "--to", "staging", *UNASKED)
        [gate] = [gate for gate in ran.document["gates"] if gate["gate"] == "soak"]
        assert (ran.code, gate["state"], gate["opens"]) == (0, "waiting", at(now - 600 + 3600))
        world.stub.merges.clear()
        world.stub.merge_of(brought, 71, "ada", at(now - 7200))
        ran = world.call("promote", "--to", "staging", *UNASKED)
        assert [gate["state"] for gate in ran.document["gates"] if gate["gate"] == "soak"] == ["open"]
        assert "1.1.0" in world.repo.read(STAGING).decode()


def test_where_the_host_does_not_tell_the_time_of_the_commit_counts(run, git_server):
    files = {**FILES, ".gitops-ci.yaml": SOAKS}
    for name in ("git", "github"):
        with world_on(name, run, git_server, files) as world:
            commit_files(world.repo, {DEV: overlay(f"{SHOP}:1.1.0")}, message="Bump")
            assert world.call("promote", "--to", "staging", *UNASKED).code == 0
            assert "1.1.0" in world.repo.read(STAGING).decode()
