"""Events that anybody can start publish only from the trusted commit: a comment may stand on anybody's change."""

import json
import subprocess

import pytest

IMAGE = "ghcr.io/acme/shop:1.4.2"


@pytest.fixture
def checkout(run, tmp_path):
    """A checkout of two commits, the newer one anybody's; variables of an event whose commit is the older one."""

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q", "-b", "main", ".")
    for _ in range(2):
        git("commit", "-q", "--allow-empty", "-m", "a")

    def variables(event, payload=None, ref="refs/heads/main"):
        (tmp_path / "event.json").write_text(json.dumps(payload or {}))
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_SHA": git("rev-parse", "HEAD^"),
            "GITHUB_REF": ref,
        }

    variables.git = git
    return variables


@pytest.fixture
def bump(run, sink, no_second_try):
    """Bump in a repository on a host that counts who connects to it."""

    def bumped(environment, *options):
        address = f"http://127.0.0.1:{sink.port}/acme/config"
        return run(
            *("bump", IMAGE, "--config-repo", address, "--forge", "git", "--mode", "push", *options),
            environment={**environment, "GITOPS_CI_TOKEN": "canary-tok-0123456789"},
        )

    return bumped


ANYBODY = ["issue_comment", "issues", "discussion_comment", "repository_dispatch", "watch", "check_suite"]


@pytest.mark.parametrize("event", ANYBODY)
def test_a_foreign_checkout_publishes_nothing(checkout, bump, sink, event):
    ran = bump(checkout(event))
    assert ran.code == 2
    assert f"Nothing is published from this {event}" in ran.err
    assert sink.connections == 0


@pytest.mark.parametrize("event", ANYBODY)
def test_the_trusted_commit_publishes(checkout, bump, sink, event):
    environment = checkout(event)
    checkout.git("checkout", "-q", "HEAD^")
    assert bump(environment).code == 5
    assert sink.connections > 0


def test_a_foreign_checkout_publishes_where_the_pipeline_allows_it(checkout, bump, sink):
    assert bump(checkout("issue_comment"), "--allow-untrusted").code == 5
    assert sink.connections > 0


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch", "release"])
def test_what_a_writer_starts_may_have_any_checkout(checkout, bump, sink, event):
    assert bump(checkout(event)).code == 5
    assert sink.connections > 0


@pytest.mark.parametrize(("ref", "code"), [("refs/heads/main", 5), ("refs/tags/v1", 5), ("", 2)])
def test_a_deployment_publishes_for_a_branch_or_tag_of_the_repository(checkout, bump, ref, code):
    assert bump(checkout("deployment", ref=ref)).code == code


@pytest.mark.parametrize(("owner", "code"), [("acme/shop", 5), ("mallory/shop", 2)])
def test_a_workflow_run_publishes_what_the_run_before_it_built(checkout, bump, owner, code):
    head = checkout.git("rev-parse", "HEAD")
    payload = {"workflow_run": {"head_sha": head, "head_repository": {"full_name": owner}}}
    assert bump(checkout("workflow_run", payload)).code == code
