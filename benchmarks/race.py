"""Many writers at once on one branch over HTTP: who lands, how long it takes, and whether anything is lost.

    python benchmarks/race.py [WRITERS] [same|own]
    python benchmarks/race.py [ROUNDS] newer

`same`: every writer has its own key in one file; `own`: every writer has a file of its own. Before them as many plain
pushes run in turn on the same server: what one writer that knows the branch and checks nothing takes. `newer`: an older
and a newer version of one image race, and the newer one has to end on top each time.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from timing import measure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.git_http import GitServer, git_server

PROGRAM = os.path.join(os.path.dirname(sys.executable), "gitops-ci")
ENTRY = "app{n}:\n  image:\n    repository: ghcr.io/acme/app{n}\n    tag: 1.0.0\n"


def bump(server: GitServer, image: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [PROGRAM, "bump", image, "--mode", "push", "--quiet", "--config-repo", server.url_of("acme/config")]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def serial(folder: Path, server: GitServer, files: Mapping[str, str], writers: int) -> float:
    """Seconds of so many commits and pushes of plain git, one after another."""
    server.make_repo("acme/serial", files)
    url = server.url_of("acme/serial").replace("://", f"://x:{server.token}@")
    clone = str(folder / "serial")
    subprocess.run(["git", "clone", "--quiet", url, clone], check=True, capture_output=True)
    git = ["git", "-C", clone, "-c", "user.name=a", "-c", "user.email=a@example.com"]
    started = time.perf_counter()
    for n in range(writers):
        path = Path(clone, "values.yaml" if "values.yaml" in files else f"apps/app{n}/values.yaml")
        old = f"repository: ghcr.io/acme/app{n}\n    tag: "
        path.write_text(path.read_text().replace(f"{old}1.0.0\n", f"{old}2.0.0\n"))
        subprocess.run([*git, "commit", "--quiet", "--all", "--message=Bump"], check=True)
        subprocess.run([*git, "push", "--quiet"], check=True, capture_output=True)
    return time.perf_counter() - started


def crowd(writers: int, where: str) -> None:
    if where == "same":
        files = {"values.yaml": "".join(ENTRY.format(n=n) for n in range(writers))}
    else:
        files = {f"apps/app{n}/values.yaml": ENTRY.format(n=n) for n in range(writers)}
    with tempfile.TemporaryDirectory() as folder, git_server(Path(folder)) as server:
        plain = serial(Path(folder), server, files, writers)
        repo = server.make_repo("acme/config", files)
        server.requests.clear()
        environment = {**os.environ, "GITOPS_CI_TOKEN": server.token}
        measure([PROGRAM, "bump", "--help"])
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        before = spent.ru_utime + spent.ru_stime
        started = time.perf_counter()
        running = [bump(server, f"ghcr.io/acme/app{n}:2.0.0", environment) for n in range(writers)]
        results = [(process.communicate()[0], process.returncode) for process in running]
        wall = time.perf_counter() - started
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = spent.ru_utime + spent.ru_stime - before
        tries = sum(request.query == "service=git-receive-pack" for request in server.requests)
        sent = sum(request.path.endswith("/git-receive-pack") for request in server.requests)
        failed = [output.decode() for output, code in results if code != 0]
        after = b"".join(repo.files().values()).decode()
        lost = sum(f"repository: ghcr.io/acme/app{n}\n    tag: 2.0.0\n" not in after for n in range(writers))
        repo.git("fsck", "--strict")
        print(
            f"{writers} writers, {where} file: {wall:.1f} s wall, {wall / plain:.1f} times {writers} plain pushes in "
            f"turn ({plain:.1f} s), {cpu:.0f} s CPU, {tries} tries, {sent} pushes sent, "
            f"{repo.count() - 1} commits, {lost} lost, fsck clean"
        )
        if failed:
            print(f"{len(failed)} failed, for example:\n{failed[0]}")


def newer(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, git_server(Path(folder)) as server:
        environment = {**os.environ, "GITOPS_CI_TOKEN": server.token}
        on_top, both = 0, 0
        for _ in range(rounds):
            repo = server.make_repo("acme/config", {"values.yaml": ENTRY.format(n=0)})
            running = [bump(server, f"ghcr.io/acme/app0:{version}", environment) for version in ("1.1.0", "1.2.0")]
            codes = [process.wait() for process in running]
            on_top += codes[1] == 0 and b"tag: 1.2.0" in repo.read("values.yaml")
            both += repo.count() == 3
            repo.remove()
        print(f"{rounds} rounds: the newer version on top {on_top} times, after the older one {both} times")


def main(number: int, what: str) -> None:
    newer(number) if what == "newer" else crowd(number, what)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, sys.argv[2] if len(sys.argv) > 2 else "same")
