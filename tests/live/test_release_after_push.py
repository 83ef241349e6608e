"""`release --after-push`: signed before deployed. The program is the user's own, and no repository names it."""

from __future__ import annotations

import itertools
import json
import shlex

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import delivery
from tests.support.layouts import LayoutWriter

_numbers = itertools.count(1)


@pytest.fixture
def image(registry):
    return f"{registry}/signed/shop-{next(_numbers)}"


@pytest.fixture
def digest(tmp_path):
    return LayoutWriter(tmp_path / "a").simple("x", [{"a": b"1"}])


@pytest.fixture
def signer(tmp_path):
    """A program that notes how it was called; exits with the code in the file `code`."""
    program = tmp_path / "sign er"
    notes = shlex.quote(str(tmp_path / "notes"))
    program.write_text(
        f'#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word" >> {notes}; done\nenv > {notes}.env\n'
        f'echo "no identity" >&2\nexit "$(cat {shlex.quote(str(tmp_path / "code"))} 2>/dev/null || echo 0)"\n'
    )
    program.chmod(0o755)
    return program


@pytest.fixture
def config(image, tmp_path):
    with delivery.github(tmp_path / "git", image) as to:
        yield to


@pytest.fixture
def release(run, config, image, digest):  # noqa: F811
    def call(command, *more, environment=None):
        return run(
            "release", "oci:a", "--to", image, "--version", "1.4.2", "--environment", "staging", "--base", "main",
            "--config-repo", config.url, "--forge", "github", "--api-url", config.forge.api_url, "--output", "json",
            "--after-push", command, *more, environment={"GITOPS_CI_TOKEN": config.token, **(environment or {})},
        )  # fmt: skip

    return call


def test_the_program_runs_between_push_and_bump(release, config, image, digest, signer, tmp_path):
    ran = release(f"'{signer}' sign --yes {{reference}} -a tag={{tag}} {{image}} {{digest}}")
    assert ran.code == 0, ran.out + ran.err
    expected = ["sign", "--yes", f"{image}@{digest}", "-a", "tag=1.4.2", image, digest]
    assert (tmp_path / "notes").read_text().splitlines() == expected
    assert len(config.forge.pulls) == 1


def test_a_program_that_fails_stops_before_git(release, config, image, signer, tmp_path):
    (tmp_path / "code").write_text("3")
    ran = release(f"'{signer}' {{reference}}")
    assert ran.code == 7
    assert "no identity" in ran.document["error"]["message"]
    assert ran.document["images"][0]["reference"] == f"{image}:1.4.2"
    assert not config.forge.pulls
    # The next run finishes what this one began: the image is there, and has no signature yet.
    (tmp_path / "code").write_text("0")
    assert release(f"'{signer}' {{reference}}").code == 0
    assert len((tmp_path / "notes").read_text().splitlines()) == 2
    assert len(config.forge.pulls) == 1


def test_a_program_that_is_missing(release, config):
    ran = release("no-such-signer {reference}")
    assert ran.code == 7
    assert not config.forge.pulls


def test_there_is_no_shell(release, signer, tmp_path):
    ran = release(
        f"'{signer}' {{reference}}; touch {tmp_path}/planted $(touch {tmp_path}/planted) > {tmp_path}/planted"
    )
    assert ran.code == 0, ran.out
    assert not (tmp_path / "planted").exists()


def test_the_program_gets_no_secret_of_ours(release, config, signer, tmp_path):
    identity = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job-itself", "GITOPS_CI_REGISTRY_PASSWORD": "of-the-registry"}
    assert release(f"'{signer}' x", environment=identity | {"GITOPS_CI_REGISTRY_USER": "bot"}).code == 0
    environment = (tmp_path / "notes.env").read_text()
    assert "GITOPS_CI_" not in environment
    assert config.token not in environment
    assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN=of-the-job-itself" in environment


def test_a_dry_run_runs_nothing(release, signer, tmp_path):
    assert release(f"'{signer}' x", "--mode", "dry-run").code == 0
    assert not (tmp_path / "notes").exists()


@pytest.mark.parametrize("command", ["sign {refrence}", "sign {}", "sign 'x", "{reference}", "{image} x"])
def test_a_command_that_cannot_be(release, command):
    assert release(command).code == 2


def test_no_file_of_a_repository_names_the_program(release, signer, tmp_path):
    (tmp_path / ".gitops-ci.yaml").write_text(f"after-push: {signer} x\n")
    ran = release("true")
    assert ran.code == 2
    assert "unknown key 'after-push'" in ran.document["error"]["message"]


def test_code_from_outside_starts_nothing(release, config, signer, tmp_path):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"number": 5, "pull_request": {"head": {"repo": {"full_name": "mallory/shop"}}}}))
    fork = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_EVENT_PATH": str(event),
    }
    ran = release(f"'{signer}' x", "--allow-untrusted", environment=fork)
    assert ran.code == 2
    assert "--after-push" in ran.document["error"]["message"]
    assert not (tmp_path / "notes").exists()
