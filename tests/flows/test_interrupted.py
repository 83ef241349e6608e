"""The real program killed at every request that it sends, and run again: nothing is doubled, lost or left behind."""

import os
import signal
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flows.test_bump import FILES, HEAD, IMAGE
from tests.support.effort import STRIDE
from tests.support.forge_github import GitHubStub
from tests.support.git_http import git_server as serve
from tests.support.runs import finish, fork, start


class Boundaries:
    """Counts the requests to all servers of a world, and kills the running program when the chosen one arrives."""

    def __init__(self, fatal=0):
        self.fatal, self.count, self.group = fatal, 0, 0
        self.lock = threading.Lock()

    def __call__(self):
        with self.lock:
            self.count += 1
            if self.count == self.fatal:
                os.killpg(self.group, signal.SIGKILL)


class WatchedGitHub(GitHubStub):
    def __init__(self, boundary, *args, **options):
        super().__init__(*args, **options)
        self.boundary = boundary

    def _serve(self, *request):
        self.boundary()
        return super()._serve(*request)


class World:
    """One repository on its own servers, with its own folder for temporary files."""

    def __init__(self, folder, server, github, boundaries, mode):
        self.folder, self.repo, self.github, self.boundaries = folder, server.repo("acme/config"), github, boundaries
        self.command = ["bump", IMAGE, "--config-repo", server.url_of("acme/config"), "--mode", mode]
        self.command += ["--forge", "github", "--api-url", github.api_url, "--label", "gitops", "--reviewer", "ada"]
        self.environment = {"GITOPS_CI_TOKEN": server.token, "TMPDIR": str(folder)}

    def run(self):
        with self.boundaries.lock:
            process = fork(self.folder, *self.command, environment=self.environment)
            self.boundaries.group = process.pid
        return finish(process)

    def state(self):
        """Everything that outlives a run, without what differs from one commit to the next of the same content."""
        repo = self.repo
        repo.git("fsck", "--strict")
        branches = {
            b: (repo.git("rev-parse", f"{b}^{{tree}}"), repo.count(b), repo.message(b)) for b in repo.branches()
        }
        pulls = [
            (p.head, p.base, p.title, p.body, p.status, p.labels, p.reviewers, p.comments) for p in self.github.pulls
        ]
        locks = [path.name for path in repo.path.rglob("*.lock")]
        return branches, pulls, locks, os.listdir(self.folder)


@contextmanager
def world(mode, fatal=0, files=FILES, command=()):
    boundaries = Boundaries(fatal)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder, "served")) as server:
        server.make_repo("acme/config", files)
        server.boundary = boundaries
        repo = server.repo("acme/config")
        with WatchedGitHub(boundaries, lambda branch: branch in repo.branches(), token=server.token) as github:
            github.tip = repo.head
            Path(folder, "run").mkdir()
            place = World(Path(folder, "run"), server, github, boundaries, mode)
            place.command[:2] = command or place.command[:2]
            yield place


def killed_and_run_again(mode, number, **more):
    with world(mode, fatal=number, **more) as place:
        code, output = place.run()
        assert code == -signal.SIGKILL, output
        # What the server had begun for the dead client comes to its end.
        time.sleep(0.2)
        again, output = place.run()
        assert again == 0, output
        return place.state()


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["pull-request", "push"])
def test_killed_at_any_request_and_run_again_ends_like_an_uninterrupted_run(mode):
    with world(mode) as place:
        code, output = place.run()
        assert code == 0, output
        expected, requests = place.state(), place.boundaries.count
    assert expected[2:] == ([], [])
    assert len(expected[1]) == (mode == "pull-request")
    assert requests > 5
    with ThreadPoolExecutor(4) as pool:
        numbers = range(1, requests + 1, STRIDE**2)
        states = pool.map(lambda number: killed_and_run_again(mode, number), numbers)
        for number, state in zip(numbers, states, strict=True):
            assert state == expected, f"killed at request {number} of {requests}"


@pytest.mark.parametrize("stopped", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_at_once_with_130_and_leaves_nothing(git_server, tmp_path, stopped):
    repo = git_server.make_repo("acme/config", FILES)
    reached, released = threading.Event(), threading.Event()

    def hang():
        reached.set()
        released.wait(60)

    git_server.boundary = hang
    environment = {"GITOPS_CI_TOKEN": git_server.token, "TMPDIR": str(tmp_path)}
    process = start(tmp_path, "bump", IMAGE, "--config-repo", git_server.url_of("acme/config"), environment=environment)
    assert reached.wait(60)
    process.send_signal(stopped)
    asked = time.monotonic()
    code, output = finish(process, 60)
    took = time.monotonic() - asked
    assert _ends(process.pid), "git's helper for HTTP still waits for the server"
    released.set()
    assert (code, "nterrupted" in output) == (130, True), output
    assert took < 15, "the server would have held it for 60 seconds"
    assert os.listdir(tmp_path) == []
    assert HEAD not in repo.branches()


def _ends(group):
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
