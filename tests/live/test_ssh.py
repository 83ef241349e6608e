"""A config repository over ssh: a real sshd, keys as CI jobs have them, and mistakes that say what is wrong."""

import os
import subprocess

import pytest

from tests.flows.conftest import run  # noqa: F401 - a fixture
from tests.support import missing
from tests.support.git_repo import make_repo
from tests.support.services import Unavailable, program
from tests.support.ssh_server import new_key, ssh_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    try:
        with ssh_server(tmp_path_factory.mktemp("ssh")) as running:
            yield running
    except Unavailable as absent:
        missing(str(absent))


@pytest.fixture
def repo(tmp_path):
    return make_repo(tmp_path / "config.git", {"values.yaml": "image: ghcr.io/acme/shop:1.4.1\n"})


@pytest.fixture
def bump(run, repo, server):  # noqa: F811
    def call(*more, **variables):
        where = server.url_of(repo.path)
        return run("bump", "ghcr.io/acme/shop:1.5.0", "--config-repo", where, *more, environment=variables)

    return call


def test_a_key_that_the_job_names_pushes(bump, repo, server):
    ran = bump("--mode", "push", GIT_SSH_COMMAND=server.command(server.key))
    assert ran.code == 0, ran.err
    assert repo.read("values.yaml") == b"image: ghcr.io/acme/shop:1.5.0\n"


def test_a_key_that_only_an_agent_has_pushes_a_branch(bump, repo, server):
    started = subprocess.run([program("ssh-agent"), "-s"], capture_output=True, text=True, check=True).stdout
    agent = {name: started.partition(f"{name}=")[2].partition(";")[0] for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID")}
    try:
        subprocess.run(["ssh-add", "-q", str(server.key)], env={**os.environ, **agent}, check=True)
        command = server.command().replace("-o IdentitiesOnly=yes", "")
        ran = bump("--forge", "git", GIT_SSH_COMMAND=command, **agent)
    finally:
        os.kill(int(agent["SSH_AGENT_PID"]), 15)
    assert ran.code == 0, ran.err
    assert len(repo.branches()) == 2


def test_a_key_that_may_not_sign_in_says_so(bump, repo, server, tmp_path):
    ran = bump("--mode", "push", GIT_SSH_COMMAND=server.command(new_key(tmp_path / "other")))
    assert ran.code == 5
    assert "refuses access" in ran.out + ran.err
    assert "Permission denied" in ran.out + ran.err
    assert "ssh key" in ran.out + ran.err


def test_a_host_that_nobody_vouches_for_gets_nothing(bump, repo, server):
    # Without a word about ssh, the user's own known_hosts decide, and this server is in none.
    ran = bump("--mode", "push")
    assert ran.code == 5
    assert "is not in known_hosts" in ran.out + ran.err
    assert "ssh-keyscan -p" in ran.out + ran.err
