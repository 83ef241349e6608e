"""Many writers at once on one branch over HTTP: who lands, how long it takes, and whether anything is lost.

    python benchmarks/race.py [WRITERS] [same|own]

`same`: every writer has its own key in one file; `own`: every writer has a file of its own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.git_http import git_server


def main(writers: int, where: str) -> None:
    program = os.path.join(os.path.dirname(sys.executable), "gitops-ci")
    entry = "app{n}:\n  image:\n    repository: ghcr.io/acme/app{n}\n    tag: 1.0.0\n"
    if where == "same":
        files = {"values.yaml": "".join(entry.format(n=n) for n in range(writers))}
    else:
        files = {f"apps/app{n}/values.yaml": entry.format(n=n) for n in range(writers)}
    with tempfile.TemporaryDirectory() as folder, git_server(Path(folder)) as server:
        repo = server.make_repo("acme/config", files)
        environment = {**os.environ, "GITOPS_CI_TOKEN": server.token}
        started = time.perf_counter()
        running = [
            subprocess.Popen(
                [program, "bump", f"ghcr.io/acme/app{n}:2.0.0", "--mode", "push", "--quiet",
                 "--config-repo", server.url_of("acme/config")],
                env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            for n in range(writers)
        ]  # fmt: skip
        results = [(process.communicate()[0], process.returncode) for process in running]
        wall = time.perf_counter() - started
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = spent.ru_utime + spent.ru_stime
        tries = sum(request.query == "service=git-receive-pack" for request in server.requests)
        sent = sum(request.path.endswith("/git-receive-pack") for request in server.requests)
        failed = [output.decode() for output, code in results if code != 0]
        after = b"".join(repo.files().values()).decode()
        lost = sum(f"repository: ghcr.io/acme/app{n}\n    tag: 2.0.0\n" not in after for n in range(writers))
        repo.git("fsck", "--strict")
        print(
            f"{writers} writers, {where} file: {wall:.1f} s wall, {cpu:.0f} s CPU, {tries} tries, {sent} pushes sent, "
            f"{repo.count() - 1} commits, {lost} lost, fsck clean"
        )
        if failed:
            print(f"{len(failed)} failed, for example:\n{failed[0]}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, sys.argv[2] if len(sys.argv) > 2 else "same")
