"""`image labels`: what docker/metadata-action would write, from what the CI system tells."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest

PREFIX = "org.opencontainers.image."
COMMIT = "3fa9c1e0b5d2a7c64e8f1b90d3c2a1f0e9d8c7b6"


@pytest.fixture
def github(tmp_path):
    """The variables of a run for the tag v1.5.0."""
    event = {
        "repository": {
            "name": "shop",
            "description": "Sells 'things'\nand more",
            "default_branch": "main",
            "license": {"spdx_id": "Apache-2.0"},
        }
    }
    (tmp_path / "event.json").write_text(json.dumps(event))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SHA": COMMIT,
        "GITHUB_REF_NAME": "v1.5.0",
        "GITHUB_REF_TYPE": "tag",
        "SOURCE_DATE_EPOCH": "1700000000",
    }


EXPECTED = {
    "created": "2023-11-14T22:13:20.000Z",
    "description": "Sells 'things' and more",
    "licenses": "Apache-2.0",
    "revision": COMMIT,
    "source": "https://github.com/acme/shop",
    "title": "shop",
    "url": "https://github.com/acme/shop",
    "version": "1.5.0",
}


def test_labels_of_a_run_of_github(run, github):
    document = run("image", "labels", "--output", "json", environment=github).document
    assert document["labels"] == {PREFIX + name: value for name, value in EXPECTED.items()}
    lines = run("image", "labels", environment=github).out.splitlines()
    assert lines == [f"{PREFIX}{name}={value}" for name, value in EXPECTED.items()]


def test_options_for_docker_are_what_a_shell_and_xargs_read(run, github):
    out = run("image", "labels", "--output", "docker", environment=github).out
    expected = [word for name, value in EXPECTED.items() for word in ("--label", f"{PREFIX}{name}={value}")]
    assert shlex.split(out) == expected
    by_xargs = subprocess.run(["xargs", "printf", "%s\\n"], input=out, capture_output=True, text=True, check=True)
    assert by_xargs.stdout.splitlines() == expected


def test_labels_of_a_run_of_gitlab(run):
    variables = {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.example.com/acme/shop",
        "CI_PROJECT_NAME": "shop",
        "CI_PROJECT_DESCRIPTION": "A shop",
        "CI_COMMIT_SHA": COMMIT,
        "CI_COMMIT_BRANCH": "main",
        "CI_COMMIT_TIMESTAMP": "2026-11-20T10:00:00+01:00",
    }
    labels = run("image", "labels", "--output", "json", environment=variables).document["labels"]
    assert {name.removeprefix(PREFIX): value for name, value in labels.items()} == {
        "created": "2026-11-20T09:00:00.000Z",
        "description": "A shop",
        "revision": COMMIT,
        "source": "https://gitlab.example.com/acme/shop",
        "title": "shop",
        "url": "https://gitlab.example.com/acme/shop",
        "version": "main-3fa9c1e",
    }


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop"),
        ("https://bot:a-very-secret-word@git.example.com/acme/shop.git", None),
        ("file:///srv/git/shop.git", None),
    ],
)
def test_the_address_of_a_checkout(run, tmp_path, url, source):
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "remote", "add", "origin", url], cwd=tmp_path, check=True)
    ran = run("image", "labels", "--output", "json")
    assert ran.document["labels"].get(f"{PREFIX}source") == source
    assert "a-very-secret-word" not in ran.out + ran.err


def test_labels_of_the_user_come_last(run, github):
    more = ("--add", f"{PREFIX}title=The Shop", "--add", "team=a=b")
    labels = run("image", "labels", *more, "--output", "json", environment=github).document["labels"]
    assert (labels[f"{PREFIX}title"], labels["team"]) == ("The Shop", "a=b")
    by_variable = github | {"GITOPS_CI_ADD": f"{PREFIX}title=The Shop\nteam=a=b\n"}
    assert run("image", "labels", "--output", "json", environment=by_variable).document["labels"] == labels
    assert run("image", "labels", "--add", "team", environment=github).code == 2


def labels_of(run, variables, event, tmp_path, *options):
    (tmp_path / "event.json").write_text(json.dumps(event))
    document = run("image", "labels", *options, "--output", "json", environment=variables).document
    return {name.removeprefix(PREFIX): value for name, value in document["labels"].items()}


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ({"name": "Shop", "description": None, "license": None}, {"title": "Shop"}),
        ({"name": "shop", "license": {"key": "other", "spdx_id": "NOASSERTION"}}, {"title": "shop"}),
        ({"name": "shop", "license": {"key": "mit", "spdx_id": "MIT"}}, {"title": "shop", "licenses": "MIT"}),
        ({"name": "shop", "description": "a=b \\ $x `y`"}, {"title": "shop", "description": "a=b \\ $x `y`"}),
        # What a terminal or a CI system would obey is not part of a label.
        ({"description": "one\r\ntwo\u2028\x1b[31mred\u202e"}, {"title": "shop", "description": "one two [31mred"}),
        ({"description": "\x1b\n"}, {"title": "shop"}),
        ({"name": 7, "description": ["x"], "license": "MIT", "default_branch": 3}, {"title": "shop"}),
        (["x"], {"title": "shop"}),
        ("x", {"title": "shop"}),
        (None, {"title": "shop"}),
    ],
)
def test_what_an_event_tells_of_the_repository(run, github, tmp_path, repository, expected):
    labels = labels_of(run, github, {"repository": repository}, tmp_path)
    told = {name: labels[name] for name in ("title", "description", "licenses") if name in labels}
    assert told == expected
    assert labels["source"] == "https://github.com/acme/shop"


@pytest.mark.parametrize("event", [[], {"pull_request": "x"}, {"pull_request": {"head": 7}}, {"workflow_run": "x"}])
@pytest.mark.parametrize(
    "name", ["push", "pull_request", "pull_request_target", "workflow_run", "merge_group", "issues"]
)
def test_an_event_with_other_contents_than_the_host_sends(run, github, tmp_path, name, event):
    """`act --eventpath` takes any file."""
    variables = github | {"GITHUB_EVENT_NAME": name}
    assert labels_of(run, variables, event, tmp_path)["title"] == "shop"


@pytest.mark.parametrize(
    ("server", "source"),
    [
        ("https://github.example.com:8443", "https://github.example.com:8443/acme/shop"),
        # Gitea behind a path writes the slash of its ROOT_URL.
        ("https://gitea.example.com/git/", "https://gitea.example.com/git/acme/shop"),
        ("http://gitea.internal:3000/", "http://gitea.internal:3000/acme/shop"),
        ("", None),
    ],
)
def test_the_address_of_other_servers(run, github, tmp_path, server, source):
    variables = github | {"GITHUB_SERVER_URL": server, "GITEA_ACTIONS": "true"}
    labels = labels_of(run, variables, {"repository": {"name": "shop"}}, tmp_path)
    assert (labels.get("source"), labels.get("url")) == (source, source)


def test_the_head_of_a_pull_request_is_the_revision(run, github, tmp_path):
    head = {"sha": "b" * 40, "repo": {"full_name": "someone/shop", "html_url": "https://github.com/someone/shop"}}
    event = {"number": 7, "pull_request": {"number": 7, "head": head}, "repository": {"name": "shop"}}
    variables = github | {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF_NAME": "7/merge",
        "GITHUB_REF_TYPE": "branch",
    }
    labels = labels_of(run, variables, event, tmp_path)
    assert (labels["revision"], labels["source"]) == ("b" * 40, "https://github.com/acme/shop")
    assert labels["version"].startswith("pr-7")


def test_the_version_is_the_one_that_is_given(run, github, tmp_path):
    assert labels_of(run, github, {}, tmp_path, "--version", "9.9.9")["version"] == "9.9.9"
    variables = github | {"GITHUB_REF_NAME": "v1.2.3-rc.1+build.5"}
    assert labels_of(run, variables, {}, tmp_path)["version"] == "1.2.3-rc.1_build.5"


def test_docker_is_no_output_of_other_commands(run):
    assert run("image", "tags", "--version", "1.0.0", "--output", "docker").code == 2
