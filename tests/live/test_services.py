"""The parts that other tests stand on are real: an Engine builds, registries refuse, a Git server counts."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from contextlib import ExitStack, closing, contextmanager

import docker
import pytest
import requests

from tests.support.git_http import GitServer
from tests.support.git_repo import Entry, commit_files
from tests.support.images import images_for_tests, remove_image
from tests.support.services import shared_engine

AUTH_KEY = "http.extraHeader"


def _git(*args: str, server: GitServer | None = None, token: str = "") -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "GIT_TERMINAL_PROMPT": "0"}
    config = ["-c", f"{AUTH_KEY}=Authorization: Bearer {token or server.token}"] if server else []
    return subprocess.run(["git", *config, *args], env=env, capture_output=True, text=True, check=False)


def test_engine_builds_and_pushes_to_the_registry(engine, registry, built_image):
    with closing(docker.APIClient(base_url=engine)) as client:
        client.tag(built_image, f"{registry}/acme/services", "1.0.0")
        said = list(client.push(f"{registry}/acme/services", tag="1.0.0", stream=True, decode=True, auth_config={}))
        client.remove_image(f"{registry}/acme/services:1.0.0")
    digest = next(line["aux"]["Digest"] for line in said if "aux" in line)
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    answer = requests.head(f"http://{registry}/v2/acme/services/manifests/1.0.0", headers=accept, timeout=10)
    assert answer.headers["Docker-Content-Digest"] == digest


def test_an_image_that_a_test_did_not_build_or_removed_itself_is_no_error_in_the_end(engine):
    with closing(docker.APIClient(base_url=engine)) as client:
        with images_for_tests(engine) as make:
            make("gitops-ci-tests/made:1")
            make("gitops-ci-tests/gone:1")
            remove_image(engine, "gitops-ci-tests/gone:1")
            remove_image(engine, "gitops-ci-tests/never:1")
            with pytest.raises(docker.errors.DockerException):
                make("not a name")
        with pytest.raises(docker.errors.ImageNotFound):
            client.inspect_image("gitops-ci-tests/made:1")


def test_registry_with_users_refuses_a_wrong_password(make_registry):
    private = make_registry(users={"bot": "right"})
    assert requests.get(f"{private.url}/v2/", timeout=10).status_code == 401
    assert requests.get(f"{private.url}/v2/", auth=("bot", "wrong"), timeout=10).status_code == 401
    assert requests.get(f"{private.url}/v2/", auth=("bot", "right"), timeout=10).status_code == 200


def test_registry_with_tls_is_trusted_by_its_own_authority_only(make_registry):
    secure = make_registry(tls=True)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{secure.url}/v2/", timeout=10)
    assert requests.get(f"{secure.url}/v2/", timeout=10, verify=str(secure.ca)).status_code == 200


def test_read_only_registry_refuses_uploads(make_registry):
    frozen = make_registry(read_only=True)
    assert requests.post(f"{frozen.url}/v2/acme/shop/blobs/uploads/", timeout=10).status_code == 405


def test_git_server_serves_clones_and_takes_pushes(git_server, tmp_path):
    repo = git_server.make_repo(
        "acme/shop-config", {"apps/shop.yaml": "image: shop:1\n", "run": Entry(b"#!", "100755")}
    )
    clone = str(tmp_path / "clone")
    assert _git("clone", "-q", git_server.url_of("acme/shop-config"), clone, server=git_server).returncode == 0
    # Larger than http.postBuffer: the push travels chunked; and compressed request bodies are git's own choice.
    (tmp_path / "clone" / "large").write_bytes(os.urandom(3 << 20))
    for command in (["add", "."], ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "More"]):
        assert _git("-C", clone, *command).returncode == 0
    pushed = _git("-C", clone, "push", "-q", "origin", "main", server=git_server)
    assert pushed.returncode == 0, pushed.stderr
    assert repo.count() == 2
    assert len(repo.read("large")) == 3 << 20
    assert git_server.received > 3 << 20
    assert {request.protocol for request in git_server.requests if request.method == "POST"} >= {"version=2"}


def test_git_server_refuses_a_wrong_token_and_two_headers(git_server):
    git_server.make_repo("acme/shop-config", {"a": "1"})
    url = git_server.url_of("acme/shop-config")
    assert _git("ls-remote", url, server=git_server, token="wrong").returncode != 0
    twice = ["-c", f"{AUTH_KEY}=Authorization: Bearer x"]
    assert "400" in _git(*twice, "ls-remote", url, server=git_server).stderr
    assert [request.status for request in git_server.requests] == [401, 400]


def test_git_server_runs_hooks_and_answers_partial_fetches(git_server, tmp_path):
    repo = git_server.make_repo("acme/shop-config", {f"{n}.yaml": "x" * 9000 + str(n) for n in range(50)}, history=3)
    repo.hook("pre-receive", "#!/bin/sh\necho protected branch >&2\nexit 1\n")
    clone = str(tmp_path / "clone")
    partial = ["clone", "-q", "--filter=blob:none", "--depth=1", "--bare"]
    assert _git(*partial, git_server.url_of("acme/shop-config"), clone, server=git_server).returncode == 0
    assert git_server.sent < 20_000
    refused = _git("-C", clone, "push", "origin", "main:other", server=git_server)
    assert refused.returncode != 0
    assert "protected branch" in refused.stderr
    assert repo.branches() == ["main"]


def test_repositories_are_the_same_on_every_machine(git_server):
    repo = git_server.make_repo("acme/fixed", {"a/b.yaml": "x: 1\n", "link": Entry(b"a/b.yaml", "120000")}, history=2)
    assert repo.head() == "10482a893e7b779acdbeb31762f498776730c13f"
    commit_files(repo, {"a/b.yaml": "x: 2\n", "link": None}, message="Second")
    assert repo.files() == {"a/b.yaml": b"x: 2\n"}
    assert "\n-x: 1\n+x: 2\n" in repo.diff("main~1", "main")


def test_tests_reach_nothing_but_loopback():
    with pytest.raises(PermissionError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("example.com", 443)
    assert not [name for name in os.environ if name.startswith(("CI_", "GITHUB_", "GITOPS_CI_", "DOCKER_"))]


@pytest.mark.parametrize("protocol", ["", "version=2"])
@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
def test_git_server_answers_as_the_program_for_http_does(git_server, monkeypatch, protocol, service):
    git_server.make_repo("acme/fixed", {"a.yaml": "x: 1\n"})

    def ask():
        url = f"{git_server.url_of('acme/fixed')}/info/refs?service={service}"
        answer = requests.get(url, headers={"Git-Protocol": protocol}, auth=("ci", git_server.token), timeout=30)
        return answer.status_code, answer.headers["Content-Type"], answer.content

    direct = ask()
    monkeypatch.setattr("tests.support.git_http._smart", lambda *_: None)
    assert direct == ask()
    assert direct[0] == 200


def test_one_engine_serves_all_workers_until_the_last_of_them_is_done(tmp_path, monkeypatch):
    events = []

    @contextmanager
    def fake():
        events.append("start")
        yield f"unix://{len(events)}"
        events.append("end")

    monkeypatch.setattr("tests.support.services.docker_engine", fake)
    monkeypatch.setattr("tests.support.services._answers", lambda sock: "end" not in events[int(sock) :])
    entered, joined, left = threading.Event(), threading.Event(), threading.Event()

    def first():
        with shared_engine(tmp_path) as url:
            events.append(url)
            entered.set()
            assert joined.wait(60)
        left.set()

    thread = threading.Thread(target=first)
    with ExitStack() as second:
        thread.start()
        assert entered.wait(60)
        assert second.enter_context(shared_engine(tmp_path)) == "unix://1"
        joined.set()
        assert not left.wait(0.2), "the Engine ended under a worker that uses it"
        events.append("second is done")
    thread.join(60)
    with shared_engine(tmp_path) as url:
        assert url == f"unix://{len(events)}"
    assert events == ["start", "unix://1", "second is done", "end", "start", "end"]
