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


def test_docker_is_no_output_of_other_commands(run):
    assert run("image", "tags", "--version", "1.0.0", "--output", "docker").code == 2
