"""`status`, `promote` and `rollback` over HTTP, beside a bump and `history` in the same repository.

    python benchmarks/environments.py [IMAGES] [COMMITS]

Three environments with so many images each (200), and so many commits that brought one image to its next version in one
environment (1,000). The last row is a first promotion: every image of staging goes to production.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from history import DEPLOYMENT
from timing import compare, measure

from tests.support.forge_github import GitHubStub
from tests.support.git_http import git_server
from tests.support.git_repo import BareRepo

ENVIRONMENTS = ("dev", "staging", "production")
SETTINGS = """\
environments:
  dev: {paths: ['envs/dev/**']}
  staging: {paths: ['envs/staging/**'], promote-from: dev}
  production: {paths: ['envs/production/**'], promote-from: staging}
"""
TOKEN = "ghs_marked0token0of0a0benchmark00000000"


class _EveryTag(BaseHTTPRequestHandler):
    """A registry that has every tag."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Docker-Content-Digest", "sha256:" + "1" * 64)
        self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def fill(repo: BareRepo, registry: str, images: int, commits: int) -> None:
    """The commits of a repository: in the end production is behind staging in every image."""
    draw = random.Random(1)
    versions = {(where, number): 0 for where in ENVIRONMENTS for number in range(images)}
    with subprocess.Popen(["git", "-C", repo.path, "fast-import", "--quiet"], stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        out = importer.stdin

        def text(content: str) -> bytes:
            return b"data %d\n%b\n" % (len(content.encode()), content.encode())

        def file(where: str, number: int) -> None:
            name = f"app{number}"
            content = DEPLOYMENT.format(name=name, version=versions[where, number])
            out.write(f"M 100644 inline envs/{where}/{name}.yaml\n".encode())
            out.write(text(content.replace("ghcr.io", registry)))

        def commit(at: int) -> None:
            out.write(b"commit refs/heads/main\ncommitter bot <bot@example.com> %d +0000\n" % (1_790_000_000 + at * 60))
            out.write(text("Bump\n"))

        commit(0)
        out.write(b"M 100644 inline .gitops-ci.yaml\n" + text(SETTINGS))
        for where, number in versions:
            file(where, number)
        for at in range(1, commits):
            where, number = draw.choice(ENVIRONMENTS[:2]), draw.randrange(images)
            versions[where, number] += 1
            commit(at)
            file(where, number)
        commit(commits)
        for number in range(images):
            versions["staging", number] += 1000
            file("staging", number)


def main(images: int, commits: int) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _EveryTag)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    registry = f"127.0.0.1:{server.server_address[1]}"
    with tempfile.TemporaryDirectory() as folder, git_server(Path(folder), token=TOKEN) as git:
        repo = git.make_repo("acme/config", {"README.md": "x"})
        repo.git("update-ref", "-d", "refs/heads/main")
        fill(repo, registry, images, commits)
        with GitHubStub(lambda branch: branch in repo.branches(), token=TOKEN) as forge:
            os.environ |= {"GITOPS_CI_TOKEN": TOKEN, "GITOPS_CI_FORGE": "github", "GITOPS_CI_API_URL": forge.api_url}
            os.environ |= {"GITOPS_CI_CONFIG_REPO": git.url_of("acme/config")}
            program = [sys.executable, "-m", "gitops_ci"]
            shop = f"{registry}/acme/app0"
            dry = ["--mode", "dry-run"]
            compare(
                {
                    "bump": [*program, "bump", f"{shop}:1.9000.0", "--environment", "production", *dry],
                    "history": [*program, "history", shop, "--environment", "staging"],
                    "status": [*program, "status"],
                    "promote, one image": [*program, "promote", shop, "--to", "production", *dry],
                    "rollback": [*program, "rollback", shop, "--environment", "staging", *dry],
                },
                runs=5,
            )
            before = len(git.requests)
            wall, cpu = measure([*program, "promote", "--to", "production"])
            print(
                f"promote, {images} images: {wall:.1f} s wall, {cpu:.1f} s CPU, {len(forge.pulls)} pull requests, ",
                end="",
            )
            print(f"{len(git.requests) - before} requests to Git")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*(numbers + [200, 1000][len(numbers) :]))
